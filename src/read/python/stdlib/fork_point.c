/*
 * The frame that forked, in a process that is a copy of its parent. fork(2) copies the stack of the
 * thread that calls it, and no other; the child finds 0 where the parent finds the child's pid. A
 * child that works below that frame (multiprocessing's Popen._launch, gunicorn's spawn_worker, a
 * function that calls os.fork) has nothing to do with the frames outside of it: no request of
 * theirs is served here, no loop driven, no lock given back.
 *
 * Facts: Lib/multiprocessing/popen_fork.py Popen._launch (3.8 to 3.15; billiard's is alike) ends a
 * child with os._exit; Modules/posixmodule.c os_fork_impl, os_forkpty_impl return 0 in the child.
 */
#include "read/python/stdlib/fork_point.h"
#include "read/python/interpreter/bytecode.h"

#include <stdlib.h>
#include <string.h>

#include "read/python/interpreter/attribute.h"
#include "read/python/interpreter/code.h"
#include "read/python/interpreter/container.h"
#include "read/python/interpreter/frame.h"
#include "read/python/interpreter/scalar.h"
#include "read/python/interpreter/thread_lookup.h"
#include "read/python/interpreter/type.h"

enum {
    MAX_NAMES = 4096,
    MAX_CODE_BYTES = 1 << 20,
    /* instructions between the name and the store of what the call gave: PRECALL and CALL, or
     * PUSH_NULL and CALL */
    MAX_CALL = 2,
};

/* What a frame is to the fork that its code calls. */
enum role { NO_FORK, CHILD, PARENT, NOT_TOLD };

struct code_of_fork {
    struct lk_py *py;
    const struct lk_pyf *f;
    const struct lk_pycode *c;
    const struct lk_optable *t;
    struct lk_decoded d;
    lk_addr names;
    size_t n_names;
};

static bool name_is(const struct code_of_fork *k, uint32_t index, const char *name)
{
    return index < k->n_names && lk_py_str_eq(k->py, lk_py_item(k->py, k->names, index), name);
}

static bool names_fork(const struct code_of_fork *k, uint32_t index)
{
    return name_is(k, index, "fork") || name_is(k, index, "forkpty");
}

/* os.fork(), fork(), self.fork(): a name of that kind is loaded. sure: by its module, or plainly.
 */
static bool loads_fork(const struct code_of_fork *k, size_t i, bool *sure)
{
    const struct lk_insn *in = &k->d.v[i], *before = i ? &k->d.v[i - 1] : NULL;
    switch (in->cls) {
    case LK_OPC_ATTR:
        *sure = before && before->cls == LK_OPC_GLOBAL &&
                name_is(k, before->arg >> k->t->global_shift, "os");
        *sure |= before && before->cls == LK_OPC_NAME && name_is(k, before->arg, "os");
        return names_fork(k, in->arg >> k->t->attr_shift);
    case LK_OPC_GLOBAL: *sure = true; return names_fork(k, in->arg >> k->t->global_shift);
    case LK_OPC_NAME: *sure = true; return names_fork(k, in->arg);
    default: return false;
    }
}

static lk_addr local_at(const struct code_of_fork *k, uint32_t index)
{
    return index < (uint32_t)k->c->nlocalsplus && lk_py_code_locals(k->py, k->c)
               ? lk_py_local(k->py, k->f, k->c->local_names[index])
               : 0;
}

static lk_addr named(const struct code_of_fork *k, uint32_t index)
{
    char name[LK_PY_MAX_STR];
    return index < k->n_names &&
                   lk_py_str_raw(k->py, lk_py_item(k->py, k->names, index), name, sizeof name)
               ? lk_py_dict_get(k->py, k->f->globals, name)
               : 0;
}

/* The object that the instruction at i stored, as it is now; 0. */
static lk_addr stored_by(const struct code_of_fork *k, size_t i)
{
    const struct lk_insn *in = &k->d.v[i];
    char name[LK_PY_MAX_STR];
    switch (in->cls) {
    case LK_OPC_STORE_FAST: return local_at(k, in->arg);
    case LK_OPC_STORE_FAST_LOAD_FAST:
    case LK_OPC_STORE_FAST_STORE_FAST: return local_at(k, in->arg >> 4);
    case LK_OPC_STORE_DEREF:
        return local_at(k, k->t->derefs_apart ? in->arg + (uint32_t)k->c->nlocals : in->arg);
    case LK_OPC_STORE_GLOBAL:
    case LK_OPC_STORE_NAME: return named(k, in->arg);
    case LK_OPC_FAST: /* self.pid = os.fork() */
        if (i + 1 == k->d.n || k->d.v[i + 1].cls != LK_OPC_STORE_ATTR ||
            k->d.v[i + 1].arg >= k->n_names ||
            !lk_py_str_raw(k->py, lk_py_item(k->py, k->names, k->d.v[i + 1].arg), name,
                           sizeof name))
            return 0;
        return lk_py_attr(k->py, local_at(k, in->arg), name);
    default: return 0;
    }
}

/* What the call of fork loaded at i gave, if the frame has it still. */
static enum role role_by_value(const struct code_of_fork *k, size_t i)
{
    size_t at = i + 1;
    int64_t pid;
    while (at < k->d.n && at <= i + MAX_CALL && k->d.v[at].cls == LK_OPC_OTHER)
        at++;
    lk_addr value = at < k->d.n ? stored_by(k, at) : 0;
    if (!value || lk_py_kind(k->py, value) != LK_PYK_INT || !lk_py_int(k->py, value, &pid))
        return NOT_TOLD;
    return pid ? PARENT : CHILD;
}

static enum role role_by_code(const struct code_of_fork *k)
{
    const uint32_t now = k->f->lasti > 0 ? (uint32_t)k->f->lasti / 2 : 0;
    enum role ret = NO_FORK;
    for (size_t i = 0; i + 2 < k->d.n && k->d.v[i + 2].at <= now; i++) {
        bool sure = false;
        if (!loads_fork(k, i, &sure))
            continue;
        enum role role = role_by_value(k, i);
        if (role == CHILD)
            return CHILD;
        if (role == PARENT || (sure && ret == NO_FORK))
            ret = role;
    }
    return ret;
}

static bool has_name_of_fork(struct code_of_fork *k)
{
    k->names = lk_py_ptr(k->py, k->c->addr + k->py->layout.co_names);
    int64_t n = lk_py_kind(k->py, k->names) == LK_PYK_TUPLE ? lk_py_len(k->py, k->names) : -1;
    k->n_names = n < 0 || n > MAX_NAMES ? 0 : (size_t)n;
    for (size_t i = 0; i < k->n_names; i++)
        if (names_fork(k, (uint32_t)i))
            return true;
    return false;
}

static enum role role_of(struct lk_py *py, const struct lk_pyf *f)
{
    struct code_of_fork k = { .py = py, .f = f, .c = lk_py_code(py, f->code) };
    k.t = lk_py_opcodes(py->layout.version);
    if (!k.c || !k.t || k.c->code_bytes <= 0 || k.c->code_bytes > MAX_CODE_BYTES ||
        !has_name_of_fork(&k))
        return NO_FORK;
    uint8_t *code = lk_xmalloc((size_t)k.c->code_bytes);
    enum role ret = NO_FORK;
    if (lk_read(py->t, k.c->start, code, (size_t)k.c->code_bytes) &&
        lk_py_decode(k.t, code, (size_t)k.c->code_bytes, &k.d))
        ret = role_by_code(&k);
    lk_py_decoded_deinit(&k.d);
    lk_free(code);
    return ret;
}

/* How many innermost frames are this process's own; all of them where no fork is found. `if
 * os.fork() == 0:` keeps no value: it is the child's side where the process has no child itself. */
static size_t own_frames(struct lk_py *py, const struct lk_pyframes *frames)
{
    for (size_t i = 0; i + 1 < frames->n; i++) {
        enum role role = role_of(py, &frames->v[i]);
        if (role == CHILD || (role == NOT_TOLD && !py->s->children.n))
            return i + 1;
    }
    return frames->n;
}

void lk_py_cut_at_fork(struct lk_py *py)
{
    struct lk_snapshot *s = py->s;
    for (size_t i = 0; s->forked && i < s->threads.n; i++) {
        struct lk_thread *t = &s->threads.v[i];
        const struct lk_pyframes *frames = lk_py_frames_of_thread(py, i);
        const struct lk_pystack *st = t->python_stack;
        /* The thread that forks is the child's main thread. */
        if (!t->main || !frames || frames->n != st->n)
            continue;
        size_t own = own_frames(py, frames);
        if (own == frames->n)
            continue;
        t->before_fork = lk_snapshot_stack(s, st->frames + own, st->n - own, st->truncated);
        t->python_stack = lk_snapshot_stack(s, st->frames, own, false);
        const struct lk_pyframes kept = { .v = frames->v, .n = own };
        lk_map_put(&py->frames_of, i, (uintptr_t)lk_py_frames_keep(py, &kept));
    }
}
