/* Texts of a target as Markdown that means nothing but them. Results belong to the arena. */
#ifndef LK_REPORT_MARKDOWN_TEXT_H
#define LK_REPORT_MARKDOWN_TEXT_H

#include <stdio.h>

#include "util/arena.h"

/** Text of a paragraph or table cell. */
const char *lk_md_plain(struct lk_arena *a, const char *text);
/** A code span; "-" for an empty text. */
const char *lk_md_code(struct lk_arena *a, const char *text);
/** The same in a table. */
const char *lk_md_cell_code(struct lk_arena *a, const char *text);
/** A code block of lines that are safe already; language may be "". */
void lk_md_block(FILE *out, struct lk_arena *a, const char *language, const char *lines);

#endif
