/*
 * What code is still going to use of all that it names: a program's main function that has opened
 * its locks, and now sleeps until the end, is going to open none. Exception handlers stand behind
 * everything, and count.
 */
#include "read/python/reader/names_ahead.h"

#include "read/python/interpreter/bytecode.h"
#include "read/python/interpreter/code.h"
#include "read/python/interpreter/container.h"
#include "read/python/interpreter/scalar.h"
#include "read/python/interpreter/type.h"
#include "util/memory.h"

enum {
    MAX_NAMES = 4096, /* of one code object */
    MAX_LOOPS = 64,   /* within one another */
};

/* The first unit that is reached from `from`, by loops around it. */
static uint32_t first_ahead(const struct lk_optable *t, const struct lk_decoded *d, uint32_t from)
{
    bool more = true;
    for (unsigned k = 0; k < MAX_LOOPS && more; k++) {
        more = false;
        for (size_t i = d->n; i-- > 0 && d->v[i].at >= from;) {
            const struct lk_insn *in = &d->v[i];
            if (in->cls != LK_OPC_JUMP_BACK && in->cls != LK_OPC_JUMP_ABSOLUTE)
                continue;
            const int64_t next = i + 1 < d->n ? d->v[i + 1].start : (int64_t)d->units,
                          to = lk_py_jump_target(t, in, next);
            if (to >= 0 && to < from) {
                from = (uint32_t)to;
                more = true;
            }
        }
    }
    return more ? 0 : from;
}

/* Which name the instruction has; -1: none. */
static int64_t name_of(const struct lk_optable *t, const struct lk_insn *in, uint8_t *does)
{
    *does = LK_NAME_LOADED;
    switch (in->cls) {
    case LK_OPC_ATTR: return in->arg >> t->attr_shift;
    case LK_OPC_SUPER_ATTR: return in->arg >> (t->attr_shift + 1);
    case LK_OPC_GLOBAL: return in->arg >> t->global_shift;
    case LK_OPC_NAME:
    case LK_OPC_IMPORT: return in->arg;
    case LK_OPC_STORE_ATTR:
    case LK_OPC_STORE_GLOBAL:
    case LK_OPC_STORE_NAME: *does = LK_NAME_STORED; return in->arg;
    default: return -1;
    }
}

static void mark(const struct lk_optable *t, const struct lk_decoded *d, uint32_t from,
                 uint8_t *ret, size_t n)
{
    from = first_ahead(t, d, from);
    for (size_t i = 0; i < d->n; i++) {
        uint8_t does;
        const int64_t name = name_of(t, &d->v[i], &does);
        if (d->v[i].at >= from && name >= 0 && (size_t)name < n)
            ret[name] |= does;
    }
}

const uint8_t *lk_py_names_ahead(struct lk_py *py, const struct lk_pyf *f, size_t *n)
{
    const struct lk_pycode *c = lk_py_code(py, f->code);
    const lk_addr names = c ? lk_py_ptr(py, f->code + py->layout.co_names) : 0;
    const int64_t len = names && lk_py_kind(py, names) == LK_PYK_TUPLE ? lk_py_len(py, names) : -1;
    struct lk_decoded d;
    if (len < 0 || len > MAX_NAMES)
        return NULL;
    const struct lk_optable *t = lk_py_decode_code(py, c, &d);
    if (!t)
        return NULL;
    uint8_t *ret = lk_arena_alloc(lk_py_arena(py), (size_t)len + 1);
    mark(t, &d, f->lasti > 0 ? (uint32_t)f->lasti / 2 : 0, ret, (size_t)len);
    lk_py_decoded_deinit(&d);
    *n = (size_t)len;
    return ret;
}

bool lk_py_will_store(struct lk_py *py, const struct lk_pyf *f, const char *name)
{
    size_t n = 0;
    const uint8_t *ahead = lk_py_names_ahead(py, f, &n);
    const lk_addr names = lk_py_ptr(py, f->code + py->layout.co_names);
    for (size_t i = 0; ahead && i < n; i++)
        if ((ahead[i] & LK_NAME_STORED) && lk_py_str_eq(py, lk_py_item(py, names, i), name))
            return true;
    return !ahead;
}
