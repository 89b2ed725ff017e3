/*
 * Whether a process tree gets on, as far as a few reads of /proc tell without stopping anybody:
 * output written (wchar of /proc/PID/io) and processor time used (/proc/PID/stat). It only ever
 * raises a suspicion; judging is an examination's.
 *
 * Time is the caller's, in milliseconds: a caller that was suspended with its command leaves that
 * time out.
 */
#ifndef LK_CLI_RUN_TREE_PROGRESS_H
#define LK_CLI_RUN_TREE_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum lk_suspicion {
    LK_UNSUSPICIOUS = 0,
    LK_SUSPECT_IDLE, /* no output, and less than 2 % of a core used */
    LK_SUSPECT_BUSY, /* no output, and a core or more used: does it compute, or turn in circles? */
    /* no output for five times as long, whatever the processor did: a live poller may hide a
       deadlock */
    LK_SUSPECT_QUIET,
    /* it writes, and was not looked at for long: the caller's own suspicion */
    LK_SUSPECT_TALKING,
};

struct lk_tree_progress;

/** Watches root (the guardian: what it has reaped counts) and all its descendants. */
struct lk_tree_progress *lk_tree_progress_create(pid_t root, unsigned window_ms, uint64_t now);
void lk_tree_progress_destroy(struct lk_tree_progress *p);

/** Looks once. */
void lk_tree_progress_look(struct lk_tree_progress *p, uint64_t now);

/** What the looks of the last window_ms say. */
enum lk_suspicion lk_tree_progress_suspect(const struct lk_tree_progress *p, uint64_t now);

/** Milliseconds without output; cores used on average over the window (or what there is of it). */
uint64_t lk_tree_progress_quiet_ms(const struct lk_tree_progress *p, uint64_t now);
double lk_tree_progress_cores(const struct lk_tree_progress *p, uint64_t now);

#endif
