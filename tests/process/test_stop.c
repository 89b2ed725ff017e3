/* Stopping threads of real processes: what they feel of it, and what is left behind in every bad
 * case. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ipc.h>
#include <sys/ptrace.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "../fake_target.h"
#include "child.h"
#include "process/linux/procfs.h"
#include "process/process_impl.h"
#include "process/stop.h"

enum { SPINNERS = 4, STACK = 16384, LONG_MS = 2000 };

/* --- children --------------------------------------------------------------------- */

struct spinner {
    struct child *c;
    int i;
};

static void *spin(void *arg)
{
    struct spinner *s = arg;

    atomic_store(&s->c->tid[s->i], own_tid());
    atomic_fetch_add(&s->c->ready, 1);
    for (;;)
        atomic_fetch_add_explicit(&s->c->count[s->i], 1, memory_order_relaxed);
    return NULL;
}

static void start_spinners(struct child *c, int n)
{
    static struct spinner args[SPINNERS];
    pthread_t t;

    for (int i = 0; i < n; i++) {
        args[i] = (struct spinner){ c, i };
        pthread_create(&t, NULL, spin, &args[i]);
    }
}

static void run_spinners(struct child *c)
{
    start_spinners(c, SPINNERS);
    for (;;)
        pause();
}

static struct child *signal_page;

static void on_signal(int sig, siginfo_t *info, void *context)
{
    (void)sig;
    (void)info;
    (void)context;
    atomic_fetch_add(&signal_page->count[15], 1);
}

static void catch_signals(struct child *c)
{
    struct sigaction sa = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_RESTART };

    signal_page = c;
    sigaction(SIGRTMIN, &sa, NULL);
    sigaction(SIGUSR1, &sa, NULL);
}

static void run_one_spinner_with_handler(struct child *c)
{
    struct spinner arg = { c, 0 };

    catch_signals(c);
    spin(&arg);
}

/* --- the test's side ------------------------------------------------------------------ */

struct fixture {
    struct child *c;
    pid_t pid;
    struct lk_process *t;
    int64_t tids[SPINNERS];
    struct lk_stop_result res;
    struct lk_error err;
};

static void begin(struct fixture *f, void (*run)(struct child *), int n_ready)
{
    memset(f, 0, sizeof(*f));
    f->c = child_page();
    assert_non_null(f->c);
    f->pid = child_start(run, f->c);
    assert_true(f->pid > 0);
    assert_true(wait_until(atomic_load(&f->c->ready) == n_ready));
    for (int i = 0; i < SPINNERS; i++)
        f->tids[i] = atomic_load(&f->c->tid[i]);
    f->t = lk_process_open_live(f->pid, &f->err);
    if (!f->t)
        print_error("%s\n", f->err.text);
    assert_non_null(f->t);
}

static void end(struct fixture *f)
{
    lk_stop_result_deinit(&f->res);
    lk_process_destroy(f->t);
    child_end(f->pid);
    munmap(f->c, sizeof(*f->c));
}

/* State of a thread in /proc: "t" would be left traced, "T" stopped. */
static char state_of(pid_t pid, int64_t tid)
{
    char name[64], text[1024];
    struct lk_procfs_stat stat;

    snprintf(name, sizeof(name), "/proc/%d/task/%d/stat", pid, (int)tid);
    return lk_procfs_read_at(-1, name, text, sizeof(text)) > 0 && lk_procfs_stat_parse(text, &stat)
               ? stat.state
               : '?';
}

static bool runs_on(struct fixture *f, int n)
{
    bool all = true;

    for (int i = 0; i < n && all; i++) {
        long before = atomic_load(&f->c->count[i]);

        all = wait_until(atomic_load(&f->c->count[i]) != before);
        if (!all)
            print_error("thread %d does not run on, state %c\n", i, state_of(f->pid, f->tids[i]));
    }
    return all;
}

static bool stop(struct fixture *f, const int64_t *tids, size_t n, unsigned ms,
                 lk_collect_fn collect)
{
    lk_stop_result_deinit(&f->res);
    const struct lk_stop_request how = { .tids = tids,
                                         .n = n,
                                         .whom = LK_STOP_ANY,
                                         .max_pause_ms = ms,
                                         .stack_bytes = STACK,
                                         .collect = collect,
                                         .arg = f };
    return lk_stop_collect(f->t, &how, &f->res, &f->err);
}

/* --- tests -------------------------------------------------------------------------------- */

static void collect_watches_counters(struct lk_process *t, void *arg)
{
    struct fixture *f = arg;
    long before[SPINNERS];

    (void)t;
    for (int i = 0; i < SPINNERS; i++)
        before[i] = atomic_load(&f->c->count[i]);
    nap_us(3000);
    for (int i = 0; i < SPINNERS; i++)
        if (atomic_load(&f->c->count[i]) != before[i])
            atomic_store(&f->c->bad, 1);
    atomic_store(&f->c->flag, 1);
}

static void threads_stand_still_and_run_on(void **state)
{
    struct fixture f;
    uint64_t word, again;

    (void)state;
    begin(&f, run_spinners, SPINNERS);
    assert_true(stop(&f, f.tids, SPINNERS, LONG_MS, collect_watches_counters));
    assert_int_equal(atomic_load(&f.c->flag), 1);
    assert_int_equal(atomic_load(&f.c->bad), 0);
    assert_false(f.res.deadline);
    assert_false(f.res.overflow);
    assert_int_equal(f.res.stopped.n, SPINNERS);
    assert_int_equal(f.res.regs.n, SPINNERS);
    assert_true(f.res.pause_us >= 3000);
    for (int i = 0; i < SPINNERS; i++) {
        const struct lk_regs *r = &f.res.regs.v[i];
        const struct lk_mapping *code = lk_process_mapping_at(f.t, r->reg[LK_REG_PC]);

        assert_int_equal(f.res.stopped.v[i], f.tids[i]);
        assert_int_equal(r->known, 0x1ffff);
        assert_non_null(code);
        assert_string_equal(code->prot, "r-xp");
        /* The stack is in the cache already, and stays what it was. */
        assert_true(lk_read_u64(f.t, r->reg[LK_REG_SP], &word));
        assert_true(lk_read_u64(f.t, r->reg[LK_REG_SP], &again));
        assert_int_equal(word, again);
    }
    assert_true(runs_on(&f, SPINNERS));
    end(&f);
}

static void send_signal(struct lk_process *t, void *arg)
{
    struct fixture *f = arg;

    (void)t;
    kill(f->pid, SIGUSR1);
}

static void a_signal_under_the_stop_arrives(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f, run_one_spinner_with_handler, 1);
    assert_true(stop(&f, f.tids, 1, LONG_MS, send_signal));
    assert_int_equal(f.res.stopped.n, 1);
    assert_true(wait_until(atomic_load(&f.c->count[15]) == 1));
    assert_true(runs_on(&f, 1));
    end(&f);
}

/* Realtime signals are queued, so each one can be counted: before, at and after the stop. */
static void *send_many(void *arg)
{
    struct fixture *f = arg;
    union sigval v = { 0 };

    while (atomic_load(&f->c->go) == 0) {
        if (sigqueue(f->pid, SIGRTMIN, v) == 0)
            atomic_fetch_add(&f->c->count[14], 1);
        nap_us(50);
    }
    return NULL;
}

static void no_signal_is_lost(void **state)
{
    struct fixture f;
    pthread_t sender;

    (void)state;
    begin(&f, run_one_spinner_with_handler, 1);
    assert_int_equal(pthread_create(&sender, NULL, send_many, &f), 0);
    for (int i = 0; i < 200; i++) {
        lk_process_begin_sample(f.t);
        assert_true(stop(&f, f.tids, 1, LONG_MS, NULL));
    }
    atomic_store(&f.c->go, 1);
    pthread_join(sender, NULL);
    assert_true(atomic_load(&f.c->count[14]) > 0);
    assert_true(wait_until(atomic_load(&f.c->count[15]) == atomic_load(&f.c->count[14])));
    end(&f);
}

static void die_at_once(struct lk_process *t, void *arg)
{
    (void)t;
    (void)arg;
    kill(getpid(), SIGKILL);
}

/* The helper is killed while a thread stands in front of a signal: the signal must still come
 * through. */
static void no_signal_is_lost_with_the_helper(void **state)
{
    struct fixture f;
    pthread_t sender;

    (void)state;
    begin(&f, run_one_spinner_with_handler, 1);
    assert_int_equal(pthread_create(&sender, NULL, send_many, &f), 0);
    for (int i = 0; i < 200; i++) {
        lk_process_begin_sample(f.t);
        assert_true(stop(&f, f.tids, 1, LONG_MS, die_at_once));
        assert_true(f.res.deadline);
        assert_int_equal(f.res.stopped.n, 1);
    }
    atomic_store(&f.c->go, 1);
    pthread_join(sender, NULL);
    assert_true(wait_until(atomic_load(&f.c->count[15]) == atomic_load(&f.c->count[14])));
    assert_true(runs_on(&f, 1));
    end(&f);
}

static void terminal_signals(struct lk_process *t, void *arg)
{
    struct fixture *f = arg;

    (void)t;
    kill(getpid(), SIGINT);
    kill(getpid(), SIGTERM);
    kill(getpid(), SIGHUP);
    kill(getpid(), SIGQUIT);
    kill(getpid(), SIGTSTP);
    atomic_store(&f->c->flag, 1);
}

static void terminal_signals_do_not_cut_the_helper_off(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f, run_spinners, SPINNERS);
    assert_true(stop(&f, f.tids, SPINNERS, LONG_MS, terminal_signals));
    assert_int_equal(atomic_load(&f.c->flag), 1);
    assert_false(f.res.deadline);
    assert_true(runs_on(&f, SPINNERS));
    end(&f);
}

static void sleep_for_long(struct lk_process *t, void *arg)
{
    struct fixture *f = arg;

    (void)t;
    atomic_store(&f->c->flag, 1);
    nap_us(60 * 1000000L);
}

static void stop_itself(struct lk_process *t, void *arg)
{
    (void)t;
    (void)arg;
    kill(getpid(), SIGSTOP);
}

static void the_deadline_lets_go(void **state)
{
    static const lk_collect_fn slow[] = { sleep_for_long, stop_itself };
    struct fixture f;

    (void)state;
    begin(&f, run_spinners, SPINNERS);
    for (size_t i = 0; i < LK_ARRAY_LEN(slow); i++) {
        uint64_t start = lk_now_ms();

        lk_process_begin_sample(f.t);
        assert_true(stop(&f, f.tids, SPINNERS, 400, slow[i]));
        assert_true(f.res.deadline);
        /* on a loaded machine the deadline may pass before the last one has stopped */
        assert_in_range(f.res.stopped.n, 1, SPINNERS);
        assert_true(lk_now_ms() - start < 5000);
        assert_true(runs_on(&f, SPINNERS));
    }
    end(&f);
}

static void run_stopper(struct child *c)
{
    struct fixture f = { .c = c, .pid = atomic_load(&c->go) };

    for (int i = 0; i < SPINNERS; i++)
        f.tids[i] = atomic_load(&c->tid[i]);
    f.t = lk_process_open_live(f.pid, &f.err);
    if (f.t)
        (void)stop(&f, f.tids, SPINNERS, 60000, sleep_for_long);
}

static void a_killed_caller_lets_go(void **state)
{
    struct fixture f;
    pid_t caller;

    (void)state;
    begin(&f, run_spinners, SPINNERS);
    atomic_store(&f.c->go, f.pid);
    caller = child_start(run_stopper, f.c);
    assert_true(wait_until(atomic_load(&f.c->flag) == 1));
    assert_int_equal(state_of(f.pid, f.tids[0]), 't');
    child_end(caller);
    assert_true(runs_on(&f, SPINNERS));
    for (int i = 0; i < SPINNERS; i++)
        assert_true(wait_until(state_of(f.pid, f.tids[i]) == 'R'));
    end(&f);
}

static void a_caller_that_ignores_children(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f, run_spinners, SPINNERS);
    signal(SIGCHLD, SIG_IGN);
    assert_true(stop(&f, f.tids, SPINNERS, LONG_MS, NULL));
    signal(SIGCHLD, SIG_DFL);
    assert_false(f.res.deadline);
    assert_int_equal(f.res.stopped.n, SPINNERS);
    assert_true(runs_on(&f, SPINNERS));
    end(&f);
}

/* --- threads that cannot stop, or stand already ----------------------------------------------- */

static void *wait_in_vfork(void *arg)
{
    struct child *c = arg;

    atomic_store(&c->tid[1], own_tid());
    pid_t pid = vfork();
    if (pid == 0) {
        /* System calls and the shared page alone: this process borrows its parent's memory. */
        atomic_fetch_add(&c->ready, 1);
        while (atomic_load(&c->go) == 0)
            syscall(SYS_sched_yield);
        _exit(0);
    }
    atomic_store(&c->flag, 2);
    for (;;)
        pause();
    return NULL;
}

static void run_vfork(struct child *c)
{
    pthread_t t;

    pthread_create(&t, NULL, wait_in_vfork, c);
    start_spinners(c, 1);
    for (;;)
        pause();
}

static void a_vfork_wait_is_left_alone(void **state)
{
    struct fixture f;
    int64_t tids[2];

    (void)state;
    begin(&f, run_vfork, 2);
    assert_true(wait_until(state_of(f.pid, f.tids[1]) == 'D'));
    tids[0] = f.tids[1]; /* first, so that the spinner would be held for it */
    tids[1] = f.tids[0];
    assert_true(stop(&f, tids, 2, LONG_MS, NULL));
    assert_false(f.res.deadline);
    assert_int_equal(f.res.stopped.n, 1);
    assert_int_equal(f.res.stopped.v[0], f.tids[0]);
    assert_true(f.res.pause_us < LONG_MS * 1000 / 2);
    assert_true(runs_on(&f, 1));
    assert_int_equal(atomic_load(&f.c->flag), 0);
    atomic_store(&f.c->go, 1);
    assert_true(wait_until(atomic_load(&f.c->flag) == 2)); /* no trap was left pending */
    assert_true(wait_until(state_of(f.pid, f.tids[1]) == 'S'));
    end(&f);
}

static void a_stopped_process_stays_stopped(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f, run_spinners, SPINNERS);
    kill(f.pid, SIGSTOP);
    for (int i = 0; i < SPINNERS; i++)
        assert_true(wait_until(state_of(f.pid, f.tids[i]) == 'T'));
    assert_true(stop(&f, f.tids, SPINNERS, LONG_MS, collect_watches_counters));
    assert_int_equal(f.res.stopped.n, SPINNERS);
    for (int i = 0; i < SPINNERS; i++)
        assert_true(wait_until(state_of(f.pid, f.tids[i]) == 'T'));
    kill(f.pid, SIGCONT);
    assert_true(runs_on(&f, SPINNERS));
    end(&f);
}

static void run_tracer(struct child *c)
{
    for (int i = 0; i < SPINNERS; i++)
        if (ptrace(PTRACE_SEIZE, (pid_t)atomic_load(&c->tid[i]), 0, 0) != 0)
            atomic_store(&c->bad, 1);
    /* the leader too: it names the tracer */
    if (ptrace(PTRACE_SEIZE, atomic_load(&c->go), 0, 0) != 0)
        atomic_store(&c->bad, 1);
    atomic_store(&c->flag, 1);
    for (;;)
        pause();
}

static void another_tracer_is_named(void **state)
{
    struct fixture f;
    char expected[32];
    pid_t tracer;

    (void)state;
    begin(&f, run_spinners, SPINNERS);
    atomic_store(&f.c->go, f.pid);
    tracer = child_start(run_tracer, f.c);
    assert_true(wait_until(atomic_load(&f.c->flag) == 1));
    assert_int_equal(atomic_load(&f.c->bad), 0);
    assert_false(stop(&f, f.tids, SPINNERS, LONG_MS, NULL));
    assert_int_equal(f.err.code, LK_ERR_PERMISSION);
    snprintf(expected, sizeof(expected), "by process %d (", tracer);
    assert_non_null(strstr(f.err.text, expected));
    assert_int_equal(f.res.stopped.n, 0);
    child_end(tracer);
    assert_true(stop(&f, f.tids, SPINNERS, LONG_MS, NULL));
    assert_true(runs_on(&f, SPINNERS));
    end(&f);
}

static void strangers_are_not_stopped(void **state)
{
    struct fixture f, other;
    int64_t gone = 0x3ffffff; /* above the largest pid the kernel gives */

    (void)state;
    begin(&f, run_spinners, SPINNERS);
    begin(&other, run_spinners, SPINNERS);
    assert_true(stop(&f, other.tids, SPINNERS, LONG_MS, collect_watches_counters));
    assert_int_equal(f.res.stopped.n, 0);
    assert_int_equal(atomic_load(&f.c->flag), 0);
    assert_true(runs_on(&other, SPINNERS));
    /* A thread may end between the list and the stop: nothing went wrong, and nobody was stopped.
     */
    assert_true(stop(&f, &gone, 1, LONG_MS, NULL));
    assert_int_equal(f.res.stopped.n, 0);
    assert_true(stop(&f, &gone, 0, LONG_MS, NULL));
    assert_int_equal(f.res.stopped.n, 0);
    end(&other);
    end(&f);
}

static void a_fake_cannot_be_stopped(void **state)
{
    struct lk_process *t = fake_target(NULL, 0);
    struct lk_stop_result res;
    struct lk_error err;
    int64_t tid = 1;

    (void)state;
    const struct lk_stop_request how = { .tids = &tid, .n = 1, .max_pause_ms = 100 };
    assert_false(lk_stop_collect(t, &how, &res, &err));
    assert_int_equal(err.code, LK_ERR_UNSUPPORTED);
    lk_stop_result_deinit(&res);
    lk_process_destroy(t);
}

/* --- calls that a stop would interrupt
 * ------------------------------------------------------------ */

static struct child *eintr_page;

static void returned(int which)
{
    atomic_store(&eintr_page->bad, which);
    abort();
}

static void about_to_sleep(int i)
{
    atomic_store(&eintr_page->tid[i], own_tid());
    atomic_fetch_add(&eintr_page->ready, 1);
}

static void *in_epoll(void *arg)
{
    struct epoll_event e;
    int fd = epoll_create1(0);

    about_to_sleep(1);
    epoll_wait(fd, &e, 1, -1);
    returned(1);
    return arg;
}

static void *in_semop(void *arg)
{
    int id = semget(IPC_PRIVATE, 1, 0600);
    struct sembuf down = { 0, -1, 0 };

    atomic_store(&eintr_page->count[13], id);
    about_to_sleep(2);
    semop(id, &down, 1);
    returned(2);
    return arg;
}

static void *in_sigtimedwait(void *arg)
{
    struct timespec ts = { 1000, 0 };
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    about_to_sleep(3);
    sigtimedwait(&set, NULL, &ts);
    returned(3);
    return arg;
}

static void *in_recv(void *arg)
{
    struct timeval tv = { 1000, 0 };
    char byte;
    int fd[2];

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, fd) == 0 &&
        setsockopt(fd[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)) == 0) {
        about_to_sleep(4);
        (void)!recv(fd[0], &byte, 1, 0);
    }
    returned(4);
    return arg;
}

static void run_sleepers(struct child *c)
{
    static void *(*const calls[])(void *) = { in_epoll, in_semop, in_sigtimedwait, in_recv };
    pthread_t t;

    eintr_page = c;
    for (size_t i = 0; i < LK_ARRAY_LEN(calls); i++)
        pthread_create(&t, NULL, calls[i], NULL);
    start_spinners(c, 1);
    for (;;)
        pause();
}

static void sleeping_calls_are_not_interrupted(void **state)
{
    struct fixture f;
    struct lk_thread_list list = { 0 };

    (void)state;
    begin(&f, run_sleepers, 5);
    for (int i = 1; i <= 4; i++)
        assert_true(wait_until(state_of(f.pid, atomic_load(&f.c->tid[i])) == 'S'));
    for (int round = 0; round < 200; round++) {
        lk_process_begin_sample(f.t);
        assert_true(lk_process_threads(f.t, &list, true, &f.err));
        assert_true(stop(&f, f.tids, 1, LONG_MS, NULL));
        assert_int_equal(f.res.stopped.n, 1);
    }
    assert_int_equal(waitpid(f.pid, NULL, WNOHANG), 0);
    assert_int_equal(atomic_load(&f.c->bad), 0);
    for (int i = 1; i <= 4; i++)
        assert_int_equal(state_of(f.pid, atomic_load(&f.c->tid[i])), 'S');
    assert_true(runs_on(&f, 1));
    semctl((int)atomic_load(&f.c->count[13]), 0, IPC_RMID);
    lk_free(list.v);
    end(&f);
}

/* --- a caller with threads of its own
 * --------------------------------------------------------------- */

static void *allocate(void *arg)
{
    struct fixture *f = arg;

    while (atomic_load(&f->c->go) == 0)
        free(malloc(100 + (size_t)rand() % 100000));
    return NULL;
}

static void allocate_under_the_stop(struct lk_process *t, void *arg)
{
    struct fixture *f = arg;

    (void)t;
    for (int i = 0; i < 100; i++)
        free(malloc(100 + (size_t)i * 1000));
    atomic_fetch_add(&f->c->flag, 1);
}

static void the_caller_may_have_threads(void **state)
{
    struct fixture f;
    pthread_t busy;

    (void)state;
    begin(&f, run_spinners, SPINNERS);
    assert_int_equal(pthread_create(&busy, NULL, allocate, &f), 0);
    for (int i = 1; i <= 20; i++) {
        lk_process_begin_sample(f.t);
        assert_true(stop(&f, f.tids, SPINNERS, LONG_MS, allocate_under_the_stop));
        assert_int_equal(atomic_load(&f.c->flag), i);
    }
    atomic_store(&f.c->go, 1);
    pthread_join(busy, NULL);
    assert_true(runs_on(&f, SPINNERS));
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_stand_still_and_run_on),
        cmocka_unit_test(a_signal_under_the_stop_arrives),
        cmocka_unit_test(no_signal_is_lost),
        cmocka_unit_test(no_signal_is_lost_with_the_helper),
        cmocka_unit_test(terminal_signals_do_not_cut_the_helper_off),
        cmocka_unit_test(the_deadline_lets_go),
        cmocka_unit_test(a_killed_caller_lets_go),
        cmocka_unit_test(a_caller_that_ignores_children),
        cmocka_unit_test(a_vfork_wait_is_left_alone),
        cmocka_unit_test(a_stopped_process_stays_stopped),
        cmocka_unit_test(another_tracer_is_named),
        cmocka_unit_test(strangers_are_not_stopped),
        cmocka_unit_test(a_fake_cannot_be_stopped),
        cmocka_unit_test(sleeping_calls_are_not_interrupted),
        cmocka_unit_test(the_caller_may_have_threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
