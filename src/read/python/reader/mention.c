/*
 * Mentions: whoever comes across a loop, task, future, lock or executor enters it into the snapshot
 * here. The same address always gives the same entity. What is new goes onto the work list of its
 * kind, which the driver empties; nothing is read from here, so that readers may mention whatever
 * they meet, however long the chain is.
 */
#include "read/python/reader/mention.h"

#include "read/python/interpreter/interpreter.h"
#include "read/python/reader/class_table.h"
#include "read/python/reader/known_class.h"
#include "read/python/reader/reader.h"

static struct lk_ref to_be_read(struct lk_py *py, struct lk_ref ref)
{
    lk_vec_add(&lk_reader(py)->todo[ref.kind], ref.index);
    return ref;
}

struct lk_ref lk_py_loop(struct lk_py *py, lk_addr obj, enum lk_found_by found_by)
{
    struct lk_reader *a = lk_reader(py);
    bool is_new;

    if (obj && obj == a->last_loop)
        return a->last_loop_ref;
    if (lk_py_known_class(py, obj, NULL) != LK_CLASS_LOOP)
        return lk_ref_make(LK_KIND_NONE, 0);
    struct lk_ref ref = lk_snapshot_loop(py->s, obj, &is_new);
    a->last_loop = obj;
    a->last_loop_ref = ref;
    if (!is_new)
        return ref;
    struct lk_loop *o = lk_loop_at(py->s, ref);
    o->cls = lk_py_class_label(py, obj);
    o->found_by = a->reading_loops ? LK_FOUND_HANDLE : found_by;
    return to_be_read(py, ref);
}

struct lk_ref lk_py_task(struct lk_py *py, lk_addr obj)
{
    bool is_new;
    enum lk_known_class cls = lk_py_known_class(py, obj, NULL);
    if (cls != LK_CLASS_TASK && cls != LK_CLASS_PYTASK)
        return lk_ref_make(LK_KIND_NONE, 0);
    struct lk_ref ref = lk_snapshot_task(py->s, obj, &is_new);
    return is_new ? to_be_read(py, ref) : ref;
}

struct lk_ref lk_py_task_of_kind(struct lk_py *py, lk_addr obj, enum lk_task_kind kind,
                                 bool *is_new)
{
    struct lk_ref ref = lk_snapshot_task(py->s, obj, is_new);
    if (*is_new)
        lk_task_at(py->s, ref)->kind = kind;
    return ref;
}

struct lk_ref lk_py_future(struct lk_py *py, lk_addr obj)
{
    bool is_new;
    enum lk_known_class cls = lk_py_known_class(py, obj, NULL);

    if (cls == LK_CLASS_TASK || cls == LK_CLASS_PYTASK)
        return lk_py_task(py, obj);
    if (cls != LK_CLASS_FUTURE && cls != LK_CLASS_PYFUTURE && cls != LK_CLASS_GATHER &&
        cls != LK_CLASS_CFUTURE && cls != LK_CLASS_POOL_RESULT)
        return lk_ref_make(LK_KIND_NONE, 0);
    struct lk_ref ref = lk_snapshot_future(py->s, obj, &is_new);
    if (!is_new)
        return ref;
    struct lk_future *f = lk_future_at(py->s, ref);
    f->concurrent = cls == LK_CLASS_CFUTURE || cls == LK_CLASS_POOL_RESULT;
    f->cls = cls == LK_CLASS_CFUTURE       ? "concurrent.futures.Future"
             : cls == LK_CLASS_POOL_RESULT ? "multiprocessing.pool.AsyncResult"
             : cls == LK_CLASS_GATHER      ? "_GatheringFuture"
                                           : "asyncio.Future";
    return to_be_read(py, ref);
}

void lk_py_future_set_by(struct lk_py *py, lk_addr future, struct lk_ref by, bool known,
                         enum lk_future_origin origin)
{
    struct lk_reader *a = lk_reader(py);
    if (!future || by.kind == LK_KIND_NONE || !lk_map_add(&a->setters, future, lk_ref_pack(by)))
        return;
    if (known)
        lk_map_put(&a->setters_known, future, 1);
    if (origin)
        lk_map_put(&a->setter_rows, future, (uint64_t)origin);
}

static bool is_mutex(enum lk_known_class cls)
{
    return (cls >= LK_CLASS_LOCK && cls <= LK_CLASS_MODULE_LOCK) || cls == LK_CLASS_AIO_LOCK ||
           cls == LK_CLASS_TRIO_LOCK || cls == LK_CLASS_ANYIO_LOCK || cls == LK_CLASS_GREEN_LOCK ||
           cls == LK_CLASS_GREEN_RLOCK;
}

static enum lk_lock_type type_of(enum lk_known_class cls)
{
    switch (cls) {
    case LK_CLASS_LOCK:
    case LK_CLASS_RLOCK:
    case LK_CLASS_PYRLOCK:
    case LK_CLASS_CONDITION:
    case LK_CLASS_EVENT:
    case LK_CLASS_SEMAPHORE:
    case LK_CLASS_BARRIER: return LK_LOCK_TYPE_THREADING;
    case LK_CLASS_QUEUE:
    case LK_CLASS_SIMPLE_QUEUE:
    case LK_CLASS_PY_SIMPLE_QUEUE: return LK_LOCK_TYPE_QUEUE;
    case LK_CLASS_SEMLOCK: return LK_LOCK_TYPE_MULTIPROCESSING;
    default:
        return cls >= LK_CLASS_AIO_LOCK && cls <= LK_CLASS_AIO_QUEUE ? LK_LOCK_TYPE_ASYNCIO
                                                                     : LK_LOCK_TYPE_OTHER;
    }
}

struct lk_ref lk_py_lock(struct lk_py *py, lk_addr obj)
{
    const struct lk_class_row *row;
    bool is_new;
    enum lk_known_class cls = lk_py_known_class(py, obj, &row);

    if (!lk_class_synchronizes(cls))
        return lk_ref_make(LK_KIND_NONE, 0);
    struct lk_ref ref = lk_snapshot_lock(py->s, obj, &is_new);
    if (!is_new)
        return ref;
    struct lk_lock *l = lk_lock_at(py->s, ref);
    l->kind = row->kind;
    l->type = type_of(cls);
    l->mutex = is_mutex(cls);
    l->plain = cls == LK_CLASS_LOCK || cls == LK_CLASS_GREEN_LOCK;
    l->unowned = cls == LK_CLASS_LOCK;
    return to_be_read(py, ref);
}

struct lk_ref lk_py_executor(struct lk_py *py, lk_addr obj)
{
    const struct lk_class_row *row;
    bool is_new;
    enum lk_known_class cls = lk_py_known_class(py, obj, &row);

    if (cls != LK_CLASS_POOL && cls != LK_CLASS_PROCESS_POOL &&
        cls != LK_CLASS_CURRENT_THREAD_EXECUTOR)
        return lk_ref_make(LK_KIND_NONE, 0);
    struct lk_ref ref = lk_snapshot_executor(py->s, obj, &is_new);
    if (!is_new)
        return ref;
    lk_executor_at(py->s, ref)->kind = row->kind;
    return to_be_read(py, ref);
}
