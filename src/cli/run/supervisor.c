/*
 * loopknot itself while `loopknot run` runs: one loop over messages of the guardian and the
 * examiner, signals and time, and a stage that says what is under way. It never waits for anything
 * but events. How the four processes stand to each other is told in docs/architecture.md.
 */
#include "cli/run/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/run/command_cgroup.h"
#include "cli/run/command_name.h"
#include "cli/run/examiner.h"
#include "cli/run/guardian.h"
#include "cli/run/kill_tree.h"
#include "cli/run/tree_progress.h"
#include "util/memory.h"
#include "util/text.h"

enum {
    TICK_MS = 1000, /* between looks: a twentieth of --stall, within these bounds */
    LEAST_TICK_MS = 50,
    TICKS = 20,
    INTERRUPTED_MS = 10000, /* an examiner that was interrupted */
    MEMBER_MS = 250,        /* more for each process to be examined: not all are at once */
    WRITE_MS = 60000,       /* writing reports; core files have limits of their own */
    CLEAR_MS = 15000,       /* the guardian beyond the grace */
    LAST_GRACE_MS = 1000,
    AGAIN_MS = 2000, /* what was told is looked at again; each time twice as long */
    MAX_DOUBLINGS = 12,
    AFTER_TIMER_MS = 100,
    /* what writes is looked at too, rarely: output does not hide a hang for ever */
    TALKING_WINDOWS = 10,
    TALKING_MS = 10000,
    EXAMINERS = 3, /* how often one that crashed is replaced */
    MAX_KEEP = 32,
};

enum stage {
    RUNNING,
    SUSPECTING, /* an examination because nothing moved */
    CONVICTING, /* an examination because the time is over: whatever it finds, the run has hung */
    WRITING,    /* the reports */
    ENDING,     /* the guardian ends the tree */
    OVER,
};

struct supervision {
    const struct run *r;
    enum stage stage;
    int guard, signals;
    struct lk_inherited inherited;
    struct examiner examiner;
    struct examiner_job job;
    unsigned examiners; /* started so far */
    int keep[MAX_KEEP];
    pid_t guardian, command;
    struct lk_tree_progress *progress; /* NULL: --stall 0 */
    enum lk_suspicion suspicion;
    long long suspended; /* milliseconds in which we were stopped: not the command's */
    long long next_look;
    long long limit; /* of the examination under way, in milliseconds */
    pid_t members[LK_TREE_MAX];
    long long started, stage_since, examined; /* by now(); the last: when the examination began */
    long long stalled_at;                     /* quiet for so long when it began */
    /* when a signal to us asked the command to end; 0: never */
    long long asked_at;
    /* after a SIGTERM: until then it may end by itself; 0: none */
    long long cancel_at;
    bool busy, interrupted, ended; /* the first two: the examiner */
    enum examiner_reason reason;   /* of ending the command */
    long long reason_ms;
    long long deferred_until; /* no examination before */
    unsigned told;            /* examinations in a row that told of something and ended nothing */
    char spared[17];          /* fingerprint of the hang for which a timer's end was waited for */
    int wait_status, status;  /* the command's once it has ended; ours */
};

static long long clock_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

/* The command's time: that of a job that was suspended does not count. */
static long long now(const struct supervision *s)
{
    return clock_ms() - s->suspended;
}

static void enter(struct supervision *s, enum stage stage)
{
    s->stage = stage;
    s->stage_since = now(s);
    s->interrupted = false;
}

static bool watching(const struct supervision *s)
{
    return s->stage == RUNNING && !s->cancel_at && !s->ended;
}

/* ---- starting
 * ------------------------------------------------------------------------------------------------------
 */

struct first {
    struct supervision *s;
    int fd;
};

/* In the new examiner: the guardian becomes its child, and the command the guardian's. */
static void start_guardian(void *arg)
{
    struct first *f = arg;
    close(f->s->guard);
    const pid_t pid = fork();
    if (pid == 0)
        lk_guardian(f->fd, f->s->r->command, &f->s->inherited);
    if (pid < 0)
        lk_guard_send(f->fd, LK_GUARD_NOT_RUN, errno, 0);
}

/* Descriptors that outputs name must stay open; all other inherited ones are the command's alone,
 * so that a reader of one sees its end. */
static unsigned find_kept(const struct outputs *o, int *ret)
{
    unsigned n = 0;
    if (outputs_to_stdout(o))
        ret[n++] = STDOUT_FILENO;
    for (size_t i = 0; i < o->n; i++) {
        const char *file = o->v[i].file;
        int fd, end = 0;
        if (!file)
            continue;
        if (strcmp(file, "/dev/stdout") == 0)
            ret[n++] = STDOUT_FILENO;
        else if ((sscanf(file, "/dev/fd/%d%n", &fd, &end) == 1 ||
                  sscanf(file, "/proc/self/fd/%d%n", &fd, &end) == 1) &&
                 fd >= 0 && !file[end])
            ret[n++] = fd;
    }
    return n;
}

static void close_inherited(const struct supervision *s)
{
    int keep[MAX_KEEP + 4];
    unsigned n = 0;
    for (; n < s->job.n_keep; n++)
        keep[n] = s->job.keep[n];
    keep[n++] = s->guard;
    keep[n++] = s->signals;
    keep[n++] = s->examiner.fd;
    keep[n++] = STDERR_FILENO;
    lk_guard_close_all_but(keep, n);
}

static bool start(struct supervision *s)
{
    int fds[2];
    s->signals = lk_signals_take(&s->inherited);
    if (s->signals >= 0) {
        const int fd = fcntl(s->signals, F_DUPFD_CLOEXEC, 10);
        close(s->signals);
        s->signals = fd;
    }
    if (s->signals < 0 || !lk_guard_pair(fds))
        return false;
    s->guard = fds[0];
    /* Should the examiner or the guardian be killed, what is below them becomes our child, not
     * init's. */
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    struct first f = { s, fds[1] };
    s->examiners = 1;
    if (!examiner_start(&s->examiner, &s->job, start_guardian, &f))
        return false;
    close(fds[1]);
    close_inherited(s);
    signal(SIGPIPE, SIG_IGN);
    return true;
}

static bool ask(struct supervision *s, enum examiner_word word)
{
    const struct examiner_request q = { .word = word,
                                        .root = s->guardian,
                                        .elapsed_ms = now(s) - s->started,
                                        .reason = s->reason,
                                        .reason_ms = s->reason_ms,
                                        .next_ms = s->deferred_until - now(s) };
    s->busy = examiner_ask(&s->examiner, &q);
    return s->busy;
}

/* ---- ending
 * --------------------------------------------------------------------------------------------------------
 */

static int own_status(int wait_status)
{
    return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

static void over(struct supervision *s, int status)
{
    s->status = status;
    enter(s, OVER);
}

/* The command's own status, told from ours where they look the same. */
static void pass_on(struct supervision *s)
{
    const int status = own_status(s->wait_status);
    if (WIFEXITED(s->wait_status) && status >= EXIT_HUNG && status <= EXIT_NOT_FOUND)
        complain(0, "status %d is the command's own", status);
    over(s, status);
}

static void end_tree(struct supervision *s, long long grace)
{
    /* Nobody has asked it to end before: with the signal that it answers best. */
    const int first = s->status == EXIT_HUNG ? s->r->signal : 0;
    lk_guard_send(s->guard, LK_GUARD_END, (int32_t)(grace > 0 ? grace : 0), first);
    enter(s, ENDING);
}

/* The guardian is gone though nobody told it to go: all it guarded is ours now (we are the next
 * subreaper). */
static void end_without_guardian(struct supervision *s)
{
    pid_t denied;
    struct lk_command_cgroup cage;
    lk_command_cgroup_inherit(&cage, s->guardian);
    complain(0, "the guardian process was killed: ending the command");
    examiner_stop(&s->examiner, false);
    for (int i = 0; i < 500 && (waitpid(-1, NULL, WNOHANG) >= 0 || errno != ECHILD); i++) {
        lk_command_cgroup_kill(&cage);
        lk_kill_tree_kill(getpid(), &denied);
        usleep(10000);
        while (waitpid(-1, NULL, WNOHANG) > 0)
            continue;
    }
    lk_command_cgroup_destroy(&cage);
    over(s, s->status ? s->status : EXIT_FAILED);
}

/* ms: for how long it stood still, or ran. */
static void hang(struct supervision *s, enum examiner_reason reason, long long ms,
                 const char *verdict)
{
    static const char *const words[] = {
        [EXAMINER_HELD] = "a deadlock holds up its own end; last output before",
        [EXAMINER_STILL] = "it stood still for",
        [EXAMINER_LATE] = "it ran for longer than",
    };
    struct lk_arena *a = lk_arena_create();
    s->status = EXIT_HUNG;
    s->reason = reason;
    s->reason_ms = ms;
    complain(0, "the command is ended: %s %s (verdict: %s)", words[reason], lk_text_duration(a, ms),
             verdict);
    lk_arena_destroy(a);
    enter(s, WRITING);
    if (!ask(s, EXAMINER_WRITE))
        end_tree(s, s->r->grace_ms);
}

/* ---- examining
 * -----------------------------------------------------------------------------------------------------
 */

static void defer(struct supervision *s, long long ms)
{
    s->deferred_until = now(s) + ms;
    enter(s, RUNNING);
}

static void no_report(struct supervision *s, const char *why)
{
    const bool replace = s->examiners < EXAMINERS;
    examiner_stop(&s->examiner, false);
    s->busy = false;
    if (replace && examiner_start(&s->examiner, &s->job, NULL, NULL))
        s->examiners++;
    if (s->stage == RUNNING || s->stage == ENDING)
        return;
    complain(0, "%s: %s",
             s->stage == WRITING ? "the report could not be written"
                                 : "the command could not be examined",
             why);
    if (s->stage == CONVICTING)
        hang(s, EXAMINER_LATE, s->r->timeout_ms,
             "unknown"); /* a test report without findings is still one of a failed test */
    else if (s->stage == WRITING)
        end_tree(s, s->r->grace_ms);
    else
        defer(s, 2LL * s->r->stall_ms);
}

static void examine(struct supervision *s, enum stage stage)
{
    enter(s, stage);
    s->examined = s->stage_since;
    s->limit = 3LL * examiner_deadline(&s->r->common) +
               MEMBER_MS * (long long)lk_kill_tree_members(s->guardian, s->members, LK_TREE_MAX);
    s->stalled_at =
        s->progress ? (long long)lk_tree_progress_quiet_ms(s->progress, (uint64_t)s->examined) : 0;
    if (!ask(s, EXAMINER_EXAMINE))
        no_report(s, "the examining process is gone");
}

/* Output since the examination began: some of the tree gets on, whatever the rest of it does. */
static bool moved_meanwhile(struct supervision *s)
{
    const uint64_t t = (uint64_t)now(s);
    lk_tree_progress_look(s->progress, t);
    return (long long)lk_tree_progress_quiet_ms(s->progress, t) < s->stalled_at;
}

/* The end of a timer that may end a process is waited for once: one that has passed and ended
 * nothing is no reason to wait again. */
static bool spare(struct supervision *s, const struct examiner_answer *a)
{
    if (a->left_ms < 0 || strcmp(a->fingerprint, s->spared) == 0)
        return false;
    memcpy(s->spared, a->fingerprint, sizeof s->spared);
    return true;
}

/* Whether --stall-kill means this: all of it stands, or one main thread does beside whatever else
 * writes or beats. */
static bool stands_still(const struct supervision *s, const struct examiner_answer *a, bool moved)
{
    if (a->still_ms >= (long long)s->r->stall_ms)
        return true;
    if (moved || s->suspicion > LK_SUSPECT_BUSY)
        return false;
    return a->verdict >= LOOPKNOT_STALLED || (s->suspicion == LK_SUSPECT_IDLE && !a->runs);
}

/* When it is looked at again: after the timer on the way; where its end is not known after 2, 4, 8
 * ... s. */
static long long again_in(struct supervision *s, const struct examiner_answer *a)
{
    const unsigned doublings = s->told < MAX_DOUBLINGS ? s->told : MAX_DOUBLINGS;
    s->told++;
    return a->left_ms >= 0 ? a->left_ms + AFTER_TIMER_MS : (long long)AGAIN_MS << doublings;
}

static void judge(struct supervision *s, const struct examiner_answer *a)
{
    const char *verdict = loopknot_verdict_name((enum loopknot_verdict)a->verdict);
    const bool moved = moved_meanwhile(s);
    const long long quiet =
        s->stalled_at > now(s) - s->started ? now(s) - s->started : s->stalled_at;
    if (a->held && !spare(s, a)) {
        hang(s, EXAMINER_HELD, quiet, verdict);
    } else if (s->r->stall_kill && stands_still(s, a, moved)) {
        hang(s, EXAMINER_STILL, a->still_ms > quiet ? a->still_ms : quiet, verdict);
    } else if (a->held || (a->verdict >= LOOPKNOT_STALLED && !moved)) {
        defer(s, again_in(s, a));
        s->reason_ms = quiet;
        ask(s, EXAMINER_PRINT);
    } else {
        s->told = 0;
        defer(s, 2LL * s->r->stall_ms);
    }
}

static void on_answer(struct supervision *s)
{
    struct examiner_answer a;
    const int got = examiner_answered(&s->examiner, &a);
    if (got < 0)
        return;
    if (!got) {
        no_report(s, "the examining process ended unexpectedly");
        return;
    }
    s->busy = false;
    if (a.word == EXAMINER_WRITE && s->stage == WRITING) {
        end_tree(s, s->r->grace_ms);
    } else if (a.word == EXAMINER_EXAMINE && s->stage == CONVICTING) {
        if (!a.examined)
            complain(0, "no process of the command could be examined");
        hang(s, EXAMINER_LATE, s->r->timeout_ms,
             loopknot_verdict_name((enum loopknot_verdict)a.verdict));
    } else if (a.word == EXAMINER_EXAMINE && s->stage == SUSPECTING) {
        judge(s, &a);
    }
}

/* An examination, or a report, that takes too long is interrupted, then given up. */
static void enforce(struct supervision *s)
{
    const long long spent = now(s) - s->stage_since;
    const long long limit = s->stage == WRITING ? WRITE_MS : s->limit;
    if (s->stage == WRITING && s->r->core)
        return; /* has a limit for each file */
    if (spent > limit && !s->interrupted) {
        examiner_interrupt(&s->examiner);
        s->interrupted = true;
    }
    if (spent > limit + INTERRUPTED_MS)
        no_report(s, "it took too long");
}

/* ---- signals
 * -------------------------------------------------------------------------------------------------------
 */

/* Who was stopped by job control shows it to the shell in the same way, and goes on with the
 * command when told to. */
static void stop_too(struct supervision *s, int number)
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
    const long long before = clock_ms();
    kill(getpid(), number);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    sigprocmask(SIG_BLOCK, &set, NULL);
    s->suspended += clock_ms() - before;
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
    s->asked_at = now(s);
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

static void on_signals(struct supervision *s)
{
    struct signalfd_siginfo info;
    while (read(s->signals, &info, sizeof info) == sizeof info)
        on_signal(s, &info);
}

static long long tick(const struct supervision *s)
{
    const long long ms = s->progress ? s->r->stall_ms / TICKS : TICK_MS;
    return ms > TICK_MS ? TICK_MS : ms < LEAST_TICK_MS ? LEAST_TICK_MS : ms;
}

/* ---- the guardian's words
 * ------------------------------------------------------------------------------------------ */

static void on_started(struct supervision *s, const struct lk_guard_message *m)
{
    s->guardian = m->a;
    s->command = m->b;
    s->started = now(s);
    if (s->r->stall_ms)
        s->progress = lk_tree_progress_create(s->guardian, s->r->stall_ms, (uint64_t)s->started);
    s->next_look = s->started + tick(s);
}

static void on_ended(struct supervision *s, int wait_status)
{
    s->ended = true;
    s->wait_status = wait_status;
    if (s->stage == WRITING || s->stage == ENDING)
        return; /* of our doing, or too late */
    if (s->stage == CONVICTING)
        complain(0, "the command ended by itself while it was examined");
    if (s->asked_at && now(s) - s->asked_at <= s->r->grace_ms)
        end_tree(s, s->asked_at + s->r->grace_ms - now(s)); /* cancelled: nothing stays behind */
    else
        pass_on(s);
}

static void on_clear(struct supervision *s, const struct lk_guard_message *m)
{
    if (m->a)
        complain(0, "%d processes could not be ended, one of them is %d", (int)m->a, (int)m->b);
    if (s->status == EXIT_HUNG || !s->ended)
        over(s, EXIT_HUNG);
    else
        pass_on(s);
}

static void on_guard(struct supervision *s)
{
    struct lk_guard_message m;
    int got;
    while (s->stage != OVER && (got = lk_guard_receive(s->guard, &m)) >= 0) {
        if (!got) {
            end_without_guardian(s);
            return;
        }
        switch (m.word) {
        case LK_GUARD_STARTED: on_started(s, &m); break;
        case LK_GUARD_STOPPED: stop_too(s, m.a); break;
        case LK_GUARD_ENDED: on_ended(s, m.a); break;
        case LK_GUARD_CLEAR: on_clear(s, &m); break;
        case LK_GUARD_NOT_RUN:
            over(s, complain(m.a == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE,
                             "cannot run %s: %s", s->r->command[0], strerror(m.a)));
            break;
        default: break;
        }
    }
}

/* ---- time
 * ----------------------------------------------------------------------------------------------------------
 */

static void look(struct supervision *s)
{
    const long long t = now(s);
    const long long rarely = LK_MAX(TALKING_WINDOWS * (long long)s->r->stall_ms, TALKING_MS);
    lk_tree_progress_look(s->progress, (uint64_t)t);
    if (t < s->deferred_until)
        return;
    s->suspicion = lk_tree_progress_suspect(s->progress, (uint64_t)t);
    if (s->suspicion == LK_UNSUSPICIOUS && t - (s->examined ? s->examined : s->started) >= rarely)
        s->suspicion = LK_SUSPECT_TALKING;
    if (s->suspicion == LK_UNSUSPICIOUS)
        return;
    if (s->r->common.render.verbose) {
        struct lk_arena *a = lk_arena_create();
        complain(0, "no output for %s, %.2f cores used: examining",
                 lk_text_duration(a, (int64_t)lk_tree_progress_quiet_ms(s->progress, (uint64_t)t)),
                 lk_tree_progress_cores(s->progress, (uint64_t)t));
        lk_arena_destroy(a);
    }
    examine(s, SUSPECTING);
}

static void on_time(struct supervision *s)
{
    const long long t = now(s);
    const bool late = s->r->timeout_ms && s->started && t - s->started >= s->r->timeout_ms &&
                      !s->ended && !s->cancel_at;
    if (late && (s->stage == RUNNING || s->stage == SUSPECTING)) {
        if (s->stage == RUNNING)
            examine(s, CONVICTING);
        else
            s->stage = CONVICTING;
    } else if (s->cancel_at && t >= s->cancel_at && s->stage < WRITING) {
        s->cancel_at = 0;
        end_tree(s, LAST_GRACE_MS);
    } else if (s->stage == SUSPECTING || s->stage == CONVICTING || s->stage == WRITING) {
        enforce(s);
    } else if (s->stage == ENDING &&
               t - s->stage_since > (s->r->signal ? 2LL : 1LL) * s->r->grace_ms + CLEAR_MS) {
        complain(0, "the guardian process %d does not answer", (int)s->guardian);
        kill(s->guardian, SIGKILL);
    } else if (watching(s) && s->progress && t >= s->next_look) {
        s->next_look = t + tick(s);
        look(s);
    }
}

/* Milliseconds until there is something to do; -1 when only events count. */
static int poll_timeout(const struct supervision *s)
{
    const long long t = now(s);
    long long at = -1;
    if (s->stage != RUNNING || s->cancel_at)
        return LEAST_TICK_MS;
    if (s->progress && watching(s))
        at = s->next_look;
    if (s->r->timeout_ms && s->started && !s->ended &&
        (at < 0 || at > s->started + s->r->timeout_ms))
        at = s->started + s->r->timeout_ms;
    if (at < 0)
        return -1;
    return at <= t ? 0 : at - t > 60000 ? 60000 : (int)(at - t);
}

/* A gap that no wait explains, with a SIGCONT at its end: somebody had stopped us (and our job), it
 * is not the command's time. */
static void leave_out_suspension(struct supervision *s, long long slept_since, int wait)
{
    const long long gap = clock_ms() - slept_since;
    if (wait >= 0 && gap > wait + 2 * TICK_MS && lk_signals_pending(getpid(), SIGCONT))
        s->suspended += gap - wait;
}

static void handle_events(struct supervision *s)
{
    while (s->stage != OVER) {
        struct pollfd p[] = { { s->guard, POLLIN, 0 },
                              { s->signals, POLLIN, 0 },
                              { s->examiner.fd, POLLIN, 0 } };
        const int wait = poll_timeout(s);
        const long long since = clock_ms();
        poll(p, 3, wait);
        if (p[1].revents) {
            leave_out_suspension(s, since, wait);
            on_signals(s);
        }
        if (p[0].revents)
            on_guard(s);
        if (s->stage != OVER && p[2].revents && p[2].fd == s->examiner.fd)
            on_answer(s);
        if (s->stage != OVER)
            on_time(s);
    }
}

/* Leaves: what the command has left behind, if anything, is no longer ours. */
static void leave(struct supervision *s)
{
    lk_guard_send(s->guard, LK_GUARD_LEAVE, 0, 0);
    /* In the midst of an examination there is nobody to wait for the guardian; it becomes our child
     * then. */
    examiner_stop(&s->examiner, !s->busy);
    if (s->guardian)
        waitpid(s->guardian, NULL, 0);
    lk_tree_progress_destroy(s->progress);
}

int supervise(const struct run *r)
{
    static struct supervision s;
    char *name = lk_command_name(r->command);
    s.r = r;
    s.job = (struct examiner_job){
        .common = &r->common, .command = name, .core = r->core, .keep = s.keep
    };
    s.job.n_keep = find_kept(&r->common.outputs, s.keep);
    if (start(&s)) {
        handle_events(&s);
        leave(&s);
    } else {
        s.status = complain(EXIT_FAILED, "could not start: %s", strerror(errno));
    }
    lk_free(name);
    return s.status;
}
