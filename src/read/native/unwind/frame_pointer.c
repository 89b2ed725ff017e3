/*
 * Frames that hang on a frame pointer. Of a thread that sleeps /proc tells stack pointer and pc
 * alone; code that was not optimized finds its frame by the frame pointer, which is then known only
 * if a function further in has saved it. Where it pointed is told by the stack: the caller's frame
 * pointer and the return address lie there (psABI, "The Stack Frame"), and a return address is one
 * only where a call ends. So nothing is taken that the code does not bear out.
 */
#include "process/facts.h"
#include "read/native/elf/symbols.h"
#include "read/native/unwind/unwind_internal.h"

enum {
    PROLOGUE = 48,     /* bytes of a function's beginning that are looked at */
    LONGEST_CALL = 8,  /* bytes before a return address that are looked at */
    MAX_SEARCH = 4096, /* words of a stack that are searched */
    MAX_FRAME = 256,   /* ... for the end of one frame of a C library */
    TAIL_CALL = 128,   /* bytes of a function in which a tail call is looked for */
    MOST_JUMPS = 3,
    LONGEST = 1024, /* bytes of a function without a name */
};

/* Whether a call ends at pc, and where it goes: 0 not known. */
static enum lk_call_form call_at(struct lk_unwinder *u, lk_addr pc, lk_addr *to)
{
    uint8_t code[LONGEST_CALL];
    int64_t distance = 0;
    const struct lk_mapping *m = pc > sizeof code ? lk_process_mapping_at(u->t, pc - 1) : NULL;
    *to = 0;
    if (!m || m->prot[2] != 'x' || pc - sizeof code < m->start ||
        !lk_read(u->t, pc - sizeof code, code, sizeof code))
        return LK_NO_CALL;
    const enum lk_call_form form = lk_process_arch(u->t)->call_before(code, sizeof code, &distance);
    if (form == LK_DIRECT_CALL)
        *to = pc + (uint64_t)distance;
    return form;
}

/* Whether a frame pointer of that value leaves the return address of a call where the row has it.
 */
static enum lk_call_form fits(struct lk_unwinder *u, const struct lk_row *row, lk_addr fp,
                              lk_addr *to)
{
    const lk_addr cfa = fp + (uint64_t)(int64_t)row->cfa_off;
    uint64_t pc;
    *to = 0;
    if (!lk_stack_word(&u->window, u->t, cfa + (uint64_t)(int64_t)row->v[LK_REG_PC], &pc))
        return LK_NO_CALL;
    return call_at(u, pc, to);
}

/* Where the function's own first instructions say, 0 when they do not. */
static lk_addr by_prologue(struct lk_unwinder *u, const struct lk_row *row, lk_addr sp)
{
    const struct lk_arch *arch = lk_process_arch(u->t);
    uint8_t code[PROLOGUE];
    lk_addr to;
    if (!row->start || !lk_read(u->t, row->start, code, sizeof code))
        return 0;
    const int64_t size = arch->frame_size(code, sizeof code);
    const lk_addr fp = sp + (uint64_t)size;
    return size >= 0 && fits(u, row, fp, &to) != LK_NO_CALL ? fp : 0;
}

/* The nearest place behind which lies the return address of a call of this very function; 0. */
static lk_addr by_search(struct lk_unwinder *u, const struct lk_row *row, lk_addr sp)
{
    for (unsigned i = 0; row->start && i < MAX_SEARCH; i++) {
        const lk_addr fp = sp + i * sizeof(uint64_t);
        lk_addr to;
        uint64_t word;
        if (!lk_stack_word(&u->window, u->t, fp, &word))
            return 0;
        if (fits(u, row, fp, &to) == LK_DIRECT_CALL && to == row->start)
            return fp;
    }
    return 0;
}

static bool recall(struct lk_unwinder *u, const struct lk_key *key, lk_addr *ret)
{
    int why;
    *ret = 0;
    return lk_process_recall(u->t, LK_FACT_STACK_PLACE, key, NULL, ret, &why);
}

/* Words that were only looked at are no part of a record: behind a stack stand the environment and
 * arguments. */
static lk_addr seek_frame(struct lk_unwinder *u, const struct lk_row *row, lk_addr sp)
{
    const struct lk_key key = { .n = (int64_t)sp, .m = (int64_t)row->start, .text = "frame" };
    lk_addr ret;
    if (recall(u, &key, &ret))
        return ret;
    lk_process_aside(u->t);
    ret = by_search(u, row, sp);
    lk_process_aside_end(u->t);
    lk_process_keep(u->t, LK_FACT_STACK_PLACE, &key, 0, &ret);
    return ret;
}

void lk_frame_pointer_find(struct lk_unwinder *u, const struct lk_row *row, struct lk_regs *r)
{
    const unsigned place = lk_process_arch(u->t)->frame_pointer;
    const uint32_t needed = 1u << LK_REG_SP;
    if (row->cfa_reg != place || (r->known & 1u << place) || (r->known & needed) != needed ||
        row->kind[LK_REG_PC] != LK_RULE_OFFSET)
        return;
    const lk_addr sp = r->reg[LK_REG_SP];
    lk_addr fp = by_prologue(u, row, sp);
    if (!fp)
        fp = seek_frame(u, row, sp);
    if (!fp)
        return;
    r->reg[place] = fp;
    r->known |= 1u << place;
}

/* A call that goes there arrives, by jumps alone, in the function that begins at start: a stub of
 * the procedure linkage table takes it to another module, a tail call to another function. */
static bool leads_to(struct lk_unwinder *u, lk_addr to, lk_addr start)
{
    const struct lk_arch *arch = lk_process_arch(u->t);
    for (int hop = 0; hop < MOST_JUMPS && to != start; hop++) {
        uint8_t code[TAIL_CALL];
        lk_addr slot;
        if (!lk_read(u->t, to, code, sizeof code))
            return false;
        if (arch->jumps_to(code, sizeof code, to, start))
            return true;
        if (!(slot = arch->jump_slot(code, sizeof code, to)) || !lk_read_u64(u->t, slot, &to))
            return false;
    }
    return to == start;
}

/* By its name; 0: it has none. */
static lk_addr function_start(struct lk_unwinder *u, lk_addr pc)
{
    struct lk_module *m = lk_module_at(&u->modules, pc);
    struct lk_symbol_name name;
    return m && m->elf && lk_symbol_find(u->t, m, pc - m->bias, &name) ? pc - name.offset : 0;
}

/* The frame that a function without call frame information has set up, as its own first
 * instructions say; its name tells where those are. 0: none, or what lies there is the return
 * address of another function's call, left behind where this one has changed the stack. */
static lk_addr by_symbol(struct lk_unwinder *u, const struct lk_regs *r)
{
    /* as a function with a frame pointer has it: the caller's below the return address */
    struct lk_row row = { .cfa_off = 2 * sizeof(uint64_t),
                          .start = function_start(u, r->reg[LK_REG_PC]) };
    row.v[LK_REG_PC] = -(int32_t)sizeof(uint64_t);
    const lk_addr fp = by_prologue(u, &row, r->reg[LK_REG_SP]);
    lk_addr to;
    const bool other = fp && fits(u, &row, fp, &to) == LK_DIRECT_CALL &&
                       lk_process_arch(u->t)->jumps_to && !leads_to(u, to, row.start);
    return other ? 0 : fp;
}

/* Where a function begins that has no name either: a call of the module leads a little before pc.
 */
static bool is_near(struct lk_unwinder *u, lk_addr to, lk_addr pc)
{
    return to <= pc && pc - to < LONGEST && lk_module_at(&u->modules, pc) &&
           lk_module_at(&u->modules, to) == lk_module_at(&u->modules, pc);
}

/*
 * Code without call frame information and without a frame pointer, as musl is built (configure,
 * -fno-asynchronous-unwind-tables): the nearest word that is the return address of a call which
 * leads to this function. Returns its place; 0: none.
 */
static lk_addr by_call(struct lk_unwinder *u, const struct lk_regs *r)
{
    const lk_addr pc = r->reg[LK_REG_PC];
    const lk_addr start = function_start(u, pc);
    for (unsigned i = 0; lk_process_arch(u->t)->jumps_to && i < MAX_FRAME; i++) {
        const lk_addr slot = r->reg[LK_REG_SP] + i * sizeof(uint64_t);
        lk_addr to;
        uint64_t word;
        if (!lk_stack_word(&u->window, u->t, slot, &word))
            return 0;
        if (call_at(u, word, &to) == LK_DIRECT_CALL &&
            (start ? leads_to(u, to, start) : is_near(u, to, pc)))
            return slot;
    }
    return 0;
}

static lk_addr seek_call(struct lk_unwinder *u, const struct lk_regs *r)
{
    const struct lk_key key = { .n = (int64_t)r->reg[LK_REG_SP],
                                .m = (int64_t)r->reg[LK_REG_PC],
                                .text = "call" };
    lk_addr ret;
    if (recall(u, &key, &ret))
        return ret;
    lk_process_aside(u->t);
    ret = by_call(u, r);
    lk_process_aside_end(u->t);
    lk_process_keep(u->t, LK_FACT_STACK_PLACE, &key, 0, &ret);
    return ret;
}

bool lk_frame_pointer_caller(struct lk_unwinder *u, const struct lk_regs *r, struct lk_regs *next)
{
    const struct lk_arch *arch = lk_process_arch(u->t);
    const unsigned place = arch->frame_pointer;
    const bool known = r->known & 1u << place;
    const lk_addr sp = r->reg[LK_REG_SP];
    uint8_t code[PROLOGUE];
    lk_addr to, slot;
    *next = (struct lk_regs){ 0 };
    const int64_t back = lk_read(u->t, r->reg[LK_REG_PC], code, sizeof code)
                             ? arch->way_back(code, sizeof code)
                             : -1;
    if (back >= 0) {
        slot = sp + (uint64_t)back;
    } else if (known || !(slot = seek_call(u, r))) {
        const lk_addr fp = known ? r->reg[place] : by_symbol(u, r);
        if (fp < sp || !lk_stack_word(&u->window, u->t, fp, &next->reg[place]))
            return false;
        slot = fp + sizeof(uint64_t);
        next->known |= 1u << place;
    }
    if (!lk_stack_word(&u->window, u->t, slot, &next->reg[LK_REG_PC]) ||
        call_at(u, next->reg[LK_REG_PC], &to) == LK_NO_CALL)
        return false;
    next->reg[LK_REG_SP] = slot + sizeof(uint64_t);
    next->known |= 1u << LK_REG_SP | 1u << LK_REG_PC;
    return true;
}
