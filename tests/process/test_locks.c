/* Lines of /proc/locks and fdinfo, good and hostile, and the real table with a child that waits for
 * a lock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>

#include "child.h"
#include "process/linux/file_locks.h"
#include "process/linux/procfs.h"

static void lines_are_parsed(void **state)
{
    static const struct {
        const char *text;
        bool ok, waits;
        enum lk_lock_family family;
        int64_t id, pid, inode;
    } rows[] = {
        { "1: FLOCK  ADVISORY  WRITE 23316 fe:00:9978012 0 EOF\n", true, false, LK_LOCK_FLOCK, 1,
          23316, 9978012 },
        { "12: -> POSIX  ADVISORY  READ 7 08:01:5 10 20\n", true, true, LK_LOCK_POSIX, 12, 7, 5 },
        { "3:  -> FLOCK  ADVISORY  WRITE 9 08:01:5 0 EOF", true, true, LK_LOCK_FLOCK, 3, 9, 5 },
        { "\t4: OFDLCK ADVISORY  WRITE -1 08:01:5 0 EOF\n", true, false, LK_LOCK_OFD, 4, -1, 5 },
        { "5: LEASE  ACTIVE    WRITE 9 08:01:5 0 EOF\n", false, false, 0, 0, 0, 0 },
        { "6: FLOCK  ADVISORY  WRITE 9 08:01 0 EOF\n", false, false, 0, 0, 0, 0 },
        { "7: FLOCK  ADVISORY  WRITE 99999999999 08:01:5 0 EOF\n", false, false, 0, 0, 0, 0 },
        { "8: FLOCK  ADVISORY  WRITE", false, false, 0, 0, 0, 0 },
        { "-1: FLOCK  ADVISORY  WRITE 9 08:01:5 0 EOF\n", false, false, 0, 0, 0, 0 },
        { ": FLOCK", false, false, 0, 0, 0, 0 },
        { "\n", false, false, 0, 0, 0, 0 },
        { "", false, false, 0, 0, 0, 0 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct lk_lock_line l;
        const char *end;
        assert_int_equal(lk_lock_line_parse(rows[i].text, &l, &end), rows[i].ok);
        assert_true(end >= rows[i].text && end <= rows[i].text + strlen(rows[i].text));
        if (!rows[i].ok)
            continue;
        assert_int_equal(l.waits, rows[i].waits);
        assert_int_equal(l.family, rows[i].family);
        assert_int_equal(l.id, rows[i].id);
        assert_int_equal(l.pid, rows[i].pid);
        assert_int_equal(l.inode, rows[i].inode);
    }
}

static void hostile_lines(void **state)
{
    static const char alphabet[] = "0123456789abcdef:: ->-\n\tFLOCKPSXADVRYWITEO";
    char text[128];
    (void)state;
    srandom(1);
    for (int round = 0; round < 100000; round++) {
        struct lk_lock_line l;
        const char *end;
        size_t n = (size_t)random() % sizeof text;
        for (size_t i = 0; i < n; i++)
            text[i] =
                round % 2 ? (char)random() : alphabet[(size_t)random() % (sizeof alphabet - 1)];
        text[LK_MIN(n, sizeof text - 1)] = '\0';
        lk_lock_line_parse(text, &l, &end);
        assert_true(end >= text && end <= text + strlen(text));
    }
}

/* What a child waits for that holds (or whose parent holds) the lock on a file. */
static char file[] = "/tmp/test_locks.XXXXXX";
static int parents_fd;

static void own_flock(struct child *c)
{
    close(parents_fd);
    int held = open(file, O_RDWR | O_CLOEXEC), wanted = open(file, O_RDWR | O_CLOEXEC);
    flock(held, LOCK_EX);
    atomic_store(&c->count[0], held);
    atomic_store(&c->count[1], wanted);
    atomic_store(&c->ready, 1);
    flock(wanted, LOCK_EX);
}

static void parents_flock(struct child *c)
{
    close(parents_fd);
    int wanted = open(file, O_RDWR | O_CLOEXEC);
    atomic_store(&c->count[1], wanted);
    atomic_store(&c->ready, 1);
    flock(wanted, LOCK_EX);
}

/* It keeps a copy of the descriptor through which its parent locked the file. */
static void inherited_flock(struct child *c)
{
    int wanted = open(file, O_RDWR | O_CLOEXEC);
    atomic_store(&c->count[0], parents_fd);
    atomic_store(&c->count[1], wanted);
    atomic_store(&c->ready, 1);
    flock(wanted, LOCK_EX);
}

static void parents_posix_lock(struct child *c)
{
    struct flock l = { .l_type = F_WRLCK };
    int wanted = open(file, O_RDWR | O_CLOEXEC);
    atomic_store(&c->count[1], wanted);
    atomic_store(&c->ready, 1);
    fcntl(wanted, F_SETLKW, &l);
}

static struct lk_file_lock ask(void (*run)(struct child *), bool by_flock, int64_t *held)
{
    struct lk_file_lock ret = { 0 };
    struct lk_procfs_folder f;
    struct child *c = child_page();
    pid_t pid = child_start(run, c);
    assert_true(wait_until(atomic_load(&c->ready)));
    assert_true(lk_procfs_enter(pid, &f));
    wait_until((lk_file_lock_find(pid, f.dir, atomic_load(&c->count[1]), by_flock, &ret),
                ret.by != LK_LOCKED_UNKNOWN));
    lk_procfs_leave(&f);
    *held = atomic_load(&c->count[0]);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    munmap(c, sizeof *c);
    return ret;
}

static void holders_of_real_locks(void **state)
{
    int64_t held;
    struct flock posix = { .l_type = F_WRLCK };
    (void)state;
    parents_fd = mkstemp(file);
    assert_true(parents_fd >= 0);
    struct lk_file_lock l = ask(own_flock, true, &held);
    assert_int_equal(l.by, LK_LOCKED_SELF);
    assert_int_equal(l.fd, held);
    flock(parents_fd, LOCK_EX);
    l = ask(parents_flock, true, &held);
    assert_int_equal(l.by, LK_LOCKED_OTHER);
    assert_int_equal(l.pid, getpid());
    assert_true(l.comm[0]);
    l = ask(inherited_flock, true, &held);
    assert_int_equal(l.by, LK_LOCKED_SHARED);
    assert_int_equal(l.fd, held);
    flock(parents_fd, LOCK_UN);
    assert_int_equal(fcntl(parents_fd, F_SETLK, &posix), 0);
    l = ask(parents_posix_lock, false, &held);
    assert_int_equal(l.by, LK_LOCKED_OTHER);
    assert_int_equal(l.pid, getpid());
    unlink(file);
    close(parents_fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_parsed),
        cmocka_unit_test(hostile_lines),
        cmocka_unit_test(holders_of_real_locks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
