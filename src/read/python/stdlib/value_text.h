/* A value of the program as a short text, for --locals. */
#ifndef LK_READ_PYTHON_STDLIB_VALUE_TEXT_H
#define LK_READ_PYTHON_STDLIB_VALUE_TEXT_H

#include "read/python/interpreter/interpreter.h"

/**
 * The value of a variable of that name: a number, a string or a container in a few words, of any
 * other object its class and, where the snapshot knows it, its id and name. Secrets are hidden, by
 * the name and by what util/redact.h knows. Clean, in the snapshot's arena.
 */
const char *lk_py_value_text(struct lk_py *py, const char *name, lk_addr value);

#endif
