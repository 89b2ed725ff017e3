/* What is written to a stream, as a text. */
#ifndef LK_REPORT_MEMORY_STREAM_H
#define LK_REPORT_MEMORY_STREAM_H

#include "report/report.h"

/** A stream into memory; the call that ends it gives its text, which belongs to the arena. */
struct lk_memory_stream;
struct lk_memory_stream *lk_memory_stream_open(FILE **stream);
const char *lk_memory_stream_text(struct lk_memory_stream *m, struct lk_arena *a, size_t *size);

/** The reports in a format, NUL-terminated; *size (may be NULL) gets the length without it. Belongs
 * to the arena. */
const char *lk_report_written(struct lk_arena *a,
                              bool (*write)(const struct lk_report *reports, size_t n, bool set,
                                            const struct lk_render *how, FILE *out),
                              const struct lk_report *reports, size_t n, bool set,
                              const struct lk_render *how, size_t *size);

#endif
