/* CPU time of a thread: clock_gettime(2). A forked helper's clock begins at 0, so that what its
 * parent may spend is enough for it. */
#include "process/budget.h"

#include <time.h>

#include "process/process_impl.h"
#include "util/memory.h"

enum { LOOK_EVERY = 256 }; /* reads; a look at the thread's clock is a system call */

static uint64_t cpu_us(void)
{
    struct timespec now;

    if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now) != 0)
        return 0;
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

void lk_process_set_budget(struct lk_process *t, const struct lk_budget *b)
{
    t->budget = *b;
    t->spending = (struct lk_spending){ .used_before = lk_memory_used() };
    if (b->cpu_ms)
        t->spending.cpu_end_us = cpu_us() + (uint64_t)b->cpu_ms * 1000;
}

/* Whether it was to stop and has had its time for that. */
static bool must_stop(struct lk_process *t, int stop)
{
    struct lk_spending *s = &t->spending;

    if (!s->stop_us)
        s->stop_us = lk_now_us() + (uint64_t)t->budget.stop_ms[stop < 0] * 1000;
    return lk_now_us() >= s->stop_us;
}

const char *lk_process_spent(struct lk_process *t)
{
    const struct lk_budget *b = &t->budget;
    struct lk_spending *s = &t->spending;
    const int stop = b->stop ? __atomic_load_n(b->stop, __ATOMIC_RELAXED) : 0;

    if (s->why || (!stop && ++s->looks % LOOK_EVERY != 0))
        return s->why;
    if (stop && must_stop(t, stop))
        s->why = "it was told to end";
    else if (s->cpu_end_us && cpu_us() >= s->cpu_end_us)
        s->why = "the CPU time for one process is spent";
    else if (b->bytes && (ptrdiff_t)(lk_memory_used() - s->used_before) > (ptrdiff_t)b->bytes)
        s->why = "the memory for one process is spent";
    return s->why;
}
