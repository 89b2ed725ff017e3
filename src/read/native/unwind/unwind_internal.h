/*
 * Shared by the files that unwind: rows of call frame information, the window onto the stack, and
 * the unwinder with all that it keeps. .eh_frame is read from the target's memory: that is what
 * really runs, also when the file was deleted or replaced.
 */
#ifndef LK_READ_NATIVE_UNWIND_UNWIND_INTERNAL_H
#define LK_READ_NATIVE_UNWIND_UNWIND_INTERNAL_H

#include "read/native/elf/demangle.h"
#include "read/native/elf/modules.h"
#include "read/native/unwind/stack_window.h"
#include "read/native/unwind/unwind.h"
#include "util/map.h"
#include "util/text.h"

struct lk_frame_key {
    lk_addr pc;
    bool exact; /* pc is where execution goes on by itself, not a return address */
};

/* ---- cfi.c -------------------------------------------------------------------------- */

enum lk_rule {
    LK_RULE_SAME = 0,
    LK_RULE_UNDEFINED,
    LK_RULE_UNSPECIFIED, /* return address only: no rule was given */
    LK_RULE_OFFSET,      /* saved at CFA + v */
    LK_RULE_VAL_OFFSET,  /* is CFA + v */
    LK_RULE_REGISTER,    /* in the register at place v */
    LK_RULE_EXPR,        /* saved at the address that expression v computes */
    LK_RULE_VAL_EXPR,    /* is what expression v computes */
};
#define LK_CFA_EXPR 0xff

/** How to get from a frame at one pc to its caller. Expressions are indices into lk_unwinder.exprs.
 */
struct lk_row {
    bool ok;         /* there is CFI and it made sense */
    bool code;       /* pc is in an executable mapping */
    bool signal;     /* signal trampoline: the caller was interrupted, its pc is exact */
    lk_addr start;   /* of the function; 0 not known */
    uint8_t cfa_reg; /* its place; LK_CFA_EXPR */
    uint8_t kind[LK_REGS_MAX];
    int32_t cfa_off;
    int32_t v[LK_REGS_MAX];
};
struct lk_expr {
    uint16_t n;
    uint8_t op[254];
};

/** The table that .eh_frame_hdr has: pairs (function, FDE), relative to the header. */
struct lk_eh_table {
    lk_addr header, pairs;
    uint64_t n;
};

/** False: there is none that can be read. */
bool lk_eh_table(struct lk_unwinder *u, const struct lk_module *m, struct lk_eh_table *ret);
/** Fills row (ok = false when there is no usable CFI). */
void lk_cfi_row(struct lk_unwinder *u, const struct lk_module *m, lk_addr pc, struct lk_row *row);

/* ---- dwarf_expr.c ------------------------------------------------------------------------- */

/** Evaluates x; first (may be NULL) is on the stack at its start. False: the result is unknown. */
bool lk_expr_eval(struct lk_unwinder *u, const struct lk_expr *x, const struct lk_regs *regs,
                  const uint64_t *first, uint64_t *ret);

/* ---- frame_pointer.c --------------------------------------------------------------------- */

/**
 * The row needs the frame pointer, whose value is not known: finds it on the stack and enters it in
 * the registers, or leaves them.
 */
void lk_frame_pointer_find(struct lk_unwinder *u, const struct lk_row *row, struct lk_regs *r);
/** The caller of code without a row, by its frame pointer or because it is about to return. False:
 * neither tells. */
bool lk_frame_pointer_caller(struct lk_unwinder *u, const struct lk_regs *r, struct lk_regs *next);

/* ---- libunwind.c -------------------------------------------------------------------------- */

struct lk_libunwind;

struct lk_second_walk {
    uint32_t n;
    bool truncated;
    struct lk_frame_key keys[LK_UNWIND_MAX];
};

/** False when it is not installed. */
bool lk_libunwind_is_there(struct lk_unwinder *u);
/** libunwind's walks from n places. @return how many of them were made: 0 when it is not installed,
 * fewer than n when it crashed or ran out of time. */
size_t lk_libunwind_walk(struct lk_unwinder *u, const struct lk_regs *const *regs, size_t n,
                         struct lk_second_walk *ret);
void lk_libunwind_destroy(struct lk_libunwind *l);

/* ---- rows.c ------------------------------------------------------------------------- */

/** The row of a pc; good until the next call, which may forget all. */
const struct lk_row *lk_row_at(struct lk_unwinder *u, lk_addr pc);
/** After modules came or went. */
void lk_rows_forget(struct lk_unwinder *u);
/** Whether execution can be there at all, and whether it is known to be an outermost frame. */
bool lk_unwind_is_code(struct lk_unwinder *u, lk_addr pc);
bool lk_unwind_is_outermost(struct lk_unwinder *u, const struct lk_frame_key *key);

/* ---- unwind.c ----------------------------------------------------------------------- */

/** One function at an address; strings are in the unwinder's arena. */
struct lk_source_function {
    const char *name; /* demangled; NULL = not told */
    const char *file; /* NULL = no line */
    int line;
};

/** What debug information says of one address, also that it says nothing. */
struct lk_line_record {
    const char *module_path; /* the module's own pointer */
    uint64_t vaddr;
    size_t first, n; /* in lk_unwinder.functions, the innermost first */
};

struct lk_unwinder {
    struct lk_process *t;
    enum lk_unwind_by by;
    struct lk_libunwind *libunwind; /* NULL until a stack needs it */
    struct lk_arena *arena;         /* strings of modules and lines */
    struct lk_modules modules;

    LK_VEC(struct lk_row) rows; /* by pc, good as long as the modules stay */
    struct lk_map row_of_pc;
    LK_VEC(struct lk_expr) exprs;
    uint8_t *entry; /* buffer of cfi.c for one FDE */

    struct lk_stack_window window;

    /* What was put into memo_arena since the last refresh. */
    struct lk_arena *memo_arena;
    LK_VEC(struct lk_natframe) frames;
    struct lk_map frame_of_pc; /* pc * 2 + exact -> frames[] */
    struct lk_map string_of;   /* pointer of ours -> copy in the arena */
    struct lk_map function_of; /* address of a function -> its name in the arena */
    LK_VEC(struct lk_natstack *) stacks;
    struct lk_map stack_of_hash;

    /* file:line, by hash of module and vaddr */
    LK_VEC(struct lk_line_record) lines;
    LK_VEC(struct lk_source_function) functions;
    struct lk_map line_of;
    unsigned line_helpers; /* helper processes started so far */
};

#endif
