/* What each thread and task waits for: rows of the wait table first, then the value stack and the
 * futex, then the kernel's word.
 */
#include "read/python/waits/wait.h"

#include <stdlib.h>

#include "process/linux/child_work.h"
#include "read/python/interpreter/attribute.h"
#include "read/python/interpreter/builtin_calls.h"
#include "read/python/interpreter/code.h"
#include "read/python/interpreter/container.h"
#include "read/python/interpreter/frame.h"
#include "read/python/interpreter/interpreter.h"
#include "read/python/interpreter/scalar.h"
#include "read/python/interpreter/thread_lookup.h"
#include "read/python/interpreter/type.h"
#include "read/python/interpreter/value_stack.h"
#include "read/python/reader/known_class.h"
#include "read/python/reader/mention.h"
#include "read/python/reader/reader.h"
#include "read/python/stdlib/executor.h"
#include "read/python/stdlib/future_object.h"
#include "read/python/stdlib/lock.h"
#include "read/python/stdlib/socket.h"
#include "read/python/stdlib/thread_object.h"
#include "read/python/waits/job_result.h"
#include "read/python/waits/wait_table.h"

enum {
    MAX_RUN = 64, /* frames of one wait */
    MAX_CANDIDATES = 16,
    MAX_LOCALS = 64, /* attributes of self tried against a futex */
    MAX_SLOTS = 256, /* of one value stack */
};

/** Who waits, while the wait is being worked out. */
struct waiter {
    struct lk_ref ref;
    lk_addr fut_waiter; /* tasks */
};

/** The frames of one wait. */
struct run {
    const struct lk_wait_row *row; /* that decides; NULL = no row fits */
    const struct lk_pyf *frame;    /* its frame */
    const char *call;
    unsigned traits;
    const struct lk_pyf *innermost; /* the first frame that was looked at */
    size_t n;                       /* frames that belong to the wait */
};

/* ---- matching ------------------------------------------------------------------------ */

static bool names(const struct lk_wait_row *r, const struct lk_code *c)
{
    return (!r->function || strcmp(r->function, c->function) == 0) &&
           lk_ends_with(c->file, r->file);
}

static const struct lk_wait_row *find_row(struct lk_py *py, const struct lk_wait_rows *t,
                                          const struct lk_pyf *f, unsigned below)
{
    struct lk_map *none = &lk_reader(py)->no_row[t->memo];
    const struct lk_pycode *c = lk_py_code(py, f->code);
    bool named = false;

    if (!c || lk_map_get(none, f->code, NULL))
        return NULL;
    for (size_t i = 0; i < t->n; i++) {
        const struct lk_wait_row *r = &t->rows[i];
        if (!names(r, c->code))
            continue;
        named = true;
        if (!(r->over & below))
            continue;
        if (r->cls == LK_CLASS_OTHER ||
            lk_py_known_class(py, lk_py_local(py, f, r->local), NULL) == r->cls)
            return r;
    }
    if (!named)
        lk_map_put(none, f->code, 1);
    return NULL;
}

/* frames in either order; i counts from the innermost. */
static const struct lk_pyf *frame_at(const struct lk_pyframes *frames, bool innermost_first,
                                     size_t i)
{
    return &frames->v[innermost_first ? i : frames->n - 1 - i];
}

/* A future written in Python is awaited through a frame of its own, which says nothing of the wait.
 */
static size_t own_frames(struct lk_py *py, const struct lk_pyframes *frames, bool innermost_first)
{
    return frames->n > 1 && lk_py_frame_is(py, frame_at(frames, innermost_first, 0), "__await__",
                                           "/asyncio/futures.py");
}

static void match(struct lk_py *py, const struct lk_wait_rows *t, const struct lk_pyframes *frames,
                  bool innermost_first, struct run *run)
{
    unsigned below = LK_TAG_INNERMOST;
    size_t first = own_frames(py, frames, innermost_first);

    *run = (struct run){ .n = first };
    for (size_t i = first; i < frames->n && i < MAX_RUN && below; i++) {
        const struct lk_pyf *f = frame_at(frames, innermost_first, i);
        const struct lk_wait_row *r = find_row(py, t, f, below);
        if (i == first)
            run->innermost = f;
        if (!r)
            return;
        if (r->how != LK_HOW_KEEP) {
            run->row = r;
            run->frame = f;
        }
        run->call = r->call;
        run->traits = r->traits;
        run->n = i + 1;
        below = r->tag;
    }
}

/* ---- making waits -------------------------------------------------------------------- */

static void wait_on(struct lk_py *py, struct lk_wait *w, enum lk_wait_kind kind, struct lk_ref on,
                    bool complete)
{
    w->kind = kind;
    w->on = (struct lk_refs){ 0 };
    lk_refs_add(py->s, &w->on, on);
    w->complete = complete && on.kind != LK_KIND_NONE;
}

static void wait_on_extern(struct lk_py *py, struct lk_wait *w, enum lk_wait_kind kind,
                           enum lk_extern_kind ext, const char *text, int64_t in_ms)
{
    wait_on(py, w, kind, lk_snapshot_extern(py->s, ext, text, in_ms),
            ext == LK_EXT_TIMER || ext == LK_EXT_CHILD);
}

/* pid: of the child; not positive: any. */
static void wait_on_pid(struct lk_py *py, struct lk_wait *w, int64_t pid)
{
    const char *text =
        pid > 0 ? lk_arena_printf(py->s->arena, "child %lld", (long long)pid) : "any child";
    wait_on_extern(py, w, LK_WAIT_CHILD, LK_EXT_CHILD, text, LK_UNKNOWN);
    struct lk_extern *e = pid > 0 ? lk_extern_at(py->s, w->on.v[0]) : NULL;
    if (!e)
        return;
    e->child = lk_child_work(py->t, (pid_t)pid);
    if (e->child == LK_CHILD_STANDS)
        e->fills = lk_child_fills_pipe(py->t, (pid_t)pid, (pid_t)py->s->pid, py->s->arena);
}

static bool wait_on_lock(struct lk_py *py, struct lk_wait *w, enum lk_wait_kind kind,
                         struct lk_ref lock)
{
    const struct lk_lock *l = lk_lock_at(py->s, lock);
    if (!l)
        return false;
    lk_addr obj = l->addr;
    wait_on(py, w, kind, lock, l->mutex);
    if (kind == LK_WAIT_CONDITION)
        w->gate = lk_py_lock(py, lk_py_inner_lock(py, obj));
    return true;
}

static bool wait_on_future(struct lk_py *py, struct lk_wait *w, lk_addr obj)
{
    struct lk_ref ref = obj ? lk_py_future(py, obj) : lk_ref_make(LK_KIND_NONE, 0);
    if (ref.kind == LK_KIND_NONE)
        return false;
    wait_on(py, w, LK_WAIT_FUTURE, ref, true);
    return true;
}

/* asgiref's idle request thread: work that is already in its queue wakes it, too. */
static bool wait_on_future_or_item(struct lk_py *py, struct lk_wait *w, const struct lk_pyf *f,
                                   lk_addr future)
{
    if (!wait_on_future(py, w, future))
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
    wait_on(py, w, LK_WAIT_JOIN, ref, true);
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

/* A worker that shuts its own pool down waits for the others only: Thread.join() of the caller
 * itself raises. */
static void add_workers(struct lk_snapshot *s, const struct lk_pool_join *j)
{
    const struct lk_refs *workers = &s->executors.v[j->executor].workers;
    struct lk_wait *w = &s->threads.v[j->thread].wait;
    for (size_t i = 0; i < workers->n; i++)
        if (!lk_ref_eq(workers->v[i], lk_ref_make(LK_KIND_THREAD, j->thread)))
            lk_refs_add(s, &w->on, workers->v[i]);
    w->complete = w->on.n > 0;
}

void lk_py_finish_thread_waits(struct lk_py *py)
{
    const struct lk_reader *a = lk_reader(py);
    for (size_t i = 0; i < a->pool_joins.n; i++)
        add_workers(py->s, &a->pool_joins.v[i]);
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
    lk_addr active = lk_py_module_attr(py, "threading", "_active");
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
    wait_on_pid(py, w, pid);
    return true;
}

static bool wait_on_peer(struct lk_py *py, struct lk_wait *w, struct lk_ref peer)
{
    wait_on(py, w, LK_WAIT_IO, peer, false);
    return true;
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
    wait_on_extern(py, w, LK_WAIT_IO, LK_EXT_OUTSIDE,
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
    wait_on_extern(py, w, LK_WAIT_SLEEP, LK_EXT_TIMER, "timer", left);
    return true;
}

static bool wait_on_worker_queue(struct lk_py *py, struct lk_wait *w, const struct lk_pyf *f)
{
    struct lk_ref x =
        lk_py_executor(py, lk_py_weakref(py, lk_py_local(py, f, "executor_reference")));
    wait_on(py, w, LK_WAIT_EXECUTOR_IDLE, x, false);
    return true;
}

static bool wait_on_feeders(struct lk_py *py, struct lk_wait *w, const struct waiter *who,
                            const struct lk_pyf *queue_frame)
{
    lk_addr queue = lk_py_local(py, queue_frame, "self");
    if (!who->fut_waiter || !queue)
        return false;
    lk_map_put(&lk_reader(py)->alias, who->fut_waiter, queue);
    return wait_on_future(py, w, who->fut_waiter);
}

static bool return_when_all(struct lk_py *py, const struct lk_pyf *f)
{
    return lk_py_str_eq(py, lk_py_local(py, f, "return_when"), "ALL_COMPLETED");
}

/* From the deciding row to what is waited for; false when it could not be told. */
static bool resolve(struct lk_py *py, const struct run *run, const struct lk_pyf *innermost,
                    const struct waiter *who, struct lk_wait *w)
{
    const struct lk_wait_row *r = run->row;
    lk_addr obj = r->local ? lk_py_local(py, run->frame, r->local) : 0;

    switch (r->how) {
    case LK_HOW_OBJECT:
    case LK_HOW_MODULE_LOCK: return wait_on_lock(py, w, r->kind, lk_py_lock(py, obj));
    case LK_HOW_INNER_LOCK: return wait_on_lock(py, w, r->kind, lk_py_mutex_of(py, obj));
    case LK_HOW_FUTURE: return wait_on_future(py, w, obj);
    case LK_HOW_FUTURE_OR_ITEM: return wait_on_future_or_item(py, w, run->frame, obj);
    case LK_HOW_FUTURES: return wait_on_futures(py, w, obj, !return_when_all(py, run->frame));
    case LK_HOW_ANY_FUTURE: return wait_on_futures(py, w, obj, true);
    case LK_HOW_JOIN: return wait_on_thread(py, w, obj);
    case LK_HOW_JOIN_WORKERS: return wait_on_workers(py, w, who->ref, obj);
    case LK_HOW_JOIN_ALL: return wait_on_all_threads(py, w, who->ref);
    case LK_HOW_LOOP:
        wait_on(py, w, r->kind, lk_py_loop(py, obj, LK_FOUND_FRAME), false);
        return true;
    case LK_HOW_WORKER: return wait_on_worker_queue(py, w, run->frame);
    case LK_HOW_CHILD: return wait_on_child(py, w, obj);
    case LK_HOW_SLEEP: return wait_on_timer(py, w, who->fut_waiter);
    case LK_HOW_AS_COMPLETED: return wait_on_feeders(py, w, who, innermost);
    case LK_HOW_GROUP: return wait_on_futures(py, w, lk_py_attr(py, obj, "_tasks"), false);
    case LK_HOW_TRANSPORT:
        return wait_on_peer(py, w, lk_py_peer_of_transport(py, lk_py_attr(py, obj, "_transport")));
    case LK_HOW_SOCKET: return wait_on_peer(py, w, lk_py_peer_of_socket(py, obj));
    case LK_HOW_SERVER: return wait_on_peer(py, w, lk_py_peer_of_server(py, obj));
    case LK_HOW_REMOTE: return wait_on_remote(py, w, run->frame, obj);
    case LK_HOW_KEEP:
    case LK_HOW_SELECT: break;
    }
    return false;
}

/* ---- threads: a lock entered directly --------------------------------------------------- */

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

/* A function of this name, made in C, stands on the value stack: the call that this frame has not
 * come back from. */
static bool calls_builtin(struct lk_py *py, const struct lk_pyf *f, const char *name)
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

static bool wait_in_lock(struct lk_py *py, const struct lk_syscall_wait *os, const struct lk_pyf *f,
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
    return wait_on_lock(py, w, kind, lk_py_lock(py, obj));
}

/* ---- threads: the kernel's word ------------------------------------------------------------ */

/* "socket.recv()" when the innermost frame calls a method of the very socket that the thread sleeps
 * on, else the system call. */
static const char *os_call(struct lk_py *py, const struct lk_syscall_wait *os, struct lk_ref thread)
{
    const struct lk_pyframes *frames = lk_py_frames_of_thread(py, thread.index);
    struct lk_pypending c[MAX_CANDIDATES];
    bool socket = (os->on == LK_OS_SOCKET || os->on == LK_OS_SELECTOR) && os->fd != LK_UNKNOWN;
    size_t n = socket && frames && frames->n
                   ? lk_py_pending_candidates(py, &frames->v[0], c, MAX_CANDIDATES)
                   : 0;

    for (size_t i = 0; i < n; i++)
        if (lk_py_socket_fd(py, c[i].self) == os->fd)
            return lk_arena_printf(py->s->arena, "socket.%s()",
                                   /* socket.accept calls _accept */
                                   c[i].method + (c[i].method[0] == '_'));
    return os->syscall ? lk_arena_printf(py->s->arena, "%s()", os->syscall) : NULL;
}

static void wait_in_io(struct lk_py *py, const struct lk_syscall_wait *os, struct lk_wait *w)
{
    wait_on(py, w, LK_WAIT_IO, lk_py_peer_of_syscall(py, os), false);
}

/* The loop whose own descriptor this thread polls (one that polls in C has no frame to tell). */
static struct lk_ref polled_loop(struct lk_py *py, const struct lk_syscall_wait *os,
                                 struct lk_ref thread)
{
    const struct lk_thread *t = lk_thread_at(py->s, thread);
    for (size_t i = 0; i < t->n_frame_loops; i++) {
        const struct lk_loop *o = lk_loop_at(py->s, t->frame_loops[i]);
        if (o && os->fd != LK_UNKNOWN && o->epoll_fd == os->fd)
            return t->frame_loops[i];
    }
    return lk_ref_make(LK_KIND_NONE, 0);
}

static void wait_in_selector(struct lk_py *py, const struct lk_syscall_wait *os,
                             struct lk_ref thread, struct lk_wait *w)
{
    struct lk_ref loop = polled_loop(py, os, thread);
    if (loop.kind == LK_KIND_LOOP) {
        w->call = "loop idle";
        wait_on(py, w, LK_WAIT_SELECTOR, loop, false);
        return;
    }
    const char *text = os->peer ? os->peer : os->local;
    if (os->listening && os->local)
        text = lk_arena_printf(py->s->arena, "connections to %s", os->local);
    else if (!text && os->fds.n)
        text = lk_arena_printf(py->s->arena,
                               os->fds.n == 1 ? "file descriptor %lld"
                                              : "file descriptor %lld and others",
                               (long long)os->fds.v[0]);
    wait_on_extern(py, w, LK_WAIT_IO, LK_EXT_OUTSIDE, text ? text : "file descriptors", LK_UNKNOWN);
}

/* Other code sleeps, too: ctypes, an extension, perhaps with the GIL. */
static bool in_time_sleep(struct lk_py *py, struct lk_ref thread)
{
    const struct lk_pyframes *frames = lk_py_frames_of_thread(py, thread.index);
    return frames && frames->n && calls_builtin(py, &frames->v[0], "sleep");
}

static void wait_in_kernel(struct lk_py *py, const struct lk_syscall_wait *os, struct lk_ref thread,
                           struct lk_wait *w)
{
    const struct lk_thread *t = lk_thread_at(py->s, thread);
    if (!w->call)
        w->call = os_call(py, os, thread);
    if (os->listening)
        w->traits |= LK_WAIT_LISTENS;
    switch (os->on) {
    case LK_OS_SOCKET:
    case LK_OS_PIPE:
    case LK_OS_FILE:
    case LK_OS_EVENTFD: wait_in_io(py, os, w); break;
    case LK_OS_CHILD: wait_on_pid(py, w, os->child_pid); break;
    case LK_OS_TIMER:
        if (in_time_sleep(py, thread))
            w->call = "time.sleep()";
        wait_on_extern(py, w, LK_WAIT_SLEEP, LK_EXT_TIMER, "timer",
                       os->timeout_ms == LK_FOREVER ? LK_UNKNOWN : os->timeout_ms);
        break;
    case LK_OS_SELECTOR: wait_in_selector(py, os, thread, w); break;
    case LK_OS_SIGNAL: w->kind = LK_WAIT_SIGNAL; break;
    case LK_OS_NONE:
        w->kind = t->running || t->kstate == 'R' ? LK_WAIT_NONE : LK_WAIT_UNKNOWN;
        break;
    default: w->kind = LK_WAIT_UNKNOWN; break;
    }
}

/* ---- threads ------------------------------------------------------------------------- */

/* True when the kernel's call can be this row's wait; an unknown call is believed. */
static bool fits_kernel(const struct lk_wait_row *r, const struct lk_syscall_wait *os)
{
    if (!os->syscall)
        return true;
    switch (r->how) {
    case LK_HOW_SELECT:
    case LK_HOW_LOOP: return os->on == LK_OS_SELECTOR;
    case LK_HOW_CHILD: return os->on != LK_OS_FUTEX;
    case LK_HOW_REMOTE: return os->on == LK_OS_FUTEX || os->on == LK_OS_SELECTOR;
    default: return os->on == LK_OS_FUTEX;
    }
}

/* A Condition.wait that was notified, or timed out, wants its lock back: then the lock is what it
 * waits for. */
static bool wants_lock_back(struct lk_py *py, const struct run *run, const struct lk_pyf *innermost,
                            const struct lk_syscall_wait *os, struct lk_wait *w)
{
    if (!run->row || run->row->how == LK_HOW_INNER_LOCK || !os->futex)
        return false;
    lk_addr cond = lk_py_local(py, innermost, "self");
    if (lk_py_known_class(py, cond, NULL) != LK_CLASS_CONDITION)
        return false;
    lk_addr lock = lk_py_attr(py, cond, "_lock");
    if (!lk_py_futex_is(py, lock, os->futex))
        return false;
    w->call = "Condition.wait()";
    return wait_on_lock(py, w, LK_WAIT_LOCK, lk_py_lock(py, lock));
}

/* The call's own: how long its polls last says nothing. */
static int64_t timeout_of_call(struct lk_py *py, const struct lk_pyf *f)
{
    lk_addr timeout = lk_py_local(py, f, "timeout");
    return timeout && lk_py_is_none(py, timeout) ? LK_FOREVER : LK_UNKNOWN;
}

static void wait_of_frames(struct lk_py *py, struct lk_ref ref, const struct lk_syscall_wait *os,
                           const struct lk_pyframes *frames, struct lk_wait *w)
{
    const struct lk_wait_rows t = { lk_thread_wait_rows, lk_n_thread_wait_rows, 0 };
    struct waiter who = { .ref = ref };
    struct run run;

    match(py, &t, frames, true, &run);
    w->frame = (int)run.n < (int)frames->n ? (int)run.n : -1;
    if (wants_lock_back(py, &run, &frames->v[0], os, w)) {
        w->frame = frames->n > 1 ? 1 : -1;
        return;
    }
    if (run.row && fits_kernel(run.row, os)) {
        w->call = run.call;
        w->traits = run.traits;
        if (resolve(py, &run, &frames->v[0], &who, w)) {
            if (w->traits & LK_WAIT_POLLS)
                w->timeout_ms = timeout_of_call(py, run.frame);
            return;
        }
        w->traits &= ~(unsigned)LK_WAIT_POLLS;
    } else {
        w->frame = 0;
        w->call = NULL;
        w->traits = 0;
        if (os->on == LK_OS_FUTEX && wait_in_lock(py, os, &frames->v[0], w))
            return;
    }
    wait_in_kernel(py, os, ref, w);
}

void lk_py_read_thread_wait(struct lk_py *py, size_t i)
{
    struct lk_thread *t = &py->s->threads.v[i];
    const struct lk_pyframes *frames = lk_py_frames_of_thread(py, i);
    struct lk_ref ref = lk_ref_make(LK_KIND_THREAD, i);
    struct lk_wait w = { .timeout_ms = t->os.left_ms, .read = t->read, .frame = -1 };

    bool runs_loop = t->n_frame_loops && !t->running;

    if (t->wait.kind == LK_WAIT_GIL)
        return;
    if (t->running) {
        w.kind = LK_WAIT_NONE;
        w.timeout_ms = LK_FOREVER;
    } else if (frames && frames->n) {
        struct lk_syscall_wait os = t->os;
        wait_of_frames(py, ref, &os, frames, &w);
        lk_py_read_job_result(py, frames, true, &w);
    } else {
        struct lk_syscall_wait os = t->os;
        wait_in_kernel(py, &os, ref, &w);
    }
    if (runs_loop && frames && frames->n && w.kind != LK_WAIT_SELECTOR)
        lk_py_read_builtin_calls(py, &frames->v[0], t);
    py->s->threads.v[i].wait = w;
}

/* ---- tasks --------------------------------------------------------------------------- */

/*
 * Where a loop keeps its timers in C, what the frames say must do: a Timeout that a frame is in has
 * its deadline, the timer of wait() and wait_for() is there but not when it ends.
 */
static int64_t deadline_by_frames(struct lk_py *py, const struct lk_pyframes *frames, int64_t known)
{
    lk_addr held[LK_READER_MAX_MANAGERS];
    int64_t best = known;
    double when;

    for (size_t i = 0; i < frames->n; i++) {
        size_t n = lk_py_held_managers(py, &frames->v[i], held, LK_ARRAY_LEN(held));
        for (size_t j = 0; j < n; j++)
            if (lk_py_known_class(py, held[j], NULL) == LK_CLASS_TIMEOUT &&
                lk_py_number(py, lk_py_attr(py, held[j], "_when"), &when))
                best = LK_MIN(best, lk_reader_left_ms(py, lk_reader_ms(when)));
        lk_addr handle = lk_py_local(py, &frames->v[i], "timeout_handle");
        if (handle && !lk_py_is_none(py, handle) && best == LK_FOREVER)
            return LK_UNKNOWN;
    }
    return best;
}

static int64_t task_timeout(struct lk_py *py, const struct lk_task *k, lk_addr fut_waiter,
                            const struct lk_pyframes *frames)
{
    struct lk_reader *a = lk_reader(py);
    const struct lk_loop *o = lk_loop_at(py->s, k->loop);
    int64_t left = LK_FOREVER;
    uint64_t when;

    if (lk_map_get(&a->deadlines, k->addr, &when))
        left = LK_MIN(left, lk_reader_left_ms(py, (int64_t)when));
    if (fut_waiter && lk_map_get(&a->timer_frees, fut_waiter, &when))
        left = LK_MIN(left, lk_reader_left_ms(py, (int64_t)when));
    if (!o || o->timers == LK_UNKNOWN)
        left = deadline_by_frames(py, frames, left);
    return left;
}

static const char *await_call(struct lk_py *py, lk_addr fut_waiter)
{
    return lk_py_known_class(py, fut_waiter, NULL) == LK_CLASS_GATHER ? "asyncio.gather()"
                                                                      : "await";
}

/* A task whose cancel() is asyncio's own. */
static bool cancels_only(struct lk_py *py, lk_addr obj)
{
    const struct lk_pytype *ty = lk_py_type(py, obj);
    lk_addr cancel = ty ? lk_py_type_attr(py, ty, "cancel") : 0;
    enum lk_known_class cls = lk_py_known_class(py, obj, NULL);
    return (cls == LK_CLASS_TASK && lk_py_kind(py, cancel) == LK_PYK_METHOD_DESCR) ||
           (ty && cls == LK_CLASS_PYTASK && strcmp(ty->name, "Task") == 0);
}

/* *matched: a row names these frames. */
static bool wait_by_row(struct lk_py *py, const struct waiter *who,
                        const struct lk_pyframes *frames, const struct lk_wait_rows *rows,
                        struct lk_wait *w, bool *matched)
{
    struct run run;

    match(py, rows, frames, false, &run);
    w->frame = run.n < frames->n ? (int)run.n : -1;
    *matched = run.row != NULL;
    if (!run.row)
        return false;
    w->call = run.call;
    w->traits = run.traits;
    if (resolve(py, &run, run.innermost, who, w))
        return true;
    w->frame = 0;
    return false;
}

bool lk_py_task_wait(struct lk_py *py, struct lk_ref task, const struct lk_aio_fut *f,
                     const struct lk_pyframes *frames, const struct lk_wait_rows *rows)
{
    const struct lk_task *k = lk_task_at(py->s, task);
    struct lk_wait w = { .timeout_ms = LK_FOREVER, .frame = -1 };
    struct waiter who = { .ref = task, .fut_waiter = f->fut_waiter };
    uint64_t loop;
    bool matched = rows != NULL; /* until it was tried */

    if (lk_map_get(&lk_reader(py)->ready, k->addr, &loop)) {
        wait_on(py, &w, LK_WAIT_READY, lk_ref_make(LK_KIND_LOOP, loop - 1), true);
    } else if (!f->fut_waiter) {
        /* Its step was in a queue that is gone (closed loop), or is being taken out of one just
         * now. */
        const struct lk_loop *o = lk_loop_at(py->s, k->loop);
        bool lost = o && (o->run == LK_LOOP_CLOSED || o->run == LK_LOOP_LOST_IN_FORK);
        wait_on(py, &w, lost ? LK_WAIT_READY : LK_WAIT_UNKNOWN,
                lost ? k->loop : lk_ref_make(LK_KIND_NONE, 0), lost);
    } else {
        w.timeout_ms = task_timeout(py, k, f->fut_waiter, frames);
        if (!rows || !wait_by_row(py, &who, frames, rows, &w, &matched)) {
            w.call = await_call(py, f->fut_waiter);
            w.frame = frames->n ? 0 : -1;
            if (!wait_on_future(py, &w, f->fut_waiter))
                w.kind = LK_WAIT_UNKNOWN;
            else if (cancels_only(py, f->fut_waiter))
                w.traits |= LK_WAIT_DIRECT;
        }
    }
    if (w.kind != LK_WAIT_READY)
        lk_py_read_job_result(py, frames, false, &w);
    lk_task_at(py->s, task)->wait = w;
    return matched;
}
