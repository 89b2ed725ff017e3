/* Which folders the target imports from. */
#ifndef LK_READ_PYTHON_INTERPRETER_SEARCH_PATH_H
#define LK_READ_PYTHON_INTERPRETER_SEARCH_PATH_H

#include "read/python/interpreter/interpreter.h"

/** Fills py's stdlib, own_folders and prefix. */
void lk_py_find_folders(struct lk_py *py);

#endif
