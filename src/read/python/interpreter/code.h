/* Code objects: names, lines, locals and the exception table. */
#ifndef LK_READ_PYTHON_INTERPRETER_CODE_H
#define LK_READ_PYTHON_INTERPRETER_CODE_H

#include "read/python/interpreter/interpreter.h"

const struct lk_pycode *lk_py_code(struct lk_py *py, lk_addr code);
/** Makes names and kinds of all locals, cells and free variables available in c; false when
 * unreadable. */
bool lk_py_code_locals(struct lk_py *py, const struct lk_pycode *c);
/** Line at a byte offset, 0 = none or not known; the `def` line for a negative offset. */
int lk_py_code_line(struct lk_py *py, const struct lk_pycode *c, int lasti);

/** The entry of the exception table (3.11+) that covers an instruction. */
struct lk_pyhandler {
    int64_t target; /* code unit of the handler */
    int depth;      /* of the value stack it is entered with */
    bool lasti;
};
/** at in code units; false when none covers it. */
bool lk_py_handler(struct lk_py *py, const struct lk_pycode *c, int64_t at,
                   struct lk_pyhandler *ret);

#endif
