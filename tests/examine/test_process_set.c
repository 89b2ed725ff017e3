/* Many processes at once: order, members that are gone, deadlines, interruptions. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "bound_fork.h"
#include "examine/process_set.h"

enum { N = 30 };

static pid_t sleeper(void)
{
    const pid_t pid = bound_fork();
    while (pid == 0)
        pause();
    return pid;
}

static void end(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static struct lk_examine_options options(unsigned samples)
{
    return (struct lk_examine_options){
        .samples = samples, .interval_ms = 20, .stalled_after_ms = 2000, .max_pause_ms = 250
    };
}

static bool has_limit(const struct lk_report *r, const char *text)
{
    for (size_t i = 0; i < r->snap->limits.n; i++)
        if (strstr(r->snap->limits.v[i].text, text))
            return true;
    return false;
}

static void all_in_order(void **state)
{
    (void)state;
    pid_t pids[N];
    struct lk_joint_result r[N] = { 0 };
    const struct lk_examine_options o = options(2);
    for (size_t i = 0; i < N; i++)
        pids[i] = sleeper();
    const pid_t gone = pids[7];
    end(gone);
    lk_examine_together(pids, N, &o, 60000, r);
    for (size_t i = 0; i < N; i++) {
        assert_int_equal(r[i].pid, pids[i]);
        assert_int_equal(r[i].ok, pids[i] != gone);
        if (!r[i].ok) {
            assert_int_equal(r[i].err.code, LK_ERR_NO_PROCESS);
            continue;
        }
        assert_int_equal(r[i].report.snap->pid, pids[i]);
        assert_int_equal(r[i].report.snap->samples.n, 2);
        lk_joint_result_deinit(&r[i]);
        end(pids[i]);
    }
}

enum { DEADLINE_MS = 3000 };

static unsigned begun;

/* The deadline has passed as soon as both examinations have begun: no machine is too slow for it.
 */
static uint64_t clock_of_test(void)
{
    return begun++ < 2 ? 0 : DEADLINE_MS;
}

/* Far more samples were asked for than fit: what there is at the deadline is a report. */
static void deadline(void **state)
{
    (void)state;
    const pid_t pids[] = { sleeper(), sleeper() };
    struct lk_joint_result r[2] = { 0 };
    struct lk_examine_options o = options(1000);
    o.now_ms = clock_of_test;
    begun = 0;
    lk_examine_together(pids, 2, &o, DEADLINE_MS, r);
    for (size_t i = 0; i < 2; i++) {
        assert_true(r[i].ok);
        assert_true(r[i].report.snap->samples.n >= 1 && r[i].report.snap->samples.n < 1000);
        assert_true(has_limit(&r[i].report, "its deadline has passed"));
        lk_joint_result_deinit(&r[i]);
        end(pids[i]);
    }
}

/* Already interrupted when it begins: nothing is examined, and each member says so. */
static void interrupted(void **state)
{
    (void)state;
    const pid_t pids[] = { sleeper(), sleeper() };
    struct lk_joint_result r[2] = { 0 };
    struct lk_examine_options o = options(3);
    const int yes = 15;
    o.interrupted = &yes;
    lk_examine_together(pids, 2, &o, 0, r);
    for (size_t i = 0; i < 2; i++) {
        assert_false(r[i].ok);
        assert_non_null(strstr(r[i].err.text, "interrupted"));
        end(pids[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_in_order),
        cmocka_unit_test(deadline),
        cmocka_unit_test(interrupted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
