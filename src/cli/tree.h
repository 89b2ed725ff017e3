/* Descendants of a process, for --tree. */
#ifndef LK_CLI_TREE_H
#define LK_CLI_TREE_H

#include <stddef.h>
#include <sys/types.h>

/** Appends the descendants of root that are not in pids yet (n of them), parents first, at most max in all; returns the new count. */
size_t tree_descendants(pid_t root, pid_t *pids, size_t n, size_t max);

#endif
