/*
 * One descriptor of a process: its kind by the text of its link in /proc/PID/fd, details by fdinfo,
 * sockets by socket_table.c, other ends by fd_holders.c. The kernel functions that write each
 * fdinfo stand at their readers. What only the open file itself knows is asked of a duplicate by
 * pidfd_getfd(2), which lives for one question.
 */
#include "process/linux/descriptor.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "util/text.h"

#define MAX_PATH_TEXT 1024
#define MAX_LISTENERS 64u /* that share one address */

struct lk_kernel_reader *lk_kernel_reader_create(struct lk_process *t, struct lk_arena *a)
{
    struct lk_kernel_reader *r = lk_xcalloc(1, sizeof(*r));
    r->target = t;
    r->arena = a;
    r->pid = lk_process_pid(t);
    r->pidfd = -1;
    if (r->pid <= 0 || !lk_procfs_base(r->pid, r->base))
        r->base[0] = '\0';
    r->holders = lk_fd_holders_create(r->pid, r->base);
    r->net = lk_socket_create(r->base);
    return r;
}

void lk_kernel_reader_destroy(struct lk_kernel_reader *r)
{
    if (!r)
        return;
    lk_fd_close(r->pidfd);
    lk_fd_holders_destroy(r->holders);
    lk_socket_destroy(r->net);
    lk_free(r);
}

/* The sooner of two timeouts; an unknown one is taken for later than any known. */
static int64_t timeout_min(int64_t a, int64_t b)
{
    if (a == LK_UNKNOWN || b == LK_UNKNOWN)
        return a == LK_UNKNOWN ? (b == LK_FOREVER ? LK_UNKNOWN : b)
                               : (a == LK_FOREVER ? LK_UNKNOWN : a);
    return LK_MIN(a, b);
}

/* ---- duplicates ---------------------------------------------------------------------- */

/*
 * A duplicate of the target's descriptor (pidfd_getfd(2), Linux 5.6; same permission as reading its
 * memory). While it is open the target's close() would not take effect, so it lives for one
 * question only. Sockets and pipes only: closing a duplicate of a file could not hurt either, but
 * there is nothing to ask it.
 */
static int borrow(struct lk_kernel_reader *r, int64_t fd)
{
    if (r->pidfd == -1) {
        int opened = r->pid > 0 ? (int)syscall(SYS_pidfd_open, r->pid, 0) : -1;
        r->pidfd = opened >= 0 ? lk_fd_hold(opened) : -2;
    }
    if (r->pidfd < 0 || fd < 0 || fd > INT32_MAX)
        return -1;
    return (int)syscall(SYS_pidfd_getfd, r->pidfd, (int)fd, 0);
}

int64_t lk_descriptor_socket_timeout(struct lk_kernel_reader *r, int64_t fd, bool sending)
{
    int dup = borrow(r, fd);
    if (dup < 0)
        return LK_UNKNOWN;
    struct timeval tv;
    socklen_t len = sizeof(tv);
    int failed = getsockopt(dup, SOL_SOCKET, sending ? SO_SNDTIMEO : SO_RCVTIMEO, &tv, &len);
    close(dup);
    if (failed || tv.tv_sec < 0 || tv.tv_sec > INT64_MAX / 1000 - 1)
        return LK_UNKNOWN;
    if (tv.tv_sec == 0 && tv.tv_usec == 0)
        return LK_FOREVER;
    return tv.tv_sec * 1000 + (tv.tv_usec + 999) / 1000;
}

bool lk_descriptor_listens(struct lk_kernel_reader *r, int64_t fd, uint64_t inode,
                           struct lk_listener *ret)
{
    struct lk_socket s = { 0 };
    int listening = 0, dup = borrow(r, fd);
    socklen_t len = sizeof(listening);
    if (dup < 0)
        return false;
    bool yes = getsockopt(dup, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) == 0 && listening;
    bool tcp = yes && lk_socket_ask(dup, &s);
    close(dup);
    if (!yes)
        return false;
    char buf[LK_SOCKET_TEXT];
    uint32_t waiting;
    if (tcp) {
        ret->queue = s.rx;
        ret->address = lk_socket_text(&s.local, buf) ? lk_arena_strdup(r->arena, buf) : NULL;
    } else if (lk_socket_unix_peer(r->net, inode, NULL, &waiting)) {
        ret->queue = waiting;
    }
    return true;
}

/* Path a unix socket is connected to, as /proc/net/unix writes it ('@' = abstract); false when it
 * has none. */
static bool unix_peer_path(struct lk_kernel_reader *r, int64_t fd, char *path, size_t size)
{
    int dup = borrow(r, fd);
    if (dup < 0)
        return false;
    struct sockaddr_un un = { 0 };
    socklen_t len = sizeof(un);
    int failed = getpeername(dup, (struct sockaddr *)&un, &len);
    close(dup);
    if (failed || un.sun_family != AF_UNIX || len <= offsetof(struct sockaddr_un, sun_path))
        return false;
    size_t n = LK_MIN(len, sizeof(un)) - offsetof(struct sockaddr_un, sun_path);
    bool abstract = un.sun_path[0] == '\0';
    if (!abstract)
        n = strnlen(un.sun_path, n);
    n = LK_MIN(n, size - 1);
    for (size_t i = 0; i < n; i++)
        path[i] = un.sun_path[i] ? un.sun_path[i] : '@';
    path[n] = '\0';
    return n > 0;
}

/* ---- sockets ------------------------------------------------------------------------- */

static enum lk_peer_is peer_held(enum lk_held held)
{
    switch (held) {
    case LK_HELD_SELF: return LK_PEER_SELF;
    case LK_HELD_TREE: return LK_PEER_TREE;
    case LK_HELD_OUTSIDE: return LK_PEER_OUTSIDE;
    case LK_HELD_UNKNOWN: break;
    }
    return LK_PEER_UNKNOWN;
}

static const char *text(struct lk_kernel_reader *r, const char *s)
{
    return lk_text_clean(r->arena, s, strlen(s), MAX_PATH_TEXT);
}

static const char *end_text(struct lk_kernel_reader *r, const struct lk_socket_end *end)
{
    char buf[LK_SOCKET_TEXT];
    return lk_socket_text(end, buf) ? lk_arena_strdup(r->arena, buf) : NULL;
}

/* The listening sockets in whose accept queue a connection may stand. */
struct listeners {
    uint64_t inode[MAX_LISTENERS];
    uint32_t queue[MAX_LISTENERS]; /* connections in it */
    size_t n;
    bool more; /* than there is room for */
};

static void add_listener(struct listeners *v, uint64_t inode, uint32_t queue)
{
    if (v->n == MAX_LISTENERS) {
        v->more = true;
        return;
    }
    v->inode[v->n] = inode;
    v->queue[v->n++] = queue;
}

/* A connection that stands in an accept queue stands in none that is empty. */
static void drop_empty(struct listeners *v)
{
    size_t n = 0;
    for (size_t i = 0; i < v->n; i++)
        if (v->queue[i]) {
            v->queue[n] = v->queue[i];
            v->inode[n++] = v->inode[i];
        }
    if (n)
        v->n = n;
}

/* Where the kernel can be asked who answers there, only that socket and those bound like it
 * (SO_REUSEPORT) count. */
static void find_inet_listeners(struct lk_kernel_reader *r, const struct lk_socket *client,
                                const struct lk_socket_end *end, struct listeners *ret)
{
    const struct lk_socket *s = NULL, *asked = NULL;
    uint64_t inode = 0;
    struct lk_socket server;
    memset(ret, 0, sizeof(*ret));
    if (client) {
        server = *client;
        server.local = client->remote;
        server.remote = client->local;
        if (lk_socket_ask_listener(r->net, &server, &inode) && inode)
            asked = lk_socket_find(r->net, inode);
    }
    struct lk_socket_end bound = asked ? asked->local : *end; /* the table may move */
    for (size_t seen = 0; seen < MAX_LISTENERS && (s = lk_socket_listener(r->net, end, s)); seen++)
        if (!asked || memcmp(&s->local.addr, &bound.addr, sizeof(bound.addr)) == 0)
            add_listener(ret, s->inode, s->rx);
}

static void find_unix_listeners(struct lk_kernel_reader *r, const char *path, struct listeners *ret)
{
    const struct lk_socket *s = NULL;
    memset(ret, 0, sizeof(*ret));
    for (size_t seen = 0; seen < MAX_LISTENERS && (s = lk_socket_unix_listener(r->net, path, s));
         seen++) {
        uint32_t rx = 0;
        lk_socket_unix_peer(r->net, s->inode, NULL, &rx);
        add_listener(ret, s->inode, rx);
    }
}

/*
 * Who holds these. The examined process only when all of them are its own, since the kernel may
 * have given the connection to any.
 */
static enum lk_held holder_of_all(struct lk_kernel_reader *r, const struct listeners *v)
{
    enum lk_held all = LK_HELD_UNKNOWN;
    for (size_t i = 0; i < v->n; i++) {
        enum lk_held held = lk_fd_holders_find(r->holders, LK_HOLDER_SOCKET, v->inode[i]);
        if (i == 0)
            all = held;
        else if (held != all)
            all = held == LK_HELD_SELF || all == LK_HELD_SELF || held == LK_HELD_TREE ? LK_HELD_TREE
                                                                                      : all;
    }
    return v->more && all == LK_HELD_SELF ? LK_HELD_UNKNOWN : all;
}

static void ends_at(struct lk_kernel_reader *r, const uint64_t *inodes, size_t n,
                    struct lk_syscall_wait *ret)
{
    ret->ends_at.v = lk_arena_array(r->arena, n, sizeof(*inodes));
    ret->ends_at.n = ret->ends_at.cap = n;
    memcpy(ret->ends_at.v, inodes, n * sizeof(*inodes));
}

static void peer_process(struct lk_kernel_reader *r, pid_t pid, struct lk_syscall_wait *ret)
{
    char comm[64];
    if (pid <= 0)
        return;
    ret->peer_pid = pid;
    if (lk_procfs_read(comm, sizeof(comm), "/proc/%d/comm", pid) > 0)
        ret->peer_comm = lk_text_clean(r->arena, comm, strcspn(comm, "\n"), sizeof(comm));
}

/* The other end is a socket that has a descriptor: whose? */
static void held_by(struct lk_kernel_reader *r, uint64_t inode, struct lk_syscall_wait *ret)
{
    enum lk_held held = lk_fd_holders_find(r->holders, LK_HOLDER_SOCKET, inode);
    ret->peer_is = peer_held(held);
    if (held == LK_HELD_SELF) {
        ends_at(r, &inode, 1, ret);
        ret->far_fd = lk_fd_holders_fd(r->holders, LK_HOLDER_SOCKET, inode);
    } else if (held == LK_HELD_TREE) {
        peer_process(r, lk_fd_holders_pid(r->holders, inode), ret);
    }
}

/* Nobody has accepted the connection yet, or there was no room for it (waiting: it stands in a
 * queue). */
static void stands_before(struct lk_kernel_reader *r, struct listeners *v, bool waiting,
                          struct lk_syscall_wait *ret)
{
    if (waiting)
        drop_empty(v);
    enum lk_held held = holder_of_all(r, v);
    ret->peer_is = peer_held(held);
    if (held == LK_HELD_SELF)
        ends_at(r, v->inode, v->n, ret);
    for (size_t i = 0; held == LK_HELD_TREE && i < v->n && ret->peer_pid <= 0; i++)
        peer_process(r, lk_fd_holders_pid(r->holders, v->inode[i]), ret);
}

/* The address may be one of this machine's own: then a listener on any address answers it. */
static bool is_here(const struct lk_socket *s)
{
    return lk_socket_is_loopback(&s->remote) ||
           memcmp(&s->local.addr, &s->remote.addr, sizeof(s->local.addr)) == 0;
}

static void inet_peer(struct lk_kernel_reader *r, const struct lk_socket *s,
                      struct lk_syscall_wait *ret)
{
    struct lk_socket peer;
    struct listeners v;
    bool found = lk_socket_reverse(r->net, s, &peer);
    if (found && peer.inode && !peer.listening) {
        held_by(r, peer.inode, ret);
        return;
    }
    if (found && !peer.listening && peer.state != LK_TCP_ESTABLISHED &&
        peer.state != LK_TCP_CLOSE_WAIT && peer.state != LK_TCP_SYN_RECV)
        return; /* closed by its owner, whoever that was */
    if (!is_here(s))
        ret->peer_is = lk_socket_complete(r->net) ? LK_PEER_OUTSIDE : LK_PEER_UNKNOWN;
    if (!is_here(s) || s->proto != LK_SOCKET_TCP)
        return;
    /* waits to be accepted, or (SYN_SENT) for room in the accept queue */
    find_inet_listeners(r, s, &s->remote, &v);
    stands_before(r, &v, s->state != LK_TCP_SYN_SENT, ret);
}

static bool accepted_inet(struct lk_kernel_reader *r, const struct lk_socket *s)
{
    const struct lk_socket *l = NULL;
    uint64_t one;
    if (s->proto != LK_SOCKET_TCP || s->listening || s->state == LK_TCP_SYN_SENT)
        return false;
    if (lk_socket_ask_listener(r->net, s, &one)) {
        if (!one)
            return false;
        if (lk_fd_holders_find(r->holders, LK_HOLDER_SOCKET, one) == LK_HELD_SELF)
            return true;
    }
    for (size_t seen = 0; seen < 64 && (l = lk_socket_listener(r->net, &s->local, l)); seen++)
        if (lk_fd_holders_find(r->holders, LK_HOLDER_SOCKET, l->inode) == LK_HELD_SELF)
            return true;
    return false;
}

static void describe_inet(struct lk_kernel_reader *r, const struct lk_socket *s,
                          struct lk_syscall_wait *ret)
{
    ret->local = end_text(r, &s->local);
    ret->queues[0] = s->rx;
    ret->queues[1] = s->tx;
    if (s->listening)
        return;
    ret->peer = end_text(r, &s->remote);
    ret->connecting = s->proto == LK_SOCKET_TCP && s->state == LK_TCP_SYN_SENT;
    if (ret->peer)
        inet_peer(r, s, ret);
    ret->accepted = accepted_inet(r, s);
}

static enum lk_held unix_listener_holder(struct lk_kernel_reader *r, const char *path)
{
    const struct lk_socket *l = lk_socket_unix_listener(r->net, path, NULL);
    return l ? lk_fd_holders_find(r->holders, LK_HOLDER_SOCKET, l->inode) : LK_HELD_UNKNOWN;
}

static void describe_unix(struct lk_kernel_reader *r, int64_t fd, const struct lk_socket *s,
                          struct lk_syscall_wait *ret)
{
    uint64_t peer = 0;
    uint32_t rx;
    char path[256];
    if (s->path)
        ret->local = ret->path = text(r, s->path);
    if (lk_socket_unix_peer(r->net, s->inode, NULL, &rx))
        ret->queues[0] = rx;
    if (s->listening)
        return;
    if (s->path)
        ret->accepted = unix_listener_holder(r, s->path) == LK_HELD_SELF;
    bool named = unix_peer_path(r, fd, path, sizeof(path));
    struct listeners v;
    if (named)
        ret->peer = text(r, path);
    bool asked = lk_socket_unix_peer(r->net, s->inode, &peer, NULL);
    if (asked && peer) {
        held_by(r, peer, ret);
    } else if (named) { /* not accepted yet, or not our namespace to ask in */
        find_unix_listeners(r, path, &v);
        stands_before(r, &v, asked, ret);
        if (!asked)
            ret->ends_at.n = 0; /* it may well have been accepted */
    }
    if (!ret->path)
        ret->path = ret->peer;
}

static void describe_socket(struct lk_kernel_reader *r, int64_t fd, uint64_t inode,
                            struct lk_syscall_wait *ret)
{
    struct lk_socket s;
    int dup = borrow(r, fd);
    bool asked = dup >= 0 && lk_socket_ask(dup, &s);
    if (dup >= 0)
        close(dup);
    if (!asked) {
        const struct lk_socket *found = lk_socket_find(r->net, inode);
        if (!found)
            return;
        s = *found;
    }
    ret->listening = s.listening;
    if (s.proto == LK_SOCKET_UNIX)
        describe_unix(r, fd, &s, ret);
    else
        describe_inet(r, &s, ret);
}

void lk_descriptor_connecting(struct lk_kernel_reader *r, const void *sockaddr, size_t len,
                              struct lk_syscall_wait *ret)
{
    struct lk_socket_end end;
    struct listeners v;
    sa_family_t family = AF_UNSPEC;
    ret->connecting = true;
    if (len >= sizeof(family))
        memcpy(&family, sockaddr, sizeof(family));
    if (lk_socket_end_from(sockaddr, len, &end)) {
        if (!ret->peer)
            ret->peer = end_text(r, &end);
        if (!ret->peer_is && lk_socket_is_loopback(&end)) {
            find_inet_listeners(r, NULL, &end, &v);
            stands_before(r, &v, false, ret);
        }
    } else if (family == AF_UNIX && len > sizeof(family)) {
        char path[128];
        const char *from = (const char *)sockaddr + sizeof(family);
        size_t n = LK_MIN(len - sizeof(family), sizeof(path) - 1);
        if (from[0])
            n = strnlen(from, n);
        for (size_t i = 0; i < n; i++)
            path[i] = from[i] ? from[i] : '@';
        path[n] = '\0';
        ret->peer = ret->path = text(r, path);
        find_unix_listeners(r, path, &v);
        stands_before(r, &v, false, ret);
    }
}

/* ---- other kinds --------------------------------------------------------------------- */

static ssize_t read_fdinfo(struct lk_kernel_reader *r, int64_t fd, char *buf, size_t size)
{
    return lk_procfs_read(buf, size, "%s/fdinfo/%lld", r->base, (long long)fd);
}

static void describe_pipe(struct lk_kernel_reader *r, int64_t fd, uint64_t inode,
                          struct lk_syscall_wait *ret)
{
    char info[512];
    uint64_t flags;
    if (read_fdinfo(r, fd, info, sizeof(info)) <= 0 ||
        !lk_procfs_field(info, "flags:", 8, &flags) || (flags & O_ACCMODE) == O_RDWR)
        return;
    bool we_read = (flags & O_ACCMODE) == O_RDONLY;
    enum lk_held held = lk_fd_holders_pipe_other_end(r->holders, inode, we_read);
    ret->peer_is = peer_held(held);
    if (held == LK_HELD_TREE)
        peer_process(r, lk_fd_holders_pipe_pid(r->holders, inode, we_read), ret);
}

/* fs/timerfd.c timerfd_show: "it_value: (seconds, nanoseconds)" left, both 0 when it is not armed
 */
static void describe_timerfd(struct lk_kernel_reader *r, int64_t fd, struct lk_syscall_wait *ret)
{
    char info[1024];
    long long sec, nsec;
    const char *at;
    if (read_fdinfo(r, fd, info, sizeof(info)) <= 0 || !(at = strstr(info, "it_value:")) ||
        sscanf(at, "it_value: (%lld, %lld)", &sec, &nsec) != 2 || sec < 0 ||
        sec > INT64_MAX / 1000 - 1)
        return;
    if (sec || nsec)
        ret->timeout_ms = timeout_min(ret->timeout_ms, sec * 1000 + (nsec + 999999) / 1000000);
}

/* kernel/pid.c pidfd_show_fdinfo: "Pid:", in the pid namespace of the /proc we read; -1 when it is
 * reaped */
static void describe_pidfd(struct lk_kernel_reader *r, int64_t fd, struct lk_syscall_wait *ret)
{
    char info[1024];
    uint64_t pid;
    if (read_fdinfo(r, fd, info, sizeof(info)) > 0 && lk_procfs_field(info, "Pid:", 10, &pid) &&
        (int64_t)pid > 0)
        ret->child_pid = (int64_t)pid;
}

/* A named pipe's link is its path. AT_STATX_DONT_SYNC: never ask a file server that may not answer.
 */
static bool is_fifo(struct lk_kernel_reader *r, int64_t fd)
{
    char path[LK_PROCFS_PATH];
    struct statx st;
    snprintf(path, sizeof(path), "%s/fd/%lld", r->base, (long long)fd);
    return statx(AT_FDCWD, path, AT_STATX_DONT_SYNC, STATX_TYPE, &st) == 0 && S_ISFIFO(st.stx_mode);
}

static const struct {
    const char *prefix;
    enum lk_os_wait on;
    void (*more)(struct lk_kernel_reader *r, int64_t fd, struct lk_syscall_wait *ret);
} link_kinds[] = {
    { "anon_inode:[eventpoll]", LK_OS_SELECTOR, NULL },
    { "anon_inode:[io_uring]", LK_OS_SELECTOR, NULL },
    { "anon_inode:[eventfd", LK_OS_EVENTFD, NULL },
    { "anon_inode:[timerfd]", LK_OS_TIMER, describe_timerfd },
    { "anon_inode:[signalfd]", LK_OS_SIGNAL, NULL },
    { "anon_inode:[pidfd]", LK_OS_CHILD, describe_pidfd },
    { "pidfd:", LK_OS_CHILD, describe_pidfd },
    { "anon_inode:inotify", LK_OS_FILE, NULL },
    { "anon_inode:[fanotify]", LK_OS_FILE, NULL },
};

void lk_descriptor_describe(struct lk_kernel_reader *r, int64_t fd, struct lk_syscall_wait *ret)
{
    char link[4096];
    unsigned long long inode;
    ret->fd = fd;
    ret->on = LK_OS_OTHER;
    if (!r->base[0] || fd < 0 ||
        lk_procfs_link(link, sizeof(link), "%s/fd/%lld", r->base, (long long)fd) < 0)
        return;
    if (sscanf(link, "socket:[%llu]", &inode) == 1) {
        ret->on = LK_OS_SOCKET;
        describe_socket(r, fd, inode, ret);
        return;
    }
    ret->path = text(r, link);
    if (sscanf(link, "pipe:[%llu]", &inode) == 1) {
        ret->on = LK_OS_PIPE;
        describe_pipe(r, fd, inode, ret);
        return;
    }
    if (link[0] == '/') {
        ret->on = is_fifo(r, fd) ? LK_OS_PIPE : LK_OS_FILE;
        return;
    }
    for (size_t i = 0; i < LK_ARRAY_LEN(link_kinds); i++) {
        if (!lk_starts_with(link, link_kinds[i].prefix))
            continue;
        ret->on = link_kinds[i].on;
        if (link_kinds[i].more)
            link_kinds[i].more(r, fd, ret);
        return;
    }
}

/* ---- questions about one descriptor -------------------------------------------------- */

static int64_t table_unread(struct lk_kernel_reader *r, uint64_t inode)
{
    uint32_t rx;
    const struct lk_socket *s = lk_socket_find(r->net, inode);
    if (!s || s->listening)
        return LK_UNKNOWN;
    if (s->proto != LK_SOCKET_UNIX)
        return s->rx;
    return lk_socket_unix_peer(r->net, inode, NULL, &rx) ? (int64_t)rx : LK_UNKNOWN;
}

int64_t lk_kernel_quiet_ms(struct lk_kernel_reader *r, int64_t fd)
{
    int dup = r->base[0] && fd >= 0 ? borrow(r, fd) : -1;
    if (dup < 0)
        return LK_UNKNOWN;
    int64_t ms = lk_socket_quiet_ms(dup);
    close(dup);
    return ms;
}

struct connections {
    struct lk_kernel_reader *r;
    struct lk_connection *v;
    size_t n, max;
};

static bool visit_connection(int64_t fd, void *arg)
{
    struct connections *c = arg;
    struct lk_socket s = { 0 };
    char link[64], local[LK_SOCKET_TEXT], peer[LK_SOCKET_TEXT];
    if (lk_procfs_link(link, sizeof(link), "%s/fd/%lld", c->r->base, (long long)fd) < 0 ||
        !lk_starts_with(link, "socket:["))
        return true;
    int dup = borrow(c->r, fd);
    if (dup < 0)
        return c->r->pidfd >= 0;
    bool asked = lk_socket_ask(dup, &s);
    close(dup);
    if (asked && s.proto == LK_SOCKET_TCP && s.state == LK_TCP_ESTABLISHED &&
        lk_socket_text(&s.local, local) && lk_socket_text(&s.remote, peer))
        c->v[c->n++] = (struct lk_connection){ fd, lk_arena_strdup(c->r->arena, local),
                                               lk_arena_strdup(c->r->arena, peer) };
    return c->n < c->max;
}

size_t lk_kernel_connections(struct lk_kernel_reader *r, struct lk_connection *ret, size_t max)
{
    struct connections c = { .r = r, .v = ret, .max = max };
    if (r->base[0] && max)
        lk_procfs_each_id(visit_connection, &c, "%s/fd", r->base);
    return c.n;
}

int64_t lk_kernel_unread(struct lk_kernel_reader *r, int64_t fd)
{
    char link[64], info[512];
    unsigned long long inode = 0;
    uint64_t count;
    if (!r->base[0] || fd < 0 ||
        lk_procfs_link(link, sizeof(link), "%s/fd/%lld", r->base, (long long)fd) < 0)
        return LK_UNKNOWN;
    if (lk_starts_with(link, "anon_inode:[eventfd")) {
        /* fs/eventfd.c eventfd_show_fdinfo: hexadecimal; a read takes 8 bytes whatever the count */
        if (read_fdinfo(r, fd, info, sizeof(info)) <= 0 ||
            !lk_procfs_field(info, "eventfd-count:", 16, &count))
            return LK_UNKNOWN;
        return count ? 8 : 0;
    }
    bool is_socket = sscanf(link, "socket:[%llu]", &inode) == 1;
    if (!is_socket && !lk_starts_with(link, "pipe:["))
        return LK_UNKNOWN;
    int dup = borrow(r, fd), bytes = 0;
    if (dup >= 0) {
        int failed = ioctl(dup, FIONREAD, &bytes);
        close(dup);
        if (!failed)
            return bytes;
    }
    return is_socket ? table_unread(r, inode) : LK_UNKNOWN;
}

int64_t lk_kernel_epoll_fds(struct lk_kernel_reader *r, int64_t epfd, int64_t *fds, size_t max)
{
    char link[64], line[512];
    if (!r->base[0] || epfd < 0 ||
        lk_procfs_link(link, sizeof(link), "%s/fd/%lld", r->base, (long long)epfd) < 0 ||
        strcmp(link, "anon_inode:[eventpoll]") != 0)
        return LK_UNKNOWN;
    FILE *f = lk_procfs_open("%s/fdinfo/%lld", r->base, (long long)epfd);
    if (!f)
        return LK_UNKNOWN;
    int64_t count = 0;
    long long fd;
    while (fgets(line, sizeof(line), f)) /* fs/eventpoll.c ep_show_fdinfo: "tfd: %8d events: ..." */
        if (sscanf(line, "tfd: %lld", &fd) == 1) {
            if (fds && (size_t)count < max)
                fds[count] = fd;
            count++;
        }
    lk_procfs_close(f);
    return count;
}
