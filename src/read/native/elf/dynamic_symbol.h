/*
 * The dynamic symbols of a loaded ELF file, found as the loader finds them: program headers,
 * PT_DYNAMIC, GNU hash (or SysV hash) table. All of these lie in loaded segments, so the target's
 * memory is asked first; the file behind the mapping is the second source (a core without text
 * pages, an unmapped header) and the only one for .symtab.
 */
#ifndef LK_READ_NATIVE_ELF_DYNAMIC_SYMBOL_H
#define LK_READ_NATIVE_ELF_DYNAMIC_SYMBOL_H

#include "process/process.h"

struct lk_elf {
    struct lk_process *t;
    int fd;       /* -1: read from memory */
    lk_addr base; /* lowest mapped address */
    lk_addr bias; /* mapped address - address in the file's own terms */
    uint64_t dyn, dyn_size;
    uint64_t symtab, strtab, gnu_hash, sysv_hash; /* in the file's own terms; 0 = absent */
    uint64_t strsz;
    struct {
        uint64_t vaddr, offset, filesz;
    } load[16];
    size_t n_load;
};

/** Opens the file whose first mapping (file offset 0) is m. False when it is no ELF of its CPU with
 * a dynamic section. */
bool lk_elf_open(struct lk_elf *e, struct lk_process *t, const struct lk_mapping *m);
void lk_elf_close(struct lk_elf *e);
/** Address in the target of a defined dynamic symbol; 0 when there is none. */
lk_addr lk_elf_dynsym(const struct lk_elf *e, const char *name);
/** Number of dynamic symbols, which only the hash tables tell; 0 = not known. */
uint32_t lk_elf_dynsym_count(const struct lk_elf *e);
/** The same as lk_elf_dynsym from the file's .symtab (symbol not exported), an object of at least
 * min_size bytes; 0. Reads the file. */
lk_addr lk_elf_symtab(struct lk_process *t, const struct lk_mapping *m, const char *name,
                      uint64_t min_size);

#endif
