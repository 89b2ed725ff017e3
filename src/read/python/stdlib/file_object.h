/* Which threads work with a locked file. */
#ifndef LK_READ_PYTHON_STDLIB_FILE_OBJECT_H
#define LK_READ_PYTHON_STDLIB_FILE_OBJECT_H

#include "read/python/interpreter/interpreter.h"

/** Who uses a file that it or another thread waits to lock. */
void lk_py_read_files(struct lk_py *py);

#endif
