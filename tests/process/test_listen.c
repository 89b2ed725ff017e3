/*
 * Who else holds a listening socket, and what they do with it: a process that waits for itself (the
 * target), and others forked from it that hold its listener too.
 */
#include "bound_fork.h"
#include "process/linux/listeners.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cmocka.h>

#include "child.h"
#include "process/linux/process_facts.h"
#include "snapshot/builder.h"

/* ---- the target ---------------------------------------------------------------------- */

enum family { ANY4, LOOP4, LOOP6, DUAL, UNIX, ABSTRACT, REUSE, N_FAMILIES };

struct place {
    struct sockaddr_storage addr;
    socklen_t len;
};

static int listen_there(enum family f, struct place *p, const struct place *again)
{
    struct sockaddr_in in = { .sin_family = AF_INET,
                              .sin_addr.s_addr =
                                  htonl(f == LOOP4 || f == REUSE ? INADDR_LOOPBACK : INADDR_ANY) };
    struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
    struct sockaddr_un un = { .sun_family = AF_UNIX };
    int one = 1, zero = 0;
    if (f == LOOP6)
        in6.sin6_addr = in6addr_loopback;
    snprintf(un.sun_path + (f == ABSTRACT), sizeof(un.sun_path) - 1, "/tmp/lk-listen-%d", getpid());
    *p = (struct place){ .len = f <= LOOP4 || f == REUSE ? sizeof(in)
                                : f <= DUAL              ? sizeof(in6)
                                                         : sizeof(un) };
    memcpy(&p->addr,
           f <= LOOP4 || f == REUSE ? (void *)&in
           : f <= DUAL              ? (void *)&in6
                                    : (void *)&un,
           p->len);
    if (again)
        *p = *again;
    int fd = socket(p->addr.ss_family, SOCK_STREAM, 0);
    if (f == DUAL)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof(zero));
    if (f == REUSE)
        setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one));
    if (f == UNIX)
        unlink(un.sun_path);
    if (fd < 0 || bind(fd, (struct sockaddr *)&p->addr, p->len) || listen(fd, 8))
        return -1;
    getsockname(fd, (struct sockaddr *)&p->addr, &p->len);
    return fd;
}

/* Connects to where p listens: any address means this host, and the dual one is reached over IPv4.
 */
static int connect_there(enum family f, const struct place *p)
{
    struct place to = *p;
    if (f == DUAL) {
        struct sockaddr_in in = { .sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                  .sin_port = ((const struct sockaddr_in6 *)&p->addr)->sin6_port };
        memcpy(&to.addr, &in, sizeof(in));
        to.len = sizeof(in);
    }
    int fd = socket(to.addr.ss_family, SOCK_STREAM, 0);
    return connect(fd, (struct sockaddr *)&to.addr, to.len) ? -1 : fd;
}

/* What another process that holds the listener does. */
enum deed {
    NOBODY,
    PAUSES,
    ACCEPTS,
    POLLS,
    EPOLLS,
    ASKS_TOO,
    ASKS_FOR_A_WHILE,
    HAS_A_CLIENT,
    COMPUTES,
    READS_ELSEWHERE,
    N_DEEDS
};

static void ask(enum family f, const struct place *p, int ms)
{
    char c;
    int fd = connect_there(f, p);
    struct pollfd one = { .fd = fd, .events = POLLIN };
    if (ms)
        poll(&one, 1, ms);
    if (recv(fd, &c, 1, 0) <= 0)
        _exit(3);
}

static void do_deed(enum deed d, enum family f, const struct place *p, int listener)
{
    int pipes[2];
    char c;
    switch (d) {
    case ACCEPTS:
        for (;;) /* what has come is not answered */
            accept(listener, NULL, NULL);
    case POLLS: poll(&(struct pollfd){ .fd = listener, .events = POLLPRI }, 1, -1); break;
    case EPOLLS: {
        int e = epoll_create1(0);
        struct epoll_event event = { .events = EPOLLPRI }, got;
        epoll_ctl(e, EPOLL_CTL_ADD, listener, &event);
        epoll_wait(e, &got, 1, -1);
        break;
    }
    case ASKS_TOO: ask(f, p, 0); break;
    case ASKS_FOR_A_WHILE: ask(f, p, 60000); break;
    case HAS_A_CLIENT:
        connect_there(f, p);
        accept(listener, NULL, NULL);
        break;
    case COMPUTES:
        for (volatile unsigned i = 0;; i++)
            ;
    case READS_ELSEWHERE: /* a socket of its own */
        if (socketpair(AF_UNIX, SOCK_STREAM, 0, pipes) == 0 && read(pipes[0], &c, 1) < 0)
            _exit(4);
        break;
    default: break;
    }
    for (;;)
        pause();
}

struct setting {
    enum family family;
    enum deed deed;
    bool accepted; /* the target has accepted its own connection */
};
static struct setting setting;

static void run_target(struct child *c)
{
    struct place p;
    int listener = listen_there(setting.family, &p, NULL);
    if (listener < 0)
        _exit(2);
    if (setting.family == REUSE && listen_there(REUSE, &p, &p) < 0)
        _exit(2);
    if (setting.deed != NOBODY) {
        pid_t other = bound_fork();
        if (other == 0)
            do_deed(setting.deed, setting.family, &p, listener);
        atomic_store(&c->tid[1], other);
        if (setting.deed == ACCEPTS || setting.deed == HAS_A_CLIENT)
            nap_us(200000); /* takes its own, not the target's */
    }
    int fd = connect_there(setting.family, &p);
    if (setting.accepted)
        atomic_store(&c->count[1], accept(listener, NULL, NULL));
    atomic_store(&c->count[0], listener);
    atomic_store(&c->ready, 1);
    char byte;
    if (recv(fd, &byte, 1, 0) <= 0)
        _exit(5);
    _exit(6);
}

/* ---- looking ------------------------------------------------------------------------- */

struct looked {
    struct lk_snapshot *s;
    struct lk_syscall_wait os;
    const struct lk_listener *l; /* the first that the target waits for */
};

static void look(pid_t pid, struct looked *ret)
{
    struct lk_error err;
    struct lk_process *t = lk_process_open_live(pid, &err);
    assert_non_null(t);
    struct lk_thread_list list = { 0 };
    ret->s = lk_snapshot_create();
    lk_process_begin_sample(t);
    assert_true(lk_process_threads(t, &list, true, &err));
    struct lk_thread *thread = lk_thread_at(ret->s, lk_snapshot_thread(ret->s, pid, NULL));
    lk_process_call(t, &list.v[0], ret->s->arena, &thread->os);
    lk_process_listeners(t, ret->s);
    ret->os = thread->os;
    ret->l = NULL;
    for (size_t i = 0; i < ret->s->listeners.n && ret->os.ends_at.n; i++)
        if (ret->s->listeners.v[i].inode == ret->os.ends_at.v[0])
            ret->l = &ret->s->listeners.v[i];
    lk_free(list.v);
    lk_process_destroy(t);
}

static bool sleeps_in_recv(pid_t pid)
{
    char path[64], text[128] = "";
    snprintf(path, sizeof(path), "/proc/%d/syscall", pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
    if (fd >= 0)
        close(fd);
    return n > 0 && strncmp(text, "45 ", 3) == 0; /* recvfrom */
}

static pid_t start(struct setting what, struct child *c)
{
    memset(c, 0, sizeof(*c));
    setting = what;
    pid_t pid = child_start(run_target, c);
    assert_true(wait_until(atomic_load(&c->ready) && sleeps_in_recv(pid)));
    nap_us(50000); /* the other one too */
    return pid;
}

static void unlink_path(pid_t pid)
{
    char path[64];
    snprintf(path, sizeof(path), "/tmp/lk-listen-%d", pid);
    unlink(path);
}

/* Nobody else: in each family, accepted or not. */
static void alone(void **state)
{
    struct child *c = *state;
    for (int i = 0; i < N_FAMILIES * 2; i++) {
        struct looked seen;
        pid_t pid = start(
            (struct setting){ .family = (enum family)(i / 2), .accepted = i % 2 && i / 2 != REUSE },
            c);
        look(pid, &seen);
        print_message("  family %d, %saccepted: peer is %d, ends at %zu\n", i / 2,
                      setting.accepted ? "" : "not ", (int)seen.os.peer_is, seen.os.ends_at.n);
        assert_int_equal(seen.os.peer_is, LK_PEER_SELF);
        assert_int_equal(seen.os.ends_at.n, 1);
        assert_non_null(seen.l);
        assert_int_equal(seen.l->alone, LK_YES);
        assert_int_equal(seen.l->sharers.n, 0);
        if (setting.accepted) {
            assert_int_equal(seen.os.far_fd, atomic_load(&c->count[1]));
            assert_false(seen.l->listening);
        } else {
            assert_true(seen.os.far_fd == LK_UNKNOWN);
            assert_true(seen.l->listening);
            assert_int_equal(seen.l->queue, 1);
        }
        lk_snapshot_destroy(seen.s);
        child_end(pid);
        unlink_path(pid);
    }
}

static void shared(void **state)
{
    static const enum lk_share does[N_DEEDS] = {
        [PAUSES] = LK_SHARE_UNKNOWN,
        [ACCEPTS] = LK_SHARE_SERVES,
        [POLLS] = LK_SHARE_SERVES,
        [EPOLLS] = LK_SHARE_SERVES,
        [ASKS_TOO] = LK_SHARE_WAITS,
        [ASKS_FOR_A_WHILE] = LK_SHARE_UNKNOWN,
        [HAS_A_CLIENT] = LK_SHARE_UNKNOWN,
        [COMPUTES] = LK_SHARE_UNKNOWN,
        [READS_ELSEWHERE] = LK_SHARE_UNKNOWN,
    };
    struct child *c = *state;
    for (int i = 0; i < (N_DEEDS - 1) * 2; i++) {
        struct looked seen;
        enum deed deed = (enum deed)(i / 2 + 1);
        pid_t pid = start((struct setting){ .family = i % 2 ? UNIX : LOOP4, .deed = deed }, c);
        pid_t other = (pid_t)atomic_load(&c->tid[1]);
        look(pid, &seen);
        bool known = seen.l && seen.l->sharers.n == 1;
        print_message("  deed %d on %s: %d\n", deed, i % 2 ? "unix" : "tcp",
                      known ? (int)seen.l->sharers.v[0].does : -1);
        if (deed == ACCEPTS) { /* it took the target's connection: the other end is there */
            assert_int_equal(seen.os.peer_is, LK_PEER_TREE);
            assert_int_equal(seen.os.peer_pid, other);
        } else {
            assert_true(known);
            assert_int_equal(seen.l->alone, LK_NO);
            assert_int_equal(seen.l->sharers.v[0].pid, other);
            assert_int_equal(seen.l->sharers.v[0].does, does[deed]);
        }
        lk_snapshot_destroy(seen.s);
        child_end(other);
        child_end(pid);
        unlink_path(pid);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(alone),
        cmocka_unit_test(shared),
    };
    struct child *c = child_page();
    struct CMUnitTest with_page[LK_ARRAY_LEN(tests)];
    memcpy(with_page, tests, sizeof(tests));
    for (size_t i = 0; c && i < LK_ARRAY_LEN(tests); i++)
        with_page[i].initial_state = c;
    return c ? cmocka_run_group_tests(with_page, NULL, NULL) : 1;
}
