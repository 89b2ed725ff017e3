/*
 * The names that a piece of code has: co_names, the variables that it shares with others, and the
 * same of the code within it (functions, comprehensions). As hashes of their text.
 */
#include "read/python/reader/code_names.h"

#include "read/python/interpreter/code.h"
#include "read/python/interpreter/container.h"
#include "read/python/interpreter/scalar.h"
#include "read/python/interpreter/type.h"

enum { MAX_NESTED = 3 };

uint64_t lk_name_hash(struct lk_py *py, lk_addr str)
{
    char name[LK_PY_MAX_STR];
    return lk_py_str_raw(py, str, name, sizeof name) ? lk_hash_str(LK_HASH_INIT, name) : 0;
}

bool lk_code_names_has(const struct lk_code_names *n, const char *name)
{
    return name && lk_map_get(&n->set, lk_hash_str(LK_HASH_INIT, name), NULL);
}

void lk_code_names_add(struct lk_code_names *n, uint64_t name)
{
    n->cut |= n->n == LK_CODE_MAX_NAMES;
    if (name && n->n < LK_CODE_MAX_NAMES && lk_map_add(&n->set, name, 1))
        n->n++;
}

static void add_free_names(struct lk_py *py, lk_addr code, struct lk_code_names *n)
{
    const struct lk_pycode *c = lk_py_code(py, code);
    if (!c || !lk_py_code_locals(py, c))
        return;
    for (int i = 0; i < c->nlocalsplus; i++)
        if (c->local_kinds[i] & LK_PY_LOCAL_SHARED)
            lk_code_names_add(n, lk_hash_str(LK_HASH_INIT, c->local_names[i]));
}

static void add_names(struct lk_py *py, lk_addr code, struct lk_code_names *n, unsigned nested)
{
    size_t k = 0;
    lk_addr *v = lk_py_items(py, lk_py_ptr(py, code + py->layout.co_names), LK_CODE_MAX_NAMES, &k);
    for (size_t i = 0; v && i < k; i++)
        lk_code_names_add(n, lk_name_hash(py, v[i]));
    add_free_names(py, code, n);
    v = lk_py_items(py, lk_py_ptr(py, code + py->layout.co_consts), LK_CODE_MAX_NAMES, &k);
    for (size_t i = 0; v && i < k; i++) {
        if (lk_py_kind(py, v[i]) != LK_PYK_CODE)
            continue;
        n->cut |= nested == MAX_NESTED;
        if (nested < MAX_NESTED)
            add_names(py, v[i], n, nested + 1);
    }
}

void lk_code_names_read(struct lk_py *py, lk_addr code, struct lk_code_names *n)
{
    add_names(py, code, n, 0);
}
