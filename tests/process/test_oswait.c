/*
 * Real children, each asleep in one kind of wait. Every case is decoded, then stopped and let go by
 * ptrace, and decoded again where the call went on: the answer must be the same.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h> /* needs the three above */

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/ptrace.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bound_fork.h"
#include "process/linux/process_facts.h"
#include "util/text.h"

/* Descriptors that cases use, at fixed numbers so that the checks know them. */
enum { A = 100, B = 101, C = 102, D = 103 };

struct seen {
    struct lk_arena *arena;
    struct lk_process *target;
    struct lk_syscall_wait w;
};

struct wait_case {
    const char *name;
    void (*body)(void); /* blocks; returning from the wait is seen by the child's exit */
    int64_t nr;
    void (*check)(const struct seen *s);
    bool ends_with_eintr; /* the kernel does not restart it */
};

static char folder[] = "/tmp/test_oswaitXXXXXX";
static pid_t body_child; /* pid of a child that a body forked before */

static void at(int fd, int number)
{
    if (fd < 0 || dup2(fd, number) != number)
        _exit(99);
    close(fd);
}

static void pair_at(int domain, int type)
{
    int v[2];
    if (socketpair(domain, type, 0, v))
        _exit(99);
    at(v[0], A);
    at(v[1], B);
}

static void pipe_at(void)
{
    int v[2];
    if (pipe(v))
        _exit(99);
    at(v[0], A);
    at(v[1], B);
}

/* A listener on 127.0.0.1 (or ::) at A; returns its port. */
static int listen_at(int family)
{
    struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
    void *addr = family == AF_INET ? (void *)&in : (void *)&in6;
    socklen_t len = family == AF_INET ? sizeof(in) : sizeof(in6);
    at(socket(family, SOCK_STREAM, 0), A);
    if (bind(A, addr, len) || listen(A, 8) || getsockname(A, addr, &len))
        _exit(99);
    return ntohs(family == AF_INET ? in.sin_port : in6.sin6_port);
}

static void connect_at(int port)
{
    struct sockaddr_in in = { .sin_family = AF_INET,
                              .sin_port = htons((uint16_t)port),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    at(socket(AF_INET, SOCK_STREAM, 0), B);
    if (connect(B, (struct sockaddr *)&in, sizeof(in)))
        _exit(99);
}

/* ---- futex and time ------------------------------------------------------------------ */

static uint32_t word;
static sem_t semaphore;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static struct timespec in_seconds(clockid_t clock, int seconds)
{
    struct timespec t;
    clock_gettime(clock, &t);
    t.tv_sec += seconds;
    return t;
}

static void futex_forever(void)
{
    syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
}

static void check_futex_forever(const struct seen *s)
{
    assert_int_equal(s->w.on, LK_OS_FUTEX);
    assert_int_equal(s->w.futex, (uintptr_t)&word);
    assert_true(s->w.timeout_ms == LK_FOREVER);
    assert_true(s->w.fd == LK_UNKNOWN);
}

static void mutex_twice(void)
{
    pthread_mutex_lock(&mutex);
    pthread_mutex_lock(&mutex);
}

static void check_mutex(const struct seen *s)
{
    assert_int_equal(s->w.on, LK_OS_FUTEX);
    assert_int_equal(s->w.futex, (uintptr_t)&mutex);
    assert_true(s->w.timeout_ms == LK_FOREVER);
}

static void sem_realtime(void)
{
    struct timespec t = in_seconds(CLOCK_REALTIME, 50);
    sem_init(&semaphore, 0, 0);
    sem_timedwait(&semaphore, &t);
}

static void sem_monotonic(void)
{
    struct timespec t = in_seconds(CLOCK_MONOTONIC, 50);
    sem_init(&semaphore, 0, 0);
    sem_clockwait(&semaphore, CLOCK_MONOTONIC, &t);
}

static void check_sem(const struct seen *s)
{
    assert_int_equal(s->w.on, LK_OS_FUTEX);
    assert_in_range(s->w.futex, (uintptr_t)&semaphore,
                    (uintptr_t)&semaphore + sizeof(semaphore) - 4);
    assert_in_range(s->w.timeout_ms, 30000, 50000);
}

/* As a libc does it, number in eax right before the instruction: a stop turns the call into
 * restart_syscall. */
static void futex_for(const struct timespec *t)
{
    register const struct timespec *timeout asm("r10") = t;
    long ret;
    asm volatile("mov $202, %%eax\n\tsyscall"
                 : "=a"(ret)
                 : "D"(&word), "S"(FUTEX_WAIT_PRIVATE), "d"(0), "r"(timeout)
                 : "rcx", "r11", "memory");
}

static void futex_relative(void)
{
    futex_for(&(struct timespec){ 40, 500000000 });
}

static void check_futex_relative(const struct seen *s)
{
    assert_int_equal(s->w.on, LK_OS_FUTEX);
    assert_int_equal(s->w.timeout_ms, 40500);
}

static void futex_huge(void)
{
    futex_for(&(struct timespec){ INT64_MAX, 0 });
}

static void check_futex_huge(const struct seen *s)
{
    assert_true(s->w.timeout_ms > INT64_C(1) << 40 && s->w.timeout_ms != LK_FOREVER);
}

static void sleep_relative(void)
{
    struct timespec t = { 60, 0 };
    nanosleep(&t, NULL);
}

static void check_sleep(const struct seen *s)
{
    assert_int_equal(s->w.on, LK_OS_TIMER);
    assert_in_range(s->w.timeout_ms, 30000, 60000);
}

static void sleep_absolute(void)
{
    struct timespec t = in_seconds(CLOCK_MONOTONIC, 50);
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

static void select_sleep(void)
{
    struct timeval t = { 60, 0 };
    select(0, NULL, NULL, NULL, &t);
}

static void poll_sleep(void)
{
    poll(NULL, 0, 60000);
}

static void poll_forever(void)
{
    poll(NULL, 0, -1);
}

static void check_signal(const struct seen *s)
{
    assert_int_equal(s->w.on, LK_OS_SIGNAL);
    assert_true(s->w.timeout_ms == LK_FOREVER);
}

/* ---- descriptors --------------------------------------------------------------------- */

static void pipe_read(void)
{
    char c;
    pipe_at();
    (void)!read(A, &c, 1);
}

static void check_pipe_read(const struct seen *s)
{
    assert_int_equal(s->w.on, LK_OS_PIPE);
    assert_int_equal(s->w.fd, A);
    assert_true(lk_starts_with(s->w.path, "pipe:["));
    assert_int_equal(s->w.peer_is, LK_PEER_SELF);
    assert_true(s->w.timeout_ms == LK_FOREVER);
    assert_int_equal(lk_process_unread(s->target, A), 0);
}

static void pipe_full_write(void)
{
    static char page[4096];
    pipe_at();
    fcntl(B, F_SETPIPE_SZ, 4096);
    (void)!write(B, page, sizeof(page));
    (void)!write(B, page, sizeof(page));
}

static void check_pipe_write(const struct seen *s)
{
    assert_int_equal(s->w.on, LK_OS_PIPE);
    assert_int_equal(s->w.fd, B);
    assert_int_equal(lk_process_unread(s->target, A), 4096);
}

static void pipe_long_write(void)
{
    static char pages[3 * 65536];
    pipe_at();
    (void)!write(B, pages, sizeof(pages));
}

static void check_long_write(const struct seen *s)
{
    assert_int_equal(s->w.on, LK_OS_PIPE);
}

static void pipe_from_child(void)
{
    char c;
    pipe_at();
    body_child = bound_fork();
    if (body_child == 0)
        pause();
    close(B);
    (void)!read(A, &c, 1);
}

static void check_tree_pipe(const struct seen *s)
{
    assert_int_equal(s->w.peer_is, LK_PEER_TREE);
}

static void poll_one_socket(void)
{
    pair_at(AF_UNIX, SOCK_STREAM);
    (void)!write(A, "abc", 3);
    struct pollfd p = { .fd = A, .events = POLLIN };
    poll(&p, 1, 70000);
}

static void check_poll_one(const struct seen *s)
{
    assert_int_equal(s->w.on, LK_OS_SOCKET);
    assert_string_equal(s->w.syscall, "poll");
    assert_int_equal(s->w.fd, A);
    assert_int_equal(s->w.timeout_ms, 70000);
    assert_int_equal(s->w.fds.n, 1);
    assert_int_equal(lk_process_unread(s->target, B), 3);
    assert_int_equal(lk_process_unread(s->target, A), 0);
}

static void poll_two(void)
{
    pair_at(AF_UNIX, SOCK_STREAM);
    struct pollfd p[3] = { { .fd = B, .events = POLLIN },
                           { .fd = -1 },
                           { .fd = A, .events = POLLIN } };
    poll(p, 3, -1);
}

static void check_two(const struct seen *s)
{
    assert_int_equal(s->w.on, LK_OS_SELECTOR);
    assert_int_equal(s->w.fds.n, 2);
    assert_int_equal(s->w.fds.v[0] + s->w.fds.v[1], A + B);
    assert_true(s->w.timeout_ms == LK_FOREVER);
}

static void select_two(void)
{
    fd_set in, error;
    pair_at(AF_UNIX, SOCK_STREAM);
    FD_ZERO(&in);
    FD_ZERO(&error);
    FD_SET(A, &in);
    FD_SET(B, &error);
    select(B + 1, &in, NULL, &error, NULL);
}

static void select_constant_timeout(void)
{
    static const struct timespec t = { 60, 0 };
    struct pollfd p = { .fd = -1 };
    syscall(SYS_ppoll, &p, 1, &t, NULL, 8);
}

static void check_constant(const struct seen *s)
{
    assert_int_equal(s->w.on, LK_OS_TIMER);
}

static void epoll(void)
{
    struct epoll_event e = { .events = EPOLLIN };
    pair_at(AF_UNIX, SOCK_STREAM);
    at(epoll_create1(0), C);
    epoll_ctl(C, EPOLL_CTL_ADD, A, &e);
    epoll_ctl(C, EPOLL_CTL_ADD, B, &e);
    epoll_wait(C, &e, 1, 80000);
}

static void check_epoll(const struct seen *s)
{
    struct lk_watched w;
    assert_int_equal(s->w.on, LK_OS_SELECTOR);
    assert_int_equal(s->w.fd, C);
    assert_int_equal(s->w.timeout_ms, 80000);
    assert_int_equal(s->w.fds.n, 2);
    assert_int_equal(s->w.fds.v[0] + s->w.fds.v[1], A + B);
    assert_true(lk_process_watched(s->target, C, &w));
    assert_int_equal(w.total, 2);
    assert_int_equal(w.fds[0] + w.fds[1], A + B);
    assert_false(lk_process_watched(s->target, A, &w));
    assert_false(lk_process_watched(s->target, 9999, &w));
}

static void event_read(void)
{
    uint64_t v;
    at(eventfd(0, 0), A);
    at(eventfd(7, 0), B);
    (void)!read(A, &v, sizeof(v));
}

static void check_eventfd(const struct seen *s)
{
    assert_int_equal(s->w.on, LK_OS_EVENTFD);
    assert_int_equal(s->w.fd, A);
    assert_int_equal(lk_process_unread(s->target, A), 0);
    assert_int_equal(lk_process_unread(s->target, B), 8);
}

static void timer_read(void)
{
    uint64_t v;
    struct itimerspec t = { .it_value = { 45, 0 } };
    at(timerfd_create(CLOCK_MONOTONIC, 0), A);
    timerfd_settime(A, 0, &t, NULL);
    (void)!read(A, &v, sizeof(v));
}

static void check_timerfd(const struct seen *s)
{
    assert_int_equal(s->w.on, LK_OS_TIMER);
    assert_int_equal(s->w.fd, A);
    assert_in_range(s->w.timeout_ms, 30000, 45000);
}

static void inotify_read(void)
{
    char buf[1024];
    at(inotify_init1(0), A);
    (void)!read(A, buf, sizeof(buf));
}

static void check_inotify(const struct seen *s)
{
    assert_int_equal(s->w.on, LK_OS_FILE);
}

static void fifo_path(char *ret, size_t n)
{
    snprintf(ret, n, "%s/fifo", folder);
}

static void fifo_open(void)
{
    char path[64];
    fifo_path(path, sizeof(path));
    (void)!open(path, O_RDONLY);
}

static void check_fifo_open(const struct seen *s)
{
    char path[64];
    fifo_path(path, sizeof(path));
    assert_int_equal(s->w.on, LK_OS_PIPE);
    assert_string_equal(s->w.path, path);
}

static void fifo_read(void)
{
    char path[64], c;
    fifo_path(path, sizeof(path));
    at(open(path, O_RDWR), A);
    (void)!read(A, &c, 1);
}

static void check_fifo_read(const struct seen *s)
{
    char path[64];
    fifo_path(path, sizeof(path));
    assert_int_equal(s->w.on, LK_OS_PIPE);
    assert_string_equal(s->w.path, path);
    assert_int_equal(s->w.peer_is, LK_PEER_UNKNOWN);
}

static void lock_path(char *ret, size_t n)
{
    snprintf(ret, n, "%s/lock", folder);
}

static void flock_wait(void)
{
    char path[64];
    lock_path(path, sizeof(path));
    at(open(path, O_RDWR | O_CREAT, 0600), A);
    at(open(path, O_RDWR), B);
    flock(A, LOCK_EX);
    flock(B, LOCK_EX);
}

static void fcntl_wait(void)
{
    char path[64];
    struct flock l = { .l_type = F_WRLCK };
    lock_path(path, sizeof(path));
    at(open(path, O_RDWR | O_CREAT, 0600), A);
    at(open(path, O_RDWR), B);
    fcntl(A, F_OFD_SETLKW, &l);
    fcntl(B, F_OFD_SETLKW, &l);
}

static void check_lock(const struct seen *s)
{
    char path[64];
    lock_path(path, sizeof(path));
    assert_int_equal(s->w.on, LK_OS_FILE);
    assert_int_equal(s->w.fd, B);
    assert_string_equal(s->w.path, path);
}

/* ---- sockets ------------------------------------------------------------------------- */

static void unix_recv(void)
{
    char c;
    pair_at(AF_UNIX, SOCK_STREAM);
    recv(A, &c, 1, 0);
}

static void check_unix_recv(const struct seen *s)
{
    assert_int_equal(s->w.on, LK_OS_SOCKET);
    assert_int_equal(s->w.fd, A);
    assert_true(s->w.timeout_ms == LK_FOREVER);
    assert_false(s->w.listening);
    assert_false(s->w.accepted);
    assert_null(s->w.peer);
    if (s->w.peer_is) /* where the kernel has unix_diag */
        assert_int_equal(s->w.peer_is, LK_PEER_SELF);
}

static void recv_timeout(void)
{
    char c;
    struct timeval t = { 55, 0 };
    pair_at(AF_UNIX, SOCK_STREAM);
    setsockopt(A, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t));
    recv(A, &c, 1, 0);
}

static void check_recv_timeout(const struct seen *s)
{
    assert_int_equal(s->w.timeout_ms, 55000);
}

static void recv_all(void)
{
    char buf[10];
    pair_at(AF_UNIX, SOCK_STREAM);
    (void)!write(B, "abc", 3);
    recv(A, buf, sizeof(buf), MSG_WAITALL);
}

static void check_recv_all(const struct seen *s)
{
    assert_int_equal(s->w.on, LK_OS_SOCKET);
}

static void tcp_self_pending(void)
{
    char c;
    connect_at(listen_at(AF_INET));
    recv(B, &c, 1, 0);
}

static void check_self_pending(const struct seen *s)
{
    assert_int_equal(s->w.on, LK_OS_SOCKET);
    assert_true(lk_starts_with(s->w.local, "127.0.0.1:"));
    assert_true(lk_starts_with(s->w.peer, "127.0.0.1:"));
    assert_int_equal(s->w.peer_is, LK_PEER_SELF);
    assert_false(s->w.accepted);
    assert_int_equal(s->w.queues[0], 0);
    assert_int_equal(s->w.queues[1], 0);
}

static void tcp_self_server(void)
{
    char c;
    connect_at(listen_at(AF_INET));
    at(accept(A, NULL, NULL), C);
    recv(C, &c, 1, 0);
}

static void check_self_server(const struct seen *s)
{
    assert_int_equal(s->w.fd, C);
    assert_int_equal(s->w.peer_is, LK_PEER_SELF);
    assert_true(s->w.accepted);
}

static void tcp_dual_stack(void)
{
    char c;
    connect_at(listen_at(AF_INET6));
    at(accept(A, NULL, NULL), C);
    (void)!write(C, "xyz", 3);
    recv(C, &c, 1, 0);
}

static void check_dual_stack(const struct seen *s)
{
    assert_true(lk_starts_with(s->w.local, "127.0.0.1:"));
    assert_int_equal(s->w.peer_is, LK_PEER_SELF);
    assert_true(s->w.accepted);
    assert_int_equal(lk_process_unread(s->target, B), 3);
}

static void accept_wait(void)
{
    listen_at(AF_INET);
    accept(A, NULL, NULL);
}

static void check_accept(const struct seen *s)
{
    assert_int_equal(s->w.on, LK_OS_SOCKET);
    assert_true(s->w.listening);
    assert_false(s->w.accepted);
    assert_null(s->w.peer);
    assert_int_equal(s->w.peer_is, LK_PEER_UNKNOWN);
    assert_true(s->w.timeout_ms == LK_FOREVER);
}

static void udp_recv(void)
{
    struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    char c;
    at(socket(AF_INET, SOCK_DGRAM, 0), A);
    bind(A, (struct sockaddr *)&in, sizeof(in));
    recv(A, &c, 1, 0);
}

static void check_udp(const struct seen *s)
{
    assert_true(lk_starts_with(s->w.local, "127.0.0.1:"));
    assert_null(s->w.peer);
}

static void connect_full(void)
{
    struct sockaddr_un un = { .sun_family = AF_UNIX };
    snprintf(un.sun_path, sizeof(un.sun_path), "%s/unix", folder);
    unlink(un.sun_path);
    at(socket(AF_UNIX, SOCK_STREAM, 0), A);
    bind(A, (struct sockaddr *)&un, sizeof(un));
    listen(A, 0);
    for (int i = 0; i < 10; i++) {
        at(socket(AF_UNIX, SOCK_STREAM, 0), B + i);
        connect(B + i, (struct sockaddr *)&un, sizeof(un));
    }
}

static void check_connect_full(const struct seen *s)
{
    char path[64];
    snprintf(path, sizeof(path), "%s/unix", folder);
    assert_int_equal(s->w.on, LK_OS_SOCKET);
    assert_string_equal(s->w.peer, path);
    assert_int_equal(s->w.peer_is, LK_PEER_SELF);
}

static void unix_server(void)
{
    struct sockaddr_un un = { .sun_family = AF_UNIX };
    char c;
    snprintf(un.sun_path, sizeof(un.sun_path), "%s/unix", folder);
    unlink(un.sun_path);
    at(socket(AF_UNIX, SOCK_STREAM, 0), A);
    bind(A, (struct sockaddr *)&un, sizeof(un));
    listen(A, 8);
    at(socket(AF_UNIX, SOCK_STREAM, 0), B);
    connect(B, (struct sockaddr *)&un, sizeof(un));
    at(accept(A, NULL, NULL), C);
    recv(C, &c, 1, 0);
}

static void check_unix_server(const struct seen *s)
{
    char path[64];
    snprintf(path, sizeof(path), "%s/unix", folder);
    assert_string_equal(s->w.path, path);
    assert_true(s->w.accepted);
}

/* ---- children, signals, System V ------------------------------------------------------ */

static void fork_sleeper(void)
{
    body_child = bound_fork();
    while (body_child == 0)
        pause();
}

static void wait_any(void)
{
    fork_sleeper();
    waitpid(-1, NULL, 0);
}

static void check_any_child(const struct seen *s)
{
    assert_int_equal(s->w.on, LK_OS_CHILD);
    assert_int_equal(s->w.child_pid, -1);
    assert_true(s->w.timeout_ms == LK_FOREVER);
}

static pid_t *shared_pid; /* filled by the body, read by the check */

static void wait_one(void)
{
    fork_sleeper();
    *shared_pid = body_child;
    waitpid(body_child, NULL, 0);
}

static void waitid_one(void)
{
    siginfo_t info;
    fork_sleeper();
    *shared_pid = body_child;
    waitid(P_PID, (id_t)body_child, &info, WEXITED);
}

static void poll_pidfd(void)
{
    fork_sleeper();
    *shared_pid = body_child;
    at((int)syscall(SYS_pidfd_open, body_child, 0), A);
    struct pollfd p = { .fd = A, .events = POLLIN };
    poll(&p, 1, -1);
}

static void check_one_child(const struct seen *s)
{
    assert_int_equal(s->w.on, LK_OS_CHILD);
    assert_int_equal(s->w.child_pid, *shared_pid);
}

static void pause_wait(void)
{
    pause();
}

static void suspend_wait(void)
{
    sigset_t none;
    sigemptyset(&none);
    sigsuspend(&none);
}

static void sigtimed(void)
{
    sigset_t set;
    struct timespec t = { 33, 0 };
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    sigtimedwait(&set, NULL, &t);
}

static void check_sigtimed(const struct seen *s)
{
    assert_int_equal(s->w.on, LK_OS_SIGNAL);
    assert_int_equal(s->w.timeout_ms, 33000);
}

static int sysv_id;

static void semop_wait(void)
{
    struct sembuf op = { .sem_op = -1 };
    semop(sysv_id, &op, 1);
}

static void check_semop(const struct seen *s)
{
    assert_int_equal(s->w.on, LK_OS_SYSV);
    assert_true(s->w.timeout_ms == LK_FOREVER);
}

static void semtimedop_wait(void)
{
    struct sembuf op = { .sem_op = -1 };
    struct timespec t = { 22, 0 };
    semtimedop(sysv_id, &op, 1, &t);
}

static void check_semtimedop(const struct seen *s)
{
    assert_int_equal(s->w.on, LK_OS_SYSV);
    assert_int_equal(s->w.timeout_ms, 22000);
}

static const struct wait_case cases[] = {
    { "futex", futex_forever, SYS_futex, check_futex_forever, false },
    { "mutex", mutex_twice, SYS_futex, check_mutex, false },
    { "sem_timedwait", sem_realtime, SYS_futex, check_sem, false },
    { "sem_clockwait", sem_monotonic, SYS_futex, check_sem, false },
    { "futex relative", futex_relative, SYS_futex, check_futex_relative, false },
    { "futex, no end in sight", futex_huge, SYS_futex, check_futex_huge, false },
    { "nanosleep", sleep_relative, SYS_clock_nanosleep, check_sleep, false },
    { "clock_nanosleep", sleep_absolute, SYS_clock_nanosleep, check_sleep, false },
    { "select as sleep", select_sleep, SYS_pselect6, check_sleep, false },
    { "poll as sleep", poll_sleep, SYS_poll, check_sleep, false },
    { "poll as pause", poll_forever, SYS_poll, check_signal, false },
    { "pipe read", pipe_read, SYS_read, check_pipe_read, false },
    { "pipe write", pipe_full_write, SYS_write, check_pipe_write, false },
    { "pipe long write", pipe_long_write, SYS_write, check_long_write, true },
    { "pipe from a child", pipe_from_child, SYS_read, check_tree_pipe, false },
    { "poll one socket", poll_one_socket, SYS_poll, check_poll_one, false },
    { "poll two", poll_two, SYS_poll, check_two, false },
    { "select two", select_two, SYS_pselect6, check_two, false },
    { "ppoll, constant timeout", select_constant_timeout, SYS_ppoll, check_constant, true },
    { "epoll", epoll, SYS_epoll_wait, check_epoll, true },
    { "eventfd", event_read, SYS_read, check_eventfd, false },
    { "timerfd", timer_read, SYS_read, check_timerfd, false },
    { "inotify", inotify_read, SYS_read, check_inotify, false },
    { "fifo open", fifo_open, SYS_openat, check_fifo_open, false },
    { "fifo read", fifo_read, SYS_read, check_fifo_read, false },
    { "flock", flock_wait, SYS_flock, check_lock, false },
    { "fcntl", fcntl_wait, SYS_fcntl, check_lock, false },
    { "unix recv", unix_recv, SYS_recvfrom, check_unix_recv, false },
    { "recv with SO_RCVTIMEO", recv_timeout, SYS_recvfrom, check_recv_timeout, true },
    { "recv MSG_WAITALL", recv_all, SYS_recvfrom, check_recv_all, true },
    { "tcp to oneself, not accepted", tcp_self_pending, SYS_recvfrom, check_self_pending, false },
    { "tcp from oneself", tcp_self_server, SYS_recvfrom, check_self_server, false },
    { "tcp behind a dual-stack listener", tcp_dual_stack, SYS_recvfrom, check_dual_stack, false },
    { "accept", accept_wait, SYS_accept, check_accept, false },
    { "udp", udp_recv, SYS_recvfrom, check_udp, false },
    { "unix connect", connect_full, SYS_connect, check_connect_full, false },
    { "unix server", unix_server, SYS_recvfrom, check_unix_server, false },
    { "wait for any child", wait_any, SYS_wait4, check_any_child, false },
    { "wait for one child", wait_one, SYS_wait4, check_one_child, false },
    { "waitid", waitid_one, SYS_waitid, check_one_child, false },
    { "pidfd", poll_pidfd, SYS_poll, check_one_child, false },
    { "pause", pause_wait, SYS_pause, check_signal, false },
    { "sigsuspend", suspend_wait, SYS_rt_sigsuspend, check_signal, false },
    { "sigtimedwait", sigtimed, SYS_rt_sigtimedwait, check_sigtimed, true },
    { "semop", semop_wait, SYS_semtimedop, check_semop, true },
    { "semtimedop", semtimedop_wait, SYS_semtimedop, check_semtimedop, true },
};

/* ---- driving ------------------------------------------------------------------------- */

static pid_t start(void (*body)(void))
{
    pid_t pid = bound_fork();
    if (pid == 0) {
        body();
        _exit(42);
    }
    assert_true(pid > 0);
    return pid;
}

static void stop(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static void nap(void)
{
    nanosleep(&(struct timespec){ .tv_nsec = 500000 }, NULL);
}

static bool read_facts(pid_t pid, struct lk_thread_facts *f)
{
    char path[64], line[512] = "";
    memset(f, 0, sizeof(*f));
    snprintf(path, sizeof(path), "/proc/%d/syscall", pid);
    int fd = open(path, O_RDONLY);
    if (fd < 0)
        return false;
    ssize_t n = read(fd, line, sizeof(line) - 1);
    close(fd);
    long long nr;
    unsigned long long a[6], sp, pc;
    if (n <= 0 || sscanf(line, "%lld %llx %llx %llx %llx %llx %llx %llx %llx", &nr, &a[0], &a[1],
                         &a[2], &a[3], &a[4], &a[5], &sp, &pc) != 9)
        return false;
    f->tid = pid;
    f->state = 'S';
    f->syscall_known = true;
    f->nr = nr;
    f->sp = sp;
    f->pc = pc;
    for (int i = 0; i < 6; i++)
        f->args[i] = a[i];
    return true;
}

/* Waits until the child sleeps in nr (or, being restarted, in restart_syscall). False when it ended
 * or never does. */
static bool wait_asleep(pid_t pid, int64_t nr, struct lk_thread_facts *f)
{
    siginfo_t info;
    for (int i = 0; i < 10000; i++) {
        if (read_facts(pid, f) && (f->nr == nr || f->nr == SYS_restart_syscall)) {
            /* Several calls of a body may have this number: only the last one lasts. */
            struct lk_thread_facts again;
            nap();
            nap();
            nap();
            if (read_facts(pid, &again) && again.nr == f->nr &&
                memcmp(again.args, f->args, sizeof(f->args)) == 0)
                return true;
        }
        info.si_pid = 0;
        waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT);
        if (info.si_pid)
            return false;
        nap();
    }
    return false;
}

static void look(pid_t pid, const struct lk_thread_facts *f, void (*check)(const struct seen *))
{
    struct lk_error err;
    struct seen s = { .arena = lk_arena_create() };
    s.target = lk_process_open_live(pid, &err);
    if (!s.target)
        fail_msg("%s", err.text);
    lk_process_call(s.target, f, s.arena, &s.w);
    check(&s);
    lk_process_destroy(s.target);
    lk_arena_destroy(s.arena);
}

static int64_t nr_seen;

static void note(const struct seen *s)
{
    nr_seen = s->w.nr;
}

static void stop_and_go(pid_t pid)
{
    int status;
    assert_int_equal(ptrace(PTRACE_SEIZE, pid, NULL, NULL), 0);
    assert_int_equal(ptrace(PTRACE_INTERRUPT, pid, NULL, NULL), 0);
    assert_int_equal(waitpid(pid, &status, __WALL), pid);
    assert_true(WIFSTOPPED(status));
    assert_int_equal(ptrace(PTRACE_DETACH, pid, NULL, NULL), 0);
}

static void run_case(const struct wait_case *c)
{
    struct lk_thread_facts f;
    pid_t pid = start(c->body);
    if (!wait_asleep(pid, c->nr, &f)) {
        stop(pid);
        fail_msg("%s: the child does not wait", c->name);
    }
    look(pid, &f, c->check);
    look(pid, &f, note);
    assert_int_equal(nr_seen, c->nr);
    stop_and_go(pid);
    bool again = wait_asleep(pid, c->nr, &f);
    if (again) {
        look(pid, &f, note);
        assert_int_equal(nr_seen, c->nr);
        look(pid, &f, c->check);
    }
    stop(pid);
    if (!c->ends_with_eintr && !again)
        fail_msg("%s: expected to go on, but the stop ended it", c->name);
    if (c->ends_with_eintr && again)
        fail_msg("%s: expected to end with EINTR", c->name);
}

static void every_wait(void **state)
{
    (void)state;
    for (size_t i = 0; i < LK_ARRAY_LEN(cases); i++) {
        print_message("  %s\n", cases[i].name);
        run_case(&cases[i]);
    }
}

/* ---- peers in other processes --------------------------------------------------------- */

static int peer_port;

static void tcp_client(void)
{
    char c;
    connect_at(peer_port);
    recv(B, &c, 1, 0);
}

static void check_peer_outside(const struct seen *s)
{
    char want[32];
    snprintf(want, sizeof(want), "127.0.0.1:%d", peer_port);
    assert_string_equal(s->w.peer, want);
    assert_int_equal(s->w.peer_is, LK_PEER_OUTSIDE);
}

static void check_peer_tree(const struct seen *s)
{
    assert_int_equal(s->w.peer_is, LK_PEER_TREE);
}

static void look_at_client(void (*check)(const struct seen *))
{
    struct lk_thread_facts f;
    pid_t pid = start(tcp_client);
    assert_true(wait_asleep(pid, SYS_recvfrom, &f));
    look(pid, &f, check);
    stop(pid);
}

/* The listener belongs to this program, from which the child was forked: its tree. */
static void peer_in_tree(void **state)
{
    (void)state;
    peer_port = listen_at(AF_INET);
    fcntl(A, F_SETFD, FD_CLOEXEC);
    pid_t pid = bound_fork();
    if (pid == 0) { /* the client must not hold a copy of the listener */
        close(A);
        tcp_client();
        _exit(42);
    }
    struct lk_thread_facts f;
    assert_true(wait_asleep(pid, SYS_recvfrom, &f));
    look(pid, &f, check_peer_tree);
    at(accept(A, NULL, NULL), D);
    look(pid, &f, check_peer_tree);
    stop(pid);
    close(A);
    close(D);
}

/* The listener belongs to another program that merely has the same parent. */
static void peer_outside(void **state)
{
    (void)state;
    peer_port = listen_at(AF_INET);
    pid_t other = bound_fork();
    if (other == 0) {
        execlp("sleep", "sleep", "60", NULL);
        _exit(99);
    }
    struct lk_thread_facts f;
    assert_true(wait_asleep(other, SYS_clock_nanosleep, &f));
    close(A);
    look_at_client(check_peer_outside);
    stop(other);
}

/* ---- what is no wait ------------------------------------------------------------------ */

static void check_nothing(const struct seen *s)
{
    assert_int_equal(s->w.on, LK_OS_NONE);
    assert_null(s->w.syscall);
    assert_int_equal(s->w.nr, -1);
    assert_true(s->w.timeout_ms == LK_UNKNOWN);
}

static void check_fault(const struct seen *s)
{
    assert_int_equal(s->w.on, LK_OS_OTHER);
    assert_null(s->w.syscall);
}

static void check_unknown_call(const struct seen *s)
{
    assert_int_equal(s->w.on, LK_OS_OTHER);
    assert_string_equal(s->w.syscall, "syscall_1999");
    assert_true(s->w.timeout_ms == LK_UNKNOWN);
}

static void check_wild(const struct seen *s)
{
    assert_non_null(s->w.syscall);
}

static void no_wait(void **state)
{
    (void)state;
    struct lk_thread_facts f = { .tid = getpid() };
    pid_t pid = start(pause_wait);
    f.running = true;
    look(pid, &f, check_nothing);
    f.running = false;
    look(pid, &f, check_nothing);
    f.syscall_known = true;
    f.nr = -1;
    look(pid, &f, check_fault);
    f.nr = 1999;
    look(pid, &f, check_unknown_call);
    stop(pid);
}

/* Every call with arguments of no sense: pointers to nowhere, descriptors that do not exist, huge
 * counts. */
static void wild_arguments(void **state)
{
    (void)state;
    static const uint64_t values[] = { 0,          1,          8,
                                       UINT64_MAX, 0x7fffffff, UINT64_MAX - 4095,
                                       0x1000,     INT64_MIN,  256 };
    struct lk_error err;
    pid_t pid = start(pause_wait);
    struct lk_arena *a = lk_arena_create();
    struct lk_process *t = lk_process_open_live(pid, &err);
    assert_non_null(t);
    for (int64_t nr = 0; nr < 470; nr++) {
        for (size_t i = 0; i < LK_ARRAY_LEN(values); i++) {
            struct lk_thread_facts f = {
                .tid = pid, .state = 'S', .syscall_known = true, .nr = nr, .pc = values[i]
            };
            for (size_t k = 0; k < 6; k++)
                f.args[k] = values[(i + k * (i + 1)) % LK_ARRAY_LEN(values)];
            struct seen s = { .arena = a, .target = t };
            lk_process_call(t, &f, a, &s.w);
            check_wild(&s);
        }
    }
    assert_true(lk_process_unread(t, -5) == LK_UNKNOWN);
    assert_true(lk_process_unread(t, INT64_MAX) == LK_UNKNOWN);
    assert_true(lk_process_unread(t, LK_UNKNOWN) == LK_UNKNOWN);
    lk_process_destroy(t);
    lk_arena_destroy(a);
    stop(pid);
}

static int setup(void **state)
{
    char path[64];
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    fifo_path(path, sizeof(path));
    shared_pid = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    sysv_id = semget(IPC_PRIVATE, 1, 0600);
    return mkfifo(path, 0600);
}

static int teardown(void **state)
{
    static const char *const names[] = { "fifo", "lock", "unix" };
    (void)state;
    for (size_t i = 0; i < LK_ARRAY_LEN(names); i++) {
        char path[64];
        snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
        unlink(path);
    }
    semctl(sysv_id, 0, IPC_RMID);
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_wait),     cmocka_unit_test(peer_in_tree),
        cmocka_unit_test(peer_outside),   cmocka_unit_test(no_wait),
        cmocka_unit_test(wild_arguments),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
