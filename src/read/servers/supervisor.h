/*
 * Processes whose job is to wait for their children: server masters, reloaders, shells, container
 * inits. Examined alone they look idle while a child hangs, so the report has to say what they are.
 */
#ifndef LK_READ_SERVERS_SUPERVISOR_H
#define LK_READ_SERVERS_SUPERVISOR_H

#include <sys/types.h>

#include "snapshot/snapshot.h"

/**
 * After how many milliseconds the parent kills this process when it serves one request for so long:
 * gunicorn's
 * --timeout, which counts requests for sync workers only. LK_UNKNOWN where that does not apply or
 * cannot be told.
 */
int64_t lk_supervisor_timeout(const char *base, pid_t ppid);

/** What supervisor a process is; NULL: none that is known, or one without children at the moment.
 */
const struct lk_supervisor *lk_supervisor_of(pid_t pid);

/** Sets supervisor and supervisor_timeout_ms of a snapshot whose process facts are known
 * (lk_process_facts_read). */
void lk_supervisor_read(struct lk_snapshot *s);

#endif
