/* Reads the text of the source lines that a report may show, through the target's own root. */
#ifndef LK_EXAMINE_SAMPLE_SOURCE_LINES_H
#define LK_EXAMINE_SAMPLE_SOURCE_LINES_H

#include "process/process.h"

/** After lk_classify, and after native frames have their lines: fills `source` of user frames and
 * of the frames a culprit may be chosen from. Bounded. */
void lk_sources_read(struct lk_process *t, struct lk_snapshot *s);

#endif
