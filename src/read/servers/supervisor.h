/*
 * Processes whose job is to wait for their children: server masters, reloaders, shells, container
 * inits. Examined alone they look idle while a child hangs, so the report has to say what they are.
 */
#ifndef LK_READ_SERVERS_SUPERVISOR_H
#define LK_READ_SERVERS_SUPERVISOR_H

#include "process/process.h"

/**
 * After how many milliseconds the parent kills this process when it serves one request for so long:
 * gunicorn's
 * --timeout, which counts requests for sync workers only. LK_UNKNOWN where that does not apply or
 * cannot be told.
 */
int64_t lk_supervisor_timeout(struct lk_process *t, int64_t ppid);

/** What supervisor a process is; NULL: none that is known, or one without children at the moment.
 */
const struct lk_supervisor *lk_supervisor_of(const struct lk_machine *m, int64_t pid);

/** Sets supervisor and supervisor_timeout_ms of a snapshot whose process facts are known
 * (lk_process_identify). */
void lk_supervisor_read(struct lk_process *t, struct lk_snapshot *s);

#endif
