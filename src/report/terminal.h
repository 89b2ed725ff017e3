/*
 * Lines of text for a terminal: wrapped at its width, coloured when asked for. The only place where
 * escape sequences are written; every string passes lk_words_safe here, so no name of a target can
 * end a line or move the cursor.
 */
#ifndef LK_REPORT_TERMINAL_H
#define LK_REPORT_TERMINAL_H

#include "report/enum_names.h"

enum lk_ink { LK_INK_PLAIN = 0, LK_INK_BOLD, LK_INK_RED, LK_INK_YELLOW, LK_INK_GREEN, LK_INK_DIM };

struct lk_terminal {
    FILE *out;
    struct lk_arena *arena;
    bool color;
    int width; /* columns, 0 = never wrap */
};

enum lk_ink lk_terminal_verdict_ink(enum lk_verdict v);

/** An empty line. */
void lk_terminal_blank(struct lk_terminal *p);
/** One line, never wrapped. */
void lk_terminal_line(struct lk_terminal *p, int indent, enum lk_ink ink, const char *text);
/** One line in two inks: head, a space, tail (may be NULL). */
void lk_terminal_two(struct lk_terminal *p, int indent, enum lk_ink ink, const char *head,
                     const char *tail);
/**
 * A paragraph with a label: the text starts `hang` columns after the indent, on every line, or
 * after a longer label on the first. max_lines > 0 cuts it there and ends it with "...": false
 * then.
 */
bool lk_terminal_par(struct lk_terminal *p, int indent, const char *label, int hang,
                     const char *text, int max_lines);

#endif
