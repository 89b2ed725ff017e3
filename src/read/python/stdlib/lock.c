/* Things that threads and tasks synchronise on: kind, state, and the owner where the object itself
 * records one. */
#include "read/python/stdlib/lock.h"

#include "read/python/interpreter/attribute.h"
#include "read/python/interpreter/class.h"
#include "read/python/interpreter/container.h"
#include "read/python/interpreter/coroutine.h"
#include "read/python/interpreter/forked_threads.h"
#include "read/python/interpreter/interpreter.h"
#include "read/python/interpreter/scalar.h"
#include "read/python/interpreter/thread_lookup.h"
#include "read/python/interpreter/type.h"
#include "read/python/reader/known_class.h"
#include "read/python/reader/mention.h"
#include "read/python/stdlib/future_object.h"

enum {
    FIRST = 16, /* first field after PyObject_HEAD */
    /* _thread.lock (Modules/_threadmodule.c): a semaphore and a flag, or (3.13.x, 3.14+) one
       PyMutex byte */
    LOCK_SEM_SIZE = 40,
    LOCK_SEM_FLAG = 32,
    LOCK_MUTEX_SIZE = 24,
    /* _thread.RLock: semaphore, owner, count; from 3.14 _PyRecursiveMutex {mutex, thread, level} */
    RLOCK_SEM_SIZE = 48,
    RLOCK_MUTEX_SIZE = 40,
    RLOCK_OWNER = 24,
    RLOCK_COUNT = 32,
    MUTEX_LOCKED = 1, /* _Py_LOCKED of Include/cpython/lock.h */
    /* Python/parking_lot.c struct wait_entry: the address parked on stands before the semaphore */
    PARK_ADDR = 8,
};

static void set_owner_thread(struct lk_py *py, struct lk_lock *l, uint64_t ident)
{
    l->owner_by = LK_OWNER_FIELD;
    l->owner_certain = py->frames_complete;
    l->lost_in_fork = lk_py_left_in_parent(py, ident);
    lk_refs_add(py->s, &l->owners, lk_py_thread_by_ident(py, ident));
}

/* Only where the ident is the pthread's own (Modules/_threadmodule.c, rlock_acquire): what Python
 * code stores may be a greenlet's. */
static void set_owner_pthread(struct lk_py *py, struct lk_lock *l, uint64_t ident)
{
    set_owner_thread(py, l, ident);
    l->owner_gone = !l->owners.n && !l->lost_in_fork && ident && !lk_py_ident_may_live(py, ident);
}

static void set_free(struct lk_lock *l)
{
    l->locked = LK_NO;
    l->owner_by = LK_OWNER_FREE;
    l->owner_certain = true;
}

static void set_locked(struct lk_lock *l, enum lk_tri locked)
{
    l->locked = locked;
    if (locked == LK_NO)
        set_free(l);
}

static enum lk_tri yes_no(bool v)
{
    return v ? LK_YES : LK_NO;
}

static bool is_big(const struct lk_py *py, const struct lk_pytype *ty, unsigned size)
{
    return ty->basicsize == (int64_t)lk_py_field(py, 0, size);
}

static void read_lock(struct lk_py *py, lk_addr obj, struct lk_lock *l)
{
    const struct lk_pytype *ty = lk_py_type(py, obj);
    uint8_t b;
    if (ty && is_big(py, ty, LOCK_SEM_SIZE) &&
        lk_read_u8(py->t, lk_py_field(py, obj, LOCK_SEM_FLAG), &b))
        set_locked(l, yes_no(b));
    else if (ty && is_big(py, ty, LOCK_MUTEX_SIZE) &&
             lk_read_u8(py->t, lk_py_field(py, obj, FIRST), &b))
        set_locked(l, yes_no(b & MUTEX_LOCKED));
}

static void read_rlock(struct lk_py *py, lk_addr obj, struct lk_lock *l)
{
    const struct lk_pytype *ty = lk_py_type(py, obj);
    uint64_t owner, count;
    uint8_t b;
    bool locked;

    if (!ty || !lk_read_u64(py->t, lk_py_field(py, obj, RLOCK_OWNER), &owner))
        return;
    if (is_big(py, ty, RLOCK_SEM_SIZE) &&
        lk_read_u64(py->t, lk_py_field(py, obj, RLOCK_COUNT), &count))
        locked = count > 0 && count < (UINT64_C(1) << 32);
    else if (is_big(py, ty, RLOCK_MUTEX_SIZE) && lk_read_u8(py->t, lk_py_field(py, obj, FIRST), &b))
        locked = (b & MUTEX_LOCKED) != 0;
    else
        return;
    set_locked(l, yes_no(locked));
    if (locked)
        set_owner_pthread(py, l, owner);
}

/* threading._RLock and importlib's _ModuleLock keep the owner's ident in an attribute. */
static void read_owner_attr(struct lk_py *py, lk_addr obj, const char *attr, struct lk_lock *l)
{
    int64_t ident;
    lk_addr owner = lk_py_attr(py, obj, attr);
    if (!owner)
        return;
    if (lk_py_is_none(py, owner)) {
        set_free(l);
    } else if (lk_py_int(py, owner, &ident)) {
        l->locked = LK_YES;
        /* patched, get_ident() is a greenlet's address: who that is their reader says */
        if (!lk_py_isinstance(py, (lk_addr)ident, NULL, "greenlet.greenlet"))
            set_owner_thread(py, l, (uint64_t)ident);
    }
}

/* The task, or that of a TaskInfo (anyio 3.0 - 4.4), whose id is the task's address. */
static struct lk_ref task_of(struct lk_py *py, lk_addr owner)
{
    int64_t id;
    lk_addr number = lk_py_attr(py, owner, "id");
    if (number && lk_py_int(py, number, &id) && id > 0)
        owner = (lk_addr)id;
    struct lk_ref task = lk_py_task(py, owner);
    return task.kind == LK_KIND_TASK ? task : lk_snapshot_find(py->s, LK_KIND_TASK, owner);
}

/* The object says so itself: a task of asyncio is done; of trio, and in a TaskInfo, the coroutine
 * is through. */
static bool has_ended(struct lk_py *py, lk_addr owner)
{
    struct lk_aio_fut f;
    if (lk_aio_read_fut(py, owner, &f))
        return f.state > 0;
    lk_addr coro = lk_py_attr(py, owner, "coro");
    return coro && lk_py_gen_state(py, coro) == LK_GEN_FINISHED;
}

/* The task in that attribute, which alone may release the lock: trio/_sync.py _LockImpl, anyio's
 * Lock (_core/_synchronization.py, _backends/_asyncio.py). trio's are entered before any lock is.
 */
static void read_owner_task(struct lk_py *py, lk_addr obj, const char *attr, struct lk_ref ref)
{
    lk_addr owner = lk_py_attr(py, obj, attr);
    if (!owner)
        return;
    if (lk_py_is_none(py, owner)) {
        set_free(lk_lock_at(py->s, ref));
        return;
    }
    const bool gone = has_ended(py, owner);
    struct lk_ref task = gone ? lk_ref_make(LK_KIND_NONE, 0) : task_of(py, owner);
    struct lk_lock *l = lk_lock_at(py->s, ref);
    l->locked = LK_YES;
    l->owner_by = LK_OWNER_FIELD;
    l->owner_gone = gone;
    l->owner_certain = gone || task.kind == LK_KIND_TASK;
    if (task.kind == LK_KIND_TASK)
        lk_refs_add(py->s, &l->owners, task);
}

static bool positive(struct lk_py *py, lk_addr v)
{
    int64_t n;
    return v && lk_py_int(py, v, &n) && n > 0;
}

static bool not_empty(struct lk_py *py, lk_addr container)
{
    return container && lk_py_len(py, container) > 0;
}

/* anyio/_backends/_asyncio.py CapacityLimiter, 3.0 - 4.16; math.inf is no int. */
static bool has_tokens(struct lk_py *py, lk_addr limiter)
{
    int64_t all;
    lk_addr total = lk_py_attr(py, limiter, "_total_tokens"),
            borrowers = lk_py_attr(py, limiter, "_borrowers");
    return !total || !borrowers || !lk_py_int(py, total, &all) || lk_py_len(py, borrowers) < all;
}

/** Fields of one class: what to read where. */
static void read_fields(struct lk_py *py, lk_addr obj, enum lk_known_class cls, struct lk_lock *l)
{
    switch (cls) {
    case LK_CLASS_LOCK: read_lock(py, obj, l); break;
    case LK_CLASS_RLOCK: read_rlock(py, obj, l); break;
    case LK_CLASS_PYRLOCK: read_owner_attr(py, obj, "_owner", l); break;
    case LK_CLASS_MODULE_LOCK: read_owner_attr(py, obj, "owner", l); break;
    case LK_CLASS_EVENT:
    case LK_CLASS_TRIO_EVENT:
        l->set = lk_py_bool(py, lk_py_attr(py, obj, "_flag")) == LK_YES;
        break;
    case LK_CLASS_AIO_EVENT:
        l->set = lk_py_bool(py, lk_py_attr(py, obj, "_value")) == LK_YES;
        break;
    case LK_CLASS_SEMAPHORE:
    case LK_CLASS_AIO_SEMAPHORE:
    case LK_CLASS_TRIO_SEMAPHORE: l->set = positive(py, lk_py_attr(py, obj, "_value")); break;
    case LK_CLASS_TRIO_CHANNEL: l->set = not_empty(py, lk_py_attr(py, obj, "data")); break;
    case LK_CLASS_LIMITER:
    case LK_CLASS_TRIO_LIMITER: l->set = has_tokens(py, obj); break;
    case LK_CLASS_QUEUE: l->set = not_empty(py, lk_py_attr(py, obj, "queue")); break;
    case LK_CLASS_AIO_QUEUE: l->set = not_empty(py, lk_py_attr(py, obj, "_queue")); break;
    case LK_CLASS_AIO_LOCK: set_locked(l, lk_py_bool(py, lk_py_attr(py, obj, "_locked"))); break;
    default: break;
    }
}

/* Attribute that holds the lock inside. */
static const char *inner_attr(enum lk_known_class cls)
{
    switch (cls) {
    case LK_CLASS_CONDITION:
    case LK_CLASS_AIO_CONDITION:
    case LK_CLASS_TRIO_CONDITION: return "_lock";
    case LK_CLASS_QUEUE: return "mutex";
    default: return NULL;
    }
}

static bool is_aio(enum lk_known_class cls)
{
    return cls >= LK_CLASS_AIO_LOCK && cls <= LK_CLASS_AIO_QUEUE;
}

lk_addr lk_py_inner_lock(struct lk_py *py, lk_addr obj)
{
    const char *attr = inner_attr(lk_py_known_class(py, obj, NULL));
    lk_addr inner = attr ? lk_py_attr(py, obj, attr) : 0;
    /* The lock of a condition is no condition: one level. */
    return inner && !inner_attr(lk_py_known_class(py, inner, NULL)) ? inner : 0;
}

void lk_py_read_lock(struct lk_py *py, struct lk_ref ref)
{
    struct lk_lock *l = lk_lock_at(py->s, ref);
    lk_addr obj = l->addr;
    enum lk_known_class cls = lk_py_known_class(py, obj, NULL);

    read_fields(py, obj, cls, l);
    if (cls == LK_CLASS_TRIO_LOCK || cls == LK_CLASS_ANYIO_LOCK)
        read_owner_task(py, obj, cls == LK_CLASS_TRIO_LOCK ? "_owner" : "_owner_task", ref);
    if (is_aio(cls)) {
        struct lk_ref loop = lk_py_loop(py, lk_py_attr(py, obj, "_loop"), LK_FOUND_TASK);
        lk_lock_at(py->s, ref)->loop = loop;
    }
    struct lk_ref inner = lk_py_lock(py, lk_py_inner_lock(py, obj));
    lk_lock_at(py->s, ref)->inner = inner;
}

struct lk_ref lk_py_mutex_of(struct lk_py *py, lk_addr obj)
{
    bool outer = inner_attr(lk_py_known_class(py, obj, NULL)) != NULL;
    struct lk_ref ref = lk_py_lock(py, outer ? lk_py_inner_lock(py, obj) : obj);
    const struct lk_lock *l = lk_lock_at(py->s, ref);
    return l && l->mutex ? ref : lk_ref_make(LK_KIND_NONE, 0);
}

/* ---- the futex word of a lock ------------------------------------------------------------ */

bool lk_py_is_primitive(enum lk_known_class cls)
{
    return cls == LK_CLASS_LOCK || cls == LK_CLASS_RLOCK || cls == LK_CLASS_SIMPLE_QUEUE ||
           cls == LK_CLASS_SEMLOCK;
}

bool lk_py_futex_is(struct lk_py *py, lk_addr obj, lk_addr futex)
{
    uint64_t v;
    enum lk_known_class cls = lk_py_known_class(py, obj, NULL);
    const struct lk_pytype *ty = lk_py_type(py, obj);

    if (!ty || !futex || !lk_py_is_primitive(cls))
        return false;
    /* A semaphore behind a pointer: lock_lock, rlock_lock, SimpleQueue.lock, SemLock.handle. */
    lk_addr field = lk_py_field(py, obj, FIRST);
    if (lk_read_u64(py->t, field, &v) && v == futex)
        return true;
    return lk_read_u64(py->t, futex - PARK_ADDR, &v) && v == field;
}

lk_addr lk_py_semaphore_of(struct lk_py *py, lk_addr semlock)
{
    uint64_t v;
    return lk_py_known_class(py, semlock, NULL) == LK_CLASS_SEMLOCK &&
                   lk_read_u64(py->t, lk_py_field(py, semlock, FIRST), &v)
               ? v
               : 0;
}

lk_addr lk_py_futex_object(struct lk_py *py, lk_addr futex)
{
    uint64_t v;
    if (!futex || !lk_read_u64(py->t, futex - PARK_ADDR, &v) || v < LK_PAGE)
        return 0;
    lk_addr obj = v - lk_py_field(py, 0, FIRST);
    const struct lk_pytype *ty = lk_py_type(py, obj);
    enum lk_known_class cls = lk_py_known_class(py, obj, NULL);
    bool parks = ty && ((cls == LK_CLASS_LOCK && is_big(py, ty, LOCK_MUTEX_SIZE)) ||
                        (cls == LK_CLASS_RLOCK && is_big(py, ty, RLOCK_MUTEX_SIZE)));
    return parks ? obj : 0;
}
