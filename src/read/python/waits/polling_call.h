/* Calls that sleep in short slices, and look in between whether what they wait for has come. */
#ifndef LK_READ_PYTHON_WAITS_POLLING_CALL_H
#define LK_READ_PYTHON_WAITS_POLLING_CALL_H

#include "read/python/interpreter/interpreter.h"

/**
 * Makes a short sleep of library or C code the wait of the program's call below which it is made
 * (LK_WAIT_POLLS, call_id), where nothing bounds that. Nothing else of the wait changes.
 */
void lk_py_read_polling_call(struct lk_py *py, const struct lk_thread *t,
                             const struct lk_pyframes *frames, struct lk_wait *w);

#endif
