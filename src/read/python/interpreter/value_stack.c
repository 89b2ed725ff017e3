/* What the value stack of a frame tells: which managers its `with` blocks hold, and which object it
 * calls and blocks on. */
#include "read/python/interpreter/value_stack.h"

#include "read/python/interpreter/attribute.h"
#include "read/python/interpreter/code.h"
#include "read/python/interpreter/frame.h"
#include "read/python/interpreter/type.h"

enum {
    BLOCK_SIZE = 12,     /* PyTryBlock: type, handler, level */
    MAX_BLOCKS = 20,     /* CO_MAXBLOCKS */
    SETUP_FINALLY = 122, /* block type of `with` and `try` in 3.8 - 3.10 */
    MAX_HANDLERS = 64,   /* nested handlers followed */
    MAX_SCAN = 4096,     /* slots looked at */
};

/* Methods in C that may block; others on the stack are no pending wait. */
static const char *const blocking_methods[] = {
    "acquire",       "acquire_lock", "__enter__",    "_acquire_restore",
    "get",           "put",          "join",         "wait",
    "result",        "recv",         "recv_into",    "recvfrom",
    "recvfrom_into", "recvmsg",      "recvmsg_into", "send",
    "sendall",       "sendto",       "sendmsg",      "accept",
    "_accept",       "connect",      "connect_ex",   "do_handshake",
    "poll",          "control",      "read",         "read1",
    "readinto",      "readinto1",    "readline",     "readlines",
    "readall",       "write",        "writelines",   "flush",
    "close",
};

static bool is_exit_name(const char *name)
{
    return strcmp(name, "__exit__") == 0 || strcmp(name, "__aexit__") == 0;
}

/* The self of a bound __exit__ or __aexit__; 0 when obj is none. */
static lk_addr bound_exit(struct lk_py *py, lk_addr obj)
{
    lk_addr func, self;

    if (!obj || !lk_py_method(py, obj, &func, &self))
        return 0;
    return is_exit_name(lk_py_callable_name(py, obj)) ? self : 0;
}

/* ---- held managers -------------------------------------------------------------------- */

/* 3.8 - 3.10: each open block of a frame, with the bound __exit__ right below its level. Innermost
 * first. */
static size_t held_by_blocks(struct lk_py *py, const struct lk_pyf *f, lk_addr *ret, size_t max)
{
    const struct lk_layout *l = &py->layout;
    int32_t n, block[3], counted = 0;
    size_t found = 0;

    if (!lk_read_i32(py->t, f->addr + l->f_iblock, &n) || n < 0 || n > MAX_BLOCKS)
        return 0;
    while (n-- > 0 && found < max) {
        if (!lk_read(py->t, f->addr + l->f_blockstack + (uint64_t)n * BLOCK_SIZE, block,
                     sizeof block))
            return found;
        /* A `try` right inside the `with` has a block of the same level: one slot counts once. */
        if (block[0] != SETUP_FINALLY || block[2] < 1 || block[2] == counted)
            continue;
        lk_addr self = bound_exit(py, lk_py_stack_slot(py, f, block[2] - 1));
        if (self) {
            ret[found++] = self;
            counted = block[2];
        }
    }
    return found;
}

/* 3.14+: [__exit__ function][manager]; a callable that needs no self stands with an empty slot
 * above. */
static lk_addr exit_pair(struct lk_py *py, const struct lk_pyf *f, int depth)
{
    lk_addr function = lk_py_stack_slot(py, f, depth - 2),
            self = lk_py_stack_slot(py, f, depth - 1);
    enum lk_pykind kind = lk_py_kind(py, function);

    if (!self)
        return bound_exit(py, function);
    return (kind == LK_PYK_METHOD_DESCR || kind == LK_PYK_FUNCTION) &&
                   is_exit_name(lk_py_callable_name(py, function))
               ? self
               : 0;
}

/*
 * 3.11+: the handlers that cover the instruction, from the innermost outwards. An entry with the
 * lasti flag is a `with`, and the manager's __exit__ is the slot right below the depth it is
 * entered with. The clean-up of a handler has the flag too, but is entered with the exception on
 * the stack, so deeper than the handler itself was: what stands there now is no open `with`, it may
 * be one that is just being entered.
 */
static size_t held_by_table(struct lk_py *py, const struct lk_pyf *f, lk_addr *ret, size_t max)
{
    const struct lk_pycode *c = lk_py_code(py, f->code);
    struct lk_pyhandler h;
    int64_t at = f->lasti / 2;
    int best = INT32_MAX;
    size_t found = 0;

    for (int i = 0; c && i < MAX_HANDLERS && found < max && lk_py_handler(py, c, at, &h); i++) {
        if (h.lasti && h.depth < best && h.depth <= c->stacksize) {
            best = h.depth;
            lk_addr self = py->layout.with_kind == LK_WITH_TABLE_PAIR
                               ? exit_pair(py, f, h.depth)
                               : bound_exit(py, lk_py_stack_slot(py, f, h.depth - 1));
            if (self)
                ret[found++] = self;
        } else if (!h.lasti) {
            best = LK_MIN(best, h.depth + 1);
        }
        at = h.target;
    }
    return found;
}

size_t lk_py_held_managers(struct lk_py *py, const struct lk_pyf *f, lk_addr *ret, size_t max)
{
    if (f->lasti < 0)
        return 0;
    return py->layout.with_kind == LK_WITH_BLOCKS ? held_by_blocks(py, f, ret, max)
                                                  : held_by_table(py, f, ret, max);
}

/* ---- the pending call ----------------------------------------------------------------- */

/* Slots below this one belong to constructs around the current statement. */
static int covering_depth(struct lk_py *py, const struct lk_pyf *f, const struct lk_pycode *c)
{
    const struct lk_layout *l = &py->layout;
    struct lk_pyhandler h;
    int32_t n, block[3];

    if (l->with_kind != LK_WITH_BLOCKS)
        return lk_py_handler(py, c, f->lasti / 2, &h) && h.depth <= c->stacksize ? h.depth : 0;
    if (!lk_read_i32(py->t, f->addr + l->f_iblock, &n) || n <= 0 || n > MAX_BLOCKS ||
        !lk_read(py->t, f->addr + l->f_blockstack + (uint64_t)(n - 1) * BLOCK_SIZE, block,
                 sizeof block))
        return 0;
    return block[2] >= 0 && block[2] <= c->stacksize ? block[2] : 0;
}

static bool blocking_name(const char *name)
{
    for (size_t i = 0; i < LK_ARRAY_LEN(blocking_methods); i++)
        if (strcmp(name, blocking_methods[i]) == 0)
            return true;
    return false;
}

/* True when obj is an instance of the type, which a method descriptor names, or of one derived from
 * it. */
static bool instance_of(struct lk_py *py, lk_addr obj, lk_addr type)
{
    const struct lk_pytype *ty = lk_py_type(py, obj);

    for (int i = 0; ty && i < LK_PY_MAX_MRO; i++) {
        if (ty->addr == type)
            return true;
        ty = ty->base ? lk_py_type_at(py, ty->base) : NULL;
    }
    return false;
}

static void set_pending(struct lk_pypending *p, int slot, lk_addr self, const char *name)
{
    size_t n = LK_MIN(strlen(name), sizeof p->method - 1);

    p->slot = slot;
    p->self = self;
    memcpy(p->method, name, n);
    p->method[n] = '\0';
}

/* [method descriptor][self] or a bound builtin method at slot i. */
static bool call_at(struct lk_py *py, const struct lk_pyf *f, int i, struct lk_pypending *p)
{
    lk_addr obj = lk_py_stack_slot(py, f, i), func, self = 0;
    enum lk_pykind kind = obj ? lk_py_kind(py, obj) : LK_PYK_OTHER;

    if (kind == LK_PYK_METHOD_DESCR) {
        lk_addr owner = lk_py_descr_type(py, obj);
        self = lk_py_stack_slot(py, f, i + 1);
        if (!owner || !self || !instance_of(py, self, owner))
            return false;
    } else if (kind != LK_PYK_BUILTIN_METHOD || !lk_py_method(py, obj, &func, &self) ||
               lk_py_kind(py, self) == LK_PYK_MODULE) {
        return false;
    }
    const char *name = lk_py_callable_name(py, obj);
    if (!blocking_name(name))
        return false;
    set_pending(p, i, self, name);
    return true;
}

/* Up to 3.11 entering a `with` has already replaced the manager by its bound __exit__; 3.12
 * and 3.13 keep the manager. */
static bool entering_at(struct lk_py *py, const struct lk_pyf *f, int i, struct lk_pypending *p)
{
    lk_addr obj = lk_py_stack_slot(py, f, i), self = 0;
    const struct lk_pytype *ty = obj ? lk_py_type(py, obj) : NULL;

    if (!ty)
        return false;
    if (py->layout.version <= LK_PYVER(3, 11))
        self = bound_exit(py, obj);
    else if (ty->kind == LK_PYK_LOCK || ty->kind == LK_PYK_RLOCK ||
             lk_py_type_attr(py, ty, "__enter__"))
        self = obj;
    if (!self)
        return false;
    set_pending(p, i, self, "__enter__");
    return true;
}

size_t lk_py_pending_candidates(struct lk_py *py, const struct lk_pyf *f, struct lk_pypending *ret,
                                size_t max)
{
    const struct lk_pycode *c = lk_py_code(py, f->code);
    uint8_t opcode = 0;
    size_t n = 0;

    if (!c || f->lasti < 0 || !lk_read_u8(py->t, c->start + (uint64_t)f->lasti, &opcode))
        return 0;
    bool entering = py->layout.op_with && opcode == py->layout.op_with;
    int from = covering_depth(py, f, c),
        to = LK_MIN(f->stack_depth >= 0 ? f->stack_depth : c->stacksize, from + MAX_SCAN);
    /* A known depth has the pending call on top; above an unknown one stand stale slots, so the
     * lowest match comes first. */
    bool down = f->stack_depth >= 0;
    for (int k = 0; k < to - from && n < max; k++) {
        int i = down ? to - 1 - k : from + k;
        if (entering ? entering_at(py, f, i, &ret[n]) : call_at(py, f, i, &ret[n]))
            n++;
    }
    return n;
}
