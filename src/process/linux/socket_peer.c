/*
 * A socket of the examined process and its other end: who holds that, or in whose accept queue the
 * connection stands. Ends by sock_diag(7) and the socket tables (socket_table.c), holders by
 * fd_holders.c. A TCP connection that no descriptor has stands before a listener of that port,
 * SO_REUSEPORT makes several; a unix one before a listener at its path.
 */
#include "process/linux/socket_peer.h"

#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "util/text.h"

#define MAX_LISTENERS 64u /* that share one address */

/* Path a unix socket is connected to, as /proc/net/unix writes it ('@' = abstract); false when it
 * has none. */
static bool unix_peer_path(struct lk_kernel_reader *r, int64_t fd, char *path, size_t size)
{
    int dup = lk_kernel_borrow(r, fd);
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

enum lk_peer_is lk_socket_peer_is(enum lk_held held)
{
    switch (held) {
    case LK_HELD_SELF: return LK_PEER_SELF;
    case LK_HELD_TREE: return LK_PEER_TREE;
    case LK_HELD_OUTSIDE: return LK_PEER_OUTSIDE;
    case LK_HELD_UNKNOWN: break;
    }
    return LK_PEER_UNKNOWN;
}

static const char *end_text(struct lk_kernel_reader *r, const struct lk_socket_end *end)
{
    char buf[LK_SOCKET_TEXT];
    return lk_socket_text(end, buf) ? lk_arena_strdup(r->arena, buf) : NULL;
}

/* ---- listeners ----------------------------------------------------------------------- */

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

/* ---- who has the other end --------------------------------------------------------------- */

static void ends_at(struct lk_kernel_reader *r, const uint64_t *inodes, size_t n,
                    struct lk_syscall_wait *ret)
{
    ret->ends_at.v = lk_arena_array(r->arena, n, sizeof(*inodes));
    ret->ends_at.n = ret->ends_at.cap = n;
    memcpy(ret->ends_at.v, inodes, n * sizeof(*inodes));
}

void lk_socket_peer_process(struct lk_kernel_reader *r, pid_t pid, struct lk_syscall_wait *ret)
{
    char comm[64];
    if (pid <= 0)
        return;
    ret->peer_pid = pid;
    if (lk_procfs_read_of(pid, "comm", comm, sizeof(comm)) > 0)
        ret->peer_comm = lk_text_clean(r->arena, comm, strcspn(comm, "\n"), sizeof(comm));
}

/* The other end is a socket that has a descriptor: whose? */
static void held_by(struct lk_kernel_reader *r, uint64_t inode, struct lk_syscall_wait *ret)
{
    enum lk_held held = lk_fd_holders_find(r->holders, LK_HOLDER_SOCKET, inode);
    ret->peer_is = lk_socket_peer_is(held);
    if (held == LK_HELD_SELF) {
        ends_at(r, &inode, 1, ret);
        ret->far_fd = lk_fd_holders_fd(r->holders, LK_HOLDER_SOCKET, inode);
    } else if (held == LK_HELD_TREE) {
        lk_socket_peer_process(r, lk_fd_holders_pid(r->holders, inode), ret);
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
    ret->peer_is = lk_socket_peer_is(held);
    if (held == LK_HELD_SELF)
        ends_at(r, v->inode, v->n, ret);
    for (size_t i = 0; held == LK_HELD_TREE && i < v->n && ret->peer_pid <= 0; i++)
        lk_socket_peer_process(r, lk_fd_holders_pid(r->holders, v->inode[i]), ret);
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
    for (size_t seen = 0; seen < MAX_LISTENERS && (l = lk_socket_listener(r->net, &s->local, l));
         seen++)
        if (lk_fd_holders_find(r->holders, LK_HOLDER_SOCKET, l->inode) == LK_HELD_SELF)
            return true;
    return false;
}

/* ---- the socket ------------------------------------------------------------------------ */

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
        ret->local = ret->path = lk_kernel_text(r, s->path);
    if (lk_socket_unix_peer(r->net, s->inode, NULL, &rx))
        ret->queues[0] = rx;
    if (s->listening)
        return;
    if (s->path)
        ret->accepted = unix_listener_holder(r, s->path) == LK_HELD_SELF;
    bool named = unix_peer_path(r, fd, path, sizeof(path));
    struct listeners v;
    if (named)
        ret->peer = lk_kernel_text(r, path);
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

void lk_socket_describe(struct lk_kernel_reader *r, int64_t fd, uint64_t inode,
                        struct lk_syscall_wait *ret)
{
    struct lk_socket s;
    int dup = lk_kernel_borrow(r, fd);
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

void lk_socket_connecting(struct lk_kernel_reader *r, const void *sockaddr, size_t len,
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
        ret->peer = ret->path = lk_kernel_text(r, path);
        find_unix_listeners(r, path, &v);
        stands_before(r, &v, false, ret);
    }
}
