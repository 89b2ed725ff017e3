/* What a frame's value stack tells: `with` blocks it is in, the method call that is pending. */
#ifndef LK_READ_PYTHON_INTERPRETER_VALUE_STACK_H
#define LK_READ_PYTHON_INTERPRETER_VALUE_STACK_H

#include "read/python/interpreter/interpreter.h"

/** Objects whose `with` body f is inside (bound __exit__ / __aexit__ selves) by the exact rule;
 * returns how many. */
size_t lk_py_held_managers(struct lk_py *py, const struct lk_pyf *f, lk_addr *ret, size_t max);
/** A candidate for the pending call: slot (0 = bottom of the value stack), its object and the
 * method's name. */
struct lk_pypending {
    int slot;
    lk_addr self;
    char method[32];
};
/** All candidates, best first: with an unknown stack depth stale slots can look like one, a second
 * witness (futex address) decides. */
size_t lk_py_pending_candidates(struct lk_py *py, const struct lk_pyf *f, struct lk_pypending *ret,
                                size_t max);

#endif
