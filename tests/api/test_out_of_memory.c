/*
 * Memory that runs out anywhere is a status: the n-th allocation fails, for n = 1, 2, ..., in an
 * examination of a real process and in all that is done with its report. Nothing is left behind
 * (LeakSanitizer, descriptors, mappings), this process lives on, and the examined one runs on.
 *
 * The linker puts __wrap_malloc() in the place of malloc() in the library (see the Makefile);
 * jansson is asked to allocate here. LOOPKNOT_OOM_ROUNDS=N: more rounds than usual.
 */
#include "loopknot.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/lsan_interface.h>
#else
static int __lsan_do_recoverable_leak_check(void)
{
    return 0;
}
#endif

/* ---- allocations that fail --------------------------------------------------------------- */

enum { ONCE, FROM_THEN_ON };

static long left = -1; /* until one fails; < 0: none does */
static int mode;
static long asked;    /* allocations so far */
static long mappings; /* made by the library and not unmapped */

static bool fails(void)
{
    __atomic_add_fetch(&asked, 1, __ATOMIC_RELAXED);
    const long now = __atomic_load_n(&left, __ATOMIC_RELAXED);
    if (now < 0)
        return false;
    const long rest = now ? __atomic_sub_fetch(&left, 1, __ATOMIC_RELAXED) : 0;
    if (rest > 0)
        return false;
    __atomic_store_n(&left, mode == ONCE ? -1 : 0, __ATOMIC_RELAXED);
    errno = ENOMEM;
    return true;
}

static void fail_at(long n, int how)
{
    mode = how;
    asked = 0;
    left = n;
}

static void fail_never(void)
{
    left = -1;
}

/* NOLINTBEGIN(bugprone-reserved-identifier): the linker's names */
void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__real_reallocarray(void *p, size_t n, size_t size);
char *__real_strdup(const char *s);
FILE *__real_fopen(const char *path, const char *how);
DIR *__real_opendir(const char *path);
FILE *__real_open_memstream(char **text, size_t *size);
void *__real_mmap(void *at, size_t size, int prot, int flags, int fd, off_t offset);
int __real_munmap(void *at, size_t size);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
void *__wrap_reallocarray(void *p, size_t n, size_t size);
char *__wrap_strdup(const char *s);
FILE *__wrap_fopen(const char *path, const char *how);
DIR *__wrap_opendir(const char *path);
FILE *__wrap_open_memstream(char **text, size_t *size);
void *__wrap_mmap(void *at, size_t size, int prot, int flags, int fd, off_t offset);
int __wrap_munmap(void *at, size_t size);

void *__wrap_malloc(size_t n)
{
    return fails() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t n)
{
    return fails() ? NULL : __real_realloc(p, n);
}

void *__wrap_reallocarray(void *p, size_t n, size_t size)
{
    return fails() ? NULL : __real_reallocarray(p, n, size);
}

char *__wrap_strdup(const char *s)
{
    return fails() ? NULL : __real_strdup(s);
}

FILE *__wrap_fopen(const char *path, const char *how)
{
    return fails() ? NULL : __real_fopen(path, how);
}

DIR *__wrap_opendir(const char *path)
{
    return fails() ? NULL : __real_opendir(path);
}

FILE *__wrap_open_memstream(char **text, size_t *size)
{
    return fails() ? NULL : __real_open_memstream(text, size);
}

void *__wrap_mmap(void *at, size_t size, int prot, int flags, int fd, off_t offset)
{
    void *m = fails() ? MAP_FAILED : __real_mmap(at, size, prot, flags, fd, offset);
    mappings += m != MAP_FAILED;
    return m;
}

int __wrap_munmap(void *at, size_t size)
{
    mappings--;
    return __real_munmap(at, size);
}
/* NOLINTEND(bugprone-reserved-identifier) */

static void *json_malloc(size_t n)
{
    return fails() ? NULL : __real_malloc(n);
}

/* ---- what is examined ------------------------------------------------------------------- */

/* A thread that computes has to be stopped; the others wait in ways that are read in depth. */
static const char program[] =
    "import asyncio, concurrent.futures, os, threading\n"
    "a, b = threading.Lock(), threading.Lock()\n"
    "met = threading.Barrier(2)\n"
    "def both(x, y):\n"
    "    with x:\n"
    "        met.wait()\n"
    "        with y: pass\n"
    "def spin():\n"
    "    while True: pass\n"
    "def loop():\n"
    "    async def main():\n"
    "        tasks = [asyncio.create_task(asyncio.sleep(1000), name=f't{i}') for i in range(20)]\n"
    "        await asyncio.get_running_loop().run_in_executor(\n"
    "            concurrent.futures.ThreadPoolExecutor(1), threading.Event().wait)\n"
    "    asyncio.run(main())\n"
    "for f, args in (both, (a, b)), (both, (b, a)), (spin, ()), (loop, ()):\n"
    "    threading.Thread(target=f, args=args, daemon=True).start()\n"
    "import time; time.sleep(0.3); os.write(1, b'!'); threading.Event().wait()\n";

static pid_t target;

static int start_target(void **state)
{
    int out[2];
    char byte;
    (void)state;
    json_set_alloc_funcs(json_malloc, free);
    if (pipe(out))
        return -1;
    target = fork();
    if (target == 0) {
        dup2(out[1], STDOUT_FILENO);
        execl("/usr/bin/python3", "python3", "-c", program, (char *)NULL);
        _exit(127);
    }
    close(out[1]);
    const bool ready = target > 0 && read(out[0], &byte, 1) == 1;
    close(out[0]);
    return ready ? 0 : -1;
}

static int end_target(void **state)
{
    (void)state;
    kill(target, SIGKILL);
    return waitpid(target, NULL, 0) == target ? 0 : -1;
}

static size_t open_files(void)
{
    size_t n = 0;
    DIR *dir = __real_opendir("/proc/self/fd");
    while (readdir(dir))
        n++;
    closedir(dir);
    return n;
}

/* Every thread: not stopped, not traced. */
static void check_runs_on(void)
{
    char path[300], line[300];
    snprintf(path, sizeof path, "/proc/%d/task", (int)target);
    DIR *dir = __real_opendir(path);
    assert_non_null(dir);
    for (struct dirent *e; (e = readdir(dir));) {
        snprintf(path, sizeof path, "/proc/%d/task/%.20s/status", (int)target, e->d_name);
        FILE *f = e->d_name[0] == '.' ? NULL : __real_fopen(path, "re");
        while (f && fgets(line, sizeof line, f)) {
            if (strncmp(line, "State:\t", 7) == 0 && strchr("tT", line[7]))
                fail_msg("thread %s is stopped: %s", e->d_name, line);
            if (strncmp(line, "TracerPid:\t", 11) == 0 && strcmp(line + 11, "0\n") != 0)
                fail_msg("thread %s is traced: %s", e->d_name, line);
        }
        if (f)
            fclose(f);
    }
    closedir(dir);
}

struct before {
    size_t files;
    long mappings;
};

static struct before look(void)
{
    return (struct before){ open_files(), mappings };
}

static void check(const struct before *b)
{
    assert_int_equal(open_files(), b->files);
    assert_int_equal(mappings, b->mappings);
}

/* ---- rounds ------------------------------------------------------------------------------ */

static const char *const formats[] = { "text",   "json", "markdown",  "junit", "sarif", "github",
                                       "gitlab", "dot",  "collapsed", "html",  "tap" };

static struct loopknot_options options(void)
{
    struct loopknot_options o = loopknot_options_default();
    o.samples = 2;
    o.interval_ms = 1;
    o.stalled_after_ms = 20;
    o.project = "/nowhere";
    o.locals = 1;
    return o;
}

static void told(pid_t pid, bool gone, const char *message, void *arg)
{
    (void)pid;
    assert_false(gone);
    assert_non_null(strstr(message, "memory"));
    ++*(size_t *)arg;
}

/* One examination in this thread. */
static int one(struct loopknot_diagnosis *d)
{
    char message[400] = "";
    const struct loopknot_options o = options();
    int status = loopknot_redact(d, "[0-9]+", message, sizeof message);
    if (status == LOOPKNOT_OK)
        status = loopknot_examine(d, target, &o, message, sizeof message);
    if (status == LOOPKNOT_NO_MEMORY)
        assert_non_null(strstr(message, "memory"));
    return status;
}

/* Two in threads of their own, and their links. */
static int many(struct loopknot_diagnosis *d)
{
    const pid_t pids[] = { target, target };
    const struct loopknot_options o = options();
    size_t complaints = 0;
    const int status = loopknot_examine_all(d, pids, 2, &o, 60000, told, &complaints);
    assert_true(status != LOOPKNOT_OK || loopknot_count(d) + complaints == 2);
    assert_true(status != LOOPKNOT_NO_MEMORY || complaints > 0);
    return status;
}

static long rounds(long usual)
{
    const char *text = getenv("LOOPKNOT_OOM_ROUNDS");
    return text ? atol(text) : usual;
}

/* The first few one by one, then ever fewer, up to the last. */
static long next(long n, long total, long most)
{
    const long near = n / 8, even = total / most;
    return n + 1 + (near < even ? near : even);
}

static void examinations(int (*examine)(struct loopknot_diagnosis *d), long usual)
{
    struct loopknot_diagnosis *d = loopknot_create();
    struct before b = look();
    fail_at(-1, ONCE);
    assert_int_equal(examine(d), LOOPKNOT_OK);
    const long total = asked;
    size_t failed = 0, done = 0;
    loopknot_destroy(d);
    check(&b);
    for (long n = 1; n < total + total / 10; n = next(n, total, rounds(usual)), done++) {
        d = loopknot_create();
        assert_non_null(d);
        fail_at(n, done % 2 ? FROM_THEN_ON : ONCE);
        const int status = examine(d);
        fail_never();
        failed += status != LOOPKNOT_OK;
        if (status != LOOPKNOT_OK && status != LOOPKNOT_NO_MEMORY)
            fail_msg("status %d at allocation %ld of %ld", status, n, total);
        assert_true(status == LOOPKNOT_OK || loopknot_count(d) == 0);
        for (size_t i = 0; i < loopknot_count(d); i++)
            loopknot_verdict_of(d, i);
        loopknot_destroy(d);
        check(&b);
        check_runs_on();
    }
    assert_true(failed > done / 4);
    assert_int_equal(__lsan_do_recoverable_leak_check(), 0);
}

static void in_this_thread(void **state)
{
    (void)state;
    examinations(one, 50);
}

static char core_file[64];

/* A core dump, packed. */
static int dumped(struct loopknot_diagnosis *d)
{
    char message[1024] = "";
    struct loopknot_core core = loopknot_core_default();
    const struct loopknot_options o = options();
    core.file = core_file;
    const int status = loopknot_examine_core(d, &core, &o, message, sizeof message);
    if (status == LOOPKNOT_NO_MEMORY)
        assert_non_null(strstr(message, "memory"));
    return status;
}

static void a_core(void **state)
{
    char command[200], plain[48];
    (void)state;
    snprintf(plain, sizeof plain, "/tmp/loopknot-test-core.%d", (int)target);
    snprintf(core_file, sizeof core_file, "%s.gz", plain);
    snprintf(command, sizeof command,
             "gcore -o /tmp/loopknot-test-core %d >/dev/null 2>&1 </dev/null && gzip -1 %s",
             (int)target, plain);
    if (system(command) != 0)
        skip();
    examinations(dumped, 30);
    unlink(core_file);
}

static void in_threads(void **state)
{
    (void)state;
    examinations(many, 20);
}

/* Fails each allocation of one call in turn; returns when it succeeds with none failing. */
static void each(int (*call)(void *arg), void *arg, long most)
{
    const struct before b = look();
    long total;
    fail_at(-1, ONCE);
    assert_int_equal(call(arg), LOOPKNOT_OK);
    total = asked;
    for (long n = 1, i = 0; n <= total; n = next(n, total, most), i++) {
        fail_at(n, i % 2 ? FROM_THEN_ON : ONCE);
        const int status = call(arg);
        fail_never();
        if (status != LOOPKNOT_NO_MEMORY && status != LOOPKNOT_OK)
            fail_msg("status %d at allocation %ld of %ld", status, n, total);
        check(&b);
    }
}

struct writing {
    const struct loopknot_diagnosis *d;
    const char *format;
    FILE *out;
};

static int write_report(void *arg)
{
    const struct writing *w = arg;
    return loopknot_write(w->d, w->format, NULL, w->out);
}

static int write_rules(void *arg)
{
    const struct writing *w = arg;
    return loopknot_write_rules(w->format, NULL, w->out);
}

static int write_explanation(void *arg)
{
    static const char *const words[] = { "101", "LK203" };
    const struct writing *w = arg;
    return loopknot_write_explanations(words, 2, w->format, NULL, w->out);
}

static int load_report(void *arg)
{
    char why[200];
    struct loopknot_diagnosis *d = loopknot_create();
    if (!d)
        return LOOPKNOT_NO_MEMORY;
    const int status = loopknot_load(d, arg, why, sizeof why);
    assert_int_equal(loopknot_count(d) > 0, status == LOOPKNOT_OK);
    loopknot_destroy(d);
    return status;
}

static void a_report_read_again(void **state)
{
    (void)state;
    char path[] = "/tmp/loopknot-report-XXXXXX";
    struct loopknot_diagnosis *d = loopknot_create();
    assert_int_equal(many(d), LOOPKNOT_OK);
    const int fd = mkstemp(path);
    FILE *out = fdopen(fd, "w");
    assert_non_null(out);
    assert_int_equal(loopknot_write(d, "json", NULL, out), LOOPKNOT_OK);
    fclose(out);
    loopknot_destroy(d);
    each(load_report, path, rounds(300));
    unlink(path);
    assert_int_equal(__lsan_do_recoverable_leak_check(), 0);
}

static void writers(void **state)
{
    (void)state;
    struct loopknot_diagnosis *d = loopknot_create();
    struct writing w = { .d = d, .out = __real_fopen("/dev/null", "we") };
    assert_non_null(w.out);
    assert_int_equal(many(d), LOOPKNOT_OK);
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        w.format = formats[i];
        each(write_report, &w, rounds(150));
    }
    for (size_t i = 0; i < 2; i++) {
        w.format = formats[i];
        each(write_rules, &w, rounds(100));
        each(write_explanation, &w, rounds(100));
    }
    fclose(w.out);
    loopknot_destroy(d);
    assert_int_equal(__lsan_do_recoverable_leak_check(), 0);
}

static int load_patterns(void *arg)
{
    char why[100] = "";
    struct loopknot_patterns *p = loopknot_patterns_load(arg, why, sizeof why);
    const int status = p ? LOOPKNOT_OK : errno == ENOMEM ? LOOPKNOT_NO_MEMORY : LOOPKNOT_USAGE;
    assert_true(p || strstr(why, "memory"));
    loopknot_patterns_free(p);
    return status;
}

static int list_tree(void *arg)
{
    pid_t pids[16];
    (void)arg;
    const size_t n = loopknot_tree(target, pids, 16);
    assert_true(n == 1 || (n == 0 && errno == ENOMEM));
    return n ? LOOPKNOT_OK : LOOPKNOT_NO_MEMORY;
}

static int create(void *arg)
{
    struct loopknot_diagnosis *d = loopknot_create();
    (void)arg;
    loopknot_destroy(d);
    return d ? LOOPKNOT_OK : LOOPKNOT_NO_MEMORY;
}

static void all_else(void **state)
{
    (void)state;
    char file[] = "/tmp/loopknot-test.XXXXXX";
    const int fd = mkstemp(file);
    static const char text[] =
        "framework acme\nnester acme.nest\nblocking syscall ioctl as a request\n";
    assert_true(fd >= 0 && write(fd, text, sizeof text - 1) == (ssize_t)sizeof text - 1);
    close(fd);
    each(load_patterns, file, 1000);
    unlink(file);
    each(list_tree, NULL, 1000);
    each(create, NULL, 10);
    assert_int_equal(__lsan_do_recoverable_leak_check(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_this_thread),
        cmocka_unit_test(in_threads),
        cmocka_unit_test(a_core),
        cmocka_unit_test(writers),
        cmocka_unit_test(a_report_read_again),
        cmocka_unit_test(all_else),
    };
    return cmocka_run_group_tests(tests, start_target, end_target);
}
