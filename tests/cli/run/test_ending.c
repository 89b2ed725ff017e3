/* Real processes: this program is the subreaper of small trees that it starts and ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h> /* needs the three above */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/run/command_cgroup.h"
#include "cli/run/kill_tree.h"
#include "cli/run/signals.h"
#include "process/linux/process_tree.h"
#include "util/base.h"

static size_t count(void)
{
    pid_t pids[64];
    return lk_tree_list(getpid(), pids, 64) - 1;
}

static void until_count(size_t n)
{
    const uint64_t end = lk_now_ms() + 10000;
    while (count() != n && lk_now_ms() < end)
        usleep(2000);
    assert_int_equal(count(), n);
}

/* A child, and below it an orphan in a session of its own that ignores SIGTERM. */
static pid_t start_tree(void)
{
    const pid_t child = fork();
    if (child)
        return child;
    if (fork() == 0) {
        signal(SIGTERM, SIG_IGN);
        if (fork() != 0)
            _exit(0);
        setsid();
    } else {
        wait(NULL);
    }
    for (;;)
        pause();
}

static bool reap_all(unsigned ms)
{
    for (const uint64_t end = lk_now_ms() + ms; lk_now_ms() < end; usleep(2000))
        if (waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD)
            return true;
    return false;
}

static void asked_then_killed(void **state)
{
    pid_t denied;
    (void)state;
    const pid_t child = start_tree();
    until_count(2);
    kill(child, SIGSTOP);
    while (!lk_signals_stopped(child))
        usleep(1000);
    lk_kill_tree_ask(getpid(), SIGTERM);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
    assert_false(reap_all(50));
    assert_int_equal(lk_kill_tree_kill(getpid(), &denied), 1);
    assert_int_equal(denied, 0);
    assert_true(reap_all(5000));
    assert_int_equal(lk_kill_tree_kill(getpid(), &denied), 0);
}

static void only_descendants(void **state)
{
    (void)state;
    const pid_t one = fork();
    if (one == 0)
        for (;;)
            pause();
    const pid_t two = fork();
    if (two == 0)
        for (;;)
            pause();
    assert_true(lk_kill_tree_descends(one, getpid()));
    assert_false(lk_kill_tree_descends(one, two));
    assert_false(lk_kill_tree_descends(getppid(), getpid()));
    /* Neither the root nor who does not descend from it. */
    assert_true(lk_kill_tree_signal(two, one, SIGKILL));
    assert_true(lk_kill_tree_signal(one, one, SIGKILL));
    usleep(20000);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), 0);
    assert_true(lk_kill_tree_signal(getpid(), one, SIGKILL));
    assert_int_equal(waitpid(one, NULL, 0), one);
    assert_true(lk_kill_tree_signal(getpid(), one, SIGKILL)); /* gone is no refusal */
    kill(two, SIGKILL);
    assert_true(reap_all(5000));
}

static void caged(void **state)
{
    struct lk_command_cgroup cage, same;
    (void)state;
    lk_command_cgroup_create(&cage);
    if (!cage.dir[0])
        skip();
    assert_int_equal(access(cage.dir, F_OK), 0);
    lk_command_cgroup_inherit(&same, getpid());
    assert_string_equal(same.dir, cage.dir);
    const pid_t child = lk_command_cgroup_fork(&cage);
    if (child == 0)
        for (;;)
            pause();
    char dir[PATH_MAX];
    snprintf(dir, sizeof dir, "%s", cage.dir);
    lk_command_cgroup_kill(&cage);
    assert_int_equal(waitpid(child, NULL, 0), child);
    lk_command_cgroup_destroy(&cage);
    assert_int_not_equal(access(dir, F_OK), 0);
    lk_command_cgroup_inherit(&same, getpid());
    assert_string_equal(same.dir, "");
}

/* Members that stay are given back, and the cage goes. */
static void cage_opened(void **state)
{
    struct lk_command_cgroup cage;
    char dir[PATH_MAX];
    (void)state;
    lk_command_cgroup_create(&cage);
    if (!cage.dir[0])
        skip();
    snprintf(dir, sizeof dir, "%s", cage.dir);
    const pid_t child = lk_command_cgroup_fork(&cage);
    if (child == 0)
        for (;;)
            pause();
    lk_command_cgroup_destroy(&cage);
    assert_int_not_equal(access(dir, F_OK), 0);
    assert_int_equal(waitpid(child, NULL, WNOHANG), 0);
    kill(child, SIGKILL);
    assert_true(reap_all(5000));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(asked_then_killed),
                                        cmocka_unit_test(only_descendants), cmocka_unit_test(caged),
                                        cmocka_unit_test(cage_opened) };
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
