/*
 * Frames of threads as the interpreter has them, of tasks by their await chains (Python's awaiting
 * protocol), with the greenlets that their coroutines run. What a request keeps in a registry has
 * no variable: SQLAlchemy's scoped_session (orm/scoping.py; util/_collections.py ScopedRegistry)
 * has its sessions in a dict by the id() of their scope, which the frames of the request lead to
 * (Flask-SQLAlchemy 3: Flask's application context).
 */
#include "read/loops/parties.h"

#include "read/python/interpreter/attribute.h"
#include "read/python/interpreter/code.h"
#include "read/python/interpreter/container.h"
#include "read/python/interpreter/frame.h"
#include "read/python/interpreter/scalar.h"
#include "read/python/interpreter/stdlib_paths.h"
#include "read/python/interpreter/thread_lookup.h"
#include "read/python/interpreter/type.h"
#include "read/python/reader/known_class.h"
#include "read/python/reader/reader.h"
#include "read/python/stdlib/future_object.h"
#include "read/python/stdlib/socket.h"
#include "util/memory.h"
#include "util/text.h"

enum {
    MAX_TASKS = 5000, /* more are not asked each: it would take longer than the sample */
    MAX_NAMES = 1024, /* of one code object */
    MAX_SESSIONS = 4096,
    SEARCH = 2000,   /* objects looked at for the scopes of one party */
    SCOPE_STEPS = 4, /* a request's context, its tokens, one of them, the application's context */
};

static void add_party(struct lk_parties *p, struct lk_ref ref, const struct lk_pyframes *frames,
                      bool innermost_first)
{
    struct lk_party *to = lk_vec_push(p);
    to->ref = ref;
    for (size_t i = 0; i < frames->n; i++)
        lk_vec_add(&to->frames, frames->v[innermost_first ? i : frames->n - 1 - i]);
}

static void add_tasks(struct lk_py *py, struct lk_parties *p)
{
    struct lk_pyframes chain = { 0 };
    for (size_t i = 0; i < py->s->tasks.n; i++) {
        const struct lk_task *k = &py->s->tasks.v[i];
        bool truncated;
        if (k->kind != LK_TASK_COROUTINE || k->state != LK_TASK_PENDING)
            continue;
        const bool read = lk_aio_await_chain(py, k->addr, &chain, &truncated);
        p->cut |= !read || truncated;
        if (!read)
            continue;
        lk_reader(py)->join_chain(py, &chain);
        add_party(p, lk_ref_make(LK_KIND_TASK, i), &chain, false);
    }
    lk_free(chain.v);
}

bool lk_parties_read(struct lk_py *py, struct lk_parties *ret)
{
    if (py->s->tasks.n > MAX_TASKS)
        return false;
    for (size_t i = 0; i < py->s->threads.n; i++) {
        const struct lk_pyframes *frames = lk_py_frames_of_thread(py, i);
        if (frames)
            add_party(ret, lk_ref_make(LK_KIND_THREAD, i), frames, true);
    }
    add_tasks(py, ret);
    return true;
}

void lk_parties_deinit(struct lk_parties *p)
{
    for (size_t i = 0; i < p->n; i++)
        lk_free(p->v[i].frames.v);
    lk_free(p->v);
}

/* ---- what is kept by the id of its scope ----------------------------------------------------- */

struct scoped {
    struct lk_map sessions; /* scope -> session */
    struct lk_roots *roots;
    const lk_addr *names; /* of the code that is being looked at */
    size_t n;
};

static bool add_session(struct lk_py *py, lk_addr key, lk_addr value, void *arg)
{
    struct scoped *x = arg;
    int64_t scope;
    if (lk_py_int(py, key, &scope) && scope > 0)
        lk_map_put(&x->sessions, (uint64_t)scope, value);
    return x->sessions.n < MAX_SESSIONS;
}

static bool is_scoped(struct lk_py *py, lk_addr obj)
{
    return obj && lk_py_known_class(py, obj, NULL) == LK_CLASS_SCOPED_SESSION;
}

static bool look_at_global(struct lk_py *py, lk_addr key, lk_addr value, void *arg)
{
    struct scoped *x = arg;
    bool named = false;
    for (size_t i = 0; i < x->n && !named; i++)
        named = x->names[i] == key; /* both interned */
    if (!named || lk_py_kind(py, value) != LK_PYK_OTHER)
        return true;
    lk_addr scoped = is_scoped(py, value) ? value : lk_py_attr(py, value, "session");
    lk_addr registry = is_scoped(py, scoped) ? lk_py_attr(py, scoped, "registry") : 0;
    lk_addr dict = registry ? lk_py_attr(py, registry, "registry") : 0;
    if (dict && lk_py_kind(py, dict) == LK_PYK_DICT)
        lk_py_dict_each(py, dict, add_session, x);
    return true;
}

static void note_scope(struct lk_py *py, lk_addr obj, void *arg)
{
    struct scoped *x = arg;
    uint64_t session;
    (void)py;
    if (lk_map_get(&x->sessions, obj, &session))
        lk_vec_add(x->roots, session);
}

/* Adds the sessions of scopes that the roots so far lead to. */
static void add_scoped(struct lk_py *py, const struct lk_party *p, struct lk_roots *roots)
{
    struct scoped x = { .roots = roots };
    struct lk_leads_to l = {
        .each = &x.sessions, .met = note_scope, .arg = &x, .steps = SCOPE_STEPS, .budget = SEARCH
    };
    for (size_t i = 0; i < p->frames.n; i++) {
        const struct lk_pyf *f = &p->frames.v[i];
        const struct lk_pycode *c = lk_py_code(py, f->code);
        if (!c || !f->globals || lk_py_of_stdlib(py, c->code))
            continue;
        x.names = lk_py_items(py, lk_py_ptr(py, f->code + py->layout.co_names), MAX_NAMES, &x.n);
        if (x.names)
            lk_py_dict_each(py, f->globals, look_at_global, &x);
    }
    const size_t n = roots->n;
    lk_addr *from = lk_xcalloc(n + 1, sizeof *from);
    if (n)
        memcpy(from, roots->v, n * sizeof *from);
    if (x.sessions.n)
        lk_py_lead_to(py, from, n, &l);
    lk_free(from);
    lk_map_deinit(&x.sessions);
}

bool lk_party_lead_to(struct lk_py *py, const struct lk_party *p, struct lk_leads_to x,
                      unsigned *budget)
{
    struct lk_roots roots = { 0 };
    for (size_t i = 0; i < p->frames.n; i++)
        lk_py_add_roots(py, &p->frames.v[i], &roots);
    if (lk_py_module_dict(py, "sqlalchemy.orm.scoping"))
        add_scoped(py, p, &roots);
    const unsigned given = x.budget = LK_MIN(x.budget, *budget);
    lk_py_lead_to(py, roots.v, roots.n, &x);
    *budget -= given - x.budget;
    lk_free(roots.v);
    return x.budget > 0;
}

int64_t lk_party_connection(struct lk_py *py, lk_addr obj, bool *into)
{
    const struct lk_pytype *ty = lk_py_type(py, obj);
    enum lk_pykind kind = lk_py_kind(py, obj);
    *into = false;
    if (!ty || kind == LK_PYK_COROUTINE || kind == LK_PYK_ASYNC_GEN || lk_py_is_waitable(py, obj))
        return LK_UNKNOWN;
    *into = kind != LK_PYK_OTHER || !lk_ends_with(ty->name, "Selector");
    if (kind != LK_PYK_OTHER || !*into)
        return LK_UNKNOWN;
    int64_t fd = lk_py_socket_fd(py, obj);
    if (fd == LK_UNKNOWN && lk_ends_with(ty->name, "Transport"))
        fd = lk_py_transport_fd(py, obj);
    *into = fd == LK_UNKNOWN;
    return fd;
}
