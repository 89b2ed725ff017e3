/*
 * The guardian's process: starts the command, passes on what loopknot asks and ends the tree. It
 * knows that nothing of the tree is left when waitpid(2) says ECHILD, since as its subreaper
 * (PR_SET_CHILD_SUBREAPER, prctl(2)) it is the parent of every orphan. Messages are packets of a
 * socket pair (unix(7), SOCK_SEQPACKET), whose end tells that loopknot is gone.
 */
#include "cli/run/guardian.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/run/command_cgroup.h"
#include "cli/run/descriptor_limit.h"
#include "cli/run/kill_tree.h"
#include "util/base.h"
#include "util/compat.h"

enum {
    MAX_FDS = 65536,
    FIRST_FD = 10,      /* shells and scripts use the small numbers */
    KILL_AGAIN_MS = 10, /* between two rounds of SIGKILL */
    GIVE_UP_MS = 5000,  /* who has not died of SIGKILL by then is stuck in the kernel */
    GIVE_UP_DENIED_MS = 1000,
};

struct guardian {
    int link, children; /* socket to loopknot, signalfd of SIGCHLD */
    pid_t command;
    bool ended;    /* the command has */
    bool orphaned; /* loopknot is gone */
    enum { WATCHING, SIGNALLED, ASKED, KILLING, CLEARED, LEAVING } phase;
    uint64_t next_at; /* SIGNALLED, ASKED: the next phase begins */
    unsigned grace_ms;
    uint64_t killing_since;
    struct lk_command_cgroup cage;
};

bool lk_guard_pair(int fds[2])
{
    int v[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, v) != 0)
        return false;
    for (int i = 0; i < 2; i++) {
        fds[i] = fcntl(v[i], F_DUPFD_CLOEXEC, FIRST_FD);
        close(v[i]);
    }
    return fds[0] >= 0 && fds[1] >= 0;
}

bool lk_guard_send(int fd, enum lk_guard_word word, int32_t a, int32_t b)
{
    const struct lk_guard_message m = { (int32_t)word, a, b };
    ssize_t n;
    do
        n = send(fd, &m, sizeof m, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    return n == sizeof m;
}

int lk_guard_receive(int fd, struct lk_guard_message *ret)
{
    const ssize_t n = recv(fd, ret, sizeof *ret, MSG_DONTWAIT);
    if (n == sizeof *ret)
        return 1;
    return n < 0 && (errno == EAGAIN || errno == EINTR) ? -1 : 0;
}

static int by_number(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

/* Closes first to last. Where the kernel or a container's filter has no close_range(2), one by one
 * as far as is likely. */
static void close_between(unsigned first, unsigned last)
{
    if (first > last || close_range(first, last, 0) == 0)
        return;
    const long limit = sysconf(_SC_OPEN_MAX);
    for (unsigned fd = first; fd <= last && (long)fd < LK_MIN(limit, MAX_FDS); fd++)
        close((int)fd);
}

void lk_guard_close_all_but(const int *keep, unsigned n)
{
    int sorted[64];
    n = LK_MIN(n, (unsigned)LK_ARRAY_LEN(sorted));
    memcpy(sorted, keep, n * sizeof *keep);
    qsort(sorted, n, sizeof *sorted, by_number);
    unsigned from = 0;
    for (unsigned i = 0; i < n; i++) {
        if (sorted[i] < (int)from)
            continue;
        if (sorted[i] > (int)from)
            close_between(from, (unsigned)sorted[i] - 1);
        from = (unsigned)sorted[i] + 1;
    }
    close_between(from, ~0U);
    /* A closed standard stream would be taken by the next file that is opened. */
    int fd;
    while ((fd = open("/dev/null", O_RDWR)) >= 0 && fd <= STDERR_FILENO)
        continue;
    if (fd > STDERR_FILENO)
        close(fd);
}

/* The child: as we were started, then the command. report tells errno when it cannot be run; it
 * closes when it can. */
static _Noreturn void become_command(char **command, const struct lk_inherited *inherited,
                                     int report)
{
    lk_signals_restore(inherited);
    descriptor_limit_restore();
    execvp(command[0], command);
    const int why = errno;
    (void)!write(report, &why, sizeof why);
    _exit(127);
}

/* Returns errno of a failed start, or 0. */
static int start(struct guardian *g, char **command, const struct lk_inherited *inherited)
{
    int report[2], why = 0;
    if (pipe2(report, O_CLOEXEC) != 0)
        return errno;
    const int end = fcntl(report[1], F_DUPFD_CLOEXEC, FIRST_FD);
    close(report[1]);
    g->command = lk_command_cgroup_fork(&g->cage);
    if (g->command == 0)
        become_command(command, inherited, end);
    if (g->command < 0)
        why = errno;
    close(end);
    if (!why && read(report[0], &why, sizeof why) != sizeof why)
        why = 0;
    close(report[0]);
    return why;
}

static void on_command(struct guardian *g, int status)
{
    if (WIFSTOPPED(status)) {
        lk_guard_send(g->link, LK_GUARD_STOPPED, WSTOPSIG(status), 0);
        return;
    }
    g->ended = true;
    lk_guard_send(g->link, LK_GUARD_ENDED, status, 0);
}

/* Reaps whoever has ended, adopted ones too. False when no child is left: then nothing of the tree
 * is. */
static bool reap(struct guardian *g)
{
    int status;
    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG | WUNTRACED)) != 0;) {
        if (pid < 0)
            return errno != ECHILD;
        if (pid == g->command && !g->ended)
            on_command(g, status);
    }
    return true;
}

static void begin_killing(struct guardian *g)
{
    if (g->phase == KILLING || g->phase == CLEARED)
        return;
    g->phase = KILLING;
    g->killing_since = lk_now_ms();
}

static void clear(struct guardian *g, size_t left, pid_t one)
{
    g->phase = CLEARED;
    lk_command_cgroup_destroy(&g->cage);
    lk_guard_send(g->link, LK_GUARD_CLEAR, (int32_t)left, one);
}

/* One round; forking faster than one round takes is what control groups are for, so most rounds
 * find nobody. */
static void kill_once(struct guardian *g)
{
    pid_t denied;
    lk_command_cgroup_kill(&g->cage);
    const size_t living = lk_kill_tree_kill(getpid(), &denied);
    const uint64_t spent = lk_now_ms() - g->killing_since;
    if (spent > GIVE_UP_MS || (denied && spent > GIVE_UP_DENIED_MS))
        clear(g, living, denied);
}

/* number: the signal before SIGTERM; 0 none. */
static void ask_to_end(struct guardian *g, unsigned grace_ms, int number)
{
    if (g->phase < ASKED)
        lk_kill_tree_ask(getpid(), number ? number : SIGTERM);
    g->phase = number ? SIGNALLED : ASKED;
    g->grace_ms = grace_ms;
    g->next_at = lk_now_ms() + grace_ms;
}

static void on_word(struct guardian *g, const struct lk_guard_message *m)
{
    switch (m->word) {
    case LK_GUARD_SIGNAL:
        if (!g->ended)
            kill(g->command, m->a);
        break;
    case LK_GUARD_RESUME:
        if (!g->ended && lk_signals_stopped(g->command))
            kill(g->command, SIGCONT);
        break;
    case LK_GUARD_END:
        if (g->phase < KILLING)
            ask_to_end(g, (unsigned)LK_MAX(m->a, 0), g->phase == WATCHING ? m->b : 0);
        break;
    case LK_GUARD_LEAVE: g->phase = LEAVING; break;
    default: break;
    }
}

static void listen_to_loopknot(struct guardian *g)
{
    struct lk_guard_message m;
    int got;
    while (!g->orphaned && (got = lk_guard_receive(g->link, &m)) >= 0) {
        if (got)
            on_word(g, &m);
        else
            g->orphaned = true;
    }
    if (g->orphaned && g->phase != LEAVING)
        begin_killing(g);
}

static void drain(int fd)
{
    struct signalfd_siginfo info;
    while (read(fd, &info, sizeof info) == sizeof info)
        continue;
}

/* Milliseconds until something is to be done without being asked; -1: nothing is. */
static int poll_timeout(const struct guardian *g)
{
    if (g->phase == KILLING)
        return KILL_AGAIN_MS;
    if (g->phase != ASKED && g->phase != SIGNALLED)
        return -1;
    const uint64_t now = lk_now_ms();
    return now >= g->next_at ? 0 : (int)LK_MIN(g->next_at - now, 60000u);
}

static void guard(struct guardian *g)
{
    while (g->phase != LEAVING && !(g->phase == CLEARED && g->orphaned)) {
        struct pollfd p[] = { { g->link, POLLIN, 0 }, { g->children, POLLIN, 0 } };
        /* Once the other end is gone its socket would be ready for ever. */
        p[0].fd = g->orphaned ? -1 : g->link;
        poll(p, 2, poll_timeout(g));
        drain(g->children);
        const bool some = reap(g);
        if (p[0].revents)
            listen_to_loopknot(g);
        if (!some && (g->phase == SIGNALLED || g->phase == ASKED || g->phase == KILLING))
            clear(g, 0, 0);
        else if (g->phase == SIGNALLED && lk_now_ms() >= g->next_at)
            ask_to_end(g, g->grace_ms, 0);
        else if (g->phase == ASKED && lk_now_ms() >= g->next_at)
            begin_killing(g);
        if (g->phase == KILLING)
            kill_once(g);
    }
}

static int watch_children(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

_Noreturn void lk_guardian(int fd, char **command, const struct lk_inherited *inherited)
{
    struct guardian g = { .link = fd };
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    lk_command_cgroup_create(&g.cage);
    const int why = start(&g, command, inherited);
    setsid();
    prctl(PR_SET_NAME, "loopknot-guard");
    lk_guard_close_all_but(&fd, 1);
    (void)!chdir("/");
    g.children = watch_children();
    if (why || g.children < 0) {
        if (g.command > 0)
            waitpid(g.command, NULL, 0);
        lk_command_cgroup_destroy(&g.cage);
        lk_guard_send(fd, LK_GUARD_NOT_RUN, why, 0);
        _exit(0);
    }
    lk_guard_send(fd, LK_GUARD_STARTED, getpid(), g.command);
    guard(&g);
    lk_command_cgroup_destroy(&g.cage);
    _exit(0);
}
