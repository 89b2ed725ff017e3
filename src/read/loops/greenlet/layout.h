/* Where a greenlet keeps its C stack and its frame, found out from the target's own greenlets. */
#ifndef LK_READ_LOOPS_GREENLET_LAYOUT_H
#define LK_READ_LOOPS_GREENLET_LAYOUT_H

#include "read/python/interpreter/interpreter.h"

enum {
    LK_GREENLET_WORDS = 24, /* of a greenlet that are looked at */
};

/** Indexes of 64-bit words of what lk_greenlet_words reads; 0 = there is none. */
struct lk_greenlet_layout {
    unsigned in_object; /* greenlet 1: the fields stand in the Python object itself */
    unsigned inner;     /* bytes: pointer to the C++ part, greenlet 2 and later */
    unsigned stop;      /* stack_stop; stack_start before it; stack_copy and stack_saved behind */
    unsigned frame;     /* top_frame: NULL unless suspended */
    unsigned current;   /* current_frame, since CPython 3.11 the same frame without its object */
    unsigned state;     /* of a main greenlet: its thread's state */
};

/** Reads the words that the layout counts; those behind the end of memory are 0. */
bool lk_greenlet_words(struct lk_py *py, const struct lk_greenlet_layout *l, lk_addr obj,
                       uint64_t ret[LK_GREENLET_WORDS]);

/** The frame where a walk begins: of a top_frame, the frame object (up to CPython 3.10) or the
 * frame that it stands for; 0 when it is no frame object. */
lk_addr lk_greenlet_first_frame(struct lk_py *py, lk_addr top_frame);

/** False when these objects are no greenlets that any layout explains. */
bool lk_greenlet_layout_find(struct lk_py *py, const lk_addr *greenlets, size_t n,
                             struct lk_greenlet_layout *ret);

#endif
