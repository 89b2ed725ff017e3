/*
 * The tracer: a forked process that stops threads, copies and lets go. Facts of ptrace(2) and
 * kernel/ptrace.c that this file is built on:
 * - SEIZE stops nobody; INTERRUPT makes a thread trap (PTRACE_EVENT_STOP) without any signal.
 * - When a tracer ends, its tracees are detached and run on, and a trap that is still pending is
 * cleared (exit_ptrace,
 *   __ptrace_unlink). So the helper's end is always a detach, whatever ends it.
 * - A thread that stops to have a signal delivered keeps the signal in its exit_code, which an
 * ordinary wait clears (kernel/exit.c: wait_task_stopped). So all waits are WNOWAIT: if the helper
 * is killed the signal is still delivered, and otherwise DETACH passes it on.
 * - DETACH of a thread in a group-stop leaves it in the group-stop.
 */

#include "process/live/stop_helper.h"

#include <elf.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "process/linux/procfs.h"
#include "process/process_impl.h"

enum {
    /* at finding computing threads: with the GIL, who computes changes every 5 ms */
    ATTEMPTS = 4,
    /* second looks an attempt: the scheduler brings a running thread's time up to date every few ms
     */
    LOOKS = 8,
    /* between the two looks that tell a computing thread from one that is awake for a moment */
    APART_US = 1000,
    /* after so long without a stop a thread's state is looked at, again and again */
    TICK_US = 5000,
    POPULATE = 2 << 20, /* bytes of the page cache touched before the stop, beside the stacks */
    INTERRUPT_TRAP = SIGTRAP | PTRACE_EVENT_STOP << 8,
};

/* --- the helper: setting itself up --------------------------------------------------- */

/* SIGALRM, the tick: it only makes a wait return with EINTR. */
static void on_tick(int sig)
{
    (void)sig;
}

/* Nothing of the caller's handlers may run here. What a terminal sends must not cut the helper off
 * before it has detached. */
static void settle_signals(void)
{
    static const int ignored[] = { SIGINT,  SIGTERM, SIGHUP,  SIGPIPE, SIGQUIT,
                                   SIGTSTP, SIGTTIN, SIGTTOU, SIGUSR1, SIGUSR2 };
    struct sigaction plain = { .sa_handler = SIG_DFL }, ignore = { .sa_handler = SIG_IGN },
                     tick = { .sa_handler = on_tick };
    sigset_t none;

    for (int i = 1; i < NSIG; i++)
        sigaction(i, &plain, NULL);
    for (size_t i = 0; i < LK_ARRAY_LEN(ignored); i++)
        sigaction(ignored[i], &ignore, NULL);
    sigaction(SIGALRM, &tick, NULL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* The kernel's timer_t is an int; glibc's wrapper may use memory. */
static bool create_timer(int sig, int *ret)
{
    struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = sig };

    return syscall(SYS_timer_create, CLOCK_MONOTONIC, &event, ret) == 0;
}

static bool set_timer(int timer, uint64_t us, bool repeat)
{
    struct timespec t = { (time_t)(us / 1000000), (long)(us % 1000000) * 1000 };
    struct itimerspec when = { .it_value = t, .it_interval = repeat ? t : (struct timespec){ 0 } };

    return syscall(SYS_timer_settime, timer, 0, &when, NULL) == 0;
}

/* The end of last resort: SIGKILL from a timer, which also ends a helper that someone stopped. */
static bool arm_deadline(unsigned ms)
{
    int timer;

    return create_timer(SIGKILL, &timer) && set_timer(timer, (uint64_t)ms * 1000, false);
}

/* Halves the pause at 200 threads and more: the wake-ups of the threads do not take the CPU from
 * us. Needs CAP_SYS_NICE. */
static void raise_priority(void)
{
    struct sched_param p = { .sched_priority = 1 };

    (void)sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &p);
}

/* --- the helper: stopping ---------------------------------------------------------------- */

/* A tid that ended may have been given to a thread of another process by now. */
static bool is_thread_of_target(const struct lk_stop_helper *h, int64_t tid)
{
    char name[24];

    snprintf(name, sizeof(name), "%lld", (long long)tid);
    return faccessat(h->task_fd, name, F_OK, 0) == 0;
}

static void seize_wanted(const struct lk_stop_helper *h)
{
    for (size_t i = 0; i < h->s->n; i++) {
        struct lk_stop_slot *slot = &h->s->v[i];

        if (!slot->wanted || slot->state != SLOT_NONE)
            continue;
        if (ptrace(PTRACE_SEIZE, (pid_t)slot->tid, NULL, NULL) != 0) {
            if (!h->s->seize_errno || h->s->seize_errno == ESRCH)
                h->s->seize_errno = errno;
            continue;
        }
        /* A stranger was seized: it does not notice, and the helper's end lets go of it. */
        slot->state = is_thread_of_target(h, slot->tid) ? SLOT_SEIZED : SLOT_GIVEN_UP;
    }
}

/* How often the thread gave up the CPU by itself; -1 when that is not known. */
static int64_t times_slept(const struct lk_stop_helper *h, int64_t tid)
{
    static const char key[] = "\nvoluntary_ctxt_switches:";
    char name[32], text[4096];
    const char *at;

    snprintf(name, sizeof(name), "%lld/status", (long long)tid);
    if (lk_procfs_read_at(h->task_fd, name, text, sizeof(text)) <= 0)
        return -1;
    at = strstr(text, key);
    return at ? strtoll(at + sizeof(key) - 1, NULL, 10) : -1;
}

/* Time on a CPU in ns; -1 when the kernel does not count it. */
static int64_t time_run(const struct lk_stop_helper *h, int64_t tid)
{
    char name[32], text[128];

    snprintf(name, sizeof(name), "%lld/schedstat", (long long)tid);
    return lk_procfs_read_at(h->task_fd, name, text, sizeof(text)) > 0 ? strtoll(text, NULL, 10)
                                                                       : -1;
}

static char state_of(const struct lk_stop_helper *h, int64_t tid)
{
    struct lk_procfs_stat stat;
    char name[32], text[1024];

    snprintf(name, sizeof(name), "%lld/stat", (long long)tid);
    return lk_procfs_read_at(h->task_fd, name, text, sizeof(text)) > 0 &&
                   lk_procfs_stat_parse(text, &stat)
               ? stat.state
               : '\0';
}

/* Where we may not read its call (CAP_SYS_PTRACE alone), its state says the same. */
static bool is_running(const struct lk_stop_helper *h, int64_t tid)
{
    char name[32], text[256];

    snprintf(name, sizeof(name), "%lld/syscall", (long long)tid);
    if (lk_procfs_read_at(h->task_fd, name, text, sizeof(text)) > 0)
        return strncmp(text, "running", 7) == 0;
    return state_of(h, tid) == 'R';
}

/* Returns how many are to be stopped. */
static size_t first_look(const struct lk_stop_helper *h)
{
    size_t n = 0;

    for (size_t i = 0; i < h->s->n; i++) {
        struct lk_stop_slot *slot = &h->s->v[i];

        slot->wanted = h->whom == LK_STOP_ANY || is_running(h, slot->tid);
        if (!slot->wanted)
            continue;
        slot->ran = time_run(h, slot->tid);
        slot->slept = times_slept(h, slot->tid);
        n++;
    }
    return n;
}

static void rest(void)
{
    const struct timespec t = { 0, APART_US * 1000L };

    nanosleep(&t, NULL);
}

/*
 * "running" is also said of a thread that was just woken within its call and waits for a CPU:
 * interrupted then, the call returns EINTR. One that has had the CPU since the first look, without
 * ever giving it up, is in its own code.
 */
static bool may_interrupt(const struct lk_stop_helper *h, const struct lk_stop_slot *slot)
{
    if (slot->state != SLOT_SEIZED || !slot->wanted)
        return false;
    if (h->whom == LK_STOP_ANY)
        return true;
    /* The state last: it is what may change in the next moment. */
    return slot->slept >= 0 && slot->ran >= 0 && time_run(h, slot->tid) > slot->ran &&
           times_slept(h, slot->tid) == slot->slept && is_running(h, slot->tid);
}

static bool finds_one(const struct lk_stop_helper *h)
{
    for (size_t i = 0; i < h->s->n; i++)
        if (may_interrupt(h, &h->s->v[i]))
            return true;
    return false;
}

/* Looks, seizes and looks again, until there is somebody to stop. */
static bool find_somebody(const struct lk_stop_helper *h)
{
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        size_t n = first_look(h);

        if (attempt == 0)
            lk_pages_populate(h->t->pages,
                              POPULATE + LK_MIN(n * h->stack_bytes / 2, (size_t)32 << 20));
        seize_wanted(h);
        for (int look = 0; look < LOOKS; look++) {
            if (h->whom == LK_STOP_COMPUTING)
                rest();
            if (finds_one(h))
                return true;
        }
    }
    return false;
}

/* A thread that is passed over stays seized, which it does not notice, until the helper ends. */
static size_t interrupt_all(const struct lk_stop_helper *h)
{
    size_t n = 0;

    for (size_t i = 0; i < h->s->n; i++) {
        struct lk_stop_slot *slot = &h->s->v[i];

        if (!may_interrupt(h, slot))
            continue;
        slot->state = ptrace(PTRACE_INTERRUPT, (pid_t)slot->tid, NULL, NULL) == 0 ? SLOT_INTERRUPTED
                                                                                  : SLOT_GIVEN_UP;
        n++;
    }
    return n;
}

/*
 * Each thread by its own id: waiting for any of them costs the square of their number. A wait that
 * blocks (flags 0 instead of WNOHANG) is woken by this thread alone, and at the next tick at the
 * latest.
 */
static void look(struct lk_stop_slot *slot, int flags)
{
    siginfo_t info = { 0 };

    if (waitid(P_PID, (id_t)slot->tid, &info, WSTOPPED | WEXITED | WNOWAIT | __WALL | flags) != 0) {
        if (errno != EINTR)
            slot->state = SLOT_GIVEN_UP;
        return;
    }
    if (info.si_pid == 0)
        return;
    if (info.si_code != CLD_TRAPPED && info.si_code != CLD_STOPPED) {
        slot->state = SLOT_GIVEN_UP; /* it ended */
        return;
    }
    slot->state = SLOT_STOPPED;
    /* Events carry a number above the low byte; without one this is a signal on its way to the
     * thread. */
    if (info.si_status != INTERRUPT_TRAP && info.si_status >> 8 == 0)
        slot->signal = info.si_status;
}

static bool is_uninterruptible(const struct lk_stop_helper *h, const struct lk_stop_slot *slot)
{
    const char state = state_of(h, slot->tid);

    return !state || state == 'D';
}

/* Threads that cannot stop (uninterruptible sleep, waiting for a vfork child, frozen) are given up:
 * the others are held for them.
 */
static void wait_all(const struct lk_stop_helper *h)
{
    uint64_t closer = h->s->held_us + TICK_US,
             last = h->s->held_us + (uint64_t)h->max_pause_ms * 1000 / 4;
    int timer;

    if (!create_timer(SIGALRM, &timer) || !set_timer(timer, TICK_US, true))
        _exit(0);
    for (size_t i = 0; i < h->s->n; i++) {
        struct lk_stop_slot *slot = &h->s->v[i];

        if (slot->state == SLOT_INTERRUPTED)
            look(slot, WNOHANG);
        while (slot->state == SLOT_INTERRUPTED) {
            uint64_t now = lk_now_us();

            if (now >= last || (now >= closer && is_uninterruptible(h, slot)))
                slot->state = SLOT_GIVEN_UP;
            else
                look(slot, 0);
        }
    }
    set_timer(timer, 0, false);
}

static void read_registers(const struct lk_stop_helper *h)
{
    const struct lk_arch *arch = lk_process_arch(h->t);

    for (size_t i = 0; i < h->s->n; i++) {
        struct lk_stop_slot *slot = &h->s->v[i];
        uint64_t words[LK_REGSET_WORDS];
        struct iovec v = { words, sizeof(words) };

        if (slot->state == SLOT_STOPPED &&
            ptrace(PTRACE_GETREGSET, (pid_t)slot->tid, NT_PRSTATUS, &v) == 0 &&
            v.iov_len == arch->regset_words * sizeof(words[0]))
            lk_arch_take_regs(arch, words, &slot->regs);
    }
}

/* In the order of interrupting, so that no thread is held for the whole span. A thread given up may
 * have stopped since. */
static void detach_all(struct lk_stop_shared *s)
{
    for (size_t i = 0; i < s->n; i++) {
        struct lk_stop_slot *slot = &s->v[i];

        if (slot->state == SLOT_GIVEN_UP)
            look(slot, WNOHANG);
        if (slot->state == SLOT_STOPPED)
            (void)ptrace(PTRACE_DETACH, (pid_t)slot->tid, NULL, (void *)(intptr_t)slot->signal);
    }
}

/* --- the helper: copying ------------------------------------------------------------------- */

/* Not beyond the mapping of the stack, as far as the list of mappings was read before: the next
 * page is another thread's guard.
 */
static void copy_stacks(const struct lk_stop_helper *h)
{
    for (size_t i = 0; i < h->s->n && h->stack_bytes > 0; i++) {
        const struct lk_stop_slot *slot = &h->s->v[i];
        lk_addr sp = slot->regs.reg[LK_REG_SP], end = sp + h->stack_bytes;
        const struct lk_mapping *m;

        if (!slot->regs.known || end < sp)
            continue;
        m = h->t->maps_fresh ? lk_process_mapping_at(h->t, sp) : NULL;
        lk_pages_want(h->t->pages, sp, m && m->end < end ? m->end : end);
    }
    lk_pages_flush(h->t->pages);
}

/* Nobody computes (any more), or nobody could be seized: seize_errno says then why. */
static _Noreturn void leave_without_stop(struct lk_stop_shared *s)
{
    uint64_t now = s->seize_errno ? 0 : lk_now_us();

    __atomic_store_n(&s->released_us, now, __ATOMIC_RELEASE);
    __atomic_store_n(&s->held_us, now, __ATOMIC_RELEASE);
    _exit(0);
}

static struct lk_stop_shared *result; /* the helper's; the kernel lets the threads run on */

static void end_without_memory(void)
{
    __atomic_store_n(&result->no_memory, true, __ATOMIC_RELEASE);
    _exit(0);
}

_Noreturn void lk_stop_helper_main(const struct lk_stop_helper *h)
{
    struct lk_stop_shared *s = h->s;
    /* what the end of a killed helper takes */
    unsigned slack_ms = LK_MIN(h->max_pause_ms / 10, 5u);

    result = s;
    lk_memory_in_child(end_without_memory);
    settle_signals();
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != h->parent)
        _exit(0);
    lk_pages_populate(h->t->pages, POPULATE);
    /* Once without a stop: it brings in the pages that the walk needs, and takes the page faults of
     * our own memory. */
    if (h->prepare)
        h->prepare(h->t, h->arg);
    if (!find_somebody(h))
        leave_without_stop(s);
    if (!arm_deadline(LK_MAX(h->max_pause_ms - slack_ms, 1u)))
        _exit(0);
    raise_priority();
    __atomic_store_n(&s->held_us, lk_now_us(), __ATOMIC_RELEASE);
    if (interrupt_all(h) == 0)
        leave_without_stop(s);
    wait_all(h);
    read_registers(h);
    lk_pages_refresh(h->t->pages);
    copy_stacks(h);
    if (h->collect)
        h->collect(h->t, h->arg);
    detach_all(s);
    __atomic_store_n(&s->released_us, lk_now_us(), __ATOMIC_RELEASE);
    /* Still with the raised priority: among a hundred busy threads an ordinary one waits long for
     * its turn to end. */
    _exit(0);
}
