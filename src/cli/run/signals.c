/*
 * Signals by signalfd(2) instead of handlers; what a child must get back before execve, which keeps
 * the mask and ignored signals, signal(7). Whether another process has one pending or is stopped is
 * read from proc_pid_status(5) and proc_pid_stat(5).
 */
#include "cli/run/signals.h"

#include <sys/signalfd.h>

#include "process/linux/procfs.h"

static const int taken[] = { SIGHUP,  SIGINT,  SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2,
                             SIGALRM, SIGTSTP, SIGTTIN, SIGTTOU, SIGCONT, SIGCHLD };

static bool ignored(int number)
{
    struct sigaction sa;
    return sigaction(number, NULL, &sa) == 0 && sa.sa_handler == SIG_IGN;
}

int lk_signals_take(struct lk_inherited *was)
{
    sigset_t set;
    was->child_ignored = ignored(SIGCHLD);
    signal(SIGCHLD, SIG_DFL);
    sigemptyset(&set);
    for (size_t i = 0; i < LK_ARRAY_LEN(taken); i++)
        if (!ignored(taken[i]))
            sigaddset(&set, taken[i]);
    if (sigprocmask(SIG_BLOCK, &set, &was->mask) != 0)
        return -1;
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

void lk_signals_restore(const struct lk_inherited *was)
{
    if (was->child_ignored)
        signal(SIGCHLD, SIG_IGN);
    sigprocmask(SIG_SETMASK, &was->mask, NULL);
}

bool lk_signals_stops(int number)
{
    return number == SIGTSTP || number == SIGTTIN || number == SIGTTOU;
}

bool lk_signals_pending(pid_t pid, int number)
{
    char text[4096];
    uint64_t set;
    return lk_procfs_read_of(pid, "status", text, sizeof text) > 0 &&
           lk_procfs_field(text, "ShdPnd:", 16, &set) && (set >> (number - 1) & 1);
}

bool lk_signals_stopped(pid_t pid)
{
    struct lk_procfs_stat st;
    return lk_procfs_stat_of(pid, &st) && st.state == 'T';
}
