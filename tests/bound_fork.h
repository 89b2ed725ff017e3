/* A child that dies with its parent, whatever happens to that. */
#ifndef LK_TESTS_BOUND_FORK_H
#define LK_TESTS_BOUND_FORK_H

#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

/** fork(2). On a busy machine the parent may be gone before the child has asked for the signal. */
static inline pid_t bound_fork(void)
{
    pid_t parent = getpid(), pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
            _exit(0);
    }
    return pid;
}

#endif
