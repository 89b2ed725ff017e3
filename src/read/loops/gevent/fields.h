/* Fields of gevent's objects, compiled or not. */
#ifndef LK_READ_LOOPS_GEVENT_FIELDS_H
#define LK_READ_LOOPS_GEVENT_FIELDS_H

#include "read/python/interpreter/interpreter.h"

enum {
    LK_GEVENT_WORDS = 32, /* of a compiled object that are looked at */
};

/** An attribute by name, or in a compiled object the first word that holds an object of that kind;
 * 0. */
lk_addr lk_gevent_field(struct lk_py *py, lk_addr obj, const char *name, enum lk_pykind kind);
/** The words of a compiled object, as many as it has; those behind are 0. */
bool lk_gevent_words(struct lk_py *py, lk_addr obj, uint64_t ret[LK_GEVENT_WORDS]);
bool lk_gevent_is_waiter(struct lk_py *py, lk_addr obj);
/** The greenlet that calling this would go on with: by its own switch, a Waiter or a method of one;
 * or (*self) the greenlet itself, or another method of it. 0: none. */
lk_addr lk_gevent_wakes(struct lk_py *py, lk_addr obj, bool *self);

#endif
