/*
 * Finds the places where code loads an attribute of some name, and the objects it loads it from.
 * Code is decoded linearly; a receiver is what the instruction right before has pushed, so it
 * counts only when no jump leads in between the two.
 */
#include "read/python/reader/method_calls.h"

#include <stdlib.h>

#include "read/python/interpreter/attribute.h"
#include "read/python/interpreter/code.h"
#include "read/python/interpreter/container.h"
#include "read/python/interpreter/frame.h"
#include "read/python/interpreter/interpreter.h"
#include "read/python/interpreter/layout_table.h"
#include "read/python/interpreter/scalar.h"
#include "read/python/interpreter/stdlib_paths.h"
#include "read/python/interpreter/type.h"
#include "read/python/reader/known_class.h"

enum {
    MAX_CODE_BYTES = 1 << 20,
    MAX_NAMES = 4096, /* of one code object */
    MAX_SITES = 64,   /* places of one method in one code object */
    MAX_ATTRS = 6,    /* a.b.c.d */
    MAX_EXTENDED = 3, /* an argument has 32 bits */
    MAX_HELD = 64,    /* objects behind a receiver that are looked at */
    MAX_HELD_ATTRS = 512,
    RELEASE_CANDIDATE = 0xc, /* sys.hexversion: bytecode is frozen from here on */
    NEXT_LOCALS_OBJECT = 8,  /* f_locals follows f_globals (3.8 - 3.10) ... */
    /* ... or f_globals, f_builtins (3.11+), Include/internal/pycore_(interp)frame.h */
    NEXT_LOCALS_FRAME = 16,
    /* co_argcount, co_posonlyargcount, co_kwonlyargcount stand before co_stacksize ... */
    ARGCOUNTS = 12,
    OLD_ARGCOUNTS = 16, /* ... and 3.8 - 3.10 have co_nlocals between */
    CO_VARARGS = 4,
    CO_VARKEYWORDS = 8,
};

/* ---- decoding -------------------------------------------------------------------------- */

void lk_py_decoded_deinit(struct lk_decoded *d)
{
    lk_free(d->v);
    lk_free(d->begins);
    lk_free(d->target);
    lk_free(d->loops);
    *d = (struct lk_decoded){ 0 };
}

static bool split(const struct lk_optable *t, const uint8_t *code, struct lk_decoded *d)
{
    struct lk_opinfo info[256];
    uint32_t arg = 0, start = 0;
    unsigned extended = 0;

    lk_py_opcodes_expand(t, info);
    for (size_t i = 0; i < d->units;) {
        const struct lk_opinfo *op = &info[code[2 * i]];
        arg = arg << 8 | code[2 * i + 1];
        if (op->cls == LK_OPC_INVALID || i + 1 + op->caches > d->units)
            return false;
        if (op->cls == LK_OPC_EXTENDED) {
            if (++extended > MAX_EXTENDED)
                return false;
            i++;
            continue;
        }
        d->v[d->n++] =
            (struct lk_insn){ .start = start, .at = (uint32_t)i, .arg = arg, .cls = op->cls };
        d->begins[start] = 1;
        i += 1u + op->caches;
        start = (uint32_t)i;
        arg = extended = 0;
    }
    return extended == 0;
}

/* The unit a jump leads to; next is the one behind it and its caches. -1 = none that can be. */
static int64_t jump_target(const struct lk_optable *t, const struct lk_insn *in, int64_t next)
{
    int64_t bytes = (int64_t)in->arg * t->jump_unit;

    if (bytes & 1)
        return -1;
    switch (in->cls) {
    case LK_OPC_JUMP: return next + bytes / 2;
    case LK_OPC_JUMP_BACK: return next - bytes / 2;
    default: return bytes / 2;
    }
}

static bool follow_jumps(const struct lk_optable *t, struct lk_decoded *d)
{
    for (size_t i = 0; i < d->n; i++) {
        const struct lk_insn *in = &d->v[i];
        if (in->cls != LK_OPC_JUMP && in->cls != LK_OPC_JUMP_BACK &&
            in->cls != LK_OPC_JUMP_ABSOLUTE)
            continue;
        int64_t to = jump_target(t, in, i + 1 < d->n ? d->v[i + 1].start : (int64_t)d->units);
        if (to < 0 || to >= (int64_t)d->units || !d->begins[to])
            return false;
        d->target[to] = 1;
        if (to <= in->at) {
            d->loops[to]++;
            d->loops[in->at + 1]--;
        }
    }
    for (size_t i = 1; i < d->units; i++)
        d->loops[i] += d->loops[i - 1];
    return true;
}

bool lk_py_decode(const struct lk_optable *t, const uint8_t *code, size_t n_bytes,
                  struct lk_decoded *ret)
{
    *ret = (struct lk_decoded){ .units = n_bytes / 2 };
    if (n_bytes == 0 || n_bytes > MAX_CODE_BYTES || n_bytes % 2)
        return false;
    ret->v = lk_xcalloc(ret->units, sizeof *ret->v);
    ret->begins = lk_xcalloc(ret->units, 1);
    ret->target = lk_xcalloc(ret->units, 1);
    ret->loops = lk_xcalloc(ret->units + 1, sizeof *ret->loops);
    if (split(t, code, ret) && follow_jumps(t, ret))
        return true;
    lk_py_decoded_deinit(ret);
    return false;
}

/* ---- places -------------------------------------------------------------------------------- */

enum origin { FROM_NOWHERE, FROM_LOCAL, FROM_GLOBAL, FROM_NAMESPACE };

/** One place: the object it starts from, and the attributes on the way to the receiver. */
struct site {
    enum origin from;
    const char *name, *attrs[MAX_ATTRS];
    unsigned n_attrs;
    /* the local is stored more than once, or in a loop: what it is now it will be at this place
     * only for who is past the last store before it, in stored_at */
    bool loose;
    uint32_t stored_at;
    bool plain; /* the name itself is called: `release()` */
    /* the last unit from where it may be reached: its own, or a jump back to or before it */
    uint32_t until;
    uint32_t at; /* its own unit */
};

/** All places of one method in one code object. */
struct lk_receivers {
    struct lk_receivers *next;
    const char *method;
    bool known; /* false: the code could not be read */
    struct site v[MAX_SITES];
    size_t n;
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
static void from_local(const struct scan *s, uint32_t local, size_t i, struct site *site)
{
    if (local >= (uint32_t)s->c->nlocalsplus)
        return;
    site->name = s->c->local_names[local];
    site->from = *site->name ? FROM_LOCAL : FROM_NOWHERE;
    site->loose = !local_is_steady(s, local);
    site->stored_at = site->loose ? last_store(s, local, i + 1) : 0;
}

static void from_name(const struct scan *s, uint32_t index, enum origin from, struct site *site)
{
    if (name_is_steady(s, index, from == FROM_GLOBAL) && (site->name = name_at(s, index)))
        site->from = from;
}

/* What the instruction leaves on top of the stack. */
static void set_origin(const struct scan *s, size_t i, struct site *site)
{
    const struct lk_insn *in = &s->d.v[i];
    switch (in->cls) {
    case LK_OPC_FAST: from_local(s, in->arg, i, site); break;
    case LK_OPC_FAST_FAST:
    case LK_OPC_STORE_FAST_LOAD_FAST: from_local(s, in->arg & 15, i, site); break;
    case LK_OPC_DEREF: from_local(s, cell_index(s, in->arg), i, site); break;
    case LK_OPC_GLOBAL:
        if (!s->t->null_above || !(in->arg & 1))
            from_name(s, in->arg >> s->t->global_shift, FROM_GLOBAL, site);
        break;
    case LK_OPC_NAME: from_name(s, in->arg, FROM_NAMESPACE, site); break;
    default: break;
    }
}

/* Walks from the attribute load at i back to the name its receiver starts from; from stays
 * FROM_NOWHERE when there is none. */
static void trace(const struct scan *s, size_t i, struct site *site)
{
    uint32_t chain[MAX_ATTRS], name;
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
        if (n == MAX_ATTRS || (s->t->attr_shift && (in->arg & 1)) || attr_is_stored(s, name))
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
        if (jumps && jump_target(s->t, in, next) <= at)
            return LK_MAX(ret, in->at);
    }
    return ret;
}

static bool add_site(const struct scan *s, size_t i, struct lk_receivers *r)
{
    const struct lk_insn *in = &s->d.v[i];
    struct site site = { .until = reached_until(s, in->at), .at = in->at };

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
        from_name(s, (uint32_t)s->method, in->cls == LK_OPC_GLOBAL ? FROM_GLOBAL : FROM_NAMESPACE,
                  &site);
        break;
    default: return true;
    }
    if (r->n == MAX_SITES)
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
    unsigned level = s->py->version_hex >> 4 & 15;

    if (!(s->t = lk_py_opcodes(s->py->layout.version)) || level < RELEASE_CANDIDATE ||
        s->c->code_bytes > MAX_CODE_BYTES)
        return false;
    s->names = lk_py_ptr(s->py, s->c->addr + s->py->layout.co_names);
    if (!find_method(s, method))
        return false;
    if (s->method == s->n_names)
        return true;
    if ((s->n_params = count_params(s->py, s->c)) < 0 || !lk_py_code_locals(s->py, s->c))
        return false;
    uint8_t *code = lk_xmalloc((size_t)s->c->code_bytes);
    bool ok = lk_read(s->py->t, s->c->start, code, (size_t)s->c->code_bytes) &&
              lk_py_decode(s->t, code, (size_t)s->c->code_bytes, &s->d);
    for (size_t i = 0; ok && i < s->d.n; i++)
        ok = add_site(s, i, r);
    lk_py_decoded_deinit(&s->d);
    lk_free(code);
    return ok;
}

/* Many frames run the same code: what it says is found out once a sample. */
static const struct lk_receivers *receivers(struct lk_py *py, const struct lk_pycode *cc,
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

/* ---- what a receiver does with the call ---------------------------------------------------- */

/** Whether obj stands behind a receiver, itself or in a chain of locks: a Semaphore holds a
 * Condition, that its lock. */
struct behind {
    lk_addr obj, seen[MAX_HELD];
    size_t n;
    unsigned left;
    bool found, cut;
};

static bool look_behind(struct lk_py *py, lk_addr key, lk_addr value, void *arg)
{
    struct behind *b = arg;
    lk_addr func, self;
    (void)key;

    if (lk_py_method(py, value, &func, &self))
        value = self;
    if (value == b->obj)
        return !(b->found = true);
    if (b->left-- == 0)
        return !(b->cut = true);
    enum lk_known_class cls = lk_py_known_class(py, value, NULL);
    if (cls < LK_CLASS_LOCK || cls > LK_CLASS_AIO_QUEUE)
        return true;
    for (size_t i = 0; i < b->n; i++)
        if (b->seen[i] == value)
            return true;
    if (b->n == MAX_HELD)
        return !(b->cut = true);
    b->seen[b->n++] = value;
    return true;
}

static enum lk_tri stands_behind(struct lk_py *py, lk_addr receiver, lk_addr obj)
{
    struct behind b = { .obj = obj, .seen = { receiver }, .n = 1, .left = MAX_HELD_ATTRS };

    for (size_t i = 0; i < b.n && !b.found && !b.cut; i++)
        lk_py_attr_each(py, b.seen[i], look_behind, &b);
    return b.found ? LK_YES : b.cut ? LK_TRI_UNKNOWN : LK_NO;
}

/* A function of the program that names the method in turn may do it to anything. The standard
 * library's do it to their own. */
static enum lk_tri function_reaches(struct lk_py *py, lk_addr func, lk_addr self,
                                    const char *method, lk_addr obj)
{
    lk_addr code = lk_py_function_code(py, func);
    const struct lk_pycode *c = code ? lk_py_code(py, code) : NULL;
    enum lk_tri behind = self ? stands_behind(py, self, obj) : LK_NO;

    if (!c)
        return LK_TRI_UNKNOWN;
    if (behind != LK_NO || lk_py_of_stdlib(py, c->code))
        return behind;
    const struct lk_receivers *r = receivers(py, c, method);
    return r->known && r->n == 0 ? LK_NO : LK_TRI_UNKNOWN;
}

enum lk_tri lk_py_callable_reaches(struct lk_py *py, lk_addr callable, const char *method,
                                   lk_addr obj)
{
    lk_addr func, self;

    if (lk_py_kind(py, callable) == LK_PYK_FUNCTION)
        return function_reaches(py, callable, 0, method, obj);
    if (!lk_py_method(py, callable, &func, &self))
        return LK_TRI_UNKNOWN;
    if (self == obj)
        return LK_YES;
    return func ? function_reaches(py, func, self, method, obj) : LK_NO;
}

static enum lk_tri call_reaches(struct lk_py *py, lk_addr receiver, const char *method, lk_addr obj)
{
    const struct lk_pytype *ty = lk_py_type(py, receiver);

    if (receiver == obj)
        return LK_YES;
    /* Lock.release(lock): the receiver says nothing. */
    if (!ty || lk_py_kind(py, receiver) == LK_PYK_TYPE)
        return LK_TRI_UNKNOWN;
    lk_addr v = lk_py_attr(py, receiver, method);
    if (v)
        return lk_py_callable_reaches(py, v, method, obj);
    v = lk_py_type_attr(py, ty, method);
    switch (v ? lk_py_kind(py, v) : LK_PYK_OTHER) {
    case LK_PYK_METHOD_DESCR: return LK_NO; /* made in C: works on its own object */
    case LK_PYK_FUNCTION: return function_reaches(py, v, receiver, method, obj);
    default: return LK_TRI_UNKNOWN; /* properties, proxies with __getattr__ */
    }
}

/* ---- which object it is ------------------------------------------------------------------- */

/* obj.name as far as it is plain: an instance's or module's own, or a lock kept in the class. */
static lk_addr plain_attr(struct lk_py *py, lk_addr obj, const char *name)
{
    const struct lk_pytype *ty = lk_py_type(py, obj), *kind;

    if (!ty || lk_py_kind(py, obj) == LK_PYK_TYPE ||
        lk_py_kind(py, lk_py_type_attr(py, ty, "__getattribute__")) == LK_PYK_FUNCTION)
        return 0;
    lk_addr own = lk_py_attr(py, obj, name), shared = lk_py_type_attr(py, ty, name);
    if (!shared)
        return own;
    if (lk_py_known_class(py, shared, NULL) != LK_CLASS_OTHER)
        return own ? own : shared;
    /* A descriptor of the class comes before the instance; a slot's is the instance's own. */
    kind = lk_py_type(py, shared);
    return kind && (strcmp(kind->name, "member_descriptor") == 0 || lk_py_is_none(py, shared)) ? own
                                                                                               : 0;
}

/* exec() may run a module's code with locals that are not its globals. */
static lk_addr from_namespace(struct lk_py *py, const struct lk_pyf *f, const char *name)
{
    const struct lk_layout *l = &py->layout;
    lk_addr at = l->frame_kind == LK_FRAME_OBJECT ? f->addr + l->f_globals + NEXT_LOCALS_OBJECT
                                                  : f->addr + l->if_globals + NEXT_LOCALS_FRAME;

    return f->globals && lk_py_ptr(py, at) == f->globals ? lk_py_dict_get(py, f->globals, name) : 0;
}

static lk_addr resolve(struct lk_py *py, const struct lk_pyf *f, const struct site *s)
{
    lk_addr v = 0;

    switch (s->from) {
    case FROM_NOWHERE: return 0;
    case FROM_LOCAL: v = lk_py_local(py, f, s->name); break;
    case FROM_GLOBAL: v = f->globals ? lk_py_dict_get(py, f->globals, s->name) : 0; break;
    case FROM_NAMESPACE: v = from_namespace(py, f, s->name); break;
    }
    for (unsigned i = 0; v && i < s->n_attrs; i++)
        v = plain_attr(py, v, s->attrs[i]);
    return v;
}

/* What a name is now it is at this place, for who stands at `from`. */
static bool holds_until(const struct site *site, uint32_t from)
{
    return !site->loose || (from > site->stored_at && from <= site->at);
}

static enum lk_tri calls_from(struct lk_py *py, const struct lk_pyf *f, const char *method,
                              lk_addr obj, uint32_t from)
{
    const struct lk_pycode *c = lk_py_code(py, f->code);
    const struct lk_receivers *r = c ? receivers(py, c, method) : NULL;
    enum lk_tri ret = LK_NO;

    if (!r || !r->known)
        return LK_TRI_UNKNOWN;
    for (size_t i = 0; i < r->n; i++) {
        if (r->v[i].until < from)
            continue;
        lk_addr v = holds_until(&r->v[i], from) ? resolve(py, f, &r->v[i]) : 0;
        enum lk_tri here = !v              ? LK_TRI_UNKNOWN
                           : r->v[i].plain ? lk_py_callable_reaches(py, v, method, obj)
                                           : call_reaches(py, v, method, obj);
        if (here == LK_YES)
            return LK_YES;
        if (here != LK_NO || r->v[i].loose) /* another time round it may be another object */
            ret = LK_TRI_UNKNOWN;
    }
    return ret;
}

enum lk_tri lk_py_calls_method_on(struct lk_py *py, const struct lk_pyf *f, const char *method,
                                  lk_addr obj)
{
    return calls_from(py, f, method, obj, 0);
}

enum lk_tri lk_py_will_call_method_on(struct lk_py *py, const struct lk_pyf *f, const char *method,
                                      lk_addr obj)
{
    return calls_from(py, f, method, obj, f->lasti > 0 ? (uint32_t)f->lasti / 2 : 0);
}

bool lk_py_will_call_method_once(struct lk_py *py, const struct lk_pyf *f, const char *method,
                                 lk_addr obj)
{
    const struct lk_pycode *c = lk_py_code(py, f->code);
    const struct lk_receivers *r = c ? receivers(py, c, method) : NULL;
    const uint32_t from = f->lasti > 0 ? (uint32_t)f->lasti / 2 : 0;
    for (size_t i = 0; r && r->known && i < r->n; i++) {
        const struct site *site = &r->v[i];
        if (site->plain || site->at < from || !(site->loose || site->until == site->at) ||
            !holds_until(site, from))
            continue;
        lk_addr v = resolve(py, f, site);
        if (v && call_reaches(py, v, method, obj) == LK_YES)
            return true;
    }
    return false;
}

static uint32_t unit_of(const struct lk_pyf *f)
{
    return f->lasti > 0 ? (uint32_t)f->lasti / 2 : 0;
}

size_t lk_py_receivers_ahead(struct lk_py *py, const struct lk_pyf *f, const char *method,
                             lk_addr *ret, size_t max)
{
    const struct lk_pycode *c = lk_py_code(py, f->code);
    const struct lk_receivers *r = c ? receivers(py, c, method) : NULL;
    size_t n = 0;
    for (size_t i = 0; r && r->known && i < r->n && n < max; i++) {
        const struct site *site = &r->v[i];
        lk_addr v = site->plain || site->until < unit_of(f) || !holds_until(site, unit_of(f))
                        ? 0
                        : resolve(py, f, site);
        if (v)
            ret[n++] = v;
    }
    return n;
}

int64_t lk_py_calls_before(struct lk_py *py, const struct lk_pyf *f, const char *method,
                           lk_addr obj)
{
    const struct lk_pycode *c = lk_py_code(py, f->code);
    const struct lk_receivers *r = c ? receivers(py, c, method) : NULL;
    int64_t n = 0;
    for (size_t i = 0; r && r->known && i < r->n; i++)
        n += !r->v[i].plain && r->v[i].at < unit_of(f) && resolve(py, f, &r->v[i]) == obj;
    return n;
}
