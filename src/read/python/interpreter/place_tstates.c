/*
 * Which thread runs a thread state, where there are several interpreters. Up to 3.12 whoever runs
 * code in one takes its first thread state (Modules/_xxsubinterpretersmodule.c,
 * _run_in_interpreter; PyThreadState_Swap), which keeps the ids of the thread that made it. What is
 * certain is on whose stack the code is evaluated: from 3.10 to 3.12 by the _PyCFrame, from 3.13 on
 * by the frame that the evaluation began with (Python/ceval.c, _PyEval_EvalFrameDefault: both are
 * local variables). The stack grows down, so of two interpreters' code on one stack that with the
 * lower address is the inner one.
 */
#include <stdlib.h>

#include "read/python/interpreter/frame.h"
#include "read/python/interpreter/tstates.h"

static const struct lk_mapping *stack_of(struct lk_py *py, size_t thread)
{
    const lk_addr sp = py->s->threads.v[thread].sp;
    return sp ? lk_process_mapping_at(py->t, sp) : NULL;
}

/* By the stack pointers of those that sleep; adjacent stacks may be one mapping. */
static size_t sleeper_on(struct lk_py *py, lk_addr place, const struct lk_mapping *stack)
{
    size_t best = SIZE_MAX;
    for (size_t i = 0; i < py->s->threads.n; i++) {
        const lk_addr sp = py->s->threads.v[i].sp;
        if (sp && sp <= place && stack_of(py, i) == stack &&
            (best == SIZE_MAX || sp > py->s->threads.v[best].sp))
            best = i;
    }
    return best;
}

/* glibc keeps struct pthread, whose address is the ident, at the end of the thread's stack. */
static size_t owner_of(struct lk_py *py, const struct tstates *ts, const struct lk_mapping *stack)
{
    for (size_t i = 0; i < ts->n; i++)
        if (ts->v[i].interp == 0 && ts->v[i].thread != SIZE_MAX &&
            lk_process_mapping_at(py->t, ts->v[i].ident) == stack)
            return ts->v[i].thread;
    return SIZE_MAX;
}

static void place(struct lk_py *py, struct tstates *ts, struct tstate *k)
{
    k->on_stack = lk_py_place_on_stack(py, k->addr);
    const struct lk_mapping *stack = k->on_stack ? lk_process_mapping_at(py->t, k->on_stack) : NULL;
    if (!stack || (k->thread != SIZE_MAX && stack_of(py, k->thread) == stack))
        return;
    size_t thread = sleeper_on(py, k->on_stack, stack);
    if (thread == SIZE_MAX)
        thread = owner_of(py, ts, stack);
    if (thread == SIZE_MAX || thread == k->thread)
        return;
    k->thread = thread;
    k->moved = true;
}

static int by_place(const void *va, const void *vb)
{
    const struct tstate *a = va, *b = vb;
    if (a->thread != b->thread)
        return a->thread < b->thread ? -1 : 1;
    if (a->on_stack != b->on_stack)
        return a->on_stack < b->on_stack ? -1 : 1;
    return a->interp != b->interp ? (a->interp < b->interp ? -1 : 1) : 0;
}

void lk_py_place_tstates(struct lk_py *py, struct tstates *ts)
{
    for (size_t i = 0; i < ts->n; i++)
        place(py, ts, &ts->v[i]);
    if (ts->n)
        qsort(ts->v, ts->n, sizeof *ts->v, by_place);
}
