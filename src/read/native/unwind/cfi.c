/*
 * .eh_frame to rows: what a pc's call frame information says of the caller's registers. Format: LSB
 * "Exception Frames", DWARF 5 section 6.4, and gcc's unwind-pe.h for the pointer encodings.
 * Everything is read from the target's memory into a local buffer first and parsed with a cursor
 * that cannot leave it.
 */
#include "read/native/elf/cursor.h"
#include "read/native/unwind/unwind_internal.h"

#define MAX_ENTRY                                                                                  \
    (256u << 10) /* bytes of one FDE; the largest of CPython and glibc have some 4 KiB */
#define MAX_CIE         1024
#define MAX_STATE_DEPTH 16
#define MAX_EXPRS       4096

/* DW_EH_PE_*: low half the format, high half what it is relative to. */
enum { PE_ABSPTR = 0x00, PE_UDATA4 = 0x03, PE_UDATA8 = 0x04, PE_SDATA4 = 0x0b, PE_SDATA8 = 0x0c };
enum { PE_PCREL = 0x10, PE_DATAREL = 0x30, PE_OMIT = 0xff };

enum {
    CFA_NOP = 0x00,
    CFA_SET_LOC = 0x01,
    CFA_ADVANCE_LOC1 = 0x02,
    CFA_ADVANCE_LOC2 = 0x03,
    CFA_ADVANCE_LOC4 = 0x04,
    CFA_OFFSET_EXTENDED = 0x05,
    CFA_RESTORE_EXTENDED = 0x06,
    CFA_UNDEFINED = 0x07,
    CFA_SAME_VALUE = 0x08,
    CFA_REGISTER = 0x09,
    CFA_REMEMBER_STATE = 0x0a,
    CFA_RESTORE_STATE = 0x0b,
    CFA_DEF_CFA = 0x0c,
    CFA_DEF_CFA_REGISTER = 0x0d,
    CFA_DEF_CFA_OFFSET = 0x0e,
    CFA_DEF_CFA_EXPRESSION = 0x0f,
    CFA_EXPRESSION = 0x10,
    CFA_OFFSET_EXTENDED_SF = 0x11,
    CFA_DEF_CFA_SF = 0x12,
    CFA_DEF_CFA_OFFSET_SF = 0x13,
    CFA_VAL_OFFSET = 0x14,
    CFA_VAL_OFFSET_SF = 0x15,
    CFA_VAL_EXPRESSION = 0x16,
    CFA_GNU_ARGS_SIZE = 0x2e,
    /* operand in the low six bits */
    CFA_ADVANCE_LOC = 0x40,
    CFA_OFFSET = 0x80,
    CFA_RESTORE = 0xc0,
};

/* ---- pointers ----------------------------------------------------------------------------- */

/* Indirect, aligned, text- and function-relative pointers do not occur in what we need: refused. */
static uint64_t take_pointer(struct cursor *c, uint8_t enc, lk_addr data_base)
{
    lk_addr here = c->addr;
    uint64_t v = 0;
    switch (enc & 0x0f) {
    case PE_ABSPTR:
    case PE_UDATA8:
    case PE_SDATA8: v = take_uint(c, 8); break;
    case PE_UDATA4: v = take_uint(c, 4); break;
    case PE_SDATA4: v = (uint64_t)(int64_t)(int32_t)take_uint(c, 4); break;
    default: c->bad = true;
    }
    switch (enc & 0xf0) {
    case 0: break;
    case PE_PCREL: v += here; break;
    case PE_DATAREL: v += data_base; break;
    default: c->bad = true;
    }
    return v;
}

/* ---- finding the entry -------------------------------------------------------------------- */

/*
 * .eh_frame_hdr: version, three encodings, eh_frame pointer, count, then pairs (function, FDE)
 * sorted by function, both relative to the header. Every linker writes the table as sdata4 relative
 * to the header; nothing else is read.
 */
bool lk_eh_table(struct lk_unwinder *u, const struct lk_module *m, struct lk_eh_table *ret)
{
    lk_addr hdr = m->bias + m->eh_hdr;
    uint8_t head[16];
    if (!m->eh_hdr || m->eh_hdr_size < sizeof head || !lk_read(u->t, hdr, head, sizeof head))
        return false;
    struct cursor c = { .p = head + 4, .end = head + sizeof head, .addr = hdr + 4 };
    take_pointer(&c, head[1], hdr);
    uint64_t count = take_uint(&c, 4);
    if (head[0] != 1 || head[2] != PE_UDATA4 || head[3] != (PE_DATAREL | PE_SDATA4) || c.bad ||
        count > (m->eh_hdr_size - (c.addr - hdr)) / sizeof(int32_t[2]))
        return false;
    *ret = (struct lk_eh_table){ .header = hdr, .pairs = c.addr, .n = count };
    return true;
}

static lk_addr find_fde(struct lk_unwinder *u, const struct lk_module *m, lk_addr pc)
{
    struct lk_eh_table t;
    int32_t pair[2];
    if (!lk_eh_table(u, m, &t))
        return 0;
    uint64_t lo = 0, hi = t.n; /* the last pair whose function is not above pc */
    while (lo < hi) {
        uint64_t mid = lo + (hi - lo) / 2;
        if (!lk_read(u->t, t.pairs + mid * sizeof pair, pair, sizeof pair))
            return 0;
        if (t.header + (uint64_t)(int64_t)pair[0] <= pc)
            lo = mid + 1;
        else
            hi = mid;
    }
    if (!lo || !lk_read(u->t, t.pairs + (lo - 1) * sizeof pair, pair, sizeof pair))
        return 0;
    return t.header + (uint64_t)(int64_t)pair[1];
}

/* Reads the body of a CIE or FDE (what follows its length word) into buf. */
static bool read_entry(struct lk_unwinder *u, const struct lk_module *m, lk_addr at, uint8_t *buf,
                       size_t max, struct cursor *c)
{
    uint32_t n;
    if (at < m->bias + m->lo || at >= m->bias + m->hi || !lk_read_u32(u->t, at, &n))
        return false;
    /* 0xffffffff, the 64-bit form, is in no .eh_frame */
    if (n < 8 || n > max || !lk_read(u->t, at + 4, buf, n))
        return false;
    *c = (struct cursor){ .p = buf, .end = buf + n, .addr = at + 4 };
    return true;
}

struct cie {
    uint64_t code_align;
    int64_t data_align;
    uint8_t fde_enc;
    bool augmented, signal;
    struct cursor init; /* initial instructions */
};

static bool parse_augmentation(struct cursor *c, const char *aug, struct cie *cie)
{
    uint64_t n = uleb(c);
    struct cursor a = *c;
    const uint8_t *data = take(c, n);
    if (!data)
        return false;
    a.end = data + n;
    for (; *aug; aug++) {
        switch (*aug) {
        case 'R': cie->fde_enc = (uint8_t)take_uint(&a, 1); break;
        case 'L': take_uint(&a, 1); break;
        case 'P': {
            uint8_t enc = (uint8_t)take_uint(&a, 1);
            if (enc != PE_OMIT)
                /* the personality is skipped, so its base does not matter */
                take_pointer(&a, enc & 0x0f, 0);
            break;
        }
        case 'S': cie->signal = true; break;
        case 'B': break; /* key of signed return addresses, no data */
        default: return false;
        }
    }
    return !a.bad;
}

static bool parse_cie(const struct lk_arch *arch, struct cursor *c, struct cie *cie)
{
    uint32_t id = (uint32_t)take_uint(c, 4);
    uint8_t version = (uint8_t)take_uint(c, 1);
    const char *aug = (const char *)c->p;
    size_t room = (size_t)(c->end - c->p), len = strnlen(aug, room);
    if (c->bad || id != 0 || (version != 1 && version != 3) || len == room)
        return false;
    take(c, len + 1);
    cie->code_align = uleb(c);
    cie->data_align = sleb(c);
    uint64_t ra = version == 1 ? take_uint(c, 1) : uleb(c);
    if (c->bad || lk_arch_place(arch, ra) != LK_REG_PC || (*aug && *aug != 'z'))
        return false;
    if (*aug == 'z') {
        cie->augmented = true;
        if (!parse_augmentation(c, aug + 1, cie))
            return false;
    }
    cie->init = *c;
    return !c->bad;
}

/* ---- running the program ------------------------------------------------------------------- */

struct machine {
    struct lk_unwinder *u;
    const struct lk_arch *arch;
    const struct cie *cie;
    struct lk_row *row;
    const struct lk_row *initial; /* after the CIE's instructions; NULL while they run */
    struct lk_row saved[MAX_STATE_DEPTH];
    unsigned depth;
    lk_addr loc;
};

/* Place of the register with that number; LK_REGS_MAX when it is not looked at. */
static unsigned place_of(const struct machine *m, uint64_t reg)
{
    return lk_arch_place(m->arch, reg);
}

static unsigned take_place(const struct machine *m, struct cursor *c)
{
    return place_of(m, uleb(c));
}

static void set_rule(struct machine *m, struct cursor *c, unsigned place, enum lk_rule kind,
                     int64_t v)
{
    if (v < INT32_MIN || v > INT32_MAX)
        c->bad = true;
    else if (place < LK_REGS_MAX) { /* else a vector register or the like, of no use here */
        m->row->kind[place] = (uint8_t)kind;
        m->row->v[place] = (int32_t)v;
    }
}

static void restore_rule(struct machine *m, struct cursor *c, unsigned place)
{
    if (!m->initial)
        c->bad = true;
    else if (place < LK_REGS_MAX)
        set_rule(m, c, place, m->initial->kind[place], m->initial->v[place]);
}

static void set_cfa(struct machine *m, struct cursor *c, unsigned place, int64_t off)
{
    if (place >= LK_REGS_MAX || place == LK_REG_PC || off < INT32_MIN || off > INT32_MAX) {
        c->bad = true;
        return;
    }
    m->row->cfa_reg = (uint8_t)place;
    m->row->cfa_off = (int32_t)off;
}

/* Keeps a copy of a block of DWARF operations; its index. */
static int64_t take_expr(struct machine *m, struct cursor *c)
{
    uint64_t n = uleb(c);
    const uint8_t *p = take(c, n);
    struct lk_expr *e;
    if (!p || n > sizeof e->op || m->u->exprs.n >= MAX_EXPRS) {
        c->bad = true;
        return 0;
    }
    e = lk_vec_push(&m->u->exprs);
    e->n = (uint16_t)n;
    memcpy(e->op, p, n);
    return (int64_t)m->u->exprs.n - 1;
}

static void restore_state(struct machine *m, struct cursor *c)
{
    if (!m->depth) {
        c->bad = true;
        return;
    }
    *m->row = m->saved[--m->depth];
}

/* data_align is a byte in practice; a large one times a large factor must not overflow. */
static int64_t factored(const struct machine *m, struct cursor *c, int64_t v)
{
    int64_t ret;
    if (__builtin_mul_overflow(v, m->cie->data_align, &ret)) {
        c->bad = true;
        return 0;
    }
    return ret;
}

static void execute_extended(struct machine *m, struct cursor *c, uint8_t op)
{
    unsigned reg;
    switch (op) {
    case CFA_NOP: break;
    case CFA_SET_LOC: m->loc = take_pointer(c, m->cie->fde_enc, 0); break;
    case CFA_ADVANCE_LOC1: m->loc += take_uint(c, 1) * m->cie->code_align; break;
    case CFA_ADVANCE_LOC2: m->loc += take_uint(c, 2) * m->cie->code_align; break;
    case CFA_ADVANCE_LOC4: m->loc += take_uint(c, 4) * m->cie->code_align; break;
    case CFA_OFFSET_EXTENDED:
        reg = take_place(m, c);
        set_rule(m, c, reg, LK_RULE_OFFSET, factored(m, c, (int64_t)uleb(c)));
        break;
    case CFA_OFFSET_EXTENDED_SF:
        reg = take_place(m, c);
        set_rule(m, c, reg, LK_RULE_OFFSET, factored(m, c, sleb(c)));
        break;
    case CFA_VAL_OFFSET:
        reg = take_place(m, c);
        set_rule(m, c, reg, LK_RULE_VAL_OFFSET, factored(m, c, (int64_t)uleb(c)));
        break;
    case CFA_VAL_OFFSET_SF:
        reg = take_place(m, c);
        set_rule(m, c, reg, LK_RULE_VAL_OFFSET, factored(m, c, sleb(c)));
        break;
    case CFA_RESTORE_EXTENDED: restore_rule(m, c, take_place(m, c)); break;
    case CFA_UNDEFINED: set_rule(m, c, take_place(m, c), LK_RULE_UNDEFINED, 0); break;
    case CFA_SAME_VALUE: set_rule(m, c, take_place(m, c), LK_RULE_SAME, 0); break;
    case CFA_REGISTER:
        reg = take_place(m, c);
        set_rule(m, c, reg, LK_RULE_REGISTER, take_place(m, c));
        break;
    case CFA_EXPRESSION:
        reg = take_place(m, c);
        set_rule(m, c, reg, LK_RULE_EXPR, take_expr(m, c));
        break;
    case CFA_VAL_EXPRESSION:
        reg = take_place(m, c);
        set_rule(m, c, reg, LK_RULE_VAL_EXPR, take_expr(m, c));
        break;
    case CFA_REMEMBER_STATE:
        if (m->depth == MAX_STATE_DEPTH)
            c->bad = true;
        else
            m->saved[m->depth++] = *m->row;
        break;
    case CFA_RESTORE_STATE: restore_state(m, c); break;
    case CFA_DEF_CFA:
        reg = take_place(m, c);
        set_cfa(m, c, reg, (int64_t)uleb(c));
        break;
    case CFA_DEF_CFA_SF:
        reg = take_place(m, c);
        set_cfa(m, c, reg, factored(m, c, sleb(c)));
        break;
    case CFA_DEF_CFA_REGISTER: set_cfa(m, c, take_place(m, c), m->row->cfa_off); break;
    case CFA_DEF_CFA_OFFSET: set_cfa(m, c, m->row->cfa_reg, (int64_t)uleb(c)); break;
    case CFA_DEF_CFA_OFFSET_SF: set_cfa(m, c, m->row->cfa_reg, factored(m, c, sleb(c))); break;
    case CFA_DEF_CFA_EXPRESSION:
        m->row->cfa_off = (int32_t)take_expr(m, c);
        m->row->cfa_reg = LK_CFA_EXPR;
        break;
    case CFA_GNU_ARGS_SIZE: uleb(c); break;
    default: c->bad = true;
    }
}

/* Runs until the instructions end or the location passes pc. */
static bool execute(struct machine *m, struct cursor c, lk_addr pc)
{
    while (c.p < c.end && m->loc <= pc && !c.bad) {
        uint8_t op = *take(&c, 1), low = op & 0x3f;
        switch (op & 0xc0) {
        case CFA_ADVANCE_LOC: m->loc += low * m->cie->code_align; break;
        case CFA_OFFSET:
            set_rule(m, &c, place_of(m, low), LK_RULE_OFFSET, factored(m, &c, (int64_t)uleb(&c)));
            break;
        case CFA_RESTORE: restore_rule(m, &c, place_of(m, low)); break;
        default: execute_extended(m, &c, op);
        }
    }
    return !c.bad;
}

/* What holds without a rule: a call may overwrite what it need not keep. */
static void default_row(const struct lk_arch *arch, struct lk_row *row)
{
    memset(row->kind, LK_RULE_UNDEFINED, sizeof row->kind);
    memset(row->v, 0, sizeof row->v);
    for (unsigned i = 0; i < arch->n_registers; i++)
        if (arch->registers[i].kept)
            row->kind[i] = LK_RULE_SAME;
    row->kind[LK_REG_SP] = LK_RULE_VAL_OFFSET; /* the caller's sp is the CFA, by definition */
    row->kind[LK_REG_PC] = LK_RULE_UNSPECIFIED;
    row->cfa_reg = LK_REG_SP;
    row->cfa_off = 0;
}

static bool run_fde(struct lk_unwinder *u, struct cursor *fde, const struct cie *cie, lk_addr pc,
                    struct lk_row *row)
{
    lk_addr start = take_pointer(fde, cie->fde_enc, 0);
    uint64_t len = take_pointer(fde, cie->fde_enc & 0x0f, 0);
    if (fde->bad || pc < start || pc - start >= len)
        return false;
    if (cie->augmented)
        take(fde, uleb(fde));
    row->start = start;
    struct machine m = { .u = u, .arch = lk_process_arch(u->t), .cie = cie, .row = row, .loc = 0 };
    default_row(m.arch, row);
    if (fde->bad || !execute(&m, cie->init, UINT64_MAX))
        return false;
    struct lk_row initial = *row;
    m.initial = &initial;
    m.depth = 0;
    m.loc = start;
    return execute(&m, *fde, pc);
}

void lk_cfi_row(struct lk_unwinder *u, const struct lk_module *m, lk_addr pc, struct lk_row *row)
{
    uint8_t cie_bytes[MAX_CIE];
    struct cursor fde, c;
    struct cie cie = { 0 };
    lk_addr at = m->elf ? find_fde(u, m, pc) : 0;
    row->ok = false;
    if (!at)
        return;
    if (!u->entry)
        u->entry = lk_xmalloc(MAX_ENTRY);
    if (!read_entry(u, m, at, u->entry, MAX_ENTRY, &fde))
        return;
    /* The CIE pointer is the distance back from itself; 0 would be a CIE. */
    uint32_t back = (uint32_t)take_uint(&fde, 4);
    if (!back || !read_entry(u, m, at + 4 - back, cie_bytes, sizeof cie_bytes, &c) ||
        !parse_cie(lk_process_arch(u->t), &c, &cie))
        return;
    row->signal = cie.signal;
    row->ok = run_fde(u, &fde, &cie, pc, row);
}
