/* Whether anybody else than given frames can get at an object. */
#ifndef LK_READ_PYTHON_STDLIB_REFERENCES_H
#define LK_READ_PYTHON_STDLIB_REFERENCES_H

#include "read/python/interpreter/interpreter.h"

/** A thread or task: its frames, and the object that stands for it, whose references are its own.
 */
struct lk_referrer {
    const struct lk_pyframes *frames;
    lk_addr object; /* 0: not known */
};

/** References that were found from frames. */
struct lk_references;

/**
 * Follows what these frames refer to, so many steps.
 * @param budget  objects that may still be looked at; what is not looked at refers to nothing.
 */
struct lk_references *lk_references_find(struct lk_py *py, const struct lk_referrer *by, size_t n,
                                         unsigned steps, unsigned *budget);
void lk_references_free(struct lk_references *r);

/**
 * True when every reference that the object counts is one of these referrers', or of an object of
 * which the same is true: nobody else can get at it. False also where the build does not count so.
 * @param counts  by referrer: false, it is somebody else; NULL: all count.
 * @param has     by referrer: set where it is one of those who have it; may be NULL.
 */
bool lk_references_keep(struct lk_py *py, const struct lk_references *r, lk_addr obj,
                        const bool *counts, bool *has);

#endif
