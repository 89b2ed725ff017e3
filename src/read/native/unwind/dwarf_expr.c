/*
 * DWARF expressions as far as they occur in call frame information: PLT entries (ld writes one that
 * computes the CFA from the place in the entry), the signal trampoline of glibc, hand-written
 * assembly. No branch is supported, so the length bounds the run; an unknown operation or an
 * unknown register makes the result unknown.
 */
#include "read/native/elf/cursor.h"
#include "read/native/unwind/unwind_internal.h"

#define MAX_STACK 32

enum {
    OP_ADDR = 0x03,
    OP_DEREF = 0x06,
    OP_CONST1U = 0x08, /* ... 1S 2U 2S 4U 4S 8U 8S = 0x0f */
    OP_CONST8S = 0x0f,
    OP_CONSTU = 0x10,
    OP_CONSTS = 0x11,
    OP_DUP = 0x12,
    OP_DROP = 0x13,
    OP_OVER = 0x14,
    OP_SWAP = 0x16,
    OP_AND = 0x1a,
    OP_MINUS = 0x1c,
    OP_MUL = 0x1e,
    OP_NEG = 0x1f,
    OP_NOT = 0x20,
    OP_OR = 0x21,
    OP_PLUS = 0x22,
    OP_PLUS_UCONST = 0x23,
    OP_SHL = 0x24,
    OP_SHR = 0x25,
    OP_XOR = 0x27,
    OP_EQ = 0x29,
    OP_GE = 0x2a,
    OP_GT = 0x2b,
    OP_LE = 0x2c,
    OP_LT = 0x2d,
    OP_NE = 0x2e,
    OP_LIT0 = 0x30,
    OP_LIT31 = 0x4f,
    OP_BREG0 = 0x70,
    OP_BREG31 = 0x8f,
    OP_NOP = 0x96,
};

struct eval {
    struct lk_unwinder *u;
    const struct lk_regs *regs;
    struct cursor c;
    uint64_t stack[MAX_STACK];
    unsigned n;
};

static void push(struct eval *e, uint64_t v)
{
    if (e->n == MAX_STACK)
        e->c.bad = true;
    else
        e->stack[e->n++] = v;
}

static uint64_t pop(struct eval *e)
{
    if (!e->n) {
        e->c.bad = true;
        return 0;
    }
    return e->stack[--e->n];
}

static uint64_t take_const(struct eval *e, uint8_t op)
{
    unsigned size = 1u << ((op - OP_CONST1U) / 2);
    uint64_t v = take_uint(&e->c, size);
    bool is_signed = (op - OP_CONST1U) & 1;
    if (is_signed && size < 8 && v >> (8 * size - 1))
        v |= ~UINT64_C(0) << (8 * size);
    return v;
}

static void binary(struct eval *e, uint8_t op)
{
    uint64_t b = pop(e), a = pop(e);
    int64_t sa = (int64_t)a, sb = (int64_t)b;
    switch (op) {
    case OP_AND: push(e, a & b); break;
    case OP_MINUS: push(e, a - b); break;
    case OP_MUL: push(e, a * b); break;
    case OP_OR: push(e, a | b); break;
    case OP_PLUS: push(e, a + b); break;
    case OP_SHL: push(e, b < 64 ? a << b : 0); break;
    case OP_SHR: push(e, b < 64 ? a >> b : 0); break;
    case OP_XOR: push(e, a ^ b); break;
    case OP_EQ: push(e, a == b); break;
    case OP_GE: push(e, sa >= sb); break;
    case OP_GT: push(e, sa > sb); break;
    case OP_LE: push(e, sa <= sb); break;
    case OP_LT: push(e, sa < sb); break;
    case OP_NE: push(e, a != b); break;
    default: e->c.bad = true;
    }
}

static void push_register(struct eval *e, unsigned reg)
{
    unsigned place = lk_arch_place(lk_process_arch(e->u->t), reg);
    int64_t off = sleb(&e->c);
    if (place >= LK_REGS_MAX || !(e->regs->known & 1u << place))
        e->c.bad = true;
    else
        push(e, e->regs->reg[place] + (uint64_t)off);
}

static void run_op(struct eval *e, uint8_t op)
{
    uint64_t v, w;
    if (op >= OP_LIT0 && op <= OP_LIT31) {
        push(e, op - OP_LIT0);
        return;
    }
    if (op >= OP_BREG0 && op <= OP_BREG31) {
        push_register(e, op - OP_BREG0);
        return;
    }
    if (op >= OP_CONST1U && op <= OP_CONST8S) {
        push(e, take_const(e, op));
        return;
    }
    switch (op) {
    case OP_NOP: break;
    case OP_ADDR: push(e, take_uint(&e->c, 8)); break;
    case OP_DEREF:
        if (lk_stack_word(&e->u->window, e->u->t, pop(e), &v))
            push(e, v);
        else
            e->c.bad = true;
        break;
    case OP_CONSTU: push(e, uleb(&e->c)); break;
    case OP_CONSTS: push(e, (uint64_t)sleb(&e->c)); break;
    case OP_DUP:
        v = pop(e);
        push(e, v);
        push(e, v);
        break;
    case OP_DROP: pop(e); break;
    case OP_OVER:
        w = pop(e);
        v = pop(e);
        push(e, v);
        push(e, w);
        push(e, v);
        break;
    case OP_SWAP:
        w = pop(e);
        v = pop(e);
        push(e, w);
        push(e, v);
        break;
    case OP_NEG: push(e, 0 - pop(e)); break;
    case OP_NOT: push(e, ~pop(e)); break;
    case OP_PLUS_UCONST: push(e, pop(e) + uleb(&e->c)); break;
    default: binary(e, op);
    }
}

bool lk_expr_eval(struct lk_unwinder *u, const struct lk_expr *x, const struct lk_regs *regs,
                  const uint64_t *first, uint64_t *ret)
{
    struct eval e = { .u = u, .regs = regs, .c = { .p = x->op, .end = x->op + x->n } };
    if (first)
        push(&e, *first);
    while (e.c.p < e.c.end && !e.c.bad)
        run_op(&e, *take(&e.c, 1));
    *ret = pop(&e);
    return !e.c.bad;
}
