/*
 * What each instruction of each CPython does with objects and names, as far as following an object
 * through a code object needs it: one table of ranges of opcodes a version.
 */
#ifndef LK_READ_PYTHON_INTERPRETER_OPCODE_TABLE_H
#define LK_READ_PYTHON_INTERPRETER_OPCODE_TABLE_H

#include "util/base.h"

/** What an instruction is to whoever looks for the object an attribute is loaded from. */
enum lk_opclass {
    LK_OPC_INVALID = 0,
    LK_OPC_OTHER,
    LK_OPC_NOP,
    LK_OPC_EXTENDED,
    LK_OPC_FAST,      /* pushes a local */
    LK_OPC_FAST_FAST, /* pushes two: the argument's high and low four bits */
    LK_OPC_DEREF,
    LK_OPC_GLOBAL,
    LK_OPC_NAME,
    LK_OPC_ATTR, /* replaces an object by an attribute, or by a method and itself */
    LK_OPC_SUPER_ATTR,
    LK_OPC_STORE_FAST, /* stores and deletions alike */
    LK_OPC_STORE_FAST_LOAD_FAST,
    LK_OPC_STORE_FAST_STORE_FAST,
    LK_OPC_STORE_DEREF,
    LK_OPC_STORE_GLOBAL,
    LK_OPC_STORE_NAME,
    LK_OPC_STORE_ATTR,
    LK_OPC_IMPORT,
    LK_OPC_JUMP, /* forward */
    LK_OPC_JUMP_BACK,
    LK_OPC_JUMP_ABSOLUTE,
};

struct lk_oprange {
    uint8_t first, last, cls, caches;
};
struct lk_opinfo {
    uint8_t cls, caches; /* enum lk_opclass; inline cache entries behind it */
};

/** One row a CPython version. */
struct lk_optable {
    int version; /* LK_PYVER */
    const struct lk_oprange *ranges;
    size_t n;
    uint8_t jump_unit;    /* bytes of one step of a jump's argument */
    uint8_t global_shift; /* flag bits below the index of LOAD_GLOBAL's name */
    uint8_t attr_shift;   /* ... and of LOAD_ATTR's; LOAD_SUPER_ATTR has one more */
    bool null_above;      /* LOAD_GLOBAL with the flag leaves NULL above the object, not below it */
    bool derefs_apart;    /* cells are counted from 0, not among all locals */
};

/** NULL when the version has no row. */
const struct lk_optable *lk_py_opcodes(int version);
void lk_py_opcodes_expand(const struct lk_optable *t, struct lk_opinfo ret[256]);

#endif
