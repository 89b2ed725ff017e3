/*
 * Ids of threads as a process in an inner pid namespace sees them.
 */
#ifndef LK_PROCESS_LIVE_PID_NAMESPACE_H
#define LK_PROCESS_LIVE_PID_NAMESPACE_H

#include "process/live/live.h"

/** The last id, and how many there are, of the line NSpid of a status file. False when it has none.
 */
bool lk_pid_ns_parse(const char *status, int64_t *inner, int *levels);
void lk_live_pid_ns_begin_sample(struct lk_live *l);
int64_t lk_live_tid_outside(void *impl, int64_t inner);
void lk_live_pid_ns_destroy(struct lk_live_pid_ns *t);

#endif
