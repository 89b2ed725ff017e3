/* The helper that parses what a target chose can do nothing but that: each attempt from inside. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h> /* needs the three above */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "read/native/unwind/confined.h"
#include "util/base.h"

static int other_fd = -1;

static long try_open(void)
{
    return open("/etc/passwd", O_RDONLY);
}

static long try_socket(void)
{
    return socket(AF_INET, SOCK_STREAM, 0);
}

static long try_kill(void)
{
    return kill(getppid(), 0);
}

static long try_ptrace(void)
{
    return ptrace(PTRACE_SEIZE, getppid(), NULL, NULL);
}

static long try_read_parent(void)
{
    char byte;
    const struct iovec here = { &byte, 1 }, there = { &other_fd, 1 };
    return process_vm_readv(getppid(), &here, 1, &there, 1, 0);
}

static long try_fork(void)
{
    const pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    return pid;
}

static long try_exec(void)
{
    char *argv[] = { (char *)"true", NULL };
    return execv("/bin/true", argv);
}

static long try_other_fd(void)
{
    char byte;
    return pread(other_fd, &byte, 1, 0);
}

static long try_unlink(void)
{
    return unlink("/tmp/loopknot-nothing");
}

static long try_setuid(void)
{
    return setuid(0);
}

static long try_much_memory(void)
{
    return mmap(NULL, UINT64_C(8) << 30, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
                   MAP_FAILED
               ? -1
               : 0;
}

static const struct {
    const char *name;
    long (*attempt)(void);
} attempts[] = {
    { "open", try_open },
    { "socket", try_socket },
    { "kill", try_kill },
    { "ptrace", try_ptrace },
    { "process_vm_readv", try_read_parent },
    { "fork", try_fork },
    { "exec", try_exec },
    { "another descriptor", try_other_fd },
    { "unlink", try_unlink },
    { "setuid", try_setuid },
    { "8 GiB", try_much_memory },
};

/* A byte each: 1, it was refused. */
static void attempt_all(int out, void *arg)
{
    const int file = *(const int *)arg;
    char byte = 0, refused;
    for (size_t i = 0; i < LK_ARRAY_LEN(attempts); i++) {
        errno = 0;
        refused = attempts[i].attempt() == -1 && errno != ENOENT;
        if (write(out, &refused, 1) != 1)
            return;
    }
    refused = pread(file, &byte, 1, 0) == 1 && byte == 'x'; /* what it is there for */
    if (write(out, &refused, 1) != 1)
        return;
}

static void nothing_but_parsing(void **state)
{
    enum { N = LK_ARRAY_LEN(attempts) };
    char got[N + 2];
    (void)state;
    int file = memfd_create("parsed", MFD_CLOEXEC);
    other_fd = memfd_create("other", MFD_CLOEXEC);
    assert_int_equal(write(file, "x", 1), 1);
    assert_int_equal(write(other_fd, "x", 1), 1);
    assert_int_equal(lk_confined(attempt_all, &file, file, got, sizeof got), N + 1);
    for (size_t i = 0; i < N; i++)
        if (!got[i])
            fail_msg("it may: %s", attempts[i].name);
    assert_true(got[N]);
    close(file);
    close(other_fd);
}

static void for_ever(int out, void *arg)
{
    (void)out, (void)arg;
    for (volatile int i = 0;; i++)
        ;
}

static void limits(void **state)
{
    char byte;
    (void)state;
    int file = memfd_create("parsed", MFD_CLOEXEC);
    const uint64_t before = lk_now_ms();
    assert_int_equal(lk_confined(for_ever, NULL, file, &byte, 1), 0);
    assert_true(lk_now_ms() - before < 20000);
    close(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(nothing_but_parsing),
                                        cmocka_unit_test(limits) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
