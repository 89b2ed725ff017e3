/* Who would end a wait that any code may end. */
#ifndef LK_READ_PYTHON_STDLIB_LIKELY_ENDERS_H
#define LK_READ_PYTHON_STDLIB_LIKELY_ENDERS_H

#include "read/python/interpreter/interpreter.h"

/** Sets the likely enders of the things that any code may end. */
void lk_py_find_likely_enders(struct lk_py *py);

#endif
