/* Threads that wait for a lock which no row names: it was entered directly, by a call or by `with`.
 */
#include "read/python/waits/lock_call.h"

#include "read/python/interpreter/attribute.h"
#include "read/python/interpreter/code.h"
#include "read/python/interpreter/frame.h"
#include "read/python/interpreter/interpreter.h"
#include "read/python/interpreter/type.h"
#include "read/python/interpreter/value_stack.h"
#include "read/python/reader/known_class.h"
#include "read/python/reader/mention.h"
#include "read/python/stdlib/lock.h"
#include "read/python/waits/resolve.h"

enum {
    MAX_CANDIDATES = 16,
    MAX_LOCALS = 64, /* attributes of self tried against a futex */
    MAX_SLOTS = 256, /* of one value stack */
};

/** Objects in reach of a frame, tried against the futex a thread sleeps on. */
struct proof {
    lk_addr futex, found;
    unsigned left;
};

static bool try_lock(struct lk_py *py, lk_addr obj, struct proof *p)
{
    enum lk_known_class cls = lk_py_known_class(py, obj, NULL);
    if (cls == LK_CLASS_CONDITION)
        obj = lk_py_attr(py, obj, "_lock");
    if (lk_py_futex_is(py, obj, p->futex))
        p->found = obj;
    return p->found != 0;
}

static bool try_attr(struct lk_py *py, lk_addr key, lk_addr value, void *arg)
{
    struct proof *p = arg;
    (void)key;
    return !try_lock(py, value, p) && --p->left > 0;
}

static bool try_local(struct lk_py *py, const char *name, lk_addr value, void *arg)
{
    struct proof *p = arg;
    if (try_lock(py, value, p))
        return false;
    if (strcmp(name, "self") == 0) {
        p->left = MAX_LOCALS;
        lk_py_attr_each(py, value, try_attr, p);
    }
    return p->found == 0;
}

bool lk_py_calls_builtin(struct lk_py *py, const struct lk_pyf *f, const char *name)
{
    const struct lk_pycode *c = lk_py_code(py, f->code);
    for (int i = 0; c && i < c->stacksize && i < MAX_SLOTS; i++) {
        lk_addr obj = lk_py_stack_slot(py, f, i);
        if (obj && lk_py_kind(py, obj) == LK_PYK_BUILTIN_METHOD &&
            strcmp(lk_py_callable_name(py, obj), name) == 0)
            return true;
    }
    return false;
}

/* The lock this thread sleeps on. The futex word is the proof; the value stack names the call. */
static lk_addr blocked_on(struct lk_py *py, const struct lk_syscall_wait *os,
                          const struct lk_pyf *f, char *method, size_t max)
{
    struct lk_pypending c[MAX_CANDIDATES];
    size_t n = lk_py_pending_candidates(py, f, c, MAX_CANDIDATES);

    *method = '\0';
    for (size_t i = 0; i < n; i++) {
        bool fits = os->futex ? lk_py_futex_is(py, c[i].self, os->futex)
                              : lk_py_is_primitive(lk_py_known_class(py, c[i].self, NULL));
        if (!fits)
            continue;
        strncpy(method, c[i].method, max - 1);
        method[max - 1] = '\0';
        return c[i].self;
    }
    lk_addr obj = lk_py_futex_object(py, os->futex);
    if (obj || !os->futex)
        return obj;
    struct proof p = { .futex = os->futex };
    lk_py_local_each(py, f, try_local, &p);
    return p.found;
}

static const char *lock_call(struct lk_py *py, enum lk_known_class cls, const char *method)
{
    const char *name = cls == LK_CLASS_RLOCK          ? "RLock"
                       : cls == LK_CLASS_SIMPLE_QUEUE ? "SimpleQueue"
                       : cls == LK_CLASS_SEMLOCK      ? "multiprocessing.Semaphore"
                                                      : "Lock";
    if (strcmp(method, "__enter__") == 0)
        return "a with statement";
    return lk_arena_printf(py->s->arena, "%s.%s()", name,
                           cls == LK_CLASS_SIMPLE_QUEUE ? "get" : "acquire");
}

bool lk_wait_in_lock(struct lk_py *py, const struct lk_syscall_wait *os, const struct lk_pyf *f,
                     struct lk_wait *w)
{
    char method[40];
    lk_addr obj = blocked_on(py, os, f, method, sizeof method);
    enum lk_known_class cls = lk_py_known_class(py, obj, NULL);
    if (!obj)
        return false;
    enum lk_wait_kind kind = cls == LK_CLASS_SIMPLE_QUEUE ? LK_WAIT_QUEUE_GET
                             : cls == LK_CLASS_SEMLOCK    ? LK_WAIT_SEMAPHORE
                                                          : LK_WAIT_LOCK;
    w->call = lock_call(py, cls, method);
    w->traits = strcmp(method, "__enter__") == 0 ? LK_WAIT_BY_WITH : 0;
    return lk_wait_on_lock(py, w, kind, lk_py_lock(py, obj));
}
