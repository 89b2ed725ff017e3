/*
 * Examines many processes at the same time, each in a thread of its own and each within a deadline:
 * one that cannot be read, is slow or makes us wait for ever (a process stuck in the kernel) costs
 * the others nothing.
 */
#ifndef LK_EXAMINE_PROCESS_SET_H
#define LK_EXAMINE_PROCESS_SET_H

#include "examine/examine.h"

struct lk_joint_result {
    pid_t pid;
    bool ok;
    struct lk_report report;  /* when ok; the caller deinits it */
    struct lk_blocks *blocks; /* when ok: its memory, which the caller adopts or dissolves */
    struct lk_error err;      /* when not */
};

/** One examination, in this thread. Where memory runs out that is its error (LK_ERR_NOMEM). */
void lk_examine_one(pid_t pid, const struct lk_examine_options *o, struct lk_joint_result *ret);
void lk_joint_result_deinit(struct lk_joint_result *r);

/**
 * Fills ret[n], in the order of pids. deadline_ms counts from the begin of each examination; 0:
 * none. At the deadline an examination is asked to end with what it has; one that does not is given
 * up soon after: its thread and memory are left to it.
 */
void lk_examine_together(const pid_t *pids, size_t n, const struct lk_examine_options *o,
                         unsigned deadline_ms, struct lk_joint_result *ret);

#endif
