/* Whether another process is at work, by what the kernel says of its threads. */
#ifndef LK_PROCESS_LINUX_CHILD_WORK_H
#define LK_PROCESS_LINUX_CHILD_WORK_H

#include "process/process.h"

/** Of the process pid of the machine that t runs on. LK_CHILD_UNKNOWN where it may not be read. */
enum lk_child_does lk_child_work(const struct lk_process *t, pid_t pid);

/**
 * The process has one thread, which has slept for a while in a read of that pipe ("pipe:[123]") or
 * on the futex word at that address: where a pool's worker waits for the next job.
 */
bool lk_child_idles_at(const struct lk_process *t, pid_t pid, const char *pipe, lk_addr futex);

/**
 * The pipe that a thread of the process pid is blocked writing to while process reader has its
 * reading end: "pipe:[123]", in the arena; NULL where there is none, or that may not be read.
 */
const char *lk_child_fills_pipe(const struct lk_process *t, pid_t pid, pid_t reader,
                                struct lk_arena *arena);

#endif
