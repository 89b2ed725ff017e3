/* Limits: setrlimit(2); what a process must not be to leave no core, whatever core_pattern says:
 * dumpable (fs/coredump.c do_coredump). */
#include "read/native/unwind/confined.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "process/process.h"
#include "util/memory.h"

#define TIME_MS 2000
#define MEMORY  (UINT64_C(1) << 30)

static void limit(int what, uint64_t value)
{
    const struct rlimit r = { value, value };
    setrlimit(what, &r);
}

static void give_up(void)
{
    _exit(1);
}

/* A handler of the program that we are part of would go on as that program. */
static void crash_plainly(void)
{
    static const int signals[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGSYS, SIGTRAP };
    sigset_t all;
    sigemptyset(&all);
    for (size_t i = 0; i < LK_ARRAY_LEN(signals); i++) {
        signal(signals[i], SIG_DFL);
        sigaddset(&all, signals[i]);
    }
    sigprocmask(SIG_UNBLOCK, &all, NULL);
}

static void confine(int keep, int out)
{
    unsigned long pages = 0;
    crash_plainly();
    lk_memory_in_child(give_up);
    for (int fd = 0; fd <= 2; fd++) /* a library's complaints are nobody's business */
        if (fd != keep && fd != out)
            close(fd);
    FILE *f = fopen("/proc/self/statm", "re");
    if (f) {
        /* on top of what we have: a sanitizer reserves terabytes */
        if (fscanf(f, "%lu", &pages) == 1)
            limit(RLIMIT_AS, (uint64_t)pages * LK_PAGE + MEMORY);
        fclose(f);
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_DUMPABLE, 0);
    limit(RLIMIT_CPU, 2);
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_NOFILE, 0);
}

/* Reads up to `size` bytes until the helper ends or its time is over. */
static size_t collect(int fd, void *buf, size_t size)
{
    uint64_t end = lk_now_ms() + TIME_MS;
    size_t n = 0;
    while (n < size) {
        uint64_t now = lk_now_ms();
        struct pollfd p = { .fd = fd, .events = POLLIN };
        if (now >= end)
            break;
        int ready = poll(&p, 1, (int)(end - now));
        if (ready < 0 && errno == EINTR)
            continue;
        ssize_t got = ready > 0 ? read(fd, (char *)buf + n, size - n) : 0;
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        n += (size_t)got;
    }
    return n;
}

size_t lk_confined(void (*work)(int out, void *arg), void *arg, int keep, void *buf, size_t size)
{
    int out[2];
    if (pipe2(out, O_CLOEXEC))
        return 0;
    pid_t pid = fork();
    if (pid == 0) {
        confine(keep, out[1]);
        work(out[1], arg);
        _exit(0);
    }
    close(out[1]);
    size_t got = pid > 0 ? collect(out[0], buf, size) : 0;
    close(out[0]);
    if (pid > 0) {
        kill(pid, SIGKILL);
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    return got;
}
