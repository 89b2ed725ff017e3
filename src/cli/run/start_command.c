/*
 * Starting what `loopknot run` is made of: the examiner, as its child the guardian, and as that
 * one's child the command. Descriptors that outputs name stay open in us; all other inherited ones
 * are the command's alone, so that a reader of one sees its end.
 */
#include "cli/run/supervision.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

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

unsigned supervision_find_kept(const struct outputs *o, int *ret)
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
    int keep[SUPERVISION_MAX_KEEP + 4];
    unsigned n = 0;
    for (; n < s->job.n_keep; n++)
        keep[n] = s->job.keep[n];
    keep[n++] = s->guard;
    keep[n++] = s->signals;
    keep[n++] = s->examiner.fd;
    keep[n++] = STDERR_FILENO;
    lk_guard_close_all_but(keep, n);
}

bool supervision_start(struct supervision *s)
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
