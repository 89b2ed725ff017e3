/*
 * Processes whose job is to wait for their children: server masters, reloaders, shells, container
 * inits. Examined alone they look idle while a child hangs, so the report has to say what they are.
 */
#ifndef LK_READ_SERVERS_SUPERVISOR_H
#define LK_READ_SERVERS_SUPERVISOR_H

#include "process/linux/procfs.h"
#include "snapshot/snapshot.h"

/** What a process runs, as far as its names tell. */
struct lk_program {
    char exe[64]; /* file name of its executable; "" unknown */
    /* of the program: for an interpreter the script or module it runs ("gunicorn", "app.py") */
    char name[64];
    char comm[64];
    struct lk_procfs_args args;
};
/** base as by lk_procfs_base. */
void lk_program_read(const char *base, struct lk_program *ret);
void lk_program_deinit(struct lk_program *p);

/**
 * After how many milliseconds the parent kills this process when it serves one request for so long:
 * gunicorn's
 * --timeout, which counts requests for sync workers only. LK_UNKNOWN where that does not apply or
 * cannot be told.
 */
int64_t lk_supervisor_timeout(const char *base, pid_t ppid);

/** Sets supervisor (NULL also for one that has no children at the moment) and supervisor_timeout_ms
 * of a snapshot whose process facts and children are known (lk_process_facts_read). */
void lk_supervisor_read(struct lk_snapshot *s);

#endif
