/*
 * Signals of a process that stands in for another one: all that ask it to end or to stop are taken
 * up as messages, so that they can be passed on, while the command it starts gets the mask and the
 * dispositions that we were started with.
 */
#ifndef LK_CLI_RUN_SIGNALS_H
#define LK_CLI_RUN_SIGNALS_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

/** What we were started with and have changed. */
struct lk_inherited {
    sigset_t mask;
    bool child_ignored; /* SIGCHLD was: then the kernel would keep no exit status for us */
};

/**
 * Blocks what is to be passed on (unless it was ignored when we were started, as under nohup(1):
 * then it stays so) and makes children waitable. @return a signalfd of them, -1 with errno.
 */
int lk_signals_take(struct lk_inherited *was);

/** In a child, before execve: as we were started. */
void lk_signals_restore(const struct lk_inherited *was);

/** True for one that stops whoever gets it: SIGTSTP, SIGTTIN, SIGTTOU. */
bool lk_signals_stops(int number);

/** Whether a signal of that number waits to be taken up by a whole process (ShdPnd in
 * /proc/PID/status). */
bool lk_signals_pending(pid_t pid, int number);

/** Whether a process is stopped by job control now. */
bool lk_signals_stopped(pid_t pid);

#endif
