/* The thread states of one sample while they are matched with threads. */
#ifndef LK_READ_PYTHON_INTERPRETER_TSTATES_H
#define LK_READ_PYTHON_INTERPRETER_TSTATES_H

#include "read/python/interpreter/interpreter.h"

struct tstate {
    lk_addr addr;
    unsigned interp; /* index in py->interpreters */
    uint64_t ident;
    int64_t tid;      /* -1 not known */
    size_t thread;    /* index in the snapshot; SIZE_MAX none */
    lk_addr on_stack; /* where on its thread's stack its code is evaluated; 0 not known */
    bool moved;       /* its ids are those of the thread that made it, which is another one */
};
struct tstates {
    struct tstate *v;
    size_t n, cap;
    LK_VEC(lk_addr) touched; /* what the list was read from */
};

/** Which of several interpreters' code each thread runs, and in which order: by whose stack it is
 * evaluated on. Afterwards the states of one thread stand together, the innermost first. */
void lk_py_place_tstates(struct lk_py *py, struct tstates *ts);

#endif
