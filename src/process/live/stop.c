/*
 * The caller's side of a stop: it forks the helper (stop_helper.c), waits for it no longer than
 * agreed, and takes the registers from the memory they share. The kernel detaches a tracer that
 * ends (kernel/ptrace.c: exit_ptrace), so ending the helper always lets the threads run on.
 */
#include "process/live/stop.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "process/linux/procfs.h"
#include "process/live/answers.h"
#include "process/live/stop_helper.h"
#include "process/process_impl.h"
#include "util/vec.h"

/* before anybody is held: fork, page faults, SEIZE of all */
#define SETUP_MS 2000

static int open_pidfd(pid_t pid)
{
    return (int)syscall(SYS_pidfd_open, pid, 0);
}

/* A caller that ignores SIGCHLD, or waits for any child, takes the helper's status from us: ECHILD
 * means it is gone. */
static bool reap(pid_t helper, int flags)
{
    pid_t r;

    do
        r = waitpid(helper, NULL, flags);
    while (r < 0 && errno == EINTR);
    return r != 0;
}

static void wait_for_helper(pid_t helper, uint64_t until_us)
{
    int pidfd = open_pidfd(helper);

    while (!reap(helper, WNOHANG)) {
        uint64_t now = lk_now_us();
        struct pollfd p = { .fd = pidfd, .events = POLLIN };

        if (now >= until_us) {
            kill(helper, SIGKILL);
            reap(helper, 0);
            break;
        }
        poll(&p, 1, pidfd >= 0 ? (int)((until_us - now) / 1000 + 1) : 1);
    }
    if (pidfd >= 0)
        close(pidfd);
}

/* The caller's handlers must not run in the child before it has put them away. */
static pid_t fork_quietly(sigset_t *before)
{
    sigset_t all;
    pid_t pid;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, before);
    pid = fork();
    if (pid != 0) {
        int saved = errno;

        pthread_sigmask(SIG_SETMASK, before, NULL);
        errno = saved;
    }
    return pid;
}

static void collect_result(const struct lk_stop_shared *s, struct lk_stop_result *res)
{
    uint64_t end = s->released_us ? s->released_us : lk_now_us();

    for (size_t i = 0; i < s->n; i++) {
        if (s->v[i].state != SLOT_STOPPED || !s->v[i].regs.known)
            continue;
        lk_vec_add(&res->stopped, s->v[i].tid);
        *lk_vec_push(&res->regs) = s->v[i].regs;
    }
    res->pause_us = s->held_us ? (int64_t)(end - s->held_us) : 0;
    res->deadline = s->held_us && !s->released_us;
}

static bool nobody_seized(const struct lk_process *t, int why, struct lk_error *err)
{
    const struct lk_live *live = t->impl;
    char text[4096], comm[64] = "?", *p;
    int tracer = 0;

    if (lk_procfs_read_at(live->proc_fd, "status", text, sizeof(text)) > 0 &&
        (p = strstr(text, "\nTracerPid:")))
        tracer = atoi(p + strlen("\nTracerPid:"));
    if (tracer == 0)
        return lk_error_os(err, why, "the threads of process %d cannot be stopped", t->pid);
    if (lk_procfs_read_of(tracer, "comm", comm, sizeof(comm)) > 0)
        comm[strcspn(comm, "\n")] = '\0';
    lk_comm_clean(comm, sizeof(comm));
    return lk_error_set(
        err, LK_ERR_PERMISSION,
        "process %d is already traced by process %d (%s): its threads cannot be stopped", t->pid,
        tracer, comm);
}

static void unmap(void *memory, size_t size)
{
    munmap(memory, size);
}

static struct lk_stop_shared *create_shared(const int64_t *tids, size_t n, size_t *size)
{
    struct lk_stop_shared *s;

    *size = sizeof(*s) + n * sizeof(s->v[0]);
    s = mmap(NULL, *size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (s == MAP_FAILED)
        return NULL;
    lk_hold(s, *size, unmap);
    s->n = n;
    for (size_t i = 0; i < n; i++)
        s->v[i].tid = tids[i];
    return s;
}

static bool run_helper(struct lk_stop_helper *h, struct lk_error *err)
{
    const struct lk_live *live = h->t->impl;
    sigset_t before;
    pid_t helper;

    h->parent = getpid();
    h->task_fd = lk_fd_hold(openat(live->proc_fd, "task", O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (h->task_fd < 0)
        return lk_error_set(err, LK_ERR_NO_PROCESS, "process %d is gone", h->t->pid);
    if (!lk_pages_pin_begin(h->t->pages)) {
        lk_fd_close(h->task_fd);
        return lk_error_set(err, LK_ERR_NOMEM, "no memory to share with the process that stops %d",
                            h->t->pid);
    }
    helper = fork_quietly(&before);
    if (helper == 0)
        lk_stop_helper_main(h);
    if (helper > 0)
        wait_for_helper(helper, lk_now_us() + (uint64_t)(SETUP_MS + 2 * h->max_pause_ms) * 1000);
    lk_fd_close(h->task_fd);
    return helper > 0 || lk_error_os(err, errno, "cannot start the helper that stops threads");
}

bool lk_live_stop(struct lk_process *t, const struct lk_stop_request *how,
                  struct lk_stop_result *res, struct lk_error *err)
{
    struct lk_stop_helper h = { .t = t,
                                .whom = how->whom,
                                .max_pause_ms = LK_MIN(how->max_pause_ms, 60000u),
                                .stack_bytes = how->stack_bytes,
                                .prepare = how->prepare,
                                .collect = how->collect,
                                .arg = how->arg };
    size_t size;
    bool ok;

    h.s = create_shared(how->tids, how->n, &size);
    if (!h.s)
        return lk_error_os(err, errno, "no memory for the registers of %zu threads", how->n);
    ok = run_helper(&h, err);
    res->overflow = !lk_pages_pin_end(t->pages);
    /* ESRCH: those that were asked for have ended in between, which threads may do; nobody is left
     * to be stopped. */
    if (ok && h.s->no_memory)
        ok = lk_error_set(err, LK_ERR_NOMEM, "the helper that stops threads ran out of memory");
    if (ok && !h.s->held_us && h.s->seize_errno != ESRCH)
        ok = h.s->seize_errno
                 ? nobody_seized(t, h.s->seize_errno, err)
                 : lk_error_set(err, LK_ERR_TIMEOUT,
                                "the helper that stops threads ended before it stopped any");
    if (ok)
        collect_result(h.s, res);
    lk_let_go(h.s, unmap);
    munmap(h.s, size);
    lk_live_forget_kernel(t->impl);
    return ok;
}
