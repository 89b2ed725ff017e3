/*
 * Stacks for flame graphs and speedscope: a line for each stack that threads or tasks have, its
 * frames from the outermost on, joined by ";", then a space and how many have it. That is what
 * flamegraph.pl reads ("Folded stacks": the last space ends the stack, a ";" the frame) and
 * speedscope imports.
 */
#include "report/formats.h"

#include <inttypes.h>

#include "report/folding.h"
#include "report/merged_stack.h"
#include "report/sentences.h"
#include "util/text.h"

struct page {
    FILE *out;
    struct lk_arena *arena;
    const struct lk_render *how;
    const struct lk_report *report;
    const struct lk_fold *view;
};

static void frame(struct page *p, const char *text)
{
    for (const char *s = lk_words_safe(p->arena, text); *s; s++)
        putc(*s == ';' ? ':' : *s, p->out);
}

/* The first frames say whose the stack is, so that one graph can show a set. */
static void root(struct page *p, const char *kind, const char *state)
{
    const struct lk_snapshot *s = p->report->snap;
    frame(p, lk_arena_printf(p->arena, "%s [%" PRId64 "]", lk_or_else(s->comm, "process"), s->pid));
    fprintf(p->out, ";%s: %s", kind, state);
}

static void stack(struct page *p, const struct lk_natstack *native, const struct lk_pystack *python)
{
    const struct lk_merged_stack m = lk_merged_stack(p->arena, native, python);
    if (m.cut)
        fputs(";(not read)", p->out);
    for (size_t i = m.n; i > 0; i--) {
        putc(';', p->out);
        frame(p, lk_merged_frame_name(p->arena, &m.v[i - 1]));
    }
}

static void threads(struct page *p)
{
    const struct lk_snapshot *s = p->report->snap;
    const struct lk_fold_kind *vk = &p->view->kinds[LK_KIND_THREAD];
    for (size_t g = 0; g < vk->n_groups; g++) {
        const struct lk_thread *t = &s->threads.v[vk->groups[g].example];
        const bool python = t->python_stack && t->python_stack->n;
        root(p, "threads",
             lk_words_thread_state_name(lk_words_thread_state(t, vk->groups[g].blamed)));
        stack(p, p->how->native || !python ? t->native_stack : NULL, t->python_stack);
        fprintf(p->out, " %u\n", vk->groups[g].count);
    }
}

/* A running task's frames are part of its thread's stack. */
static void tasks(struct page *p)
{
    const struct lk_snapshot *s = p->report->snap;
    const struct lk_fold_kind *vk = &p->view->kinds[LK_KIND_TASK];
    for (size_t g = 0; g < vk->n_groups; g++) {
        const struct lk_task *k = &s->tasks.v[vk->groups[g].example];
        if (lk_thread_at(s, k->run_by) || !k->stack || !k->stack->n)
            continue;
        root(p, "tasks", lk_words_task_state(k->state));
        stack(p, NULL, k->stack);
        fprintf(p->out, " %u\n", vk->groups[g].count);
    }
}

bool lk_collapsed_write(const struct lk_report *reports, size_t n, bool set,
                        const struct lk_render *how, FILE *out)
{
    (void)set;
    for (size_t i = 0; i < n; i++) {
        struct lk_arena *a = lk_arena_create();
        struct page p = { .out = out,
                          .arena = a,
                          .how = how,
                          .report = &reports[i],
                          .view = lk_fold_create(a, &reports[i], SIZE_MAX) };
        threads(&p);
        tasks(&p);
        lk_arena_destroy(a);
    }
    return fflush(out) == 0 && !ferror(out);
}
