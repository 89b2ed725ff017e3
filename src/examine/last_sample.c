/*
 * What is read once the entities of the last sample are known: of the kernel, which may have
 * changed while they were watched, and of what the findings name.
 */
#include "examine/last_sample.h"

#include "examine/children.h"
#include "process/facts.h"
#include "read/loops/read_locals.h"
#include "snapshot/builder.h"

void lk_note_moving(const struct lk_session *of, struct lk_snapshot *s)
{
    const struct lk_error *e = &of->stop_error;
    struct lk_ref first = { 0 };
    size_t racy = 0;
    for (size_t i = s->threads.n; i-- > 0;) {
        if (s->threads.v[i].read != LK_READ_RACY)
            continue;
        first = lk_ref_make(LK_KIND_THREAD, i);
        racy++;
    }
    if (e->code)
        lk_snapshot_limit_os(s, e->os_errno, "running threads",
                             "running threads were not stopped: %s", e->text);
    if (racy)
        lk_snapshot_limit_of(
            s, first, (struct lk_failed_read){ 0 },
            "%zu of %zu threads ran while they were read; what is said of them is not proven", racy,
            s->threads.n);
}

/* Where clients wait to be accepted and nobody stands. */
static void ask_backlogs(struct lk_process *t, struct lk_snapshot *s)
{
    for (size_t i = 0; i < s->listeners.n; i++) {
        struct lk_listener *l = &s->listeners.v[i];
        bool wanted = l->listening && l->queue > 0;
        for (size_t k = 0; wanted && k < s->threads.n; k++)
            wanted = !lk_stands_at(&s->threads.v[k], l);
        l->asking = wanted ? lk_process_backlog_asks(t, l->inode) : LK_UNKNOWN;
    }
}

/* What is asked of the kernel once the entities of the last sample are known: it may have changed
 * while they were watched. */
void lk_read_listeners(const struct lk_session *of, struct lk_snapshot *s)
{
    lk_process_listeners(of->target, s);
    ask_backlogs(of->target, s);
    for (size_t i = 0; i < s->listeners.n; i++)
        for (size_t k = 0; k < s->listeners.v[i].sharers.n; k++) {
            struct lk_sharer *who = &s->listeners.v[i].sharers.v[k];
            who->examined = lk_is_examined(of->options, who->pid);
        }
}

static bool ends_elsewhere(const struct lk_thread *t)
{
    return t->os.on == LK_OS_PIPE || t->os.on == LK_OS_CHILD || t->os.on == LK_OS_FILE;
}

/* Of what the findings name; in a set, whose wait another process may end, too: what is found of it
 * is known when all are examined. */
void lk_read_values(const struct lk_session *of, struct lk_snapshot *s,
                    const struct lk_findings *found, const struct lk_error *ended)
{
    struct lk_refs who = { 0 };
    s->main_locals = of->options->main_locals;
    for (size_t i = 0; s->main_locals && i < s->threads.n; i++)
        if (s->threads.v[i].main)
            lk_refs_add(s, &who, lk_ref_make(LK_KIND_THREAD, i));
    lk_findings_parties(found, s, &who);
    for (size_t i = 0; of->options->n_together > 1 && i < s->threads.n; i++)
        if (ends_elsewhere(&s->threads.v[i]))
            lk_refs_add(s, &who, lk_ref_make(LK_KIND_THREAD, i));
    if (ended->code && who.n)
        lk_snapshot_limit(s, "values of variables were not read: %s", ended->text);
    else
        lk_py_read_locals(of->py, s, &who);
}
