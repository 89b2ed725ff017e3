/* From the row that decides, and the variables of its frame, to what is waited for. */
#include "read/python/waits/resolve.h"

#include "read/python/interpreter/attribute.h"
#include "read/python/interpreter/container.h"
#include "read/python/interpreter/frame.h"
#include "read/python/interpreter/interpreter.h"
#include "read/python/interpreter/scalar.h"
#include "read/python/interpreter/thread_lookup.h"
#include "read/python/reader/mention.h"
#include "read/python/reader/reader.h"
#include "read/python/stdlib/executor.h"
#include "read/python/stdlib/future_object.h"
#include "read/python/stdlib/lock.h"
#include "read/python/stdlib/socket.h"
#include "read/python/stdlib/thread_object.h"

void lk_wait_on(struct lk_py *py, struct lk_wait *w, enum lk_wait_kind kind, struct lk_ref on,
                bool complete)
{
    w->kind = kind;
    w->on = (struct lk_refs){ 0 };
    lk_refs_add(py->s, &w->on, on);
    w->complete = complete && on.kind != LK_KIND_NONE;
}

void lk_wait_on_extern(struct lk_py *py, struct lk_wait *w, enum lk_wait_kind kind,
                       enum lk_extern_kind ext, const char *text, int64_t in_ms)
{
    lk_wait_on(py, w, kind, lk_snapshot_extern(py->s, ext, text, in_ms),
               ext == LK_EXT_TIMER || ext == LK_EXT_CHILD);
}

void lk_wait_on_pid(struct lk_py *py, struct lk_wait *w, int64_t pid)
{
    const char *text =
        pid > 0 ? lk_arena_printf(py->s->arena, "child %lld", (long long)pid) : "any child";
    lk_wait_on_extern(py, w, LK_WAIT_CHILD, LK_EXT_CHILD, text, LK_UNKNOWN);
    struct lk_extern *e = pid > 0 ? lk_extern_at(py->s, w->on.v[0]) : NULL;
    if (!e)
        return;
    e->child_pid = pid;
    e->child = lk_process_child_work(py->t, pid);
    if (e->child == LK_CHILD_STANDS)
        e->fills = lk_process_child_fills(py->t, pid, py->s->arena);
}

bool lk_wait_on_lock(struct lk_py *py, struct lk_wait *w, enum lk_wait_kind kind,
                     struct lk_ref lock)
{
    const struct lk_lock *l = lk_lock_at(py->s, lock);
    if (!l)
        return false;
    lk_addr obj = l->addr;
    lk_wait_on(py, w, kind, lock, l->mutex);
    if (kind == LK_WAIT_CONDITION)
        w->gate = lk_py_lock(py, lk_py_inner_lock(py, obj));
    return true;
}

bool lk_wait_on_future(struct lk_py *py, struct lk_wait *w, lk_addr obj)
{
    struct lk_ref ref = obj ? lk_py_future(py, obj) : lk_ref_make(LK_KIND_NONE, 0);
    if (ref.kind == LK_KIND_NONE)
        return false;
    lk_wait_on(py, w, LK_WAIT_FUTURE, ref, true);
    return true;
}

static bool wait_on_noted(struct lk_py *py, struct lk_wait *w, lk_addr obj)
{
    struct lk_ref ref = lk_snapshot_find(py->s, LK_KIND_FUTURE, obj);
    if (ref.kind == LK_KIND_NONE)
        return false;
    lk_wait_on(py, w, LK_WAIT_FUTURE, ref, true);
    return true;
}

/* asgiref's idle request thread: work that is already in its queue wakes it, too. */
static bool wait_on_future_or_item(struct lk_py *py, struct lk_wait *w, const struct lk_pyf *f,
                                   lk_addr future)
{
    if (!lk_wait_on_future(py, w, future))
        return false;
    if (lk_py_current_thread_has_work(py, lk_py_local(py, f, "self")))
        w->complete = false;
    return true;
}

static bool wait_on_futures(struct lk_py *py, struct lk_wait *w, lk_addr collection, bool any)
{
    size_t n = 0;
    lk_addr *items = collection ? lk_py_items(py, collection, LK_PY_MAX_ITEMS, &n) : NULL;
    if (!items)
        return false;
    w->kind = LK_WAIT_FUTURE;
    w->on = (struct lk_refs){ 0 };
    for (size_t i = 0; i < n; i++)
        if (lk_aio_is_pending(py, items[i]))
            lk_refs_add(py->s, &w->on, lk_py_future(py, items[i]));
    w->any = any;
    w->complete = w->on.n > 0;
    return true;
}

static bool wait_on_thread(struct lk_py *py, struct lk_wait *w, lk_addr thread)
{
    bool known;
    struct lk_ref ref = lk_py_thread_of_object(py, thread, &known);
    if (!known)
        return false;
    /* Nobody: the thread has ended, the join returns at any moment. */
    lk_wait_on(py, w, LK_WAIT_JOIN, ref, true);
    return true;
}

/* Who they are is known when the executor has been read. */
static bool wait_on_workers(struct lk_py *py, struct lk_wait *w, struct lk_ref self,
                            lk_addr executor)
{
    struct lk_ref x = lk_py_executor(py, executor);
    if (x.kind == LK_KIND_NONE)
        return false;
    w->kind = LK_WAIT_JOIN;
    w->on = (struct lk_refs){ 0 };
    lk_vec_add(&lk_reader(py)->pool_joins, ((struct lk_pool_join){ self.index, x.index }));
    return true;
}

struct join_all {
    struct lk_wait *w;
    struct lk_ref self;
};

static bool join_entry(struct lk_py *py, lk_addr key, lk_addr thread, void *arg)
{
    struct join_all *j = arg;
    bool known;
    (void)key;
    if (lk_py_bool(py, lk_py_attr(py, thread, "_daemonic")) == LK_YES)
        return true;
    struct lk_ref ref = lk_py_thread_of_object(py, thread, &known);
    if (ref.kind == LK_KIND_THREAD && !lk_ref_eq(ref, j->self))
        lk_refs_add(py->s, &j->w->on, ref);
    return true;
}

/* threading._shutdown waits for every thread that is no daemon. */
static bool wait_on_all_threads(struct lk_py *py, struct lk_wait *w, struct lk_ref self)
{
    struct join_all j = { w, self };
    const int64_t of = lk_thread_at(py->s, self) ? lk_thread_at(py->s, self)->interpreter : 0;
    lk_addr active = 0;
    for (size_t i = 0; i < py->interpreters.n && !active; i++)
        if (py->interpreters.v[i].id == of)
            active = lk_py_module_attr_in(py, i, "threading", "_active");
    if (!active)
        return false;
    w->kind = LK_WAIT_JOIN;
    w->on = (struct lk_refs){ 0 };
    lk_py_dict_each(py, active, join_entry, &j);
    w->complete = w->on.n > 0;
    return true;
}

static bool wait_on_child(struct lk_py *py, struct lk_wait *w, lk_addr obj)
{
    int64_t pid;
    lk_addr v = lk_py_attr(py, obj, "pid");
    if (!v)
        v = lk_py_attr(py, obj, "_pid");
    if (!v || !lk_py_int(py, v, &pid))
        return false;
    lk_wait_on_pid(py, w, pid);
    return true;
}

static bool wait_on_peer(struct lk_py *py, struct lk_wait *w, struct lk_ref peer)
{
    lk_wait_on(py, w, LK_WAIT_IO, peer, false);
    return true;
}

/* A timeout of the whole wait is finite; when it is over the frame does not say. */
static bool wait_on_fd(struct lk_py *py, struct lk_wait *w, const struct lk_pyf *f, lk_addr number)
{
    int64_t fd;
    lk_addr timeout = lk_py_local(py, f, "timeout");
    if (!number || !lk_py_int(py, number, &fd) || fd < 0)
        return false;
    w->timeout_ms = timeout && !lk_py_is_none(py, timeout) ? LK_UNKNOWN : w->timeout_ms;
    return wait_on_peer(py, w, lk_py_peer_of_fd(py, fd));
}

/* Where this process serves gRPC as well, the server that it calls may be itself. */
static bool serves_grpc(struct lk_py *py)
{
    for (size_t i = 0; i < py->s->threads.n; i++) {
        const struct lk_pyframes *f = lk_py_frames_of_thread(py, i);
        for (size_t k = 0; f && k < f->n; k++)
            if (lk_py_frame_is(py, &f->v[k], "_serve", "/grpc/_server.py"))
                return true;
    }
    return false;
}

/* Which call it is, the moment says at which it began: a loop of short calls goes on. */
static bool wait_on_remote(struct lk_py *py, struct lk_wait *w, const struct lk_pyf *f,
                           lk_addr stub)
{
    double began;
    if (w->traits & LK_WAIT_HIDES_DEADLINE) {
        lk_wait_on_extern(py, w, LK_WAIT_IO, LK_EXT_OUTSIDE, "the gRPC server", LK_UNKNOWN);
        w->timeout_ms = w->timeout_ms == LK_FOREVER ? LK_UNKNOWN : w->timeout_ms;
        return true;
    }
    lk_addr state = lk_py_local(py, f, "state");
    if (!state || !lk_py_float(py, lk_py_attr(py, state, "rpc_start_time"), &began))
        return false;
    memcpy(&w->call_id, &began, sizeof began);
    if (serves_grpc(py)) {
        w->kind = LK_WAIT_UNKNOWN;
        return true;
    }
    const char *method = lk_py_bytes_text(py, lk_py_attr(py, stub, "_method")),
               *target = lk_py_bytes_text(py, lk_py_attr(py, stub, "_target")); /* from 1.63 on */
    lk_wait_on_extern(py, w, LK_WAIT_IO, LK_EXT_OUTSIDE,
                      lk_arena_printf(py->s->arena, "the gRPC server%s%s%s%s", target ? " " : "",
                                      target ? target : "", method ? ", method " : "",
                                      method ? method : ""),
                      LK_UNKNOWN);
    return true;
}

static bool wait_on_timer(struct lk_py *py, struct lk_wait *w, lk_addr future)
{
    uint64_t when;
    bool known = future && lk_map_get(&lk_reader(py)->timer_sets, future, &when);
    int64_t left = known ? lk_reader_left_ms(py, (int64_t)when) : LK_UNKNOWN;
    lk_wait_on_extern(py, w, LK_WAIT_SLEEP, LK_EXT_TIMER, "timer", left);
    return true;
}

static bool wait_on_worker_queue(struct lk_py *py, struct lk_wait *w, const struct lk_pyf *f)
{
    struct lk_ref x =
        lk_py_executor(py, lk_py_weakref(py, lk_py_local(py, f, "executor_reference")));
    lk_wait_on(py, w, LK_WAIT_EXECUTOR_IDLE, x, false);
    return true;
}

static bool wait_on_feeders(struct lk_py *py, struct lk_wait *w, const struct lk_waiter *who,
                            const struct lk_pyf *queue_frame)
{
    lk_addr queue = lk_py_local(py, queue_frame, "self");
    if (!who->fut_waiter || !queue)
        return false;
    lk_map_put(&lk_reader(py)->alias, who->fut_waiter, queue);
    return lk_wait_on_future(py, w, who->fut_waiter);
}

static bool return_when_all(struct lk_py *py, const struct lk_pyf *f)
{
    return lk_py_str_eq(py, lk_py_local(py, f, "return_when"), "ALL_COMPLETED");
}

bool lk_wait_resolve(struct lk_py *py, const struct lk_wait_run *run,
                     const struct lk_pyf *innermost, const struct lk_waiter *who, struct lk_wait *w)
{
    const struct lk_wait_row *r = run->row;
    lk_addr obj = r->local ? lk_py_local(py, run->frame, r->local) : 0;

    switch (r->how) {
    case LK_HOW_OBJECT:
    case LK_HOW_MODULE_LOCK: return lk_wait_on_lock(py, w, r->kind, lk_py_lock(py, obj));
    case LK_HOW_INNER_LOCK: return lk_wait_on_lock(py, w, r->kind, lk_py_mutex_of(py, obj));
    case LK_HOW_FUTURE: return lk_wait_on_future(py, w, obj);
    case LK_HOW_FUTURE_OR_ITEM: return wait_on_future_or_item(py, w, run->frame, obj);
    case LK_HOW_FUTURES: return wait_on_futures(py, w, obj, !return_when_all(py, run->frame));
    case LK_HOW_ANY_FUTURE: return wait_on_futures(py, w, obj, true);
    case LK_HOW_JOIN: return wait_on_thread(py, w, obj);
    case LK_HOW_JOIN_WORKERS: return wait_on_workers(py, w, who->ref, obj);
    case LK_HOW_JOIN_ALL: return wait_on_all_threads(py, w, who->ref);
    case LK_HOW_LOOP:
        lk_wait_on(py, w, r->kind, lk_py_loop(py, obj, LK_FOUND_FRAME), false);
        return true;
    case LK_HOW_IDLE: lk_wait_on(py, w, r->kind, lk_ref_make(LK_KIND_NONE, 0), false); return true;
    case LK_HOW_WORKER: return wait_on_worker_queue(py, w, run->frame);
    case LK_HOW_NOTED: return wait_on_noted(py, w, obj);
    case LK_HOW_CHILD: return wait_on_child(py, w, obj);
    case LK_HOW_SLEEP: return wait_on_timer(py, w, who->fut_waiter);
    case LK_HOW_AS_COMPLETED: return wait_on_feeders(py, w, who, innermost);
    case LK_HOW_GROUP: return wait_on_futures(py, w, lk_py_attr(py, obj, "_tasks"), false);
    case LK_HOW_TRANSPORT:
        return wait_on_peer(py, w, lk_py_peer_of_transport(py, lk_py_transport_of(py, obj)));
    case LK_HOW_SOCKET: return wait_on_peer(py, w, lk_py_peer_of_socket(py, obj));
    case LK_HOW_SERVER: return wait_on_peer(py, w, lk_py_peer_of_server(py, obj));
    case LK_HOW_REMOTE: return wait_on_remote(py, w, run->frame, obj);
    case LK_HOW_FD: return wait_on_fd(py, w, run->frame, obj);
    case LK_HOW_KEEP:
    case LK_HOW_SELECT: break;
    }
    return false;
}
