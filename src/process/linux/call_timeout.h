/*
 * A system call in which a thread is blocked, and how long that may take.
 */
#ifndef LK_PROCESS_LINUX_CALL_TIMEOUT_H
#define LK_PROCESS_LINUX_CALL_TIMEOUT_H

#include "process/arch/syscalls.h"
#include "process/linux/kernel_reader.h"

/** One call being decoded. */
struct lk_call_decode {
    struct lk_kernel_reader *r;
    const struct lk_thread_facts *f;
    const struct lk_syscall *call;
    struct lk_syscall_wait *ret;
};

static inline uint64_t lk_call_arg(const struct lk_call_decode *d, int i)
{
    return d->ret->args[i];
}

/** The kernel takes an int from the low half of the register. */
static inline int32_t lk_call_int(const struct lk_call_decode *d, int i)
{
    return (int32_t)(uint32_t)lk_call_arg(d, i);
}

/** The timeout the call was given, ms from its begin; LK_FOREVER, LK_UNKNOWN. */
int64_t lk_call_timeout(const struct lk_call_decode *d);
/** What is left of d->ret->timeout_ms, which is set. */
int64_t lk_call_time_left(const struct lk_call_decode *d);

#endif
