/* One greenlet: in which state it is, on whose C stack, and the Python frames that it left there.
 */
#ifndef LK_READ_LOOPS_GREENLET_GREENLET_H
#define LK_READ_LOOPS_GREENLET_GREENLET_H

#include "read/loops/greenlet/layout.h"

enum lk_greenlet_state {
    LK_GREENLET_UNREADABLE = 0,
    LK_GREENLET_UNSTARTED,
    LK_GREENLET_SUSPENDED,
    LK_GREENLET_CURRENT, /* its frames are its thread's */
    LK_GREENLET_DEAD,
};

struct lk_greenlet {
    lk_addr addr;
    enum lk_greenlet_state state;
    bool main;
    lk_addr stack;       /* an address in the C stack that it goes on on; 0 not known */
    lk_addr start, copy; /* saved bytes of that stack, from start on, stand at copy */
    uint64_t saved;
    lk_addr first_frame; /* innermost; 0 none */
    uint64_t salt;       /* tells one suspension from most others at the same place */
};

/** The greenlets that run on their threads, where the layout tells: address -> 1. */
void lk_greenlet_find_current(struct lk_py *py, const struct lk_greenlet_layout *l,
                              const lk_addr *greenlets, size_t n, struct lk_map *ret);
/** current: what lk_greenlet_find_current found. */
struct lk_greenlet lk_greenlet_read(struct lk_py *py, const struct lk_greenlet_layout *l,
                                    lk_addr obj, const struct lk_map *current);
/** Frames of a suspended greenlet, innermost first; ret's v is malloc'd (reuse with n = 0, free).
 * False when the chain could not be followed to its end. */
bool lk_greenlet_frames(struct lk_py *py, const struct lk_greenlet *g, struct lk_pyframes *ret);
/** What a person knows it by: its class, and its address, as repr() has it. */
const char *lk_greenlet_name(struct lk_py *py, lk_addr obj);
/** The thread that alone can go on with it; NONE when that cannot be told, or it has ended. */
struct lk_ref lk_greenlet_thread(struct lk_py *py, const struct lk_greenlet *g);

#endif
