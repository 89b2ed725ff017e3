/*
 * Finds the places where code loads an attribute of some name, and the objects it loads it from. A
 * receiver is what the instruction right before has pushed, so it counts only when no jump leads in
 * between the two.
 */
#include "read/python/reader/receivers.h"

#include "read/python/interpreter/bytecode.h"
#include "read/python/interpreter/code.h"
#include "read/python/interpreter/container.h"
#include "read/python/interpreter/layout_table.h"
#include "read/python/interpreter/scalar.h"
#include "read/python/interpreter/type.h"

enum {
    MAX_NAMES = 4096, /* of one code object */
    /* co_argcount, co_posonlyargcount, co_kwonlyargcount stand before co_stacksize ... */
    ARGCOUNTS = 12,
    OLD_ARGCOUNTS = 16, /* ... and 3.8 - 3.10 have co_nlocals between */
    CO_VARARGS = 4,
    CO_VARKEYWORDS = 8,
};

struct scan {
    struct lk_py *py;
    const struct lk_optable *t;
    const struct lk_pycode *c;
    struct lk_decoded d;
    lk_addr names;
    size_t n_names, method;
    int n_params; /* -1: not known */
};

static const char *name_at(const struct scan *s, uint32_t index)
{
    char raw[LK_PY_MAX_STR];

    /* Names that are not ASCII are not compared by their bytes. */
    if (index >= s->n_names ||
        !lk_py_str_raw(s->py, lk_py_item(s->py, s->names, index), raw, sizeof raw))
        return NULL;
    return lk_arena_strdup(lk_py_arena(s->py), raw);
}

static int count_params(struct lk_py *py, const struct lk_pycode *c)
{
    const struct lk_layout *l = &py->layout;
    int32_t n[3]; /* positional (positional-only ones among them), positional-only, keyword-only */
    bool old = l->co_localsplusnames == LK_OFF_NONE;

    if (!lk_read(py->t, c->addr + l->co_stacksize - (old ? OLD_ARGCOUNTS : ARGCOUNTS), n,
                 sizeof n) ||
        n[0] < 0 || n[2] < 0 || n[0] > c->nlocalsplus || n[2] > c->nlocalsplus)
        return -1;
    int all = n[0] + n[2] + !!(c->flags & CO_VARARGS) + !!(c->flags & CO_VARKEYWORDS);
    return all <= c->nlocalsplus ? all : -1;
}

/* Index of a cell among all locals. */
static uint32_t cell_index(const struct scan *s, uint32_t arg)
{
    return s->t->derefs_apart ? arg + (uint32_t)s->c->nlocals : arg;
}

static bool stores_local(const struct scan *s, const struct lk_insn *in, uint32_t local)
{
    switch (in->cls) {
    case LK_OPC_STORE_FAST: return in->arg == local;
    case LK_OPC_STORE_FAST_LOAD_FAST: return in->arg >> 4 == local;
    case LK_OPC_STORE_FAST_STORE_FAST: return in->arg >> 4 == local || (in->arg & 15) == local;
    case LK_OPC_STORE_DEREF: return cell_index(s, in->arg) == local;
    default: return false;
    }
}

static bool is_param(const struct scan *s, uint32_t local)
{
    for (int i = 0; i < s->n_params; i++)
        if (strcmp(s->c->local_names[i], s->c->local_names[local]) == 0)
            return true;
    return false;
}

/* Its value now is the one it has had all along: one store that is no loop's, or none where the
 * value came from outside. */
static bool local_is_steady(const struct scan *s, uint32_t local)
{
    bool outside = is_param(s, local) || local >= (uint32_t)(s->c->nlocalsplus - s->c->nfreevars);
    unsigned stores = 0;

    for (size_t i = 0; i < s->d.n; i++) {
        if (!stores_local(s, &s->d.v[i], local))
            continue;
        stores++;
        if (s->d.loops[s->d.v[i].at])
            return false;
    }
    return stores <= (outside ? 0 : 1);
}

static bool name_is_steady(const struct scan *s, uint32_t name, bool global)
{
    unsigned stores = 0;

    for (size_t i = 0; i < s->d.n; i++) {
        const struct lk_insn *in = &s->d.v[i];
        if ((in->cls != LK_OPC_STORE_GLOBAL && in->cls != LK_OPC_STORE_NAME) || in->arg != name)
            continue;
        stores++;
        if (global || s->d.loops[in->at])
            return false;
    }
    return stores <= 1;
}

static bool attr_is_stored(const struct scan *s, uint32_t name)
{
    for (size_t i = 0; i < s->d.n; i++)
        if (s->d.v[i].cls == LK_OPC_STORE_ATTR && s->d.v[i].arg == name)
            return true;
    return false;
}

/* The unit of the last store of a local before the instruction at i, in the order of the code; 0:
 * none. */
static uint32_t last_store(const struct scan *s, uint32_t local, size_t i)
{
    while (i-- > 0)
        if (stores_local(s, &s->d.v[i], local))
            return s->d.v[i].at;
    return 0;
}

/* i: the instruction that loads it. */
static void from_local(const struct scan *s, uint32_t local, size_t i, struct lk_receiver *site)
{
    if (local >= (uint32_t)s->c->nlocalsplus)
        return;
    site->name = s->c->local_names[local];
    site->from = *site->name ? LK_FROM_LOCAL : LK_FROM_NOWHERE;
    site->loose = !local_is_steady(s, local);
    site->stored_at = site->loose ? last_store(s, local, i + 1) : 0;
}

static void from_name(const struct scan *s, uint32_t index, enum lk_receiver_origin from,
                      struct lk_receiver *site)
{
    if (name_is_steady(s, index, from == LK_FROM_GLOBAL) && (site->name = name_at(s, index)))
        site->from = from;
}

/* What the instruction leaves on top of the stack. */
static void set_origin(const struct scan *s, size_t i, struct lk_receiver *site)
{
    const struct lk_insn *in = &s->d.v[i];
    switch (in->cls) {
    case LK_OPC_FAST: from_local(s, in->arg, i, site); break;
    case LK_OPC_FAST_FAST:
    case LK_OPC_STORE_FAST_LOAD_FAST: from_local(s, in->arg & 15, i, site); break;
    case LK_OPC_DEREF: from_local(s, cell_index(s, in->arg), i, site); break;
    case LK_OPC_GLOBAL:
        if (!s->t->null_above || !(in->arg & 1))
            from_name(s, in->arg >> s->t->global_shift, LK_FROM_GLOBAL, site);
        break;
    case LK_OPC_NAME: from_name(s, in->arg, LK_FROM_NAMESPACE, site); break;
    default: break;
    }
}

/* Walks from the attribute load at i back to the name its receiver starts from; from stays
 * LK_FROM_NOWHERE when there is none. */
static void trace(const struct scan *s, size_t i, struct lk_receiver *site)
{
    uint32_t chain[LK_MAX_RECEIVER_ATTRS], name;
    unsigned n = 0;

    for (;;) {
        /* Where a jump leads in between, something else may stand on the stack. */
        do {
            if (i == 0 || s->d.target[s->d.v[i].start])
                return;
            i--;
        } while (s->d.v[i].cls == LK_OPC_NOP);
        const struct lk_insn *in = &s->d.v[i];
        if (in->cls != LK_OPC_ATTR)
            break;
        name = in->arg >> s->t->attr_shift;
        if (n == LK_MAX_RECEIVER_ATTRS || (s->t->attr_shift && (in->arg & 1)) ||
            attr_is_stored(s, name))
            return;
        chain[n++] = name;
    }
    for (unsigned k = 0; k < n; k++)
        if (!(site->attrs[site->n_attrs++] = name_at(s, chain[n - 1 - k])))
            return;
    set_origin(s, i, site);
}

static uint32_t reached_until(const struct scan *s, uint32_t at)
{
    uint32_t ret = at;
    for (size_t i = s->d.n; i-- > 0 && s->d.v[i].at > at;) {
        const struct lk_insn *in = &s->d.v[i];
        bool jumps = in->cls == LK_OPC_JUMP_BACK || in->cls == LK_OPC_JUMP_ABSOLUTE;
        int64_t next = i + 1 < s->d.n ? s->d.v[i + 1].start : (int64_t)s->d.units;
        if (jumps && lk_py_jump_target(s->t, in, next) <= at)
            return LK_MAX(ret, in->at);
    }
    return ret;
}

static bool add_site(const struct scan *s, size_t i, struct lk_receivers *r)
{
    const struct lk_insn *in = &s->d.v[i];
    struct lk_receiver site = { .until = reached_until(s, in->at), .at = in->at };

    switch (in->cls) {
    case LK_OPC_ATTR:
        if (in->arg >> s->t->attr_shift != s->method)
            return true;
        trace(s, i, &site);
        break;
    case LK_OPC_SUPER_ATTR:
        if (in->arg >> (s->t->attr_shift + 1) != s->method)
            return true;
        break;
    case LK_OPC_STORE_ATTR:
    case LK_OPC_IMPORT:
    case LK_OPC_STORE_GLOBAL:
    case LK_OPC_STORE_NAME: /* the method itself is bound to something new */
        if (in->arg != s->method)
            return true;
        break;
    case LK_OPC_GLOBAL:
    case LK_OPC_NAME:
        if ((in->cls == LK_OPC_GLOBAL ? in->arg >> s->t->global_shift : in->arg) != s->method)
            return true;
        site.plain = true;
        from_name(s, (uint32_t)s->method,
                  in->cls == LK_OPC_GLOBAL ? LK_FROM_GLOBAL : LK_FROM_NAMESPACE, &site);
        break;
    default: return true;
    }
    if (r->n == LK_MAX_RECEIVERS)
        return false;
    r->v[r->n++] = site;
    return true;
}

static bool find_method(struct scan *s, const char *method)
{
    int64_t n = lk_py_kind(s->py, s->names) == LK_PYK_TUPLE ? lk_py_len(s->py, s->names) : -1;

    if (n < 0 || n > MAX_NAMES)
        return false;
    s->n_names = (size_t)n;
    for (s->method = 0; s->method < s->n_names; s->method++)
        if (lk_py_str_eq(s->py, lk_py_item(s->py, s->names, s->method), method))
            break;
    return true;
}

static bool scan_code(struct scan *s, const char *method, struct lk_receivers *r)
{
    s->names = lk_py_ptr(s->py, s->c->addr + s->py->layout.co_names);
    if (!find_method(s, method))
        return false;
    if (s->method == s->n_names)
        return true;
    if ((s->n_params = count_params(s->py, s->c)) < 0 || !lk_py_code_locals(s->py, s->c))
        return false;
    bool ok = (s->t = lk_py_decode_code(s->py, s->c, &s->d)) != NULL;
    for (size_t i = 0; ok && i < s->d.n; i++)
        ok = add_site(s, i, r);
    lk_py_decoded_deinit(&s->d);
    return ok;
}

/* Many frames run the same code: what it says is found out once a sample. */
const struct lk_receivers *lk_py_receivers(struct lk_py *py, const struct lk_pycode *cc,
                                           const char *method)
{
    struct lk_pycode *c = (struct lk_pycode *)cc; /* memo; made by lk_py_code only */
    struct scan s = { .py = py, .c = c };

    for (struct lk_receivers *r = c->receivers; r; r = r->next)
        if (strcmp(r->method, method) == 0)
            return r;
    struct lk_receivers *r = lk_arena_alloc(lk_py_arena(py), sizeof *r);
    r->method = lk_arena_strdup(lk_py_arena(py), method);
    r->known = scan_code(&s, method, r);
    r->next = c->receivers;
    c->receivers = r;
    return r;
}
