/* What sentences are put together with. */
#ifndef LK_REPORT_PHRASE_H
#define LK_REPORT_PHRASE_H

#include "util/text.h"

/** The buffer's text, which goes into the arena; the buffer is empty then. */
const char *lk_phrase_keep(struct lk_arena *a, struct lk_strbuf *b);
/** A separator before everything but the first part. */
void lk_phrase_comma(struct lk_strbuf *b);
/** A name, cut to a readable length. */
const char *lk_phrase_name(struct lk_arena *a, const char *s);
/** "outer (app.py:10)", the file without folders; "outer (app.py)" without a line. */
const char *lk_phrase_place(struct lk_arena *a, const char *function, const char *file, int line);

#endif
