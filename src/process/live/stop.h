/*
 * Stopping running threads of a live target. A forked helper is the tracer (SEIZE + INTERRUPT by
 * tid, no SIGSTOP); the caller never becomes one. Whatever happens to the helper - its deadline,
 * SIGKILL to the whole of loopknot - the kernel detaches when it exits and the threads run on.
 */
#ifndef LK_PROCESS_LIVE_STOP_H
#define LK_PROCESS_LIVE_STOP_H

#include "process/stop.h"

/** lk_stop_collect of a live process. */
bool lk_live_stop(struct lk_process *t, const struct lk_stop_request *how,
                  struct lk_stop_result *res, struct lk_error *err);

#endif
