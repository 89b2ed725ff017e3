/*
 * Writing HTML: templates whose every argument is escaped. Escaping rests on the HTML standard,
 * section 13.1.2: in text and in quoted attribute values the five characters & < > " ' lose their
 * meaning as character references.
 */
#ifndef LK_REPORT_HTML_WRITER_H
#define LK_REPORT_HTML_WRITER_H

#include "report/drawing.h"

struct lk_html {
    FILE *out;
    struct lk_arena *arena;
    const struct lk_render *how;
    const struct lk_report *report; /* the one that is told */
    const struct lk_fold *view;     /* of it */
    size_t number;                  /* of it in the page: makes ids unique */
};

/** Markup of our own. */
void lk_html_raw(struct lk_html *h, const char *markup);
/** Text, made safe and escaped. */
void lk_html_text(struct lk_html *h, const char *text);
/** Markup of our own in which each $ stands for the next argument, a text. */
#define lk_html_put(h, markup, ...)                                                                \
    lk_html_fill((h), (markup), (const char *const[]){ __VA_ARGS__ })
void lk_html_fill(struct lk_html *h, const char *markup, const char *const *texts);
/** A number as a text for lk_html_put(). */
const char *lk_html_number(struct lk_html *h, int64_t n);

/** One row of a list of names and values; nothing for NULL and "". */
void lk_html_row(struct lk_html *h, const char *name, const char *text);
/** The same, in a fixed-width font: what is there to be copied. */
void lk_html_code_row(struct lk_html *h, const char *name, const char *text);

/* The parts of the page (html_findings.c, html_graph.c, html_tables.c, html_assets.c). */
/** What a first screen says of the process. */
void lk_html_first_screen(struct lk_html *h, const struct lk_report *reports, size_t n, size_t i);
void lk_html_finding(struct lk_html *h, size_t finding);
/** The picture of a finding, and its chain in words. */
void lk_html_graph(struct lk_html *h, size_t finding);
/** Timeline, waits that are no finding, and the tables of all entities. */
void lk_html_timeline(struct lk_html *h);
void lk_html_tables(struct lk_html *h);
extern const char lk_html_style[], lk_html_script[];

#endif
