/* Who could end a wait that any code may end. */
#ifndef LK_READ_LOOPS_COULD_END_H
#define LK_READ_LOOPS_COULD_END_H

#include "read/python/interpreter/interpreter.h"

enum {
    LK_MAX_ASKED_TASKS = 5000 /* more are not asked each: it would take longer than the sample */
};

/** The object that stands for a thread or task; 0. */
lk_addr lk_object_of_party(struct lk_py *py, struct lk_ref who);

/** What is waited for, and what would end that. */
struct lk_ending {
    lk_addr obj;
    const struct lk_refs *waiters; /* in the way that this ends */
    const char *const *methods;    /* NULL-terminated */
    const char *unless;            /* code that calls this too takes no part; NULL */
    /* the waiter's own code does not count: it is what waits, and what it would set it has, were it
     * not for others, made itself */
    bool others;
    bool lends; /* who has the container in which it is kept may end it, too */
};

/** Who could. */
enum lk_ends_it {
    LK_ENDS_NOBODY = 0,
    LK_ENDS_NEXT, /* the code that waits, called once more; which lk_ending.others leaves out */
    LK_ENDS_SOMEBODY,
};

/** What one sample has found so far. */
struct lk_could_end;

/** wanted: addresses of all that will be asked for. End with lk_could_end_free. */
struct lk_could_end *lk_could_end_new(struct lk_py *py, const struct lk_map *wanted);
void lk_could_end_free(struct lk_could_end *x);
/** Frames of a thread or task, in buffer where they have to be read; NULL: none, or not all. */
const struct lk_pyframes *lk_frames_of_party(struct lk_py *py, struct lk_ref who,
                                             struct lk_pyframes *buffer);
/** All references to it are those of who waits for it, himself or through what he awaits. */
bool lk_kept_by_waiters(struct lk_could_end *x, const struct lk_ending *e);
/**
 * Somebody has it at hand, or is called who does, or it could not be told; or nobody was found.
 * *idle: there is code that would end it, but is not called, or is the waiter's.
 */
enum lk_ends_it lk_could_end(struct lk_could_end *x, const struct lk_ending *e, bool *idle);

#endif
