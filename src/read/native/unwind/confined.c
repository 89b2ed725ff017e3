/*
 * Limits: setrlimit(2); what a process must not be to leave no core, whatever core_pattern says:
 * dumpable (fs/coredump.c do_coredump). A change of ids takes the signal of the parent's death away
 * (kernel/cred.c commit_creds), so that is asked for after it. System calls that are not on the
 * list are answered EPERM, seccomp(2), so that a library that tries one goes on without.
 */
#include "read/native/unwind/confined.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "process/process.h"
#include "util/memory.h"

#define TIME_MS 2000
#define END_MS  1000
#define LOOK_US 200
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

/* Nobody of this machine. Without root there is nothing to drop. By the calls themselves: glibc's
 * change the ids of all threads, of which a forked child has none. */
static void become_nobody(void)
{
    enum { NOBODY = 65534 };
    struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
    const struct __user_cap_data_struct none[2] = { 0 };
    if (geteuid() == 0) {
        (void)syscall(SYS_setgroups, 0, NULL);
        (void)syscall(SYS_setresgid, NOBODY, NOBODY, NOBODY);
        (void)syscall(SYS_setresuid, NOBODY, NOBODY, NOBODY);
    }
    (void)syscall(SYS_capset, &head, none);
}

/* All but the two. */
static void close_others(int one, int other)
{
    const unsigned low = (unsigned)LK_MIN(one, other), high = (unsigned)LK_MAX(one, other);
    if (low)
        (void)syscall(SYS_close_range, 0, low - 1, 0);
    if (high - low > 1)
        (void)syscall(SYS_close_range, low + 1, high - 1, 0);
    (void)syscall(SYS_close_range, high + 1, ~0u, 0);
}

/* What memory and two open descriptors take. */
static const uint32_t allowed[] = {
    SYS_read,         SYS_pread64,   SYS_write,           SYS_lseek,        SYS_fstat,
    SYS_close,        SYS_mmap,      SYS_munmap,          SYS_mremap,       SYS_mprotect,
    SYS_madvise,      SYS_brk,       SYS_futex,           SYS_rt_sigaction, SYS_rt_sigprocmask,
    SYS_rt_sigreturn, SYS_getrandom, SYS_clock_gettime,   SYS_exit,         SYS_exit_group,
    SYS_sigaltstack,  SYS_getpid,    SYS_restart_syscall, SYS_newfstatat,
};

/* newfstatat(2) with AT_EMPTY_PATH is what glibc's fstat() is; no path is looked up where the
 * descriptor is none of a folder. */
static bool allow_few_calls(void)
{
    enum { N = LK_ARRAY_LEN(allowed) };
    struct sock_filter rows[N + 7] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, lk_arch_own()->audit, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
    };
    size_t n = 4;
    for (unsigned i = 0; i < N; i++)
        rows[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, allowed[i],
                                                 (uint8_t)(N - i), 0);
    rows[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
    rows[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    const struct sock_fprog program = { (unsigned short)n, rows };
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

/* keep: the file that it parses; -1: it reads the target itself, for which it needs its rights. */
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
    if (keep >= 0) {
        close_others(keep, out);
        become_nobody();
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_DUMPABLE, 0);
    limit(RLIMIT_CPU, 2);
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_NOFILE, 0);
    if (keep >= 0)
        (void)allow_few_calls(); /* a kernel without: the rest holds */
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

/* In a read that a file system does not answer it ends when that does: nobody waits for it then. */
static void end(pid_t pid)
{
    kill(pid, SIGKILL);
    const uint64_t until = lk_now_ms() + END_MS;
    for (pid_t ended = 0; !ended || (ended < 0 && errno == EINTR);) {
        ended = waitpid(pid, NULL, WNOHANG);
        if (!ended && lk_now_ms() >= until)
            return;
        if (!ended)
            usleep(LOOK_US);
    }
}

size_t lk_confined(void (*work)(int out, void *arg), void *arg, int keep, void *buf, size_t size)
{
    int out[2];
    if (pipe2(out, O_CLOEXEC))
        return 0;
    const pid_t pid = fork();
    if (pid == 0) {
        confine(keep, out[1]);
        work(out[1], arg);
        _exit(0);
    }
    close(out[1]);
    size_t got = pid > 0 ? collect(out[0], buf, size) : 0;
    close(out[0]);
    if (pid > 0)
        end(pid);
    return got;
}
