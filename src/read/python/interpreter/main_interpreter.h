/* The main interpreter, in the layout that is being tried. */
#ifndef LK_READ_PYTHON_INTERPRETER_MAIN_INTERPRETER_H
#define LK_READ_PYTHON_INTERPRETER_MAIN_INTERPRETER_H

#include "read/python/interpreter/interpreter.h"

/** Notes why this Python is not read; always false. */
bool lk_py_fail(struct lk_py *py, const char *fmt, ...) LK_PRINTF(2, 3);
/** The same of an interpreter that is just being set up or taken down. */
bool lk_py_fail_passing(struct lk_py *py, const char *what);
/** Sets interp, modules and type_type; false when what is there is no interpreter in this layout.
 */
bool lk_py_enter_interpreter(struct lk_py *py, lk_addr *sysdict);
/** The version as sys.hexversion has it. */
bool lk_py_hexversion(struct lk_py *py, unsigned *ret);

#endif
