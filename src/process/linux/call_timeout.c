/*
 * Timeouts of system calls: in milliseconds from the begin of the call, whatever shape they have
 * among the arguments. Which clock a call means: futex(2), clock_nanosleep(2), io_uring_enter(2),
 * and kernel/futex/syscalls.c for those that the pages leave out.
 */
#include "process/linux/call_timeout.h"

#include <linux/futex.h>
#include <time.h>

#define MAX_SANE_MS (INT64_MAX / 4)

#ifndef FUTEX_LOCK_PI2
#define FUTEX_LOCK_PI2 13
#endif

struct remote_time {
    int64_t sec, frac;
};

/* Milliseconds, rounded up so that what has not ended is never 0; LK_UNKNOWN for a value that no
 * call accepts. */
static int64_t to_ms(struct remote_time t, int64_t per_sec)
{
    if (t.sec < 0 || t.frac < 0 || t.frac >= per_sec)
        return LK_UNKNOWN;
    if (t.sec > MAX_SANE_MS / 1000)
        return MAX_SANE_MS;
    int64_t per_ms = per_sec / 1000;
    return t.sec * 1000 + (t.frac + per_ms - 1) / per_ms;
}

static int64_t relative_timeout(const struct lk_call_decode *d, lk_addr at, int64_t per_sec)
{
    struct remote_time t;
    if (at == 0)
        return LK_FOREVER;
    return lk_read(d->r->target, at, &t, sizeof(t)) ? to_ms(t, per_sec) : LK_UNKNOWN;
}

static int64_t absolute_timeout(const struct lk_call_decode *d, lk_addr at, clockid_t clock)
{
    int64_t deadline = relative_timeout(d, at, 1000000000);
    struct timespec now;
    if (deadline == LK_FOREVER || deadline == LK_UNKNOWN)
        return deadline;
    if (lk_process_is_moment(d->r->target))
        return LK_SOMETIME;
    if (clock_gettime(clock, &now) != 0)
        return LK_UNKNOWN;
    int64_t left = deadline - (now.tv_sec * 1000 + now.tv_nsec / 1000000);
    return LK_MAX(left, 0);
}

static int64_t sleep_timeout(const struct lk_call_decode *d)
{
    if (!(lk_call_arg(d, 1) & TIMER_ABSTIME)) {
        bool cpu_clock = lk_call_int(d, 0) < 0 || lk_call_int(d, 0) == CLOCK_PROCESS_CPUTIME_ID;
        return cpu_clock ? LK_UNKNOWN : relative_timeout(d, lk_call_arg(d, 2), 1000000000);
    }
    switch (lk_call_int(d, 0)) { /* the clocks that tell us what they tell the target */
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_ALARM: return absolute_timeout(d, lk_call_arg(d, 2), CLOCK_REALTIME);
    case CLOCK_MONOTONIC: return absolute_timeout(d, lk_call_arg(d, 2), CLOCK_MONOTONIC);
    case CLOCK_BOOTTIME:
    case CLOCK_BOOTTIME_ALARM: return absolute_timeout(d, lk_call_arg(d, 2), CLOCK_BOOTTIME);
    case CLOCK_TAI: return absolute_timeout(d, lk_call_arg(d, 2), CLOCK_TAI);
    default: return LK_UNKNOWN;
    }
}

static clockid_t futex_clock(int op)
{
    return op & FUTEX_CLOCK_REALTIME ? CLOCK_REALTIME : CLOCK_MONOTONIC;
}

/* futex(2): only FUTEX_WAIT takes a relative time; FUTEX_LOCK_PI always means CLOCK_REALTIME. */
static int64_t futex_timeout(const struct lk_call_decode *d)
{
    int op = lk_call_int(d, 1);
    switch (op & FUTEX_CMD_MASK) {
    case FUTEX_WAIT: return relative_timeout(d, lk_call_arg(d, 3), 1000000000);
    case FUTEX_WAIT_BITSET:
    case FUTEX_WAIT_REQUEUE_PI:
    case FUTEX_LOCK_PI2: return absolute_timeout(d, lk_call_arg(d, 3), futex_clock(op));
    case FUTEX_LOCK_PI: return absolute_timeout(d, lk_call_arg(d, 3), CLOCK_REALTIME);
    default: return LK_UNKNOWN;
    }
}

static int64_t named_clock_timeout(const struct lk_call_decode *d, lk_addr at, int32_t clock)
{
    if (at == 0)
        return LK_FOREVER;
    return clock == CLOCK_REALTIME || clock == CLOCK_MONOTONIC ? absolute_timeout(d, at, clock)
                                                               : LK_UNKNOWN;
}

/*
 * io_uring_enter(2): the timeout stands in an extended argument { sigmask, size, pad, ts } if there
 * is one. Without it a timeout may be a request of its own in the ring, which is not looked at.
 */
static int64_t ring_timeout(const struct lk_call_decode *d)
{
    enum { EXT_ARG = 1 << 3, ABS_TIMER = 1 << 5 };
    uint64_t ts;
    if (!(lk_call_arg(d, 3) & EXT_ARG) || (lk_call_arg(d, 3) & ABS_TIMER) ||
        !lk_read_u64(d->r->target, lk_call_arg(d, 4) + 16, &ts))
        return LK_UNKNOWN;
    return ts ? relative_timeout(d, ts, 1000000000) : LK_UNKNOWN;
}

static int64_t special_timeout(const struct lk_call_decode *d)
{
    switch (d->call->call) {
    case LK_CALL_FUTEX: return futex_timeout(d);
    case LK_CALL_FUTEX_WAIT: return named_clock_timeout(d, lk_call_arg(d, 4), lk_call_int(d, 5));
    case LK_CALL_FUTEX_WAITV: return named_clock_timeout(d, lk_call_arg(d, 3), lk_call_int(d, 4));
    case LK_CALL_SLEEP: return sleep_timeout(d);
    case LK_CALL_RING: return ring_timeout(d);
    default: return LK_UNKNOWN;
    }
}

int64_t lk_call_timeout(const struct lk_call_decode *d)
{
    uint64_t value = d->call->timeout >= 0 ? lk_call_arg(d, d->call->timeout) : 0;
    switch (d->call->shape) {
    case LK_TIMEOUT_NONE:
    case LK_TIMEOUT_SOCKET: /* once it is known to be a socket */
        return d->call->call == LK_CALL_OTHER ? LK_UNKNOWN : LK_FOREVER;
    case LK_TIMEOUT_MS: return (int32_t)(uint32_t)value < 0 ? LK_FOREVER : (int32_t)(uint32_t)value;
    case LK_TIMEOUT_TIMESPEC: return relative_timeout(d, value, 1000000000);
    case LK_TIMEOUT_TIMEVAL: return relative_timeout(d, value, 1000000);
    case LK_TIMEOUT_REALTIME: return absolute_timeout(d, value, CLOCK_REALTIME);
    case LK_TIMEOUT_SPECIAL: return special_timeout(d);
    }
    return LK_UNKNOWN;
}

/*
 * A timeout that counts from the begin of the call has run for as long as the thread has slept in
 * it. It may have been woken in between and gone to sleep again inside of the call, so this is the
 * most that can be left.
 */
int64_t lk_call_time_left(const struct lk_call_decode *d)
{
    bool relative =
        d->call->shape == LK_TIMEOUT_MS || d->call->shape == LK_TIMEOUT_TIMESPEC ||
        d->call->shape == LK_TIMEOUT_TIMEVAL || d->call->shape == LK_TIMEOUT_SOCKET ||
        (d->call->call == LK_CALL_SLEEP && !(lk_call_arg(d, 1) & TIMER_ABSTIME)) ||
        (d->call->call == LK_CALL_FUTEX && (lk_call_int(d, 1) & FUTEX_CMD_MASK) == FUTEX_WAIT);
    int64_t ms = d->ret->timeout_ms;
    if (!relative || ms == LK_FOREVER || ms == LK_UNKNOWN || d->f->off_cpu_ms == LK_UNKNOWN ||
        d->f->off_cpu_ms < 0)
        return ms;
    return LK_MAX(ms - d->f->off_cpu_ms, 0);
}
