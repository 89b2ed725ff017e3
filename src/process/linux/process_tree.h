/*
 * The process tree, by one look at /proc: who descends from whom. A process that a subreaper
 * adopted (prctl(2), PR_SET_CHILD_SUBREAPER) is its child by then, so that daemons started below
 * one are found too.
 */
#ifndef LK_PROCESS_LINUX_PROCESS_TREE_H
#define LK_PROCESS_LINUX_PROCESS_TREE_H

#include <stddef.h>
#include <sys/types.h>

/** Writes root and its descendants to pids, parents before children, at most max. Returns how many;
 * 0: no such process. */
size_t lk_tree_list(pid_t root, pid_t *pids, size_t max);

#endif
