/*
 * Which of some wanted objects (tasks, futures) code has at hand: what it could cancel or complete
 * when it is called, or goes on. Asked of a frame, of its variables; of a callback that is yet to
 * be called, of its cells, arguments and bound object, and of the module globals that it names.
 */
#ifndef LK_READ_PYTHON_READER_AT_HAND_H
#define LK_READ_PYTHON_READER_AT_HAND_H

#include "read/python/interpreter/interpreter.h"

struct lk_at_hand_search {
    const struct lk_map *wanted; /* addresses */
    const struct lk_map *scopes; /* those of them that are no task, but cancel one */
    struct lk_map *owned;        /* class -> whether it is of the program: remembered */
    struct lk_map *slotted;      /* class -> whether its instances have slots: remembered */
    unsigned *left;              /* objects that may still be looked at, in all searches together */
    bool methods;                /* of frames: methods that their code names count, too */
    /* the result */
    struct {
        lk_addr *v;
        size_t n, cap;
    } found, met; /* wanted ones; other tasks and futures: their callbacks are not looked at */
    bool unknown; /* something that decides could not be looked into */
    bool cut;     /* a bound ended it: there may be more of them */
};

/** What a frame's variables give; instances by the attributes that its code names. */
void lk_py_at_hand_of_frame(struct lk_py *py, const struct lk_pyf *f, struct lk_at_hand_search *x);
/** What calling it with these arguments (a tuple; 0 none) could reach. */
void lk_py_at_hand_of_callback(struct lk_py *py, lk_addr callback, lk_addr args,
                               struct lk_at_hand_search *x);

#endif
