/* Event loops of libraries in C and C++, by the stack of the thread that runs one. */
#ifndef LK_READ_LOOPS_NATIVE_NATIVE_LOOPS_H
#define LK_READ_LOOPS_NATIVE_NATIVE_LOOPS_H

#include "snapshot/snapshot.h"

/** Enters a loop for each thread without Python frames whose native stack says that it runs one:
 * whether it is in the loop's own wait or in a callback. Called once the stacks are unwound. */
void lk_read_native_loops(struct lk_snapshot *s);

#endif
