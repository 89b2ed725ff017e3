/* Real processes in each state that matters, started from this program itself (--child MODE ...) or
 * forked. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h> /* needs the three above */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bound_fork.h"
#include "process/linux/cgroup.h"
#include "process/linux/process_facts.h"
#include "process/linux/procfs.h"
#include "read/servers/program.h"
#include "read/servers/supervisor.h"
#include "snapshot/builder.h"

/* ---- children ------------------------------------------------------------------------ */

static void sleep_for_ever(void)
{
    for (;;)
        pause();
}

static void *thread_sleep(void *arg)
{
    sleep_for_ever();
    return arg;
}

static void mode_fork(void)
{
    bound_fork();
    sleep_for_ever();
}

static void mode_family(void)
{
    pthread_t t;
    if (bound_fork() == 0) {
        prctl(PR_SET_NAME, "kid\n)\x1b[1m");
        pthread_create(&t, NULL, thread_sleep, NULL);
        sleep_for_ever();
    }
    sleep_for_ever();
}

static void mode_main_gone(void)
{
    pthread_t t;
    pthread_create(&t, NULL, thread_sleep, NULL);
    pthread_exit(NULL);
}

static void mode_epoll(void)
{
    epoll_create1(0);
    epoll_create1(0);
    sleep_for_ever();
}

static void mode_zombie(void)
{
    _exit(0);
}

static void mode_burn(void)
{
    for (volatile unsigned i = 0;; i++)
        ;
}

static const struct {
    const char *name;
    void (*run)(void);
} modes[] = {
    { "sleep", sleep_for_ever },     { "fork", mode_fork },   { "family", mode_family },
    { "main-gone", mode_main_gone }, { "epoll", mode_epoll }, { "zombie", mode_zombie },
    { "burn", mode_burn },
};

static void run_mode(const char *name)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (size_t i = 0; i < LK_ARRAY_LEN(modes); i++)
        if (strcmp(modes[i].name, name) == 0)
            modes[i].run();
    _exit(99);
}

static pid_t start(const char *path, char *const argv[])
{
    pid_t pid = bound_fork();
    if (pid == 0) {
        setpgid(0, 0);
        execvp(path, argv);
        _exit(99);
    }
    assert_true(pid > 0);
    setpgid(pid, pid);
    return pid;
}

static pid_t start_mode(const char *mode)
{
    char *argv[] = { "test-target", "--child", (char *)mode, NULL };
    return start("/proc/self/exe", argv);
}

/* Ends the whole group: what the child started too. */
static void end(pid_t pid)
{
    kill(-pid, SIGKILL);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, __WALL);
}

static void nap(void)
{
    nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
}

static bool is_living(pid_t pid)
{
    struct lk_procfs_folder f;
    assert_true(lk_procfs_enter(pid, &f));
    const bool living = lk_process_is_living(f.whole);
    lk_procfs_leave(&f);
    return living;
}

static void read_supervisor(pid_t pid, struct lk_snapshot *s)
{
    struct lk_error err;
    struct lk_process *t = lk_process_open_live(pid, &err);
    if (t)
        lk_supervisor_read(t, s);
    lk_process_destroy(t);
}

/* Reads it again and again until done says that it shows what is awaited, for five seconds. */
static struct lk_snapshot *read_until(pid_t pid, bool (*done)(const struct lk_snapshot *))
{
    struct lk_error err;
    for (int i = 0; i < 2500; i++) {
        struct lk_snapshot *s = lk_snapshot_create();
        bool ok = lk_machine_identify(lk_machine_here(), pid, s, &err);
        if (ok)
            read_supervisor(pid, s);
        if (ok && done(s))
            return s;
        lk_snapshot_destroy(s);
        nap();
    }
    end(pid);
    fail_msg("process %d never came to the state that the test waits for", pid);
    return NULL;
}

static bool is_child_of_ours(const struct lk_snapshot *s)
{
    return s->n_cmdline > 1 && strcmp(s->cmdline[1], "--child") == 0;
}

/* ---- identity ------------------------------------------------------------------------ */

static void identity(void **state)
{
    (void)state;
    char *argv[] = { "test-target", "--child",      "sleep",     "--password", "hunter2",
                     "TOKEN=abc",   "\x1b[31m\xff", "monkey.py", NULL };
    time_t before = time(NULL);
    setenv("PYTEST_CURRENT_TEST", "t.py::test_x\x1b (call)", 1);
    pid_t pid = start("/proc/self/exe", argv);
    unsetenv("PYTEST_CURRENT_TEST");
    struct lk_snapshot *s = read_until(pid, is_child_of_ours);
    assert_int_equal(s->pid, pid);
    assert_int_equal(s->ppid, getpid());
    assert_int_equal(s->uid, geteuid());
    assert_int_equal(s->n_cmdline, 8);
    assert_string_equal(s->cmdline[3], "--password");
    assert_string_equal(s->cmdline[4], "***");
    assert_string_equal(s->cmdline[5], "TOKEN=***");
    assert_string_equal(s->cmdline[6], "\\x1b[31m\\xff");
    assert_string_equal(s->cmdline[7], "monkey.py");
    assert_string_equal(s->test_env, "t.py::test_x\\x1b (call)");
    assert_false(s->test_env_own);
    char exe[4096], cwd[4096], host[256];
    assert_true(lk_procfs_link(exe, sizeof(exe), AT_FDCWD, "/proc/self/exe") > 0);
    assert_string_equal(s->exe, exe);
    assert_string_equal(s->cwd, getcwd(cwd, sizeof(cwd)));
    gethostname(host, sizeof(host));
    assert_string_equal(s->host, host);
    assert_int_equal(strlen(s->boot_id), 36);
    assert_non_null(s->comm);
    assert_int_equal(s->runtime, LK_RUNTIME_NATIVE);
    assert_null(s->supervisor);
    assert_true(s->supervisor_timeout_ms == LK_UNKNOWN);
    assert_int_equal(s->epoll_fds, 0);
    assert_int_equal(s->children.n, 0);
    struct tm tm = { 0 };
    assert_int_equal(strlen(s->start_time), strlen("2026-01-31T12:00:00.123Z"));
    assert_non_null(strptime(s->start_time, "%Y-%m-%dT%H:%M:%S.", &tm));
    assert_in_range(timegm(&tm), before - 3, time(NULL) + 2);
    assert_non_null(strptime(s->taken_at, "%Y-%m-%dT%H:%M:%S.", &tm));
    assert_in_range(timegm(&tm), before, time(NULL));
    assert_true(lk_process_start_ticks(pid) > 0);
    assert_false(s->stop.job_stopped || s->stop.zombie || s->stop.main_gone || s->stop.frozen);
    assert_int_equal(s->stop.tracer_pid, 0);
    assert_int_equal(s->stop.d_state, 0);
    lk_snapshot_destroy(s);
    end(pid);
}

static void nobody(void **state)
{
    (void)state;
    static const pid_t pids[] = { 0, -1, INT32_MAX };
    for (size_t i = 0; i < LK_ARRAY_LEN(pids); i++) {
        struct lk_error err = { 0 };
        struct lk_snapshot *s = lk_snapshot_create();
        assert_false(lk_machine_identify(lk_machine_here(), pids[i], s, &err));
        assert_int_equal(err.code, LK_ERR_NO_PROCESS);
        assert_true(err.text[0]);
        assert_int_equal(lk_process_start_ticks(pids[i]), 0);
        lk_snapshot_destroy(s);
    }
}

/* Above a copy of itself it is a master as soon as it sleeps. */
static bool has_kid(const struct lk_snapshot *s)
{
    return s->children.n == 1 && s->children.v[0].threads == 2 && s->supervisor;
}

static void family(void **state)
{
    (void)state;
    pid_t pid = start_mode("family");
    struct lk_snapshot *s = read_until(pid, has_kid);
    assert_string_equal(s->children.v[0].comm, "kid\\x0a)\\x1b[1m");
    /* a program of one thread that sleeps above a copy of itself */
    assert_string_equal(s->supervisor->name, "master process");
    lk_snapshot_destroy(s);
    end(pid);
}

static bool has_two_epolls(const struct lk_snapshot *s)
{
    return s->epoll_fds == 2;
}

static void epolls(void **state)
{
    (void)state;
    pid_t pid = start_mode("epoll");
    lk_snapshot_destroy(read_until(pid, has_two_epolls));
    end(pid);
}

/* ---- stopped ------------------------------------------------------------------------- */

static bool is_stopped(const struct lk_snapshot *s)
{
    return s->stop.job_stopped;
}

static void job_stop(void **state)
{
    (void)state;
    pid_t pid = start_mode("sleep");
    lk_snapshot_destroy(read_until(pid, is_child_of_ours));
    kill(pid, SIGSTOP);
    struct lk_snapshot *s = read_until(pid, is_stopped);
    assert_int_equal(s->stop.tracer_pid, 0);
    assert_false(s->stop.zombie);
    lk_snapshot_destroy(s);
    end(pid);
}

static void traced(void **state)
{
    (void)state;
    pid_t pid = start_mode("sleep");
    lk_snapshot_destroy(read_until(pid, is_child_of_ours));
    assert_int_equal(ptrace(PTRACE_SEIZE, pid, NULL, NULL), 0);
    struct lk_snapshot *s = read_until(pid, is_child_of_ours);
    assert_int_equal(s->stop.tracer_pid, getpid());
    assert_non_null(s->stop.tracer_comm);
    lk_snapshot_destroy(s);
    end(pid);
}

static bool is_zombie(const struct lk_snapshot *s)
{
    return s->stop.zombie;
}

static void zombie(void **state)
{
    (void)state;
    pid_t pid = start_mode("zombie");
    struct lk_snapshot *s = read_until(pid, is_zombie);
    assert_false(s->stop.main_gone);
    lk_snapshot_destroy(s);
    end(pid);
}

/* While the main thread is ending /proc/PID may already answer nothing and not yet say why. */
static bool is_main_gone(const struct lk_snapshot *s)
{
    return s->stop.main_gone && s->exe && s->n_cmdline == 3;
}

/* With the main thread gone /proc/PID answers nothing; the other threads' folders do. */
static void main_gone(void **state)
{
    (void)state;
    pid_t pid = start_mode("main-gone");
    struct lk_snapshot *s = read_until(pid, is_main_gone);
    assert_false(s->stop.zombie);
    assert_int_equal(s->epoll_fds, 0);
    assert_true(is_living(pid));
    lk_snapshot_destroy(s);
    end(pid);
}

/* A process all of whose threads end in the moment that it is watched does not live on. */
static void ending(void **state)
{
    (void)state;
    pid_t pid = start_mode("main-gone");
    struct lk_snapshot *s = read_until(pid, is_main_gone);
    lk_snapshot_destroy(s);
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_false(is_living(pid));
    end(pid);
}

static void states(void **state)
{
    (void)state;
    struct lk_arena *a = lk_arena_create();
    struct lk_thread_facts v[3] = { { .tid = 7, .state = 'S' },
                                    { .tid = 8, .state = 'T' },
                                    { .tid = 9, .state = 'D' } };
    struct lk_thread_list l = { .v = v, .n = 3, .cap = 3 };
    struct lk_process_halt stop = { 0 };
    lk_process_halt_states(7, -1, &l, a, &stop);
    assert_false(stop.job_stopped || stop.zombie || stop.main_gone);
    assert_int_equal(stop.d_state, 1);
    v[0].state = v[2].state = 'T';
    lk_process_halt_states(7, -1, &l, a, &stop);
    assert_true(stop.job_stopped);
    assert_int_equal(stop.d_state, 0);
    v[0].state = 'Z';
    lk_process_halt_states(7, -1, &l, a, &stop);
    assert_true(stop.main_gone && stop.job_stopped && !stop.zombie);
    v[1].state = v[2].state = 'X';
    lk_process_halt_states(7, -1, &l, a, &stop);
    assert_true(stop.zombie && !stop.main_gone && !stop.job_stopped);
    l.n = 0;
    lk_process_halt_states(7, -1, &l, a, &stop);
    assert_false(stop.zombie || stop.main_gone || stop.job_stopped);
    lk_arena_destroy(a);
}

/* ---- control groups ------------------------------------------------------------------- */

static bool write_file(const char *dir, const char *name, const char *text)
{
    char path[512];
    snprintf(path, sizeof(path), "%s/%s", dir, name);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    if (fd >= 0)
        close(fd);
    return ok;
}

static bool make_group(const char *const *parents, char *ret, size_t size)
{
    for (size_t i = 0; parents[i]; i++) {
        snprintf(ret, size, "%s/loopknot-test-%d", parents[i], getpid());
        if (mkdir(ret, 0700) == 0)
            return true;
    }
    return false;
}

static bool enter(const char *group, pid_t pid)
{
    char text[16];
    snprintf(text, sizeof(text), "%d", pid);
    return write_file(group, "cgroup.procs", text);
}

static void remove_group(const char *group)
{
    for (int i = 0; i < 1000 && rmdir(group) && errno == EBUSY; i++)
        nap();
}

static bool is_frozen(const struct lk_snapshot *s)
{
    return s->stop.frozen;
}

static void freeze(const char *parent, const char *file, const char *on, const char *off)
{
    const char *const parents[] = { parent, NULL };
    char group[256];
    if (!make_group(parents, group, sizeof(group)))
        return;
    pid_t pid = start_mode("sleep");
    lk_snapshot_destroy(read_until(pid, is_child_of_ours));
    if (enter(group, pid) && write_file(group, file, on)) {
        print_message("  frozen through %s\n", parent);
        lk_snapshot_destroy(read_until(pid, is_frozen));
        assert_true(write_file(group, file, off));
    }
    end(pid);
    remove_group(group);
}

static void frozen(void **state)
{
    (void)state;
    freeze("/sys/fs/cgroup/freezer", "freezer.state", "FROZEN", "THAWED");
    freeze("/sys/fs/cgroup/unified", "cgroup.freeze", "1", "0");
    freeze("/sys/fs/cgroup", "cgroup.freeze", "1", "0");
}

static void throttled(void **state)
{
    (void)state;
    static const char *const parents[] = { "/sys/fs/cgroup/cpu", "/sys/fs/cgroup/cpu,cpuacct",
                                           "/sys/fs/cgroup", NULL };
    char group[256];
    struct lk_throttle t = { 0 };
    if (!make_group(parents, group, sizeof(group)))
        skip();
    bool quota = write_file(group, "cpu.max", "2000 20000") ||
                 (write_file(group, "cpu.cfs_period_us", "20000") &&
                  write_file(group, "cpu.cfs_quota_us", "2000"));
    pid_t pid = start_mode("burn");
    bool in = quota && enter(group, pid);
    struct lk_procfs_folder f;
    assert_true(lk_procfs_enter(pid, &f));
    /* The time is entered when a throttled period ends, a moment after the count. */
    for (int i = 0; in && i < 3000 && (t.throttled == 0 || t.usec == 0); i++) {
        (void)lk_cgroup_throttle(f.dir, &t);
        nap();
    }
    struct lk_surroundings around;
    lk_cgroup_limits(f.dir, &around);
    lk_procfs_leave(&f);
    end(pid);
    remove_group(group);
    if (!in)
        skip();
    assert_true(t.periods > 0);
    assert_true(t.throttled > 0);
    assert_true(t.usec > 0);
    assert_int_equal(around.cpu_thousandths, 100);
}

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void containers(void **state)
{
    (void)state;
    static const struct {
        const char *text, *want;
    } rows[] = {
        { "0::/\n", NULL },
        { "", NULL },
        { "0::/user.slice/user-0.slice/session-1.scope\n", NULL },
        { "4:memory:/process_api/4b07a406eb5b17be8e9493bc9d4e4152\n", NULL },
        { "0::/system.slice/docker-" ID ".scope\n", "docker 0123456789ab" },
        { "9:name=systemd:/docker/" ID "\n8:cpu:/docker/" ID "\n", "docker 0123456789ab" },
        { "0::/machine.slice/libpod-" ID ".scope/container\n", "podman 0123456789ab" },
        { "0::/kubepods.slice/kubepods-pod1.slice/cri-containerd-" ID ".scope\n",
          "containerd 0123456789ab" },
        { "1:cpu:/kubepods/besteffort/podaa/" ID "\n", "kubernetes 0123456789ab" },
        { "0::/" ID "\n", "container 0123456789ab" },
        { "0::/lxc.payload.web1/init.scope\n", "lxc web1" },
        { "3:cpu:/lxc/web1\n", "lxc web1" },
        { "0::/" ID "0\n", NULL },
    };
    for (size_t i = 0; i < LK_ARRAY_LEN(rows); i++) {
        char got[128];
        bool found = lk_cgroup_container(rows[i].text, got, sizeof(got));
        assert_int_equal(found, rows[i].want != NULL);
        if (found)
            assert_string_equal(got, rows[i].want);
    }
}

/* ---- supervisors --------------------------------------------------------------------- */

static bool has_child(const struct lk_snapshot *s)
{
    return s->children.n == 1 && s->children.v[0].comm &&
           strcmp(s->children.v[0].comm, "sleep") == 0;
}

/* In the middle of execve a child has its new name and no environment yet. */
static bool is_supervisor(const struct lk_snapshot *s)
{
    return has_child(s) && s->supervisor;
}

static void waits_for_sleep(const char *want, char *const argv[])
{
    pid_t pid = start(argv[0], argv);
    struct lk_snapshot *s = read_until(pid, is_supervisor);
    assert_string_equal(s->supervisor->name, want);
    lk_snapshot_destroy(s);
    end(pid);
}

static void waiters(void **state)
{
    (void)state;
    waits_for_sleep("shell", (char *[]){ "sh", "-c", "sleep 60; true", NULL });
    waits_for_sleep("timeout", (char *[]){ "timeout", "60", "sleep", "60", NULL });
}

/* A shell at which somebody types is not followed; sh without an argument reads commands. */
static void sessions(void **state)
{
    (void)state;
    int pipe_ends[2];
    assert_return_code(pipe(pipe_ends), errno);
    assert_true(write(pipe_ends[1], "sleep 60\n", 9) == 9);
    pid_t pid = fork();
    if (pid == 0) {
        setpgid(0, 0);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(pipe_ends[0], 0);
        execlp("sh", "sh", NULL);
        _exit(99);
    }
    struct lk_snapshot *s = read_until(pid, is_supervisor);
    assert_string_equal(s->supervisor->name, "interactive shell");
    assert_int_equal(s->supervisor->kind, LK_SUPERVISOR_SESSION);
    lk_snapshot_destroy(s);
    end(pid);
    close(pipe_ends[0]);
    close(pipe_ends[1]);
}

static bool has_forked(const struct lk_snapshot *s)
{
    return s->children.n == 1 && s->n_cmdline > 1;
}

/* argv[0] is what a program is known by; master and worker are forks of this one under gunicorn's
 * name. */
static void check_gunicorn(char *const argv[], int64_t want)
{
    pid_t pid = start("/proc/self/exe", argv);
    struct lk_snapshot *s = read_until(pid, has_forked);
    assert_non_null(s->supervisor);
    assert_string_equal(s->supervisor->name, "gunicorn master");
    assert_true(s->supervisor_timeout_ms == LK_UNKNOWN);
    pid_t worker = (pid_t)s->children.v[0].pid;
    lk_snapshot_destroy(s);
    s = lk_snapshot_create();
    assert_true(lk_machine_identify(lk_machine_here(), worker, s, NULL));
    read_supervisor(worker, s);
    assert_null(s->supervisor);
    if (s->supervisor_timeout_ms != want)
        fail_msg("%s %s: timeout %lld", argv[3], argv[4], (long long)s->supervisor_timeout_ms);
    lk_snapshot_destroy(s);
    end(pid);
}

static void gunicorn(void **state)
{
    (void)state;
    check_gunicorn((char *[]){ "/usr/bin/gunicorn", "--child", "fork", "app:app", NULL }, 30000);
    check_gunicorn((char *[]){ "/usr/bin/gunicorn", "--child", "fork", "-t", "7", NULL }, 7000);
    check_gunicorn(
        (char *[]){ "/usr/bin/gunicorn", "--child", "fork", "--timeout=9", "-ksync", NULL }, 9000);
    check_gunicorn((char *[]){ "/usr/bin/gunicorn", "--child", "fork", "--timeout", "0", NULL },
                   LK_UNKNOWN);
    check_gunicorn((char *[]){ "/usr/bin/gunicorn", "--child", "fork", "-k", "gthread", NULL },
                   LK_UNKNOWN);
    check_gunicorn((char *[]){ "/usr/bin/gunicorn", "--child", "fork", "--threads", "4", NULL },
                   LK_UNKNOWN);
    check_gunicorn((char *[]){ "/usr/bin/gunicorn", "--child", "fork", "-c", "x.py", NULL },
                   LK_UNKNOWN);
}

static void reloader(void **state)
{
    (void)state;
    if (access("/usr/bin/python3", X_OK) != 0)
        skip();
    static char code[] =
        "import os, subprocess\n"
        "subprocess.run(['sleep', '60'], env=dict(os.environ, WERKZEUG_RUN_MAIN='true'))";
    static char plain[] = "import subprocess\nsubprocess.run(['sleep', '60'])";
    char *argv[] = { "/usr/bin/python3", "-Su", "-c", code, NULL };
    waits_for_sleep("flask --debug reloader", argv);
    argv[3] = plain;
    pid_t pid = start(argv[0], argv);
    struct lk_snapshot *s = read_until(pid, has_child);
    assert_null(s->supervisor);
    assert_int_equal(s->runtime, LK_RUNTIME_PYTHON);
    lk_snapshot_destroy(s);
    end(pid);
}

/* A machine whose processes all have one command line. */
static int answer_argv(void *argv, enum lk_fact what, const struct lk_key *key, struct lk_arena *a,
                       void *ret)
{
    (void)key;
    (void)a;
    struct lk_program_facts p = { .argv = argv };
    while (p.argv[p.argc])
        p.argc++;
    assert_int_equal(what, LK_FACT_PROGRAM);
    *(struct lk_program_facts *)ret = p;
    return 0;
}

static void program_names(void **state)
{
    (void)state;
    static const struct {
        const char *argv[6], *want;
    } rows[] = {
        { { "python3", "/usr/bin/gunicorn", "app:app" }, "gunicorn" },
        { { "/usr/bin/python3.11", "-u", "-X", "dev", "app.py" }, "app.py" },
        { { "python", "-m", "flask", "run" }, "flask" },
        { { "python", "-mgunicorn.app.wsgiapp" }, "gunicorn" },
        { { "python", "-c", "gunicorn" }, "" },
        { { "python" }, "" },
        { { "gunicorn: worker [app:app]" }, "gunicorn" },
        { { "/usr/sbin/uwsgi", "--ini" }, "uwsgi" },
        { { "-bash" }, "-bash" },
    };
    for (size_t i = 0; i < LK_ARRAY_LEN(rows); i++) {
        char *argv[8] = { 0 };
        for (size_t k = 0; rows[i].argv[k]; k++)
            argv[k] = (char *)rows[i].argv[k];
        const struct lk_machine m = { .ask = answer_argv, .impl = argv };
        struct lk_arena *a = lk_arena_create();
        struct lk_program p;
        lk_program_read(&m, 1, a, &p);
        assert_string_equal(p.name, rows[i].want);
        lk_arena_destroy(a);
    }
}

static void stat_lines(void **state)
{
    (void)state;
    struct lk_procfs_stat st;
    assert_true(lk_procfs_stat_parse(
        "12 (a) R 1 ) S 7 5 6 0 -1 4194304 97 0 0 0 0 0 0 0 20 0 3 0 127725 1 2 3 4 5 99 0", &st));
    assert_string_equal(st.comm, "a) R 1 ");
    assert_int_equal(st.state, 'S');
    assert_int_equal(st.ppid, 7);
    assert_int_equal(st.threads, 3);
    assert_int_equal(st.start_ticks, 127725);
    assert_int_equal(st.start_stack, 99);
    assert_false(lk_procfs_stat_parse("", &st));
    assert_false(lk_procfs_stat_parse("12 ) (", &st));
    assert_false(lk_procfs_stat_parse("12 (x) S 7", &st));
    assert_false(lk_procfs_stat_parse("12 (x)", &st));
}

int main(int argc, char **argv)
{
    if (argc > 2 && strcmp(argv[1], "--child") == 0)
        run_mode(argv[2]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(identity),   cmocka_unit_test(nobody),    cmocka_unit_test(family),
        cmocka_unit_test(epolls),     cmocka_unit_test(job_stop),  cmocka_unit_test(traced),
        cmocka_unit_test(zombie),     cmocka_unit_test(main_gone), cmocka_unit_test(ending),
        cmocka_unit_test(states),     cmocka_unit_test(frozen),    cmocka_unit_test(throttled),
        cmocka_unit_test(containers), cmocka_unit_test(waiters),   cmocka_unit_test(sessions),
        cmocka_unit_test(gunicorn),   cmocka_unit_test(reloader),  cmocka_unit_test(program_names),
        cmocka_unit_test(stat_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
