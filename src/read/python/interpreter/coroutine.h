/* Generators and coroutines: state, frame, and what a suspended one awaits. */
#ifndef LK_READ_PYTHON_INTERPRETER_COROUTINE_H
#define LK_READ_PYTHON_INTERPRETER_COROUTINE_H

#include "read/python/interpreter/interpreter.h"

enum lk_gen_state {
    LK_GEN_UNKNOWN = 0,
    LK_GEN_CREATED,
    LK_GEN_SUSPENDED,
    LK_GEN_EXECUTING,
    LK_GEN_FINISHED
};
enum lk_gen_state lk_py_gen_state(struct lk_py *py, lk_addr gen);
/** Frame of a generator, coroutine or async generator; false when finished. */
bool lk_py_gen_frame(struct lk_py *py, lk_addr gen, struct lk_pyf *f);
/**
 * Follows the await chain from coro (outermost) inwards. frames: outermost first. *leaf: the object
 * at the end that is no coroutine (a future's iterator gives the future; 0 when none), *leaf_type
 * its class name when it is something unknown. Frames are appended to `frames`, whose v is malloc'd
 * (reuse with n = 0, free).
 */
bool lk_py_await_chain(struct lk_py *py, lk_addr coro, struct lk_pyframes *frames, lk_addr *leaf,
                       const char **leaf_type, bool *truncated);

#endif
