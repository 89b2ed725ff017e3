/*
 * The listening sockets of a process, how many connections wait in them, and, where a thread waits
 * for an answer from one, which other processes hold it and what they do.
 */
#ifndef LK_PROCESS_LINUX_LISTENERS_H
#define LK_PROCESS_LINUX_LISTENERS_H

#include "process/process.h"

/**
 * Fills s->listeners, from scratch, for the threads as they stand in s. together: processes
 * examined in the same run. Nothing is stopped; may be called again when time has passed.
 */
void lk_listeners_read(struct lk_process *t, struct lk_snapshot *s, const pid_t *together,
                       size_t n_together);

#endif
