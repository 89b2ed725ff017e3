/*
 * The order of steps as a pure function, without clock or process, so that it can be tested as a
 * table.
 */
#include "examine/next_step.h"

/*
 * With --samples 1 a second look shortly after often decides what one alone cannot (threads that
 * another tool has just interrupted look freshly asleep), long before --stalled-after has passed.
 * So it does for loops that seem left behind. There is at most one second look, and nothing comes
 * after the watch.
 */
enum lk_step lk_step_after(enum lk_step last, size_t n_samples, const struct lk_look_again *again)
{
    const bool needs_time = again->threads.n || again->at_end;
    const bool soon = again->at_once || (n_samples == 1 && needs_time);
    if (last < LK_STEP_SECOND_LOOK && soon)
        return LK_STEP_SECOND_LOOK;
    return last < LK_STEP_WATCH && needs_time ? LK_STEP_WATCH : LK_STEP_NONE;
}
