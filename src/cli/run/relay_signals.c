/*
 * Signals to `loopknot run`: what they ask of the run, whether the command is to have them too, and
 * job control, which stops us with the command.
 */
#include "cli/run/supervision.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "cli/run/kill_tree.h"

void supervision_stop_too(struct supervision *s, int number)
{
    const int terminal = open("/dev/tty", O_RDONLY | O_CLOEXEC | O_NOCTTY);
    const bool foreground = terminal >= 0 && tcgetpgrp(terminal) == getpgrp();
    if (terminal >= 0)
        close(terminal);
    if ((!lk_signals_stops(number) && !(number == SIGSTOP && foreground)) ||
        !lk_signals_stopped(s->command))
        return;
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, number);
    const long long before = supervision_clock_ms();
    kill(getpid(), number);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    sigprocmask(SIG_BLOCK, &set, NULL);
    s->suspended += supervision_clock_ms() - before;
    lk_guard_send(s->guard, LK_GUARD_RESUME, 0, 0);
}

/* What a signal asks of the run, beyond being passed on. */
static void cancel(struct supervision *s, bool for_good)
{
    if (s->stage == ENDING) {
        lk_guard_send(s->guard, LK_GUARD_END, 0, 0);
        return;
    }
    if (s->busy)
        examiner_interrupt(&s->examiner);
    s->asked_at = supervision_now(s);
    if (for_good)
        s->cancel_at = s->asked_at + s->r->grace_ms;
}

static bool ends(int number)
{
    return number == SIGTERM || number == SIGHUP || number == SIGINT || number == SIGQUIT ||
           number == SIGALRM;
}

/*
 * A signal of the terminal went to the whole foreground process group: the command has it (an alarm
 * set before we were executed is ours alone, and was meant for it). One sent with kill(2) may have
 * gone to us alone, and is passed on, or to the process group (kill -TERM -PGID, timeout(1)): then
 * the examiner, which takes none up, has it pending as well, and passing it on would deliver it
 * twice.
 */
static void on_signal(struct supervision *s, const struct signalfd_siginfo *i)
{
    const int number = (int)i->ssi_signo;
    const bool of_kernel = i->ssi_code > 0;
    if (number == SIGCHLD)
        return;
    if (number == SIGCONT) {
        lk_guard_send(s->guard, LK_GUARD_RESUME, 0, 0);
        return;
    }
    if (of_kernel && number != SIGALRM) {
        if (number == SIGHUP)
            cancel(s, true); /* the terminal is gone */
        return;
    }
    if (s->guardian && i->ssi_pid && lk_kill_tree_descends((pid_t)i->ssi_pid, s->guardian))
        return; /* the command's own doing */
    if (s->examiner.pid > 0 && lk_signals_pending(s->examiner.pid, number))
        examiner_ask(&s->examiner, &(struct examiner_request){ .word = EXAMINER_DRAIN });
    /* from then on it ends by our doing, once the report is there */
    else if (s->stage < CONVICTING || !ends(number))
        lk_guard_send(s->guard, LK_GUARD_SIGNAL, number, 0);
    if (ends(number))
        cancel(s, number == SIGTERM);
}

void supervision_on_signals(struct supervision *s)
{
    struct signalfd_siginfo info;
    while (read(s->signals, &info, sizeof info) == sizeof info)
        on_signal(s, &info);
}

void supervision_leave_out_suspension(struct supervision *s, long long slept_since, int wait)
{
    const long long gap = supervision_clock_ms() - slept_since;
    if (wait >= 0 && gap > wait + 2 * SUPERVISION_TICK_MS && lk_signals_pending(getpid(), SIGCONT))
        s->suspended += gap - wait;
}
