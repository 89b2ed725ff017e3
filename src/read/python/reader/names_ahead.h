/* Which names a frame's code may still come to. */
#ifndef LK_READ_PYTHON_READER_NAMES_AHEAD_H
#define LK_READ_PYTHON_READER_NAMES_AHEAD_H

#include "read/python/interpreter/interpreter.h"

/** What an instruction does with a name: bits. */
enum { LK_NAME_LOADED = 1, LK_NAME_STORED = 2 };

/**
 * By index in the code's co_names, how many are *n: what the instructions do with it that f may
 * still come to: those behind its current one, and in loops around that. NULL: the code cannot be
 * read, and it may be any of them.
 */
const uint8_t *lk_py_names_ahead(struct lk_py *py, const struct lk_pyf *f, size_t *n);
/** The code, from there on, binds an attribute or a variable of that name; or cannot be read. */
bool lk_py_will_store(struct lk_py *py, const struct lk_pyf *f, const char *name);

#endif
