/*
 * What is known of particular servers: waitress's pool, gunicorn's own timeout, which connection a
 * queued work item is to serve, and which threads have a listening socket at hand.
 */
#include "read/python/reader/reader.h"

#include "process/linux/process_facts.h"
#include "read/python/interpreter/attribute.h"
#include "read/python/interpreter/code.h"
#include "read/python/interpreter/container.h"
#include "read/python/interpreter/frame.h"
#include "read/python/interpreter/scalar.h"
#include "read/python/interpreter/type.h"

enum {
    MAX_SOCKETS = 64,    /* descriptors of one thread */
    MAX_ATTRS = 256,     /* of one object */
    MAX_OBJECTS = 50000, /* looked at in one sample */
    MAX_NAMES = 1024,
    MAX_REACH = 2,        /* self.server.socket: attributes of attributes of a local variable */
    MAX_ARGS = 4,         /* of a work item */
    MAX_WATCHED = 1024,   /* descriptors in a loop's selector */
    MAX_TIMEOUT = 1000000 /* seconds */
};

/* ---- which connection an item serves ----------------------------------------------------- */

struct finder {
    int64_t fd;
    unsigned left;
};

static bool is_socket(struct lk_py *py, lk_addr key, lk_addr value, void *arg)
{
    struct finder *x = arg;
    (void)key;
    x->fd = lk_py_socket_fd(py, value);
    return x->fd == LK_UNKNOWN && --x->left > 0;
}

/* An object's own descriptor if it is a socket, else that of the first socket it holds (gunicorn's
 * TConn.sock, waitress's channel). */
static int64_t connection_of(struct lk_py *py, lk_addr obj)
{
    struct finder x = { .fd = lk_py_socket_fd(py, obj), .left = MAX_ATTRS };
    if (x.fd == LK_UNKNOWN && obj)
        lk_py_attr_each(py, obj, is_socket, &x);
    return x.fd;
}

int64_t lk_py_item_connection(struct lk_py *py, lk_addr item)
{
    lk_addr args = lk_py_attr(py, item, "args");
    if (!args) /* from 3.14: task = (fn, args, kwargs) */
        args = lk_py_item(py, lk_py_attr(py, item, "task"), 1);
    int64_t n = args ? LK_MIN(lk_py_len(py, args), (int64_t)MAX_ARGS) : 0, fd = LK_UNKNOWN;
    for (int64_t i = 0; i < n && fd == LK_UNKNOWN; i++)
        fd = connection_of(py, lk_py_item(py, args, (size_t)i));
    return fd;
}

/* ---- waitress ---------------------------------------------------------------------------- */

/* waitress/task.py ThreadedTaskDispatcher: threads, a set of numbers; queue, a deque of channels,
 * each with its socket. */
static void read_dispatcher(struct lk_py *py, lk_addr obj, struct lk_ref thread)
{
    bool is_new;
    size_t n = 0;
    struct lk_ref ref = lk_snapshot_executor(py->s, obj, &is_new);
    struct lk_executor *x = lk_executor_at(py->s, ref);
    if (!x)
        return;
    lk_refs_add(py->s, &x->workers, thread);
    if (!is_new)
        return;
    x->kind = "waitress pool";
    x->max_workers = lk_py_len(py, lk_py_attr(py, obj, "threads"));
    if (x->max_workers < 0)
        x->max_workers = LK_UNKNOWN;
    x->queued = lk_py_len(py, lk_py_attr(py, obj, "queue"));
    if (x->queued < 0)
        x->queued = LK_UNKNOWN;
    lk_addr *items = lk_py_items(py, lk_py_attr(py, obj, "queue"), LK_READER_KEEP_ITEMS, &n);
    struct lk_item *list = lk_arena_array(py->s->arena, n, sizeof *list);
    for (size_t i = 0; items && i < n; i++)
        list[i] = (struct lk_item){ .function = "service", .fd = connection_of(py, items[i]) };
    x->items = list;
    x->n_items = items ? n : 0;
}

/* ---- gunicorn ---------------------------------------------------------------------------- */

/*
 * gunicorn/arbiter.py spawn_worker gives a worker half of --timeout; a sync worker reports in
 * between two requests only (workers/sync.py), a gthread worker's main thread whatever its requests
 * do.
 */
static void read_gunicorn(struct lk_py *py, const struct lk_pyf *f, bool sync)
{
    double half = 0;
    lk_addr self = lk_py_local(py, f, "self");
    if (sync && (!self || !lk_py_number(py, lk_py_attr(py, self, "timeout"), &half) ||
                 !(half >= 0 && half < MAX_TIMEOUT)))
        return;
    py->s->supervisor_timeout_ms = sync ? (int64_t)(half * 2000) : 0;
}

/* ---- sockets at hand --------------------------------------------------------------------- */

struct reach {
    int64_t *fds;
    size_t n;
    unsigned *objects; /* of all threads so far */
    unsigned attrs, depth;
    bool complete;
};

static void add_fd(struct reach *x, int64_t fd)
{
    if (fd == LK_UNKNOWN || x->n == MAX_SOCKETS)
        return;
    for (size_t i = 0; i < x->n; i++)
        if (x->fds[i] == fd)
            return;
    x->fds[x->n++] = fd;
}

static bool reach_attr(struct lk_py *py, lk_addr key, lk_addr value, void *arg);

static bool reach_object(struct lk_py *py, lk_addr obj, struct reach *x)
{
    lk_addr function, self;
    if (lk_py_method(py, obj, &function, &self) && self) /* server.serve_forever */
        obj = self;
    add_fd(x, lk_py_socket_fd(py, obj));
    if (x->depth < MAX_REACH && *x->objects < MAX_OBJECTS) {
        unsigned attrs = x->attrs;
        ++*x->objects;
        x->attrs = MAX_ATTRS;
        x->depth++;
        lk_py_attr_each(py, obj, reach_attr, x);
        x->complete &= x->attrs > 0;
        x->depth--;
        x->attrs = attrs;
    }
    return *x->objects < MAX_OBJECTS;
}

static bool reach_attr(struct lk_py *py, lk_addr key, lk_addr value, void *arg)
{
    struct reach *x = arg;
    (void)key;
    return reach_object(py, value, x) && --x->attrs > 0;
}

/* A global variable that the code of a frame names. */
struct named {
    struct reach *x;
    const lk_addr *names;
    size_t n;
};

static bool reach_global(struct lk_py *py, lk_addr key, lk_addr value, void *arg)
{
    struct named *g = arg;
    for (size_t i = 0; i < g->n; i++)
        if (g->names[i] == key) /* both interned */
            return reach_object(py, value, g->x);
    return true;
}

static void reach_globals(struct lk_py *py, const struct lk_pyf *f, struct reach *x)
{
    const struct lk_pycode *code = lk_py_code(py, f->code);
    struct named g = { .x = x };
    if (!code || !f->globals || lk_py_of_stdlib(py, code->code))
        return;
    g.names = lk_py_items(py, lk_py_ptr(py, f->code + py->layout.co_names), MAX_NAMES, &g.n);
    if (g.names)
        lk_py_dict_each(py, f->globals, reach_global, &g);
}

static bool reach_local(struct lk_py *py, const char *name, lk_addr value, void *arg)
{
    (void)name;
    return reach_object(py, value, arg);
}

/* What a loop's selector watches is at hand for the thread that runs it. */
static void reach_by_loop(struct lk_py *py, size_t thread, struct reach *x)
{
    const struct lk_snapshot *s = py->s;
    int64_t fds[MAX_WATCHED];
    for (size_t i = 0; i < s->loops.n; i++) {
        const struct lk_loop *o = &s->loops.v[i];
        if (o->run != LK_LOOP_RUNNING || o->epoll_fd == LK_UNKNOWN || !lk_reader_kernel(py) ||
            !lk_ref_eq(o->thread, lk_ref_make(LK_KIND_THREAD, thread)))
            continue;
        int64_t n = lk_kernel_epoll_fds(lk_reader_kernel(py), o->epoll_fd, fds, MAX_WATCHED);
        for (int64_t k = 0; n != LK_UNKNOWN && k < LK_MIN(n, (int64_t)MAX_WATCHED); k++)
            add_fd(x, fds[k]);
    }
}

static void read_reach(struct lk_py *py, size_t thread, unsigned *objects)
{
    const struct lk_pyframes *f = lk_py_frames_of_thread(py, thread);
    struct lk_thread *t = &py->s->threads.v[thread];
    struct reach x = { .fds = lk_arena_array(py->s->arena, MAX_SOCKETS, sizeof *x.fds),
                       .objects = objects,
                       .complete = true };
    reach_by_loop(py, thread, &x);
    for (size_t i = 0; f && i < f->n && *objects < MAX_OBJECTS; i++) {
        lk_py_local_each(py, &f->v[i], reach_local, &x);
        reach_globals(py, &f->v[i], &x);
    }
    t->sockets = x.fds;
    t->n_sockets = x.n;
    t->sockets_complete = x.complete && x.n < MAX_SOCKETS && *objects < MAX_OBJECTS;
}

/* A connection to this process that nobody has accepted: then it matters who could. */
static bool asks_listener(const struct lk_snapshot *s)
{
    for (size_t i = 0; i < s->threads.n; i++)
        if (s->threads.v[i].os.ends_at.n && s->threads.v[i].os.far_fd == LK_UNKNOWN)
            return true;
    return false;
}

/* ---- all --------------------------------------------------------------------------------- */

static void read_frame(struct lk_py *py, const struct lk_pyf *f, struct lk_ref thread)
{
    lk_addr self;
    if (lk_py_frame_is(py, f, "handler_thread", "/waitress/task.py") &&
        (self = lk_py_local(py, f, "self")))
        read_dispatcher(py, self, thread);
    else if (lk_py_frame_is(py, f, "run", "/gunicorn/workers/sync.py"))
        read_gunicorn(py, f, true);
    else if (lk_py_frame_is(py, f, "run", "/gunicorn/workers/gthread.py"))
        read_gunicorn(py, f, false);
}

void lk_py_read_servers(struct lk_py *py)
{
    bool reach = asks_listener(py->s);
    unsigned objects = 0;
    for (size_t i = 0; i < py->s->threads.n; i++) {
        const struct lk_pyframes *f = lk_py_frames_of_thread(py, i);
        for (size_t j = 0; f && j < f->n; j++)
            read_frame(py, &f->v[j], lk_ref_make(LK_KIND_THREAD, i));
        if (reach)
            read_reach(py, i, &objects);
    }
}
