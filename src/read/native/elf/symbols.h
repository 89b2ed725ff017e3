/* Names of functions by address, from the symbol tables of modules and of their debug files. */
#ifndef LK_READ_NATIVE_ELF_SYMBOLS_H
#define LK_READ_NATIVE_ELF_SYMBOLS_H

#include "read/native/elf/modules.h"

#define LK_MAX_SYMBOL_NAME 512

struct lk_symbol_name {
    char text[2 * LK_MAX_SYMBOL_NAME]; /* raw bytes, as in the file but for suffixes of clones */
    uint64_t offset;                   /* of pc from the symbol's start */
};
/** Function that holds vaddr; false when no symbol does. */
bool lk_symbol_find(struct lk_process *t, struct lk_module *m, uint64_t vaddr,
                    struct lk_symbol_name *ret);
void lk_symtab_destroy(struct lk_symtab *s);
/** fd of the module's file or else of its separate debug file, whichever has a section of this
 * name; -1. */
int lk_module_open_section(struct lk_process *t, struct lk_module *m, const char *section);

#endif
