/* From where a code object loads a method of some name. */
#ifndef LK_READ_PYTHON_READER_RECEIVERS_H
#define LK_READ_PYTHON_READER_RECEIVERS_H

#include "read/python/interpreter/interpreter.h"

enum {
    LK_MAX_RECEIVERS = 64,     /* places of one method in one code object */
    LK_MAX_RECEIVER_ATTRS = 6, /* a.b.c.d */
};

enum lk_receiver_origin { LK_FROM_NOWHERE, LK_FROM_LOCAL, LK_FROM_GLOBAL, LK_FROM_NAMESPACE };

/** One place: the object it starts from, and the attributes on the way to the receiver. */
struct lk_receiver {
    enum lk_receiver_origin from;
    const char *name, *attrs[LK_MAX_RECEIVER_ATTRS];
    unsigned n_attrs;
    /* the local is stored more than once, or in a loop: what it is now it will be at this place
     * only for who is past the last store before it, in stored_at */
    bool loose;
    uint32_t stored_at;
    bool plain; /* the name itself is called: `release()` */
    /* the last unit from where it may be reached: its own, or a jump back to or before it */
    uint32_t until;
    uint32_t at; /* its own unit */
};

/** All places of one method in one code object. */
struct lk_receivers {
    struct lk_receivers *next;
    const char *method;
    bool known; /* false: the code could not be read */
    struct lk_receiver v[LK_MAX_RECEIVERS];
    size_t n;
};

/** Found once a sample, since many frames run the same code. */
const struct lk_receivers *lk_py_receivers(struct lk_py *py, const struct lk_pycode *code,
                                           const char *method);

#endif
