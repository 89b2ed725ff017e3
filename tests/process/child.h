/*
 * Children to be examined: a function run in a forked process, with one page of memory shared with
 * the test. A child dies with its test.
 */
#ifndef LK_TESTS_PROCESS_CHILD_H
#define LK_TESTS_PROCESS_CHILD_H

#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bound_fork.h"
#include "util/base.h"

struct child {
    atomic_int ready, go, flag, bad;
    atomic_long count[16];
    atomic_long tid[16];
    atomic_uint_least64_t addr[4];
    char text[640];
};

static inline void nap_us(long us)
{
    struct timespec ts = { us / 1000000, us % 1000000 * 1000 };

    nanosleep(&ts, NULL);
}

/* Waits for a condition, ten seconds at most; its value in the end. */
#define wait_until(condition)                                                                      \
    ({                                                                                             \
        uint64_t until_ = lk_now_ms() + 10000;                                                     \
        while (!(condition) && lk_now_ms() < until_)                                               \
            nap_us(500);                                                                           \
        (condition);                                                                               \
    })

static inline struct child *child_page(void)
{
    void *p =
        mmap(NULL, sizeof(struct child), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    return p == MAP_FAILED ? NULL : p;
}

static inline pid_t child_start(void (*run)(struct child *), struct child *c)
{
    pid_t pid = bound_fork();

    if (pid == 0) {
        run(c);
        _exit(0);
    }
    return pid;
}

static inline void child_end(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static inline pid_t own_tid(void)
{
    return (pid_t)syscall(SYS_gettid);
}

#endif
