/*
 * A pool by what its code does: by which of its methods something is taken and given back, and
 * whether the exit of a `with` gives something back to it (Python's data model, __exit__ and
 * __aexit__). Some methods are known by their usual names, a pool's own by what they call.
 */
#include "read/python/stdlib/lent_pools.h"

#include "read/python/interpreter/attribute.h"
#include "read/python/interpreter/code.h"
#include "read/python/interpreter/container.h"
#include "read/python/interpreter/scalar.h"
#include "read/python/interpreter/stdlib_paths.h"
#include "read/python/interpreter/type.h"
#include "read/python/reader/known_class.h"
#include "read/python/reader/reader.h"
#include "util/text.h"

enum {
    MAX_NAMES = 1000, /* of one code object */
    MAX_BASES = 8,
};

const char *const lk_lent_gives_back[] = { "release", "release_conn", "release_connection",
                                           "put",     "put_nowait",   "putconn",
                                           "checkin", "give_back",    NULL };
const char *const lk_lent_takes[] = { "get", "get_nowait", "acquire", "getconn", "checkout", NULL };
const char *const lk_lent_lets_go[] = { "put", "put_nowait", "notify",     "notify_all",
                                        "set", "release",    "set_result", NULL };
static const char *const leaves[] = { "close", "aclose", "__exit__", "__aexit__", NULL };

/* ---- names ------------------------------------------------------------------------------ */

bool lk_lent_is_word(const char *const *words, const char *name)
{
    for (; *words; words++)
        if (strcmp(*words, name) == 0)
            return true;
    return false;
}

bool lk_lent_has_back(const char *const *back, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(back[i], name) == 0)
            return true;
    return false;
}

/* more: n_more further words. */
static bool names_one(struct lk_py *py, lk_addr code, const char *const *words,
                      const char *const *more, size_t n_more)
{
    size_t n = 0;
    lk_addr *v = lk_py_items(py, lk_py_ptr(py, code + py->layout.co_names), MAX_NAMES, &n);
    for (size_t i = 0; v && i < n; i++) {
        char name[32];
        if (!lk_py_str_raw(py, v[i], name, sizeof name))
            continue;
        if (lk_lent_is_word(words, name) || lk_lent_has_back(more, n_more, name))
            return true;
    }
    return false;
}

static bool names_any(struct lk_py *py, lk_addr code, const char *const *words)
{
    return names_one(py, code, words, NULL, 0);
}

/* A manager of the standard library that closes (a selector, a file, a socket) is nothing that a
 * pool has lent; contextlib's are for the things of others. */
static bool is_stdlib_exit(struct lk_py *py, lk_addr code)
{
    const struct lk_pycode *c = lk_py_code(py, code);
    return c && lk_py_of_stdlib(py, c->code) &&
           strcmp(lk_base_name(c->code->file), "contextlib.py") != 0;
}

bool lk_lent_exit_gives_back(struct lk_py *py, const struct lk_lent_pool *p, lk_addr manager)
{
    static const char *const exits[] = { "__exit__", "__aexit__" };
    const struct lk_pytype *ty = lk_py_type(py, manager);
    for (size_t i = 0; ty && i < LK_ARRAY_LEN(exits); i++) {
        lk_addr func = lk_py_type_attr(py, ty, exits[i]);
        lk_addr code = func ? lk_py_function_code(py, func) : 0;
        if (func && !code && lk_py_type_attr(py, ty, leaves[0]))
            return true;
        if (code && !is_stdlib_exit(py, code) &&
            (names_one(py, code, lk_lent_gives_back, p->back, p->n_back) ||
             names_any(py, code, leaves)))
            return true;
    }
    return false;
}

bool lk_lent_enters_itself(struct lk_py *py, const struct lk_lent_pool *p)
{
    static const char *const enters[] = { "__enter__", "__aenter__" }, *const exits[] = {
        "__exit__", "__aexit__"
    };
    const struct lk_pytype *ty = lk_py_type(py, p->addr);
    for (size_t i = 0; ty && i < LK_ARRAY_LEN(enters); i++) {
        lk_addr enter = lk_py_type_attr(py, ty, enters[i]),
                exit = lk_py_type_attr(py, ty, exits[i]);
        lk_addr in = enter ? lk_py_function_code(py, enter) : 0,
                out = exit ? lk_py_function_code(py, exit) : 0;
        if (in && out && names_one(py, in, lk_lent_takes, &p->waiters.v[0].method, 1) &&
            names_one(py, out, lk_lent_gives_back, p->back, p->n_back))
            return true;
    }
    return false;
}

static bool add_back(struct lk_py *py, lk_addr key, lk_addr value, void *arg)
{
    struct lk_lent_pool *p = arg;
    char name[32];
    lk_addr code = lk_py_kind(py, value) == LK_PYK_FUNCTION ? lk_py_function_code(py, value) : 0;
    if (code && lk_py_str_raw(py, key, name, sizeof name) && name[0] != '_' &&
        !lk_lent_is_word(lk_lent_gives_back, name) && strcmp(name, p->waiters.v[0].method) != 0 &&
        names_any(py, code, lk_lent_lets_go))
        p->back[p->n_back++] = lk_arena_strdup(py->s->arena, name);
    return p->n_back < LK_LENT_MAX_METHODS;
}

void lk_lent_find_methods(struct lk_lent_search *x, struct lk_lent_pool *p,
                          const struct lk_lent_pool *like)
{
    struct lk_py *py = x->py;
    const struct lk_pytype *ty =
        lk_py_known_class(py, p->addr, NULL) == LK_CLASS_OTHER ? lk_py_type(py, p->addr) : NULL;
    if (like && lk_py_type(py, like->addr) == ty) {
        memcpy(p->back, like->back, sizeof p->back);
        p->n_back = like->n_back;
    }
    for (unsigned i = 0; ty && !p->n_back && (ty->flags & LK_TPFLAG_HEAPTYPE) && i < MAX_BASES;
         i++) {
        if (ty->dict)
            lk_py_dict_each(py, ty->dict, add_back, p);
        ty = ty->base ? lk_py_type_at(py, ty->base) : NULL;
    }
    for (size_t i = 0; i < p->n_back && x->n_back < LK_LENT_MAX_BACKS; i++)
        if (!lk_lent_has_back(x->back, x->n_back, p->back[i]))
            x->back[x->n_back++] = p->back[i];
}

/* ---- found ones ------------------------------------------------------------------------- */

struct lk_lent_pool *lk_lent_pool_at(struct lk_lent_search *x, lk_addr addr)
{
    uint64_t i;
    return lk_map_get(&x->by_addr, addr, &i) && i ? &x->pools.v[i - 1] : NULL;
}

const struct lk_lent_waiter *lk_lent_waiter_in(const struct lk_lent_pool *p, uint32_t party)
{
    for (size_t i = 0; i < p->waiters.n; i++)
        if (p->waiters.v[i].party == party)
            return &p->waiters.v[i];
    return NULL;
}
