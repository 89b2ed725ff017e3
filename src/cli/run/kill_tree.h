/*
 * Ends all descendants of the calling process, which must be a subreaper (prctl(2)): then every
 * orphan below it becomes its child, and having no child left means that nothing of the tree is
 * left.
 */
#ifndef LK_CLI_RUN_KILL_TREE_H
#define LK_CLI_RUN_KILL_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { LK_TREE_MAX = 4096 };

/** Living descendants of root, without it, at most max (of LK_TREE_MAX), parents first. @return how
 * many. */
size_t lk_kill_tree_members(pid_t root, pid_t *pids, size_t max);

/** Whether pid is root or descends from it, as /proc says now. */
bool lk_kill_tree_descends(pid_t pid, pid_t root);

/**
 * Sends a signal to a process if it descends from root, by a pidfd, so that nobody is hit who got
 * the number meanwhile.
 * @return false when it could not be sent to a living descendant (not permitted).
 */
bool lk_kill_tree_signal(pid_t root, pid_t pid, int number);

/** A signal to all descendants of root, and SIGCONT to those that are stopped: a stopped process
 * acts on nothing else. */
void lk_kill_tree_ask(pid_t root, int number);

/** SIGKILL to all descendants of root. @return how many living ones there were; *denied: one of
 * them that we may not kill, or 0.
 */
size_t lk_kill_tree_kill(pid_t root, pid_t *denied);

#endif
