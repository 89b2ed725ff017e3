/*
 * Which threads are known to wait for the GIL although they are met awake: those that were asleep
 * in take_gil() while the thread that held it slept, if that thread has not run since. The facts
 * stand in gil_waits.h.
 */
#include "examine/sample/gil_waits.h"

#include <stdlib.h>

/* It is the same thread and has not been on a processor in between. */
static bool slept_on(const struct lk_thread_facts *then, const struct lk_thread_facts *now)
{
    return then && now && !then->running && !now->running && then->start_time == now->start_time &&
           then->switches == now->switches && then->run_ns == now->run_ns;
}

/*
 * A thread that has just given the GIL up may sleep at it too, until the next one has taken it
 * (drop_gil(), switch_cond). That one wakes it before it does anything else: who sleeps there while
 * the holder sleeps wants the GIL.
 */
static bool wants_gil(const struct lk_gil_waits *w, const struct lk_thread *t,
                      const struct lk_thread *holder, const struct lk_thread_facts *of_holder,
                      size_t at)
{
    return holder->holds_gil && holder->read == LK_READ_ASLEEP &&
           (t->read == LK_READ_ASLEEP ||
            slept_on(lk_thread_facts_of(&w->last, holder->tid, at), of_holder));
}

void lk_gil_waits_keep(struct lk_gil_waits *w, const struct lk_snapshot *s,
                       const struct lk_thread_list *list)
{
    w->n = 0;
    for (size_t i = 0; i < s->threads.n; i++) {
        const struct lk_thread *t = &s->threads.v[i];
        if (t->wait.kind != LK_WAIT_GIL || t->running || t->wait.on.n != 1)
            continue;
        const size_t at = t->wait.on.v[0].index;
        const struct lk_thread *holder = lk_thread_at(s, t->wait.on.v[0]);
        const struct lk_thread_facts *waits = lk_thread_facts_of(list, t->tid, i),
                                     *holds =
                                         holder ? lk_thread_facts_of(list, holder->tid, at) : NULL;
        if (waits && holds && wants_gil(w, t, holder, holds, at))
            lk_vec_add(w, ((struct lk_gil_wait){ *waits, *holds, at }));
    }
    w->last.n = 0;
    for (size_t i = 0; i < list->n; i++)
        lk_vec_add(&w->last, list->v[i]);
}

void lk_gil_waits_recall(const struct lk_gil_waits *w, struct lk_thread_list *list)
{
    for (size_t i = 0; i < list->n; i++) {
        struct lk_thread_facts *now = &list->v[i];
        for (size_t k = 0; now->running && k < w->n; k++) {
            const struct lk_thread_facts *then = &w->v[k].waiter;
            if (then->tid != now->tid || then->start_time != now->start_time ||
                !slept_on(&w->v[k].holder,
                          lk_thread_facts_of(list, w->v[k].holder.tid, w->v[k].holder_at)))
                continue;
            now->running = false;
            now->state = then->state;
            now->syscall_known = then->syscall_known;
            now->nr = then->nr;
            for (size_t a = 0; a < LK_ARRAY_LEN(now->args); a++)
                now->args[a] = then->args[a];
            now->sp = then->sp;
            now->pc = then->pc;
        }
    }
}

void lk_gil_waits_deinit(struct lk_gil_waits *w)
{
    lk_free(w->v);
    lk_free(w->last.v);
}
