/* What a writer writes, as a text. */
#ifndef LK_REPORT_MEMORY_STREAM_H
#define LK_REPORT_MEMORY_STREAM_H

#include "report/report.h"

/** The reports in a format, NUL-terminated; *size (may be NULL) gets the length without it. Belongs
 * to the arena. */
const char *lk_report_written(struct lk_arena *a,
                              bool (*write)(const struct lk_report *reports, size_t n, bool set,
                                            const struct lk_render *how, FILE *out),
                              const struct lk_report *reports, size_t n, bool set,
                              const struct lk_render *how, size_t *size);

#endif
