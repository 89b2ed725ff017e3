/*
 * The listening sockets of a process, how many connections wait in them, and, where a thread waits
 * for an answer from one, which other processes hold it and what they do.
 */
#ifndef LK_PROCESS_LINUX_LISTENERS_H
#define LK_PROCESS_LINUX_LISTENERS_H

#include "process/process.h"

struct lk_kernel_reader;

/** As lk_process_listeners; strings belong to the reader's arena, which is the snapshot's. */
void lk_listeners_read(struct lk_kernel_reader *os, struct lk_snapshot *s);
/** As lk_process_backlog_asks. */
int64_t lk_listeners_backlog_asks(struct lk_kernel_reader *os, uint64_t inode);

#endif
