/* What is read of the last sample only. */
#ifndef LK_EXAMINE_LAST_SAMPLE_H
#define LK_EXAMINE_LAST_SAMPLE_H

#include "examine/sample/sample.h"

/** Says in the limits how many threads ran while they were read, and why none was stopped. */
void lk_note_moving(const struct lk_session *of, struct lk_snapshot *s);
/** Listening sockets, who else has them, and which clients that wait there have asked. */
void lk_read_listeners(const struct lk_session *of, struct lk_snapshot *s);
/** Variables of the frames of what was found; ended: why nothing more can be read. */
void lk_read_values(const struct lk_session *of, struct lk_snapshot *s,
                    const struct lk_findings *found, const struct lk_error *ended);

#endif
