/*
 * Shared by the files of this station: the module table, CFI rows, symbol tables. Bytes of a module
 * that the program itself maps (headers, .eh_frame, .dynsym hash) are read from the target's
 * memory: that is what really runs, also when the file was deleted or replaced, and a file that
 * shrinks cannot hurt us. The file is read (pread, never mapped) for what is not in memory: .symtab
 * and debug information.
 */
#ifndef LK_READ_NATIVE_UNWIND_UNWIND_INTERNAL_H
#define LK_READ_NATIVE_UNWIND_UNWIND_INTERNAL_H

#include "read/native/elf/elf_file.h"
#include "read/native/unwind/unwind.h"
#include "util/map.h"
#include "util/text.h"

#define LK_MAX_ELF_FILE    (UINT64_C(1) << 30) /* larger files get no names */
#define LK_MAX_SYMBOL_NAME 512
#define LK_NREGS           17 /* x86-64 DWARF registers 0..15 and the return address 16 */

/* ---- modules.c ---------------------------------------------------------------------- */

struct lk_symtab;

/** One ELF file as mapped once by the target. */
struct lk_module {
    lk_addr base, end;       /* span of its mappings, end exclusive */
    struct lk_mapping map;   /* its first mapping; path is owned by the unwinder's arena */
    bool exec;               /* has an executable mapping */
    const char *name, *path; /* clean, without " (deleted)" */
    bool system;

    bool headers_tried, elf;        /* elf: the fields below are valid */
    lk_addr bias;                   /* address = bias + vaddr */
    uint64_t lo, hi;                /* vaddr range of the PT_LOAD segments */
    uint64_t eh_hdr, eh_hdr_size;   /* vaddr, 0 = none */
    char build_id[LK_BUILD_ID_HEX]; /* hex, "" = none */

    struct lk_symtab *symbols; /* NULL until asked for */
    bool lines_tried;
    int lines_fd; /* file with .debug_line, -1 = none */
};

/** Reads the target's maps; rebuilds the table (and forgets rows) when they changed. */
bool lk_modules_read(struct lk_unwinder *u, struct lk_error *err);
void lk_modules_deinit(struct lk_unwinder *u);
/** The module that holds pc, headers loaded; NULL when there is none. */
struct lk_module *lk_module_at(struct lk_unwinder *u, lk_addr pc);
/** Reads and checks the ELF headers in the target's memory, once. */
bool lk_module_load(struct lk_unwinder *u, struct lk_module *m);

/* ---- cfi.c -------------------------------------------------------------------------- */

enum lk_rule {
    LK_RULE_SAME = 0,
    LK_RULE_UNDEFINED,
    LK_RULE_UNSPECIFIED, /* return address only: no rule was given */
    LK_RULE_OFFSET,      /* saved at CFA + v */
    LK_RULE_VAL_OFFSET,  /* is CFA + v */
    LK_RULE_REGISTER,    /* in register v */
    LK_RULE_EXPR,        /* saved at the address that expression v computes */
    LK_RULE_VAL_EXPR,    /* is what expression v computes */
};
#define LK_CFA_EXPR 0xff

/** How to get from a frame at one pc to its caller. Expressions are indices into lk_unwinder.exprs.
 */
struct lk_row {
    bool ok;     /* there is CFI and it made sense */
    bool code;   /* pc is in an executable mapping */
    bool signal; /* signal trampoline: the caller was interrupted, its pc is exact */
    uint8_t cfa_reg;
    uint8_t kind[LK_NREGS];
    int32_t cfa_off;
    int32_t v[LK_NREGS];
};
struct lk_expr {
    uint16_t n;
    uint8_t op[254];
};

/** Fills row (ok = false when there is no usable CFI). */
void lk_cfi_row(struct lk_unwinder *u, const struct lk_module *m, lk_addr pc, struct lk_row *row);

/* ---- expr.c ------------------------------------------------------------------------- */

/** Evaluates x; first (may be NULL) is on the stack at its start. False: the result is unknown. */
bool lk_expr_eval(struct lk_unwinder *u, const struct lk_expr *x, const struct lk_regs *regs,
                  const uint64_t *first, uint64_t *ret);

/* ---- symbols.c ---------------------------------------------------------------------- */

struct lk_symbol_name {
    char text[2 * LK_MAX_SYMBOL_NAME]; /* raw bytes, demangled, NUL-terminated */
    uint64_t offset;                   /* of pc from the symbol's start */
};
/** Function that holds vaddr; false when no symbol does. */
bool lk_symbol_find(struct lk_unwinder *u, struct lk_module *m, uint64_t vaddr,
                    struct lk_symbol_name *ret);
void lk_symtab_destroy(struct lk_symtab *s);
/** fd of the module's file or else of its separate debug file, whichever has a section of this
 * name; -1. */
int lk_module_open_section(struct lk_unwinder *u, struct lk_module *m, const char *section);

/* ---- unwind.c ----------------------------------------------------------------------- */

struct lk_frame_key {
    lk_addr pc;
    bool exact; /* pc is where execution goes on by itself, not a return address */
};

/** What is known of the line at one address, also that there is none. */
struct lk_line_record {
    const char *module_path; /* the module's own pointer */
    uint64_t vaddr;
    const char *file; /* NULL = no line; in the unwinder's arena */
    int line;
};

struct lk_unwinder {
    struct lk_process *t;
    struct lk_arena *arena; /* strings of modules */

    LK_VEC(struct lk_module *) modules; /* sorted by base */
    uint64_t maps_hash;
    struct lk_module *last; /* of the last lookup */

    LK_VEC(struct lk_row) rows; /* by pc, good as long as the modules stay */
    struct lk_map row_of_pc;
    LK_VEC(struct lk_expr) exprs;
    uint8_t *entry; /* buffer of cfi.c for one FDE */

    /* Stack words come through a one-page window: most loads of a walk hit the page of the last
     * one. */
    lk_addr window;
    bool window_ok;
    uint8_t window_bytes[LK_PAGE];

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
    struct lk_map line_of;
    unsigned line_helpers; /* helper processes started so far */

    char *(*demangle)(const char *, char *, size_t *, int *);
    bool demangle_tried;
    void *demangle_lib;
};

/** One word of the target's stack. */
bool lk_load_word(struct lk_unwinder *u, lk_addr addr, uint64_t *ret);
/** Forgets rows; to be called when modules changed. */
void lk_unwind_forget_rows(struct lk_unwinder *u);

#endif
