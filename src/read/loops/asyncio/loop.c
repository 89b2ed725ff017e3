/* Event loops: which there are, who runs each, and in which state it is. Tasks are in task.c,
 * queues in ready.c. */
#include "read/loops/asyncio/loop.h"

#include <stdlib.h>

#include "process/linux/process_facts.h"
#include "read/loops/asyncio/ready_queue.h"
#include "read/loops/loop_kind.h"
#include "read/python/interpreter/attribute.h"
#include "read/python/interpreter/class.h"
#include "read/python/interpreter/container.h"
#include "read/python/interpreter/scalar.h"
#include "read/python/interpreter/type.h"
#include "read/python/reader/entities.h"
#include "util/text.h"

enum {
    MAX_FD = 1 << 20,
    OBJ_FIRST = 16, /* first field after PyObject_HEAD */
};

#define NEVER_MS (INT64_MAX / 4) /* later than any moment that comes */

/* ---- the sample's state -------------------------------------------------------------- */

struct lk_reader *lk_reader(struct lk_py *py)
{
    if (!py->reader) {
        py->reader = lk_xcalloc(1, sizeof *py->reader);
        py->reader->now_ms = (int64_t)lk_now_ms();
    }
    return py->reader;
}

void lk_reader_end(struct lk_py *py)
{
    struct lk_reader *a = py->reader;
    if (!a)
        return;
    struct lk_map *maps[] = { &a->no_row[0],     &a->no_row[1],    &a->visited,   &a->callbacks,
                              &a->sources,       &a->follows,      &a->setters,   &a->setter_rows,
                              &a->alias,         &a->ready,        &a->running,   &a->no_with,
                              &a->timer_sets,    &a->timer_frees,  &a->deadlines, &a->chains,
                              &a->setters_known, &a->may_complete, &a->peers };
    for (size_t i = 0; i < LK_ARRAY_LEN(maps); i++)
        lk_map_deinit(maps[i]);
    for (size_t i = 0; i < a->source_lists.n; i++)
        free(a->source_lists.v[i].v);
    free(a->source_lists.v);
    free(a->loops_todo.v);
    free(a->tasks_todo.v);
    free(a->futures_todo.v);
    free(a->relays_todo.v);
    free(a->holds.v);
    free(a->reach.v);
    free(a->on_primitive.v);
    free(a->chain.v);
    if (a->os)
        lk_kernel_reader_destroy(a->os);
    free(a);
    py->reader = NULL;
}

/* ---- classes ------------------------------------------------------------------------- */

static size_t row_of_type(struct lk_py *py, const struct lk_pytype *ty)
{
    const char *name = lk_last_part(ty->name);
    for (size_t i = 0; i < lk_n_class_rows; i++)
        if (strcmp(name, lk_class_rows[i].name) == 0 &&
            strcmp(lk_py_type_module(py, ty), lk_class_rows[i].module) == 0)
            return i + 1;
    return 0;
}

/* The nearest class in the method resolution order that the table knows. */
static size_t find_row(struct lk_py *py, const struct lk_pytype *ty)
{
    int64_t n = lk_py_kind(py, ty->mro) == LK_PYK_TUPLE ? lk_py_len(py, ty->mro) : 0;
    if (n <= 0)
        return row_of_type(py, ty);
    for (int64_t i = 0; i < n && i < LK_PY_MAX_MRO; i++) {
        const struct lk_pytype *b = lk_py_type_at(py, lk_py_item(py, ty->mro, (size_t)i));
        size_t row = b ? row_of_type(py, b) : 0;
        if (row)
            return row;
    }
    return 0;
}

size_t lk_py_class_row(struct lk_py *py, const struct lk_pytype *cty)
{
    /* the memo is ours: types are made by object.c, never const */
    struct lk_pytype *ty = (struct lk_pytype *)cty;
    if (!ty->aio_row)
        ty->aio_row = (unsigned)find_row(py, ty) + 1;
    return ty->aio_row - 1;
}

enum lk_known_class lk_py_known_class(struct lk_py *py, lk_addr obj,
                                      const struct lk_class_row **row)
{
    const struct lk_pytype *ty = obj ? lk_py_type(py, obj) : NULL;
    size_t i = ty ? lk_py_class_row(py, ty) : 0;
    if (row)
        *row = i ? &lk_class_rows[i - 1] : NULL;
    return i ? lk_class_rows[i - 1].cls : LK_CLASS_OTHER;
}

const char *lk_py_class_label(struct lk_py *py, lk_addr obj)
{
    const struct lk_pytype *ty = lk_py_type(py, obj);
    return ty ? lk_arena_strdup(py->s->arena, lk_last_part(ty->name)) : "";
}

/* ---- small helpers ------------------------------------------------------------------- */

const struct lk_pyframes *lk_py_frames_of_thread(struct lk_py *py, size_t thread)
{
    uint64_t v;
    if (!lk_map_get(&py->frames_of, thread, &v))
        return NULL;
    return (const struct lk_pyframes *)(uintptr_t)v;
}

struct lk_ref lk_py_thread_by_ident(struct lk_py *py, uint64_t ident)
{
    uint64_t i;
    if (ident && lk_map_get(&py->by_ident, ident, &i) && i < py->s->threads.n)
        return lk_ref_make(LK_KIND_THREAD, i);
    return lk_ref_make(LK_KIND_NONE, 0);
}

void lk_reader_earliest(struct lk_map *m, lk_addr key, int64_t when_ms)
{
    uint64_t old;
    if (!lk_map_get(m, key, &old) || (int64_t)old > when_ms)
        lk_map_put(m, key, (uint64_t)when_ms);
}

int64_t lk_reader_ms(double seconds)
{
    double ms = seconds * 1000;
    return ms > -(double)NEVER_MS && ms < (double)NEVER_MS ? (int64_t)ms
           : ms < 0                                        ? -NEVER_MS
                                                           : NEVER_MS;
}

int64_t lk_reader_left_ms(struct lk_py *py, int64_t when_ms)
{
    if (when_ms >= NEVER_MS) /* asyncio.sleep(math.inf) */
        return LK_FOREVER;
    int64_t left = when_ms - lk_reader(py)->now_ms;
    return left > 0 ? left : 0;
}

/* File descriptor in a C object; LK_UNKNOWN when implausible. */
int64_t lk_py_fd_at(struct lk_py *py, lk_addr at)
{
    int32_t fd;
    if (!lk_read_i32(py->t, at, &fd) || fd < 0 || fd >= MAX_FD)
        return LK_UNKNOWN;
    return fd;
}

/* _socket.socket: sock_fd is its first field (Modules/socketmodule.h PySocketSockObject);
 * socket.socket derives from it. */
int64_t lk_py_socket_fd(struct lk_py *py, lk_addr sock)
{
    if (!sock || !lk_py_isinstance(py, sock, NULL, "socket"))
        return LK_UNKNOWN;
    return lk_py_fd_at(py, lk_py_field(py, sock, OBJ_FIRST));
}

/* ---- asyncio's own loops ------------------------------------------------------------- */

static void read_selector(struct lk_py *py, lk_addr obj, struct lk_loop *o)
{
    lk_addr selector = lk_py_attr(py, obj, "_selector");
    if (!selector || lk_py_is_none(py, selector))
        return;
    lk_addr c = lk_py_attr(py, selector, "_selector");
    const struct lk_pytype *ty = c ? lk_py_type(py, c) : NULL;
    if (ty && strcmp(ty->name, "select.epoll") == 0) /* pyEpoll_Object.epfd is its first field */
        o->epoll_fd = lk_py_fd_at(py, lk_py_field(py, c, OBJ_FIRST));
    int64_t n = lk_py_len(py, lk_py_attr(py, selector, "_fd_to_key"));
    if (n >= 0)
        o->watched_fds = n > 0 && o->wakeup_read_fd != LK_UNKNOWN ? n - 1 : n;
}

void lk_aio_set_run(struct lk_py *py, struct lk_loop *o)
{
    if (o->closed == LK_YES) {
        o->run = LK_LOOP_CLOSED;
        return;
    }
    if (o->thread_ident == 0) {
        o->run = o->closed == LK_NO ? LK_LOOP_STOPPED : LK_LOOP_UNKNOWN;
        return;
    }
    o->thread = lk_py_thread_by_ident(py, o->thread_ident);
    if (o->thread.kind == LK_KIND_THREAD)
        o->run = LK_LOOP_RUNNING;
    else
        o->run = lk_py_ident_may_live(py, o->thread_ident) ? LK_LOOP_UNKNOWN : LK_LOOP_LOST_IN_FORK;
}

void lk_aio_read_loop(struct lk_py *py, lk_addr obj, struct lk_ref ref)
{
    struct lk_loop *o = lk_loop_at(py->s, ref);
    int64_t ident;
    lk_addr thread_id = lk_py_attr(py, obj, "_thread_id");

    o->closed = lk_py_bool(py, lk_py_attr(py, obj, "_closed"));
    o->stopping = lk_py_bool(py, lk_py_attr(py, obj, "_stopping"));
    if (thread_id && lk_py_int(py, thread_id, &ident))
        o->thread_ident = (uint64_t)ident;
    o->wakeup_read_fd = lk_py_socket_fd(py, lk_py_attr(py, obj, "_ssock"));
    o->wakeup_write_fd = lk_py_socket_fd(py, lk_py_attr(py, obj, "_csock"));
    read_selector(py, obj, o);
    if (thread_id)
        lk_aio_set_run(py, o);
    lk_addr executor = lk_py_attr(py, obj, "_default_executor");
    if (executor && !lk_py_is_none(py, executor)) {
        struct lk_ref x = lk_py_executor(py, executor);
        lk_loop_at(py->s, ref)->executor = x;
    }
    lk_aio_read_ready(py, ref, lk_py_attr(py, obj, "_ready"), lk_aio_read_handle);
    lk_aio_read_timers(py, ref, lk_py_attr(py, obj, "_scheduled"));
}

/* ---- any loop ------------------------------------------------------------------------ */

static const struct lk_loop_kind *kind_of(struct lk_py *py, lk_addr obj)
{
    for (size_t i = 0; i < lk_n_loop_kinds; i++)
        if (lk_loop_kinds[i].cls &&
            lk_py_isinstance(py, obj, lk_loop_kinds[i].module, lk_loop_kinds[i].cls))
            return &lk_loop_kinds[i];
    return NULL;
}

static void read_loop(struct lk_py *py, struct lk_ref ref)
{
    struct lk_loop *o = lk_loop_at(py->s, ref);
    const struct lk_loop_kind *kind = kind_of(py, o->addr);

    o->driven_in_python = kind && kind->driven_in_python;
    if (kind) {
        o->kind = kind->name;
        kind->read_loop(py, o->addr, ref);
        return;
    }
    const struct lk_pytype *ty = lk_py_type(py, o->addr);
    const char *module = ty ? lk_py_type_module(py, ty) : "";
    o->kind = lk_arena_strndup(py->s->arena, module, strcspn(module, "."));
}

/* Descriptor of a transport, whichever kind of loop made it. */
static int64_t transport_fd(struct lk_py *py, lk_addr transport)
{
    int64_t fd = LK_UNKNOWN;
    for (size_t i = 0; i < lk_n_loop_kinds && fd == LK_UNKNOWN; i++)
        if (lk_loop_kinds[i].transport_fd)
            fd = lk_loop_kinds[i].transport_fd(py, transport);
    return fd;
}

/* A loop's queues name futures, those their loops, and so on: nested mentions wait for the
 * outermost one. */
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
    lk_vec_add(&a->loops_todo, ref.index);
    if (a->reading_loops)
        return ref;
    a->reading_loops = true;
    while (a->loops_todo.n)
        read_loop(py, lk_ref_make(LK_KIND_LOOP, a->loops_todo.v[--a->loops_todo.n]));
    a->reading_loops = false;
    return ref;
}

/* ---- facts of the operating system ----------------------------------------------------- */

static void add_os_facts(struct lk_py *py, struct lk_loop *o)
{
    const struct lk_thread *t = lk_thread_at(py->s, o->thread);
    if (!t)
        return;
    if (t->os.syscall && o->epoll_fd != LK_UNKNOWN)
        o->in_own_selector = t->os.on == LK_OS_SELECTOR && t->os.fd == o->epoll_fd ? LK_YES : LK_NO;
    else if (t->running)
        o->in_own_selector = LK_NO;
    if (o->in_own_selector == LK_YES && o->ready > 0 && o->wakeup_read_fd != LK_UNKNOWN &&
        lk_reader_kernel(py))
        o->wakeup_unread = lk_kernel_unread(lk_reader_kernel(py), o->wakeup_read_fd);
}

void lk_loops_finish(struct lk_py *py)
{
    struct lk_snapshot *s = py->s;
    lk_loops_check_runners(py);
    for (size_t i = 0; i < s->loops.n; i++)
        s->loops.v[i].tasks_pending = 0;
    for (size_t i = 0; i < s->tasks.n; i++) {
        const struct lk_task *k = &s->tasks.v[i];
        struct lk_loop *o = lk_loop_at(s, k->loop);
        if (o && (k->state == LK_TASK_PENDING || k->state == LK_TASK_RUNNING))
            o->tasks_pending++;
    }
    for (size_t i = 0; i < s->loops.n; i++)
        if (s->loops.v[i].in_own_selector == LK_TRI_UNKNOWN)
            add_os_facts(py, &s->loops.v[i]);
}

void lk_py_read_loops(struct lk_py *py)
{
    struct lk_snapshot *s = py->s;

    lk_reader_end(py); /* what an interrupted sample may have left */
    lk_reader(py)->transport_fd = transport_fd;
    for (size_t i = 0; i < s->threads.n; i++) {
        const struct lk_pyframes *frames = lk_py_frames_of_thread(py, i);
        if (frames)
            lk_aio_note_setters(py, frames, lk_ref_make(LK_KIND_THREAD, i));
    }
    lk_py_read_executors(py);
    if (lk_py_module_dict(py, "asyncio.events"))
        lk_aio_read_drivers(py);
    lk_py_search_reachable(py);
}
