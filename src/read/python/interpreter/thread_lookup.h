/* The threads of this sample, by what Python objects say of them. */
#ifndef LK_READ_PYTHON_INTERPRETER_THREAD_LOOKUP_H
#define LK_READ_PYTHON_INTERPRETER_THREAD_LOOKUP_H

#include "read/python/interpreter/interpreter.h"

/** Raw frames of a thread, innermost first, parallel to its python_stack; NULL none. */
const struct lk_pyframes *lk_py_frames_of_thread(struct lk_py *py, size_t thread);
/** The same of a greenlet that is suspended, by the index of its task. */
const struct lk_pyframes *lk_py_frames_of_greenlet(struct lk_py *py, size_t task);
/** The live thread with this Python ident; kind NONE. */
struct lk_ref lk_py_thread_by_ident(struct lk_py *py, uint64_t ident);

#endif
