/* Whether anybody else than given frames can get at an object. */
#ifndef LK_READ_PYTHON_STDLIB_REFERENCES_H
#define LK_READ_PYTHON_STDLIB_REFERENCES_H

#include "read/python/interpreter/interpreter.h"

/** Whose frames they are, and what stands for them. */
struct lk_referrers {
    const struct lk_pyframes *const *frames; /* of threads and tasks */
    size_t n_frames;
    const lk_addr *parties; /* objects of these threads and tasks: it counts as theirs */
    size_t n_parties;
    unsigned steps;   /* from a frame to the object, at most */
    unsigned *budget; /* objects that may still be looked at */
};

/**
 * LK_YES: every reference that the object counts is one of these frames', or of an object of which
 * the same is true: nobody else can call a method of it. LK_NO: at least one reference was not
 * found there. LK_TRI_UNKNOWN: this build does not count so, or the budget is spent.
 */
enum lk_tri lk_py_is_kept_by(struct lk_py *py, lk_addr obj, const struct lk_referrers *by);

#endif
