/* The place stays whole, as it is there to be copied; what stands behind it goes first. */
#include "report/verdict_line.h"

#include "report/sentences.h"
#include "report/terminal.h"

/* The first of the worst; NULL where there is none. */
static const struct lk_report *worst_of(const struct lk_report *reports, size_t n)
{
    const enum lk_verdict worst = lk_sentence_worst(reports, n);
    for (size_t i = 0; i < n; i++)
        if (reports[i].findings->verdict == worst)
            return &reports[i];
    return NULL;
}

static const char *found(struct lk_arena *a, const struct lk_report *r)
{
    const struct lk_finding *f = &r->findings->list.v[0];
    return f->culprits.n ? lk_sentence_place(a, &f->culprits.v[0]) : lk_sentence_rule(a, f->rule);
}

static const char *subject(struct lk_arena *a, const struct lk_report *r)
{
    const struct lk_findings *fs = r->findings;
    if (fs->verdict == LK_VERDICT_UNKNOWN)
        return lk_sentence_why_unknown(a, r);
    return fs->verdict == LK_HEALTHY || !fs->list.n
               ? lk_arena_printf(a, "pid %lld: %s", (long long)r->snap->pid,
                                 lk_sentence_census(a, r->snap))
               : found(a, r);
}

/* What is added as far as there is room: the rule, what waits, how many processes there are. */
static const char *more(struct lk_arena *a, const struct lk_report *r, size_t n, size_t at)
{
    const struct lk_findings *fs = r->findings;
    const bool finding =
        fs->list.n && fs->verdict != LK_VERDICT_UNKNOWN && fs->verdict != LK_HEALTHY;
    const struct lk_finding *f = finding ? &fs->list.v[0] : NULL;
    switch (at) {
    case 0: return f && f->rule && f->culprits.n ? lk_arena_printf(a, " (%s)", f->rule->id) : "";
    case 1:
        return n > 1 ? lk_arena_printf(a, ", pid %lld of %s", (long long)r->snap->pid,
                                       lk_words_count(a, (int64_t)n, "process"))
                     : "";
    case 2:
        return f && f->held_requests > 0
                   ? lk_arena_printf(a, "; %s held up",
                                     lk_words_count(a, f->held_requests, "request"))
                   : "";
    default: return NULL;
    }
}

bool lk_verdict_line_write(const struct lk_report *reports, size_t n, const struct lk_render *how,
                           FILE *out)
{
    struct lk_terminal p = {
        .out = out, .color = how->color, .width = how->width, .arena = lk_arena_create()
    };
    const enum lk_verdict worst = lk_sentence_worst(reports, n);
    const char *word = lk_words_upper(p.arena, lk_verdict_name(worst));
    const struct lk_report *r = worst_of(reports, n);
    const size_t used = lk_words_columns(word, SIZE_MAX) + 2,
                 room = how->width > (int)used ? (size_t)how->width - used : SIZE_MAX;
    const char *text = r ? subject(p.arena, r) : "nothing was examined", *part;
    if (r && (worst == LK_VERDICT_UNKNOWN || worst == LK_HEALTHY))
        text = lk_words_cut(p.arena, text, room);
    for (size_t i = 0; r && (part = more(p.arena, r, n, i)); i++)
        if (lk_words_columns(text, SIZE_MAX) + lk_words_columns(part, SIZE_MAX) <= room)
            text = lk_arena_printf(p.arena, "%s%s", text, part);
    lk_terminal_two(&p, 0, lk_terminal_verdict_ink(worst), word,
                    lk_arena_printf(p.arena, " %s", text));
    lk_arena_destroy(p.arena);
    return fflush(out) == 0 && !ferror(out);
}
