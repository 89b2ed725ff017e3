/* Whose code it is: the standard library's, a package's, or the program's own. */
#ifndef LK_READ_PYTHON_INTERPRETER_STDLIB_PATHS_H
#define LK_READ_PYTHON_INTERPRETER_STDLIB_PATHS_H

#include "read/python/interpreter/interpreter.h"

/** True for code of the standard library. */
bool lk_py_of_stdlib(struct lk_py *py, const struct lk_code *c);
/** A file of the standard library or of an installed package: not the program's own. */
bool lk_py_is_library(struct lk_py *py, const char *file);
enum lk_made_by { LK_MADE_BY_PROGRAM = 0, LK_MADE_BY_PACKAGE, LK_MADE_BY_STDLIB };
/** By the module that made the class. */
enum lk_made_by lk_py_class_made_by(struct lk_py *py, const struct lk_pytype *ty);

#endif
