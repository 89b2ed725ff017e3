/*
 * What tasks made of coroutines have in common, whichever loop runs them: the name of the
 * coroutine, its await chain as a stack, and the thread on which it executes.
 */
#include "read/loops/asyncio/coroutine_task.h"

#include "read/loops/asyncio/setters.h"
#include "read/python/interpreter/class.h"
#include "read/python/interpreter/code.h"
#include "read/python/interpreter/container.h"
#include "read/python/interpreter/coroutine.h"
#include "read/python/interpreter/dict.h"
#include "read/python/interpreter/frame.h"
#include "read/python/interpreter/layout_table.h"
#include "read/python/interpreter/scalar.h"
#include "read/python/interpreter/thread_lookup.h"
#include "read/python/interpreter/type.h"

const char *lk_coro_name(struct lk_py *py, lk_addr coro, const struct lk_pystack *stack)
{
    if (stack->n && stack->frames[stack->n - 1].code)
        return stack->frames[stack->n - 1].code->qualname;
    lk_addr name = coro ? lk_py_ptr(py, coro + py->layout.gi_qualname) : 0;
    const char *s = name && lk_py_kind(py, coro) == LK_PYK_COROUTINE ? lk_py_str(py, name) : NULL;
    return s ? s : coro ? lk_py_class_name(py, coro) : "";
}

/* ---- stacks -------------------------------------------------------------------------- */

static bool same_frames(const struct lk_pystack *st, const struct lk_pyframes *f, bool truncated)
{
    if (st->n != f->n || st->truncated != truncated)
        return false;
    for (size_t i = 0; i < f->n; i++) {
        const struct lk_pyframe *have = &st->frames[st->n - 1 - i];
        if (!have->code || have->code->addr != f->v[i].code ||
            have->lasti != (uint32_t)f->v[i].lasti)
            return false;
    }
    return true;
}

static struct lk_pystack *convert(struct lk_py *py, const struct lk_pyframes *chain, bool truncated)
{
    struct lk_pyframe *v = lk_xcalloc(chain->n + 1, sizeof *v);

    for (size_t i = 0; i < chain->n; i++) {
        struct lk_pyframe *f = &v[chain->n - 1 - i];
        *f = lk_py_snapshot_frame(py, &chain->v[i]);
        /* A coroutine that has not started stands at its `def` line. */
        if (chain->v[i].lasti < 0 && f->code)
            f->line = f->code->firstlineno;
    }
    struct lk_pystack *st = lk_snapshot_stack(py->s, v, chain->n, truncated);
    lk_free(v);
    return st;
}

/* A chain (outermost first) as an interned stack (innermost first); equal chains are recognised
 * before any line is decoded. */
struct lk_aio_chain *lk_coro_chain(struct lk_py *py, const struct lk_pyframes *chain,
                                   bool truncated)
{
    struct lk_reader *a = lk_reader(py);
    uint64_t h = LK_HASH_INIT ^ chain->n, known;

    for (size_t i = 0; i < chain->n; i++)
        h = (h ^ chain->v[i].code ^ (uint64_t)(uint32_t)chain->v[i].lasti << 48) *
            UINT64_C(0x9e3779b97f4a7c15);
    if (lk_map_get(&a->chains, h, &known)) {
        struct lk_aio_chain *c = (struct lk_aio_chain *)(uintptr_t)known;
        if (same_frames(c->stack, chain, truncated))
            return c;
    }
    struct lk_aio_chain *c = lk_arena_alloc(py->s->arena, sizeof *c);
    c->stack = convert(py, chain, truncated);
    for (uint32_t i = 0; i < c->stack->n; i++)
        c->asgi |= c->stack->frames[i].code && c->stack->frames[i].code->entry == LK_ENTRY_ASGI;
    lk_map_put(&a->chains, h, (uintptr_t)c);
    return c;
}

/* The stack of an executing task: from the thread's innermost frame down to the task's own
 * coroutine. */
static struct lk_pystack *running_stack(struct lk_py *py, size_t thread, lk_addr coro)
{
    const struct lk_pyframes *frames = lk_py_frames_of_thread(py, thread);
    const struct lk_pystack *whole = py->s->threads.v[thread].python_stack;
    for (size_t i = 0; frames && i < frames->n && i < whole->n; i++)
        if (frames->v[i].generator && frames->v[i].gen == coro)
            return lk_snapshot_stack(py->s, whole->frames, i + 1, false);
    return lk_snapshot_stack(py->s, NULL, 0, true);
}

/* An ASGI application is called for each request, for each websocket, and once for its lifespan:
 * what for, its scope says. */
bool lk_coro_serves_http(struct lk_py *py, const struct lk_pyframes *chain)
{
    for (size_t i = 0; i < chain->n; i++) {
        const struct lk_pycode *c = lk_py_code(py, chain->v[i].code);
        if (!c || c->code->entry != LK_ENTRY_ASGI || c->nlocalsplus < 2 ||
            !lk_py_code_locals(py, c))
            continue;
        const bool method = strcmp(c->local_names[1], "receive") != 0;
        lk_addr scope = lk_py_local(py, &chain->v[i], c->local_names[method]);
        char type[16];
        return scope && lk_py_str_raw(py, lk_py_dict_get(py, scope, "type"), type, sizeof type) &&
               strcmp(type, "http") == 0;
    }
    return false;
}

/* ---- executing -------------------------------------------------------------------------- */

/* The thread on whose stack a coroutine executes. */
bool lk_coro_thread(struct lk_py *py, lk_addr coro, uint64_t *thread)
{
    return coro && lk_map_get(&lk_reader(py)->running, coro, thread);
}

void lk_coro_set_running(struct lk_py *py, struct lk_ref ref, size_t thread, lk_addr coro)
{
    struct lk_pystack *stack = running_stack(py, thread, coro);
    struct lk_task *k = lk_task_at(py->s, ref);
    struct lk_thread *t = &py->s->threads.v[thread];

    k->state = LK_TASK_RUNNING;
    k->started = true;
    k->run_by = lk_ref_make(LK_KIND_THREAD, thread);
    k->stack = stack;
    k->wait.kind = LK_WAIT_NONE;
    k->wait.timeout_ms = LK_FOREVER;
    /* With nested loops several tasks execute on one stack; the innermost is the current one. */
    const struct lk_task *have = lk_task_at(py->s, t->current_task);
    if (!have || have->stack->n > stack->n)
        t->current_task = ref;
    if (lk_py_frames_of_thread(py, thread))
        lk_aio_hand_setters(py, lk_py_frames_of_thread(py, thread), stack->n, ref);
}
