/* Instructions of a code object. */
#ifndef LK_READ_PYTHON_INTERPRETER_BYTECODE_H
#define LK_READ_PYTHON_INTERPRETER_BYTECODE_H

#include "read/python/interpreter/interpreter.h"
#include "read/python/interpreter/opcode_table.h"

struct lk_insn {
    uint32_t start; /* code unit of its first EXTENDED_ARG */
    uint32_t at;    /* ... of the opcode itself */
    uint32_t arg;
    uint8_t cls;
};

/** A code object's instructions. Arrays of units are parallel to the code, two bytes a unit. */
struct lk_decoded {
    struct lk_insn *v;
    size_t n, units;
    uint8_t *begins, *target; /* unit begins an instruction, is jumped to */
    int32_t *loops;           /* backward jumps that span the unit */
};

/** False when the code is not consistent: unknown opcodes, jumps to the inside of an instruction, a
 * cut-off end. */
bool lk_py_decode(const struct lk_optable *t, const uint8_t *code, size_t n_bytes,
                  struct lk_decoded *ret);
/** The same of a code object in the target, as its version reads it; NULL when it cannot be read.
 */
const struct lk_optable *lk_py_decode_code(struct lk_py *py, const struct lk_pycode *c,
                                           struct lk_decoded *ret);
void lk_py_decoded_deinit(struct lk_decoded *d);
/** The unit a jump leads to; next is the one behind it and its caches. -1 = none that can be. */
int64_t lk_py_jump_target(const struct lk_optable *t, const struct lk_insn *in, int64_t next);

#endif
