/*
 * The threads of a live process, from /proc/PID/task.
 */
#ifndef LK_PROCESS_LIVE_THREADS_H
#define LK_PROCESS_LIVE_THREADS_H

#include "process/process.h"

struct lk_live_threads;

bool lk_live_list_threads(void *impl, struct lk_thread_list *list, bool full, struct lk_error *err);
void lk_live_threads_destroy(struct lk_live_threads *t);

#endif
