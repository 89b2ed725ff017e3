/* Words of a stack through a window of one page: most loads of a walk hit the page of the last one.
 */
#ifndef LK_READ_NATIVE_UNWIND_STACK_WINDOW_H
#define LK_READ_NATIVE_UNWIND_STACK_WINDOW_H

#include "process/process.h"

/** Zeroed: nothing is in it, which is also how a walk begins. */
struct lk_stack_window {
    lk_addr page;
    bool ok; /* bytes are those of page */
    uint8_t bytes[LK_PAGE];
};

/** One word of the target's memory. */
bool lk_stack_word(struct lk_stack_window *w, struct lk_process *t, lk_addr addr, uint64_t *ret);

#endif
