/*
 * Lines, inks (ECMA-48 SGR sequences) and paragraphs that break between words. Widths are counted
 * in columns, not bytes; a word that is longer than the line stays whole, so that paths can be
 * copied.
 */
#include "report/terminal.h"

#include <stdio.h>
#include <string.h>

#define LEAST_ROOM 20 /* columns a paragraph keeps even where the terminal is narrower */

enum lk_ink lk_terminal_verdict_ink(enum lk_verdict v)
{
    static const enum lk_ink inks[] = {
        [LK_HEALTHY] = LK_INK_GREEN,          [LK_HAZARD] = LK_INK_YELLOW,
        [LK_VERDICT_UNKNOWN] = LK_INK_YELLOW, [LK_STALLED] = LK_INK_RED,
        [LK_DEADLOCK] = LK_INK_RED,
    };
    return (unsigned)v < LK_ARRAY_LEN(inks) ? inks[v] : LK_INK_BOLD;
}

static void ink_on(struct lk_terminal *p, enum lk_ink ink)
{
    static const char *const codes[] = {
        [LK_INK_PLAIN] = "",           [LK_INK_BOLD] = "\033[1m",
        [LK_INK_RED] = "\033[1;31m",   [LK_INK_YELLOW] = "\033[1;33m",
        [LK_INK_GREEN] = "\033[1;32m", [LK_INK_DIM] = "\033[2m",
    };
    if (p->color && ink != LK_INK_PLAIN)
        fputs(codes[ink], p->out);
}

static void ink_off(struct lk_terminal *p, enum lk_ink ink)
{
    if (p->color && ink != LK_INK_PLAIN)
        fputs("\033[0m", p->out);
}

static void spaces(struct lk_terminal *p, int n)
{
    fprintf(p->out, "%*s", n > 0 ? n : 0, "");
}

static void inked(struct lk_terminal *p, enum lk_ink ink, const char *text)
{
    if (!*text)
        return;
    ink_on(p, ink);
    fputs(lk_words_safe(p->arena, text), p->out);
    ink_off(p, ink);
}

void lk_terminal_blank(struct lk_terminal *p)
{
    putc('\n', p->out);
}

void lk_terminal_line(struct lk_terminal *p, int indent, enum lk_ink ink, const char *text)
{
    lk_terminal_two(p, indent, ink, text, NULL);
}

void lk_terminal_two(struct lk_terminal *p, int indent, enum lk_ink ink, const char *head,
                     const char *tail)
{
    spaces(p, indent);
    inked(p, ink, head);
    if (tail && *tail) {
        putc(' ', p->out);
        inked(p, LK_INK_PLAIN, tail);
    }
    putc('\n', p->out);
}

/* Bytes of the words that fit in `room` columns; at least one word. */
static size_t fitting(const char *s, size_t room)
{
    size_t end = 0, used = 0;
    for (size_t at = 0; s[at];) {
        const size_t word = at + strcspn(s + at, " ");
        used += lk_words_columns(s + end, word - end);
        if (end && used > room)
            break;
        end = word;
        at = word + strspn(s + word, " ");
    }
    return end;
}

bool lk_terminal_par(struct lk_terminal *p, int indent, const char *label, int hang,
                     const char *text, int max_lines)
{
    static const char more[] = " ...";
    size_t room = (size_t)LK_MAX(p->width - indent - hang, LEAST_ROOM);
    const char *s = lk_words_safe(p->arena, text), *l = lk_words_safe(p->arena, label ? label : "");
    spaces(p, indent);
    inked(p, LK_INK_BOLD, l);
    const int used = (int)lk_words_columns(l, SIZE_MAX), gap = used < hang ? hang - used
                                                               : *l        ? 1
                                                                           : 0;
    spaces(p, gap);
    if (p->width <= 0) {
        fprintf(p->out, "%s\n", s);
        return true;
    }
    const size_t whole = room, taken = (size_t)(used + gap - hang);
    for (int line = 1;; line++) {
        room = line == 1 ? whole - LK_MIN(taken, whole - 1) : whole;
        size_t n = fitting(s, room);
        const bool cut = s[n] && line == max_lines;
        if (cut)
            n = fitting(s, room - LK_MIN(strlen(more), room - 1));
        const char *rest = s + n + strspn(s + n, " ");
        fprintf(p->out, "%.*s%s\n", (int)n, s, cut ? more : "");
        if (!*rest || cut)
            return !*rest;
        s = rest;
        spaces(p, indent + hang);
    }
}
