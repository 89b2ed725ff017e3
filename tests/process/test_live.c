/* A live process: who may be opened, memory, mappings, files, threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/stat.h>

#include "child.h"
#include "process/linux/procfs.h"
#include "process/live/live.h"
#include "process/process_impl.h"

enum { NOBODY = 65534, THREADS = 20 };

static char known[3 * LK_PAGE] __attribute__((aligned(4096)));

static struct child *page;
static pid_t pid;
static struct lk_error err;

static struct lk_process *open_child(void (*run)(struct child *), int n_ready)
{
    struct lk_process *t;

    page = child_page();
    assert_non_null(page);
    memset(&err, 0, sizeof(err));
    pid = child_start(run, page);
    assert_true(wait_until(atomic_load(&page->ready) == n_ready));
    t = lk_process_open_live(pid, &err);
    if (!t)
        print_error("%s\n", err.text);
    assert_non_null(t);
    return t;
}

static void close_child(struct lk_process *t)
{
    lk_process_destroy(t);
    child_end(pid);
    munmap(page, sizeof(*page));
}

static void run_memory(struct child *c)
{
    char *hole =
        mmap(NULL, 5 * LK_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    for (size_t i = 0; i < sizeof(known); i++)
        known[i] = (char)(i * 13);
    memset(hole, 'a', 5 * LK_PAGE);
    munmap(hole + LK_PAGE, LK_PAGE);
    mprotect(hole + 3 * LK_PAGE, LK_PAGE, PROT_NONE);
    atomic_store(&c->addr[0], (uint64_t)(uintptr_t)hole);
    atomic_store(&c->ready, 1);
    while (atomic_load(&c->go) == 0)
        nap_us(500);
    known[0] = 'Z';
    mmap(NULL, 1 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    atomic_store(&c->flag, 1);
    for (;;)
        pause();
}

/* --- memory and mappings --------------------------------------------------------------- */

/* A page that the target itself may not read (PROT_NONE) is to be had through /proc/PID/mem only.
 */
static void check_holes(struct lk_process *t, bool forced)
{
    lk_addr hole = atomic_load(&page->addr[0]);
    char c, buf[2 * LK_PAGE];

    assert_true(lk_read(t, hole, &c, 1) && c == 'a');
    assert_false(lk_read(t, hole + LK_PAGE, &c, 1));
    assert_true(lk_read(t, hole + 2 * LK_PAGE, &c, 1) && c == 'a');
    assert_int_equal(lk_read(t, hole + 3 * LK_PAGE, &c, 1), forced);
    assert_true(lk_read(t, hole + 4 * LK_PAGE, &c, 1) && c == 'a');
    assert_false(lk_read(t, hole, buf, sizeof(buf)));
    assert_false(lk_read(t, 0, &c, 1));
    assert_false(lk_read(t, UINT64_C(0xffffffff81000000), &c, 1));
    lk_read_watch(t);
    assert_false(lk_read(t, hole + LK_PAGE + 8, &c, 1));
    struct lk_failed_read r = lk_read_failed(t);
    assert_int_equal(r.addr, hole + LK_PAGE + 8);
    assert_int_equal(r.size, 1);
    assert_int_equal(r.os_errno, forced ? EIO : EFAULT);
}

static void memory_is_read_as_it_is(void **state)
{
    struct lk_process *t = open_child(run_memory, 1);
    lk_addr at = (lk_addr)(uintptr_t)known, addrs[64];
    char buf[sizeof(known)];

    (void)state;
    assert_int_equal(lk_process_pid(t), pid);
    assert_true(lk_read(t, at, buf, sizeof(buf)));
    for (size_t i = 0; i < sizeof(buf); i++)
        assert_int_equal(buf[i], (char)(i * 13));
    check_holes(t, false);
    lk_process_begin_sample(t);
    for (size_t i = 0; i < 64; i++)
        addrs[i] = atomic_load(&page->addr[0]) + (i % 5) * LK_PAGE;
    lk_prefetch(t, addrs, 64, 100);
    check_holes(t, false);

    atomic_store(&page->go, 1);
    assert_true(wait_until(atomic_load(&page->flag) == 1));
    lk_process_begin_sample(t);
    assert_true(lk_read(t, at, buf, 1));
    assert_int_equal(buf[0], 'Z');
    close_child(t);
}

/* The other way to read, where process_vm_readv is filtered. */
static void memory_is_read_through_proc_mem(void **state)
{
    struct lk_process *t = open_child(run_memory, 1);
    struct lk_live *l = t->impl;
    char name[32], buf[sizeof(known)];

    (void)state;
    snprintf(name, sizeof(name), "/proc/%d/mem", pid);
    l->mem_fd = open(name, O_RDONLY | O_CLOEXEC);
    assert_true(l->mem_fd >= 0);
    assert_true(lk_read(t, (lk_addr)(uintptr_t)known, buf, sizeof(buf)));
    assert_int_equal(buf[LK_PAGE], (char)(LK_PAGE * 13));
    check_holes(t, true);
    close_child(t);
}

static void an_ended_process_is_read_no_more(void **state)
{
    struct lk_process *t = open_child(run_memory, 1);
    struct lk_thread_list list = { 0 };
    char buf[8];
    size_t n;

    (void)state;
    assert_true(lk_read(t, (lk_addr)(uintptr_t)known, buf, sizeof(buf)));
    child_end(pid);
    lk_process_begin_sample(t);
    assert_false(lk_read(t, (lk_addr)(uintptr_t)known, buf, sizeof(buf)));
    assert_int_equal(lk_read_failed(t).os_errno, ESRCH);
    assert_null(lk_process_maps(t, &n, &err));
    assert_int_equal(n, 0);
    assert_false(lk_process_threads(t, &list, true, &err));
    assert_int_equal(err.code, LK_ERR_NO_PROCESS);
    assert_int_equal(lk_process_open_path(t, "/etc/passwd", &err), -1);
    lk_process_destroy(t);
    munmap(page, sizeof(*page));
}

/* As when the number was given to another process: its start time differs. */
static void a_reused_pid_is_noticed(void **state)
{
    struct lk_process *t = open_child(run_memory, 1);
    char c;

    (void)state;
    ((struct lk_live *)t->impl)->start_ticks--;
    lk_process_begin_sample(t);
    assert_false(lk_read(t, (lk_addr)(uintptr_t)known, &c, 1));
    close_child(t);
}

static void mappings_are_listed(void **state)
{
    struct lk_process *t = open_child(run_memory, 1);
    lk_addr code = (lk_addr)(uintptr_t)&mappings_are_listed;
    const struct lk_mapping *m, *again;
    struct stat mine, theirs;
    size_t n, more;
    int fd;

    (void)state;
    m = lk_process_maps(t, &n, &err);
    assert_non_null(m);
    assert_true(n > 5);
    for (size_t i = 1; i < n; i++)
        assert_true(m[i].start >= m[i - 1].end);
    m = lk_process_mapping_at(t, code);
    assert_non_null(m);
    assert_string_equal(m->prot, "r-xp");
    assert_non_null(strstr(m->path, "test_live"));
    assert_true(m->inode != 0);
    fd = lk_process_open_mapping(t, m, &err);
    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &theirs), 0);
    assert_int_equal(stat("/proc/self/exe", &mine), 0);
    assert_true(mine.st_ino == theirs.st_ino && mine.st_dev == theirs.st_dev);
    assert_int_equal(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
    close(fd);
    assert_int_equal(
        lk_process_open_mapping(t, lk_process_mapping_at(t, atomic_load(&page->addr[0])), &err),
        -1);

    m = lk_process_maps(t, &n, &err);
    lk_process_begin_sample(t);
    again = lk_process_maps(t, &more, &err);
    assert_ptr_equal(again, m); /* nothing changed: not parsed again */
    assert_int_equal(more, n);
    atomic_store(&page->go, 1);
    assert_true(wait_until(atomic_load(&page->flag) == 1));
    again = lk_process_maps(t, &more, &err);
    assert_ptr_equal(again, m); /* one sample, one list */
    lk_process_begin_sample(t);
    assert_non_null(lk_process_maps(t, &more, &err));
    assert_true(more >= n);
    assert_non_null(lk_process_mapping_at(t, code));
    close_child(t);
}

/* A mapping whose file was replaced must not be mistaken for the new one. */
static void another_file_is_not_the_mapping(void **state)
{
    struct lk_process *t = open_child(run_memory, 1);
    struct lk_mapping m =
        *lk_process_mapping_at(t, (lk_addr)(uintptr_t)&another_file_is_not_the_mapping);

    (void)state;
    m.start += LK_PAGE; /* no such entry in map_files: goes by the path */
    m.inode++;
    assert_int_equal(lk_process_open_mapping(t, &m, &err), -1);
    assert_int_equal(err.code, LK_ERR_BAD_DATA);
    m.path = "[vdso]";
    assert_int_equal(lk_process_open_mapping(t, &m, &err), -1);
    m.path = "/proc/self/mem";
    assert_int_equal(lk_process_open_mapping(t, &m, &err), -1);
    close_child(t);
}

/* --- files that a target names ------------------------------------------------------------- */

static char folder[64];

static void name(char *ret, const char *file)
{
    snprintf(ret, 128, "%s/%s", folder, file);
}

static void make_folder(void)
{
    char file[128], link[128];
    int fd;

    strcpy(folder, "/tmp/test_live.XXXXXX");
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chmod(folder, 0755), 0);
    name(file, "open.py");
    fd = open(file, O_CREAT | O_WRONLY, 0644);
    assert_int_equal(write(fd, "hello\n", 6), 6);
    close(fd);
    name(file, "secret.py");
    fd = open(file, O_CREAT | O_WRONLY, 0600);
    close(fd);
    name(link, "link.py");
    assert_int_equal(symlink("secret.py", link), 0);
    name(link, "magic.py");
    assert_int_equal(symlink("/proc/self/exe", link), 0);
    name(link, "fifo.py");
    assert_int_equal(mkfifo(link, 0666), 0);
}

static void remove_folder(void)
{
    static const char *const files[] = { "open.py", "secret.py", "link.py", "magic.py", "fifo.py" };
    char file[128];

    for (size_t i = 0; i < LK_ARRAY_LEN(files); i++) {
        name(file, files[i]);
        unlink(file);
    }
    rmdir(folder);
}

/* A change of ids clears the wish to die with the parent, prctl(2). */
static void become_nobody(void)
{
    if (setgroups(0, NULL) != 0 || setgid(NOBODY) != 0 || setuid(NOBODY) != 0)
        _exit(1);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
}

static void run_in_folder(struct child *c)
{
    if (chdir(folder) != 0)
        _exit(1);
    if (getuid() == 0)
        become_nobody();
    prctl(PR_SET_DUMPABLE, 1);
    atomic_store(&c->ready, 1);
    for (;;)
        pause();
}

static int try_open(struct lk_process *t, const char *file)
{
    char path[128];

    name(path, file);
    return lk_process_open_path(t, path, &err);
}

static void files_are_opened_with_the_targets_rights(void **state)
{
    gid_t groups[64], groups_after[64];
    struct lk_process *t;
    char buf[16], caps[16384], caps_after[16384];
    int fd, n, n_after;

    (void)state;
    make_folder();
    t = open_child(run_in_folder, 1);
    n = getgroups(64, groups);
    assert_true(lk_procfs_read_at(AT_FDCWD, "/proc/thread-self/status", caps, sizeof(caps)) > 0);

    fd = try_open(t, "open.py");
    assert_true(fd >= 0);
    assert_int_equal(read(fd, buf, sizeof(buf)), 6);
    close(fd);
    fd = lk_process_open_path(t, "open.py", &err); /* relative: to its working directory */
    assert_true(fd >= 0);
    close(fd);
    fd = lk_process_open_path(t, "../../../../../../etc/passwd", &err); /* stays in its root */
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(try_open(t, "fifo.py"), -1);
    assert_int_equal(try_open(t, "magic.py"), -1);
    assert_int_equal(try_open(t, "."), -1);
    assert_int_equal(try_open(t, "none.py"), -1);
    assert_int_equal(lk_process_open_path(t, "", &err), -1);
    assert_int_equal(lk_process_open_path(t, "/dev/zero", &err), -1);
    if (getuid() == 0) {
        assert_int_equal(try_open(t, "secret.py"), -1);
        assert_int_equal(try_open(t, "link.py"), -1);
        assert_int_equal(lk_process_open_path(t, "/etc/shadow", &err), -1);
    }

    /* And we are ourselves again. */
    assert_int_equal(setfsuid((uid_t)-1), getuid());
    assert_int_equal(setfsgid((gid_t)-1), getgid());
    n_after = getgroups(64, groups_after);
    assert_int_equal(n, n_after);
    assert_memory_equal(groups, groups_after, (size_t)n * sizeof(groups[0]));
    assert_true(lk_procfs_read_at(AT_FDCWD, "/proc/thread-self/status", caps_after,
                                  sizeof(caps_after)) > 0);
    assert_memory_equal(strstr(caps, "\nCapInh"), strstr(caps_after, "\nCapInh"), 100);
    close_child(t);
    remove_folder();
}

/* --- threads ------------------------------------------------------------------------------------
 */

static int never;

static void *sleep_in_futex(void *arg)
{
    struct child *c = arg;

    atomic_fetch_add(&c->ready, 1);
    for (;;)
        syscall(SYS_futex, &never, FUTEX_WAIT, 0, NULL, NULL, 0);
    return NULL;
}

static void *come_and_go(void *arg)
{
    return arg;
}

static void *churn(void *arg)
{
    struct child *c = arg;
    pthread_t t[8];

    atomic_fetch_add(&c->ready, 1);
    for (;;) {
        for (int i = 0; i < 8; i++)
            pthread_create(&t[i], NULL, come_and_go, NULL);
        for (int i = 0; i < 8; i++)
            pthread_join(t[i], NULL);
    }
    return NULL;
}

static void *end_when_told(void *arg)
{
    struct child *c = arg;

    prctl(PR_SET_NAME, "a) R 1 (b");
    atomic_store(&c->tid[1], own_tid());
    atomic_fetch_add(&c->ready, 1);
    while (atomic_load(&c->go) == 0)
        nap_us(500);
    return NULL;
}

static void run_threads(struct child *c)
{
    pthread_t t;

    for (int i = 0; i < THREADS; i++)
        pthread_create(&t, NULL, sleep_in_futex, c);
    pthread_create(&t, NULL, end_when_told, c);
    pthread_create(&t, NULL, churn, c);
    for (;;)
        pause();
}

static const struct lk_thread_facts *find(const struct lk_thread_list *list, int64_t tid)
{
    for (size_t i = 0; i < list->n; i++)
        if (list->v[i].tid == tid)
            return &list->v[i];
    return NULL;
}

static size_t count_sleepers(const struct lk_thread_list *list)
{
    size_t n = 0;

    for (size_t i = 0; i < list->n; i++) {
        const struct lk_thread_facts *f = &list->v[i];

        if (f->nr != SYS_futex || f->args[0] != (uint64_t)(uintptr_t)&never)
            continue;
        assert_true(f->syscall_known);
        assert_false(f->running);
        assert_int_equal(f->state, 'S');
        assert_int_equal(f->args[1], FUTEX_WAIT);
        assert_true(f->sp && f->pc && f->switches && f->start_time);
        n++;
    }
    return n;
}

static void threads_are_listed_while_others_come_and_go(void **state)
{
    struct lk_process *t = open_child(run_threads, THREADS + 2);
    struct lk_thread_list list = { 0 };
    const struct lk_thread_facts *f;

    (void)state;
    assert_true(
        wait_until(lk_process_threads(t, &list, true, &err) && count_sleepers(&list) == THREADS));
    for (int round = 0; round < 50; round++) {
        lk_process_begin_sample(t);
        assert_true(lk_process_threads(t, &list, true, &err));
        assert_int_equal(count_sleepers(&list), THREADS);
        assert_non_null(find(&list, pid));
        f = find(&list, atomic_load(&page->tid[1]));
        assert_non_null(f);
        assert_string_equal(f->comm, "a) R 1 (b");
        for (size_t i = 0; i < list.n; i++)
            assert_ptr_equal(find(&list, list.v[i].tid), &list.v[i]); /* none twice */
    }
    lk_free(list.v);
    close_child(t);
}

static void the_cheap_look_tells_who_moved_and_who_ended(void **state)
{
    struct lk_process *t = open_child(run_threads, THREADS + 2);
    struct lk_thread_list list = { 0 }, later = { 0 };
    const struct lk_thread_facts *f;
    int64_t ended = atomic_load(&page->tid[1]);
    uint64_t before;
    size_t same = 0;

    (void)state;
    assert_true(
        wait_until(lk_process_threads(t, &list, true, &err) && count_sleepers(&list) == THREADS));
    later.v = lk_xmalloc(list.n * sizeof(*later.v));
    later.n = later.cap = list.n;
    memcpy(later.v, list.v, list.n * sizeof(*later.v));
    before = find(&list, ended)->switches;
    assert_true(wait_until(lk_process_threads(t, &later, false, &err) &&
                           find(&later, ended)->switches != before));
    assert_int_equal(later.n, list.n);
    for (size_t i = 0; i < list.n; i++) {
        if (list.v[i].nr != SYS_futex || list.v[i].args[0] != (uint64_t)(uintptr_t)&never)
            continue;
        assert_int_equal(list.v[i].switches, later.v[i].switches);
        assert_int_equal(list.v[i].run_ns, later.v[i].run_ns);
        same++;
    }
    assert_int_equal(same, THREADS);
    atomic_store(&page->go, 1);
    assert_true(wait_until(lk_process_threads(t, &later, false, &err) &&
                           find(&later, ended)->state == 'X'));
    assert_true(lk_process_threads(t, &list, true, &err));
    f = find(&list, ended);
    assert_null(f);
    lk_free(list.v);
    lk_free(later.v);
    close_child(t);
}

static void the_scheduler_says_since_when_a_thread_sleeps(void **state)
{
    struct lk_process *t = open_child(run_threads, THREADS + 2);
    struct lk_thread_list list = { 0 };
    int64_t first;

    (void)state;
    assert_true(
        wait_until(lk_process_threads(t, &list, true, &err) && count_sleepers(&list) == THREADS));
    first = find(&list, pid)->off_cpu_ms;
    if (first != LK_UNKNOWN) {
        assert_in_range(first, 0, 60000);
        assert_true(wait_until(lk_process_threads(t, &list, true, &err) &&
                               find(&list, pid)->off_cpu_ms >= first + 50));
    }
    lk_free(list.v);
    close_child(t);
}

static void stat_lines_are_parsed_to_the_last_parenthesis(void **state)
{
    struct lk_procfs_stat s;

    (void)state;
    assert_true(lk_procfs_stat_parse(
        "7 (x) S 1) R (y) D 3 1 1 0 -1 4194304 5 6 7 8 11 22 40 4 20 0 1 0 123456 1 2\n", &s));
    assert_string_equal(s.comm, "x) S 1) R (y");
    assert_int_equal(s.state, 'D');
    assert_int_equal(s.ppid, 3);
    assert_int_equal(s.flags, 4194304);
    assert_int_equal(s.cpu_ticks, 33);
    assert_int_equal(s.children_ticks, 44);
    assert_int_equal(s.start_ticks, 123456);
    assert_false(lk_procfs_stat_parse("", &s));
    assert_false(lk_procfs_stat_parse("7 (x", &s));
    assert_false(lk_procfs_stat_parse("7 )x( S 1", &s));
    assert_false(lk_procfs_stat_parse("7 (x) S 1 2", &s));
}

/* --- who may be opened ---------------------------------------------------------------------------
 */

static void refused(pid_t p, enum lk_error_code code, const char *part)
{
    struct lk_process *t = lk_process_open_live(p, &err);

    if (t || err.code != code || !strstr(err.text, part))
        print_error("pid %d: opened %d, code %d, \"%s\" (expected \"%s\")\n", p, t != NULL,
                    err.code, err.text, part);
    assert_null(t);
    assert_int_equal(err.code, code);
    assert_non_null(strstr(err.text, part));
    assert_null(strchr(err.text, '\n'));
}

static void run_until_killed(struct child *c)
{
    atomic_store(&c->ready, 1);
    for (;;)
        pause();
}

static void what_is_no_process_is_refused(void **state)
{
    char expected[64], state_char = '?', text[1024];
    struct lk_procfs_stat stat;
    struct lk_process *t;
    pid_t zombie;

    (void)state;
    refused(0, LK_ERR_NO_PROCESS, "no process id");
    refused(-5, LK_ERR_NO_PROCESS, "no process id");
    refused(0x3ffffff, LK_ERR_NO_PROCESS, "there is no process");

    t = open_child(run_threads, THREADS + 2);
    snprintf(expected, sizeof(expected), "is a thread (a) R 1 (b) of process %d", pid);
    refused((pid_t)atomic_load(&page->tid[1]), LK_ERR_NO_PROCESS, expected);
    close_child(t);

    zombie = fork();
    if (zombie == 0)
        _exit(0);
    snprintf(expected, sizeof(expected), "/proc/%d/stat", zombie);
    assert_true(wait_until(lk_procfs_read_at(AT_FDCWD, expected, text, sizeof(text)) > 0 &&
                           lk_procfs_stat_parse(text, &stat) && (state_char = stat.state) == 'Z'));
    snprintf(expected, sizeof(expected), "waits for its parent %d", getpid());
    refused(zombie, LK_ERR_NO_PROCESS, expected);
    waitpid(zombie, NULL, 0);

    if (lk_procfs_read_at(AT_FDCWD, "/proc/2/comm", text, sizeof(text)) > 0 &&
        strcmp(text, "kthreadd\n") == 0)
        refused(2, LK_ERR_UNSUPPORTED, "thread of the kernel");
}

/* Opens a process as user nobody; the words of the refusal are left in the shared page. */
static void run_opener(struct child *c)
{
    struct lk_error e = { 0 };
    struct lk_process *t;

    if (getuid() == 0)
        become_nobody();
    t = lk_process_open_live(atomic_load(&c->go), &e);
    atomic_store(&c->flag, (int)e.code);
    atomic_store(&c->bad, t != NULL);
    snprintf(c->text, sizeof(c->text), "%s", e.text);
    lk_process_destroy(t);
    atomic_store(&c->ready, 1);
    for (;;)
        pause();
}

static void run_undumpable(struct child *c)
{
    become_nobody();
    prctl(PR_SET_DUMPABLE, 0);
    atomic_store(&c->ready, 1);
    for (;;)
        pause();
}

static void closed_gates_are_named(void **state)
{
    static const struct {
        void (*run)(struct child *);
        const char *gate;
        bool opens;
    } cases[] = {
        { run_until_killed,
          "belongs to user 0, you are user 65534 without CAP_SYS_PTRACE: sudo loopknot", false },
        { run_undumpable, "made itself unreadable", false },
    };

    (void)state;
    if (getuid() != 0)
        skip();
    for (size_t i = 0; i < LK_ARRAY_LEN(cases); i++) {
        struct child *theirs = child_page(), *c = child_page();
        pid_t target = child_start(cases[i].run, theirs), opener;

        assert_true(wait_until(atomic_load(&theirs->ready) == 1));
        atomic_store(&c->go, target);
        opener = child_start(run_opener, c);
        assert_true(wait_until(atomic_load(&c->ready) == 1));
        assert_int_equal(atomic_load(&c->bad), 0);
        assert_int_equal(atomic_load(&c->flag), LK_ERR_PERMISSION);
        if (!strstr(c->text, cases[i].gate))
            print_error("%s\n", c->text);
        assert_non_null(strstr(c->text, cases[i].gate));
        assert_non_null(strstr(c->text, "sudo"));
        child_end(opener);
        child_end(target);
        munmap(c, sizeof(*c));
        munmap(theirs, sizeof(*theirs));
    }
}

static void run_leader_gone(struct child *c)
{
    pthread_t t;

    memset(known, 'k', sizeof(known));
    pthread_create(&t, NULL, sleep_in_futex, c);
    pthread_exit(NULL);
}

static void a_process_without_its_main_thread_is_read(void **state)
{
    struct lk_process *t;
    struct lk_thread_list list = { 0 };
    char path[64], text[1024], c = 0;
    struct lk_procfs_stat stat;
    size_t n;
    int fd;

    (void)state;
    page = child_page();
    pid = child_start(run_leader_gone, page);
    snprintf(path, sizeof(path), "/proc/%d/stat", pid);
    assert_true(wait_until(atomic_load(&page->ready) == 1 &&
                           lk_procfs_read_at(AT_FDCWD, path, text, sizeof(text)) > 0 &&
                           lk_procfs_stat_parse(text, &stat) && stat.state == 'Z'));
    t = lk_process_open_live(pid, &err);
    if (!t)
        print_error("%s\n", err.text);
    assert_non_null(t);
    assert_true(lk_read(t, (lk_addr)(uintptr_t)known, &c, 1));
    assert_int_equal(c, 'k');
    assert_non_null(lk_process_maps(t, &n, &err));
    assert_true(n > 5);
    assert_true(lk_process_threads(t, &list, true, &err));
    assert_int_equal(list.n, 2);
    fd = lk_process_open_path(t, "/etc/passwd", &err);
    assert_true(fd >= 0);
    close(fd);
    fd = lk_process_open_mapping(t, lk_process_mapping_at(t, (lk_addr)(uintptr_t)&run_leader_gone),
                                 &err);
    assert_true(fd >= 0);
    close(fd);
    lk_free(list.v);
    close_child(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_read_as_it_is),
        cmocka_unit_test(memory_is_read_through_proc_mem),
        cmocka_unit_test(an_ended_process_is_read_no_more),
        cmocka_unit_test(a_reused_pid_is_noticed),
        cmocka_unit_test(mappings_are_listed),
        cmocka_unit_test(another_file_is_not_the_mapping),
        cmocka_unit_test(files_are_opened_with_the_targets_rights),
        cmocka_unit_test(threads_are_listed_while_others_come_and_go),
        cmocka_unit_test(the_cheap_look_tells_who_moved_and_who_ended),
        cmocka_unit_test(the_scheduler_says_since_when_a_thread_sleeps),
        cmocka_unit_test(stat_lines_are_parsed_to_the_last_parenthesis),
        cmocka_unit_test(what_is_no_process_is_refused),
        cmocka_unit_test(closed_gates_are_named),
        cmocka_unit_test(a_process_without_its_main_thread_is_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
