/* Real processes below this one; time is given by hand, so that windows cost no waiting (processor
 * time is real). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h> /* needs the three above */

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bound_fork.h"
#include "cli/run/tree_progress.h"
#include "util/base.h"

enum { WINDOW = 5000, STEP = 500, WORK_MS = 20 };

/* A child that does one thing whenever a byte comes: writes, or computes for WORK_MS. */
struct worker {
    pid_t pid;
    int ask;
};

/* By its own processor time: how busy the machine is makes no difference. */
static void compute(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    const long long end = t.tv_sec * 1000000000LL + t.tv_nsec + WORK_MS * 1000000LL;
    do
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    while (t.tv_sec * 1000000000LL + t.tv_nsec < end);
}

static _Noreturn void work(int ask)
{
    const int null = open("/dev/null", O_WRONLY);
    char what;
    while (read(ask, &what, 1) == 1) {
        if (what == 'w' && write(null, "x", 1) != 1)
            _exit(1);
        if (what == 'c')
            compute();
        if (what == 'f' && fork() == 0) { /* a child writes, and is waited for */
            (void)!write(null, "xyz", 3);
            _exit(0);
        }
        if (what == 'f')
            wait(NULL);
        /* An answer that write(2) does not count. */
        kill(getppid(), SIGUSR1);
    }
    _exit(0);
}

static struct worker start(void)
{
    int ask[2];
    assert_int_equal(pipe(ask), 0);
    struct worker w = { .pid = bound_fork(), .ask = ask[1] };
    if (w.pid == 0) {
        close(ask[1]);
        work(ask[0]);
    }
    close(ask[0]);
    return w;
}

static void tell(const struct worker *w, char what)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    assert_int_equal(write(w->ask, &what, 1), 1);
    assert_int_equal(sigwaitinfo(&set, NULL), SIGUSR1);
}

static void end(struct worker *w)
{
    close(w->ask);
    kill(w->pid, SIGKILL);
    waitpid(w->pid, NULL, 0);
}

/* Looks over ms, telling the worker something before each look ('\0': nothing). */
static enum lk_suspicion watch(struct lk_tree_progress *p, const struct worker *w, char what,
                               uint64_t *now, unsigned ms)
{
    for (const uint64_t until = *now + ms; *now < until;) {
        *now += STEP;
        if (what)
            tell(w, what);
        lk_tree_progress_look(p, *now);
    }
    return lk_tree_progress_suspect(p, *now);
}

static void idle_is_suspected_once_the_window_is_over(void **state)
{
    struct worker w = start();
    uint64_t now = 1000;
    struct lk_tree_progress *p = lk_tree_progress_create(w.pid, WINDOW, now);
    (void)state;
    assert_int_equal(watch(p, &w, 0, &now, WINDOW - STEP), LK_UNSUSPICIOUS);
    assert_int_equal(watch(p, &w, 0, &now, 3 * STEP), LK_SUSPECT_IDLE);
    assert_int_equal(watch(p, &w, 0, &now, WINDOW), LK_SUSPECT_IDLE);
    lk_tree_progress_destroy(p);
    end(&w);
}

static void output_is_progress(void **state)
{
    struct worker w = start();
    uint64_t now = 1000;
    struct lk_tree_progress *p = lk_tree_progress_create(w.pid, WINDOW, now);
    (void)state;
    assert_int_equal(watch(p, &w, 0, &now, WINDOW - STEP), LK_UNSUSPICIOUS);
    tell(&w, 'w');
    assert_int_equal(watch(p, &w, 0, &now, WINDOW - STEP), LK_UNSUSPICIOUS);
    assert_int_equal(watch(p, &w, 0, &now, 4 * STEP), LK_SUSPECT_IDLE);
    /* Of a child that came and went between two looks. */
    tell(&w, 'f');
    assert_int_equal(watch(p, &w, 0, &now, STEP), LK_UNSUSPICIOUS);
    lk_tree_progress_destroy(p);
    end(&w);
}

static void computing_is_another_suspicion(void **state)
{
    struct worker w = start();
    uint64_t now = 1000;
    (void)state;
    /* 20 ms of work in 500 ms of the given time: a twenty-fifth of a core. */
    struct lk_tree_progress *p = lk_tree_progress_create(w.pid, WINDOW, now);
    assert_int_equal(watch(p, &w, 'c', &now, 2 * WINDOW), LK_UNSUSPICIOUS);
    assert_true(lk_tree_progress_cores(p, now) > 0.025 && lk_tree_progress_cores(p, now) < 0.08);
    assert_int_equal(watch(p, &w, 'c', &now, 4 * WINDOW), LK_SUSPECT_QUIET);
    lk_tree_progress_destroy(p);
    end(&w);
}

static void busy_all_the_time(void **state)
{
    struct worker w = start();
    (void)state;
    struct lk_tree_progress *p = lk_tree_progress_create(w.pid, 400, 0);
    uint64_t now = 0, real = lk_now_ms();
    /* The processor's own time is the clock here: a busy machine does not change what is seen. */
    struct timespec t;
    clockid_t clock;
    assert_int_equal(clock_getcpuclockid(w.pid, &clock), 0);
    while (now < 1200 && lk_now_ms() < real + 20000) {
        tell(&w, 'c');
        clock_gettime(clock, &t);
        now = (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
        lk_tree_progress_look(p, now);
    }
    assert_int_equal(lk_tree_progress_suspect(p, now), LK_SUSPECT_BUSY);
    lk_tree_progress_destroy(p);
    end(&w);
}

static void gone_is_idle(void **state)
{
    struct worker w = start();
    uint64_t now = 0;
    struct lk_tree_progress *p = lk_tree_progress_create(w.pid, WINDOW, now);
    (void)state;
    tell(&w, 'w');
    lk_tree_progress_look(p, now);
    end(&w);
    assert_int_equal(watch(p, &w, 0, &now, 2 * WINDOW), LK_SUSPECT_IDLE);
    lk_tree_progress_destroy(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(idle_is_suspected_once_the_window_is_over),
        cmocka_unit_test(output_is_progress),
        cmocka_unit_test(computing_is_another_suspicion),
        cmocka_unit_test(busy_all_the_time),
        cmocka_unit_test(gone_is_idle),
    };
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
