/* Whether another process is at work, by what the kernel says of its threads. */
#ifndef LK_PROCESS_LINUX_CHILD_WORK_H
#define LK_PROCESS_LINUX_CHILD_WORK_H

#include "process/process.h"

/** Of the process pid of the machine that t runs on. LK_CHILD_UNKNOWN where it may not be read. */
enum lk_child_does lk_child_work(const struct lk_process *t, pid_t pid);

#endif
