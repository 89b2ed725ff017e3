/* What can be reached from an object by attributes, items and cells, in few steps. */
#ifndef LK_READ_PYTHON_READER_LEADS_TO_H
#define LK_READ_PYTHON_READER_LEADS_TO_H

#include "read/python/interpreter/interpreter.h"

struct lk_leads_to {
    lk_addr wanted; /* 0 none */
    /* ... or several, each of which is told; may be NULL */
    const struct lk_map *each;
    void (*met)(struct lk_py *py, lk_addr obj, void *arg);
    bool not_behind; /* ... and not looked into */
    bool data_only;  /* nor are functions, methods, coroutines and generators */
    /* what an object of a package's class refers to is met only behind what that may call, with its
     * arguments, or behind the program's objects: everybody has the application at hand; where a
     * library's frame has it from, the same holds for the standard library's */
    bool not_packages, not_librarys;
    /* of each object, so many steps away: whether it is to be looked into; may be NULL */
    bool (*visit)(struct lk_py *py, lk_addr obj, unsigned far, void *arg);
    unsigned steps;  /* at most so far away */
    unsigned budget; /* objects to be looked at, in all searches together; used up, all is found */
    /* functions met on the way, if they count; may be NULL */
    void (*function)(struct lk_py *py, lk_addr function, void *arg);
    void *arg;
};

/**
 * True when the object is the wanted one, or leads to it. Neither modules nor classes are looked
 * into, nor what a function names: only what it has in its cells.
 */
bool lk_py_leads_to(struct lk_py *py, lk_addr from, struct lk_leads_to *x);
/** The same from several at once. */
bool lk_py_lead_to(struct lk_py *py, const lk_addr *from, size_t n, struct lk_leads_to *x);

/** Objects that a search begins at. */
struct lk_roots {
    lk_addr *v;
    size_t n, cap;
};
/** Adds the variables of a frame; none of a module's, which are all there is in it: who runs its
 * code need not have them in mind. */
void lk_py_add_roots(struct lk_py *py, const struct lk_pyf *f, struct lk_roots *roots);

#endif
