/*
 * Signals to the descendants of a process, each sent by a pidfd (pidfd_open(2), Linux 5.3;
 * pidfd_send_signal(2), 5.1) of which it was checked that it descends from the root: a number that
 * was given anew hits nobody else. Where the calls are not to be had kill(2) does it.
 */
#include "cli/run/kill_tree.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "process/linux/process_tree.h"
#include "process/linux/procfs.h"

enum { GENERATIONS = 4096 };

bool lk_kill_tree_descends(pid_t pid, pid_t root)
{
    struct lk_procfs_stat st;
    for (int i = 0; i < GENERATIONS && pid > 1; i++, pid = st.ppid) {
        if (pid == root)
            return true;
        if (!lk_procfs_stat_of(pid, &st))
            return false;
    }
    return false;
}

/* The call may be unknown to the kernel, or forbidden by a container's filter: kill(2) then has the
 * last word. */
static bool send_by_descriptor(int fd, int number)
{
    return fd >= 0 && syscall(SYS_pidfd_send_signal, fd, number, NULL, 0) == 0;
}

bool lk_kill_tree_signal(pid_t root, pid_t pid, int number)
{
    const int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (fd < 0 && errno == ESRCH)
        return true;
    /* Looked at after the descriptor was made: whoever has the number now, the descriptor is of him
     * or of a dead one. */
    bool denied = false;
    if (pid != root && lk_kill_tree_descends(pid, root) && !send_by_descriptor(fd, number))
        denied = kill(pid, number) != 0 && errno == EPERM;
    if (fd >= 0)
        close(fd);
    return !denied;
}

static char state_of(pid_t pid)
{
    struct lk_procfs_stat st;
    return lk_procfs_stat_of(pid, &st) ? st.state : 'X';
}

size_t lk_kill_tree_members(pid_t root, pid_t *pids, size_t max)
{
    pid_t *all = calloc(LK_TREE_MAX, sizeof *all);
    const size_t n_all = all ? lk_tree_list(root, all, LK_TREE_MAX) : 0;
    size_t n = 0;
    for (size_t i = 1; i < n_all && n < max; i++) {
        const char state = state_of(all[i]);
        if (state != 'Z' && state != 'X')
            pids[n++] = all[i];
    }
    free(all);
    return n;
}

void lk_kill_tree_ask(pid_t root, int number)
{
    pid_t *pids = calloc(LK_TREE_MAX, sizeof *pids);
    const size_t n = pids ? lk_kill_tree_members(root, pids, LK_TREE_MAX) : 0;
    for (size_t i = 0; i < n; i++)
        lk_kill_tree_signal(root, pids[i], number);
    for (size_t i = 0; i < n; i++)
        if (state_of(pids[i]) == 'T')
            lk_kill_tree_signal(root, pids[i], SIGCONT);
    free(pids);
}

size_t lk_kill_tree_kill(pid_t root, pid_t *denied)
{
    pid_t *pids = calloc(LK_TREE_MAX, sizeof *pids);
    const size_t n = pids ? lk_kill_tree_members(root, pids, LK_TREE_MAX) : 0;
    *denied = 0;
    for (size_t i = 0; i < n; i++)
        if (!lk_kill_tree_signal(root, pids[i], SIGKILL))
            *denied = pids[i];
    free(pids);
    return n;
}
