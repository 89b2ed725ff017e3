/*
 * The examiner's process, and the side of loopknot that asks it. It is forked without an execve, so
 * it has all that the command line said. It ends with loopknot (PR_SET_PDEATHSIG) and is asked to
 * hurry by a signal that nobody else sends.
 */
#include "cli/run/examiner.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/run/guardian.h"
#include "cli/run/kill_tree.h"
#include "cli/run/write_core.h"
#include "util/memory.h"
#include "util/text.h"

enum { MAX_COMPLAINTS = 64, MAX_KEEP = 32, MEMBER_MS = 10000, SUMMARY_COLUMNS = 240 };

static volatile int interrupted; /* set by the signal of examiner_interrupt */

/* What the examiner has at hand from one request to the next. */
struct examination {
    const struct examiner_job *job;
    struct loopknot_diagnosis *d;
    struct loopknot_capture *capture; /* of that examination; NULL: none is wanted, or was made */
    pid_t pids[LK_TREE_MAX];
    size_t n;
    char *complaints[MAX_COMPLAINTS];
    size_t n_complaints;
    uint64_t printed; /* digest of the findings printed last */
};

/* Not one that anybody would send to a process group. */
static int interrupt_signal(void)
{
    return SIGRTMAX - 1;
}

static void on_interrupt(int number)
{
    interrupted = number;
}

unsigned examiner_deadline(const struct common *c)
{
    const struct loopknot_options *o = &c->options;
    return MEMBER_MS + 2 * (o->samples * o->interval_ms + o->stalled_after_ms);
}

static void forget(struct examination *x)
{
    loopknot_destroy(x->d);
    x->d = NULL;
    loopknot_capture_destroy(x->capture);
    x->capture = NULL;
    while (x->n_complaints)
        free(x->complaints[--x->n_complaints]);
}

/* Kept until something is printed: an examination that finds nothing is not heard of. */
static void keep_complaint(pid_t pid, bool gone, const char *message, void *arg)
{
    struct examination *x = arg;
    (void)pid;
    if (gone || x->n_complaints == MAX_COMPLAINTS)
        return;
    x->complaints[x->n_complaints] = strdup(message);
    x->n_complaints += x->complaints[x->n_complaints] != NULL;
}

static void examine(struct examination *x, const struct examiner_request *q,
                    struct examiner_answer *a)
{
    struct loopknot_options options = x->job->common->options;
    forget(x);
    x->d = redactions_diagnosis(&x->job->common->redact);
    x->capture = x->job->capture ? loopknot_capture_create() : NULL;
    if (x->job->capture && !x->capture)
        end_without_memory();
    options.capture = x->capture;
    options.locals = options.locals ? 2 : 0; /* where it stood still is told of the main thread */
    x->n = lk_kill_tree_members(q->root, x->pids, LK_TREE_MAX);
    options.interrupted = &interrupted;
    options.together = x->pids;
    options.n_together = x->n;
    options.tree = true;
    loopknot_examine_all(x->d, x->pids, x->n, &options, examiner_deadline(x->job->common),
                         keep_complaint, x);
    a->examined = (int32_t)loopknot_count(x->d);
    a->verdict = loopknot_verdict(x->d);
    struct loopknot_command_end end = { .size = sizeof end, .left_ms = -1 };
    loopknot_command_end(x->d, q->root, &end);
    a->held = end.held;
    a->left_ms = end.left_ms;
    a->still_ms = end.still_ms;
    a->runs = end.runs;
    memcpy(a->fingerprint, end.fingerprint, sizeof a->fingerprint);
    a->ok = true;
}

static void complain_of_all(const struct examination *x)
{
    for (size_t i = 0; i < x->n_complaints; i++)
        complain(0, "%s", x->complaints[i]);
}

static struct loopknot_render render_options(const struct examination *x,
                                             const struct examiner_request *q)
{
    struct loopknot_render r = x->job->common->render;
    r.set = true;
    r.command = x->job->command;
    r.elapsed_ms = q->elapsed_ms;
    return r;
}

/* Of the fingerprints: the same findings again, whatever else has changed in the report, are no
 * news. */
static uint64_t digest(const struct loopknot_diagnosis *d)
{
    uint64_t sum = 14695981039346656037u; /* FNV-1a */
    struct loopknot_finding f = { .size = sizeof f };
    for (size_t i = 0; i < loopknot_count(d); i++)
        for (size_t k = 0; loopknot_finding(d, i, k, &f); k++)
            for (const char *c = f.fingerprint; *c; c++)
                sum = (sum ^ (unsigned char)*c) * 1099511628211u;
    return sum;
}

static bool write_stream(const struct examination *x, const struct loopknot_render *r)
{
    struct outputs only = { 0 };
    const struct outputs *all = &x->job->common->outputs;
    for (size_t i = 0; i < all->n; i++)
        if (!all->v[i].file)
            only.v[only.n++] = all->v[i];
    return outputs_write(&only, x->d, r, stderr) == 0;
}

/* The worst finding of all; false when there is none. */
static bool worst_finding(const struct loopknot_diagnosis *d, pid_t *pid,
                          struct loopknot_finding *ret)
{
    bool any = false;
    struct loopknot_finding f = { .size = sizeof f };
    for (size_t i = 0; i < loopknot_count(d); i++)
        if (loopknot_finding(d, i, 0, &f) && (!any || f.severity > ret->severity)) {
            any = true;
            *ret = f;
            *pid = loopknot_pid_of(d, i);
        }
    return any;
}

/* Three lines, once for what is the same: that it stands, where, and what shows more. */
static void print(struct examination *x, const struct examiner_request *q,
                  struct examiner_answer *a)
{
    const struct loopknot_render r = render_options(x, q);
    const uint64_t now = digest(x->d);
    struct loopknot_finding f = { .size = sizeof f };
    pid_t pid = 0;
    if (now == x->printed || !worst_finding(x->d, &pid, &f))
        return;
    x->printed = now;
    struct lk_arena *arena = lk_arena_create();
    complain(0, "the command has stood still for %s; it goes on (%s %s, %s%s)",
             lk_text_duration(arena, q->reason_ms), f.rule, f.name,
             loopknot_verdict_name(f.severity),
             f.severity == LOOPKNOT_DEADLOCK ? ", which its own end does not wait for"
                                             : "; --stall-kill would end it");
    complain(0, "  %s%.*s", f.file ? lk_arena_printf(arena, "%s:%d: ", f.file, f.line) : "",
             SUMMARY_COLUMNS, f.summary ? f.summary : f.name);
    complain(0, "  loopknot --tree %d shows all of it; looked at again in %s", (int)pid,
             lk_text_duration(arena, q->next_ms));
    lk_arena_destroy(arena);
    a->ok = !r.verbose || write_stream(x, &r);
}

static bool write_capture(const struct examination *x)
{
    char why[512];
    if (!x->capture ||
        loopknot_capture_write(x->capture, x->job->capture, why, sizeof why) == LOOPKNOT_OK)
        return true;
    complain(0, "%s", why);
    return false;
}

static void write_all(struct examination *x, const struct examiner_request *q,
                      struct examiner_answer *a)
{
    struct loopknot_render r = render_options(x, q);
    r.ended = true;
    if (!x->d)
        x->d = redactions_diagnosis(&x->job->common->redact);
    complain_of_all(x);
    if (q->reason != EXAMINER_HELD)
        (void)loopknot_stood_still(x->d, q->root, q->reason == EXAMINER_LATE, q->reason_ms);
    /* Also when no process could be examined: a test report that is missing would look as if
     * nothing had been run. */
    a->ok = outputs_write(&x->job->common->outputs, x->d, &r, stderr) == 0;
    a->ok &= write_capture(x);
    if (x->job->core)
        core_write(x->job->core, x->pids, x->n, &interrupted);
}

static void drain(void)
{
    const struct timespec at_once = { 0 };
    sigset_t all;
    sigfillset(&all);
    sigdelset(&all, SIGCHLD);
    while (sigtimedwait(&all, NULL, &at_once) > 0)
        continue;
}

static void serve(struct examination *x, int fd)
{
    static void (*const work[])(struct examination *, const struct examiner_request *,
                                struct examiner_answer *) = {
        [EXAMINER_EXAMINE] = examine, [EXAMINER_PRINT] = print, [EXAMINER_WRITE] = write_all
    };
    struct examiner_request q;
    for (;;) {
        const ssize_t n = recv(fd, &q, sizeof q, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n != sizeof q || q.word < EXAMINER_EXAMINE || q.word > EXAMINER_DRAIN)
            return;
        if (q.word == EXAMINER_DRAIN) {
            drain();
            continue;
        }
        struct examiner_answer a = { .word = q.word };
        interrupted = 0;
        work[q.word](x, &q, &a);
        send(fd, &a, sizeof a, MSG_NOSIGNAL);
    }
}

/*
 * The signals that loopknot takes up stay blocked here and are never taken up: one that is pending
 * here too was sent to the whole process group, so the command has got it already (see
 * supervisor.c, which then asks for EXAMINER_DRAIN).
 */
static _Noreturn void be_examiner(int fd, const struct examiner_job *job)
{
    struct sigaction sa = { .sa_handler = on_interrupt };
    int keep[MAX_KEEP + 2];
    unsigned n = 0;
    sigset_t set;
    sigemptyset(&sa.sa_mask);
    sigaction(interrupt_signal(), &sa, NULL);
    sigemptyset(&set);
    sigaddset(&set, interrupt_signal());
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    prctl(PR_SET_NAME, "loopknot-exam");
    for (; n < job->n_keep && n < MAX_KEEP; n++)
        keep[n] = job->keep[n];
    keep[n++] = fd;
    keep[n++] = STDERR_FILENO;
    lk_guard_close_all_but(keep, n);
    struct examination *x = calloc(1, sizeof *x);
    if (x) {
        x->job = job;
        serve(x, fd);
        forget(x);
        free(x);
    }
    /* The guardian is our child: its times, and so the command's, become ours when it is waited
     * for. */
    while (wait(NULL) > 0 || errno == EINTR)
        continue;
    _exit(0);
}

bool examiner_start(struct examiner *e, const struct examiner_job *job, void (*first)(void *),
                    void *arg)
{
    int fds[2];
    e->fd = -1;
    e->pid = -1;
    if (!lk_guard_pair(fds))
        return false;
    const pid_t parent = getpid();
    e->pid = fork();
    if (e->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
            _exit(0);
        close(fds[0]);
        if (first)
            first(arg);
        be_examiner(fds[1], job);
    }
    close(fds[1]);
    e->fd = fds[0];
    if (e->pid < 0)
        close(fds[0]);
    return e->pid > 0;
}

bool examiner_ask(struct examiner *e, const struct examiner_request *q)
{
    return e->fd >= 0 && send(e->fd, q, sizeof *q, MSG_NOSIGNAL) == sizeof *q;
}

int examiner_answered(struct examiner *e, struct examiner_answer *ret)
{
    const ssize_t n = recv(e->fd, ret, sizeof *ret, MSG_DONTWAIT);
    if (n == sizeof *ret)
        return 1;
    return n < 0 && (errno == EAGAIN || errno == EINTR) ? -1 : 0;
}

void examiner_interrupt(struct examiner *e)
{
    if (e->pid > 0)
        kill(e->pid, interrupt_signal());
}

void examiner_stop(struct examiner *e, bool wait_for_children)
{
    if (e->pid <= 0)
        return;
    if (!wait_for_children)
        kill(e->pid, SIGKILL);
    if (e->fd >= 0)
        close(e->fd);
    while (waitpid(e->pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    e->fd = -1;
    e->pid = -1;
}
