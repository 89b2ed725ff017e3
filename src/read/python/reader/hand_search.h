/*
 * Inside of at_hand.c and the files beside it: one search of a frame or a callback for what it has
 * at hand.
 */
#ifndef LK_READ_PYTHON_READER_HAND_SEARCH_H
#define LK_READ_PYTHON_READER_HAND_SEARCH_H

#include "read/python/interpreter/interpreter.h"
#include "util/map.h"
#include "util/vec.h"

enum {
    LK_HAND_MAX_NAMES = 1024, /* of one search */
    LK_HAND_MAX_NESTED = 4,   /* containers within containers */
};

/** An instance whose named attributes count. */
struct lk_hand_instance {
    lk_addr obj;
    unsigned depth;
    size_t asked; /* how many names there were when it was asked last */
    bool module, global;
    bool own; /* of the program, though a library calls its methods */
};

struct lk_hand_search {
    struct lk_at_hand_search *out;
    struct lk_map seen;
    struct lk_map names; /* addresses of strings: names in code and keys of dicts are interned */
    LK_VEC(struct lk_hand_instance) instances;
    bool names_end, names_all; /* one of them ends a wait; gives all tasks there are */
    unsigned functions;
    unsigned deep; /* objects that are being looked at, one within the other */
    bool calls;    /* methods and functions that are named count as called */
    bool methods;  /* ... the methods alone */
    /* the code is of a library: a frame has the attributes of its `self` at hand, a callback those
     * of its object, and not what these lead to */
    bool library;
    bool in_function;        /* a function's cells and defaults are being looked at */
    bool global;             /* ... or what was reached by way of a module's globals */
    struct lk_map by_global; /* wanted objects that were */
};

/* ---- hand_names.c -------------------------------------------------------------------- */

/** One object more; false when the budget of all searches is spent. */
bool lk_hand_spend(struct lk_hand_search *x);
/** Code of the standard library or of an installed package. */
bool lk_hand_is_library(struct lk_py *py, lk_addr code);
/** Attributes of a class and of those it derives from, as far as they are written in Python. */
void lk_hand_each_class_attr(struct lk_py *py, const struct lk_pytype *ty,
                             bool (*fn)(struct lk_py *, lk_addr, lk_addr, void *), void *arg);
/** The object's class, or one that it derives from, has a method of the program's own. */
bool lk_hand_is_own_class(struct lk_py *py, struct lk_hand_search *x, lk_addr obj);
void lk_hand_add_name(struct lk_py *py, struct lk_hand_search *x, lk_addr str);
/** The code's names, n of them; NULL when there are none or too many. */
lk_addr *lk_hand_names_of(struct lk_py *py, struct lk_hand_search *x, lk_addr code, size_t *n);

/* ---- hand_search.c ------------------------------------------------------------------- */

/** Looks at one object; nested: containers around it, depth: instances it was reached through. */
void lk_hand_look(struct lk_py *py, struct lk_hand_search *x, lk_addr obj, unsigned nested,
                  unsigned depth);
/** A visitor of a frame's variables; arg: the search. */
bool lk_hand_look_at_local(struct lk_py *py, const char *name, lk_addr value, void *arg);
/** Methods of the program's own that a library calls; names: ended by NULL. */
void lk_hand_look_at_methods(struct lk_py *py, struct lk_hand_search *x, lk_addr obj,
                             const char *const *names);

#endif
