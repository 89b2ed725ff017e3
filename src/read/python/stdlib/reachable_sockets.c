/*
 * Which sockets each thread has at hand, by its frames and by the selector of the loop that it
 * runs. Asked only where a thread waits at a connection to this process: then it matters who could
 * accept it, or serves it.
 */
#include "read/python/stdlib/reachable_sockets.h"

#include "read/python/interpreter/attribute.h"
#include "read/python/interpreter/code.h"
#include "read/python/interpreter/container.h"
#include "read/python/interpreter/frame.h"
#include "read/python/interpreter/interpreter.h"
#include "read/python/interpreter/stdlib_paths.h"
#include "read/python/interpreter/thread_lookup.h"
#include "read/python/interpreter/type.h"
#include "read/python/reader/reader.h"
#include "read/python/stdlib/socket.h"

enum {
    MAX_SOCKETS = 64,    /* descriptors of one thread */
    MAX_ATTRS = 256,     /* of one object */
    MAX_OBJECTS = 50000, /* looked at in one sample */
    MAX_NAMES = 1024,
    MAX_REACH = 2, /* self.server.socket: attributes of attributes of a local variable */
};

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
    struct lk_watched w;
    for (size_t i = 0; i < s->loops.n; i++) {
        const struct lk_loop *o = &s->loops.v[i];
        if (o->run != LK_LOOP_RUNNING || o->epoll_fd == LK_UNKNOWN ||
            !lk_ref_eq(o->thread, lk_ref_make(LK_KIND_THREAD, thread)) ||
            !lk_process_watched(py->t, o->epoll_fd, &w))
            continue;
        for (int64_t k = 0; k < LK_MIN(w.total, (int64_t)LK_MAX_WATCHED); k++)
            add_fd(x, w.fds[k]);
    }
}

static void read_reach(struct lk_py *py, size_t thread, unsigned *objects)
{
    const struct lk_pyframes *f = lk_py_frames_of_thread(py, thread);
    struct lk_thread *t = &py->s->threads.v[thread];
    const bool frames_are_read = f || !t->python;
    struct reach x = { .fds = lk_arena_array(py->s->arena, MAX_SOCKETS, sizeof *x.fds),
                       .objects = objects,
                       .complete = frames_are_read };
    reach_by_loop(py, thread, &x);
    for (size_t i = 0; f && i < f->n && *objects < MAX_OBJECTS; i++) {
        lk_py_local_each(py, &f->v[i], reach_local, &x);
        reach_globals(py, &f->v[i], &x);
    }
    t->sockets = x.fds;
    t->n_sockets = x.n;
    t->sockets_complete = x.complete && x.n < MAX_SOCKETS && *objects < MAX_OBJECTS;
}

/* A connection to this process: it matters who could accept it, or who serves it. */
static bool asks_listener(const struct lk_snapshot *s)
{
    for (size_t i = 0; i < s->threads.n; i++)
        if (s->threads.v[i].os.ends_at.n)
            return true;
    return false;
}

/* Nobody stands where connections are accepted: whoever waits for a client may be the one who would
 * come to that. */
static bool nobody_accepts(const struct lk_snapshot *s)
{
    for (size_t i = 0; i < s->threads.n; i++)
        if (s->threads.v[i].os.listening || s->threads.v[i].os.on == LK_OS_SELECTOR)
            return false;
    return true;
}

void lk_py_read_reachable_sockets(struct lk_py *py)
{
    const struct lk_snapshot *s = py->s;
    const bool all = asks_listener(s), clients = !all && nobody_accepts(s);
    unsigned objects = 0;
    for (size_t i = 0; i < s->threads.n; i++)
        if (all || (clients && s->threads.v[i].os.accepted))
            read_reach(py, i, &objects);
}
