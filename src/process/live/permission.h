/*
 * Whether a live process may be read, and if not, how to allow it.
 */
#ifndef LK_PROCESS_LIVE_PERMISSION_H
#define LK_PROCESS_LIVE_PERMISSION_H

#include "process/live/live.h"

/** The checks before a process is opened; l->proc_fd is opened by it. False with err when it is
 * refused. */
bool lk_live_check(struct lk_live *l, struct lk_error *err);

#endif
