/*
 * The table of modules: the ELF files that the target maps, one entry a loaded copy. Headers are
 * read from the target's memory: that is what really runs, also when the file was deleted or
 * replaced, and a file that shrinks cannot hurt us.
 */
#ifndef LK_READ_NATIVE_ELF_MODULES_H
#define LK_READ_NATIVE_ELF_MODULES_H

#include "process/elf_file.h"
#include "process/process.h"
#include "util/vec.h"

struct lk_symtab;

/** One ELF file as mapped once by the target. */
struct lk_module {
    lk_addr base, end;       /* span of its mappings, end exclusive */
    struct lk_mapping map;   /* its first mapping; path is in the table's arena */
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

/** To be zeroed, with t and arena set, before its first use. */
struct lk_modules {
    struct lk_process *t;
    struct lk_arena *arena;          /* of names and paths; the caller's, outlives the table */
    LK_VEC(struct lk_module *) list; /* sorted by base */
    uint64_t maps_hash;
    struct lk_module *last; /* of the last lookup */
};

/** Reads the target's maps and rebuilds the table when they changed (then *changed is true);
 * modules that stayed where they were are kept. False with err: the table is as it was. */
bool lk_modules_read(struct lk_modules *ms, bool *changed, struct lk_error *err);
void lk_modules_deinit(struct lk_modules *ms);
/** The module that holds pc, headers loaded; NULL when there is none. */
struct lk_module *lk_module_at(struct lk_modules *ms, lk_addr pc);

#endif
