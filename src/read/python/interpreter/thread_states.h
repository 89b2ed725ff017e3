/* Thread states of the interpreter: names, stacks, who holds and who waits for the GIL. */
#ifndef LK_READ_PYTHON_INTERPRETER_THREAD_STATES_H
#define LK_READ_PYTHON_INTERPRETER_THREAD_STATES_H

#include "read/python/interpreter/interpreter.h"

/** Reads thread states into s->threads (names, ident, stacks, holds_gil) and py->frames_of. */
void lk_py_read_threads(struct lk_py *py);
/** After lk_py_read_threads: GIL waiters by futex address. */
void lk_py_read_gil(struct lk_py *py);

#endif
