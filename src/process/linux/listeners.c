/*
 * All sockets of a process by /proc/PID/fd, each asked once whether it listens (kernel_reader.c);
 * those that somebody waits for, or in which connections wait, first: only of them is asked who
 * else holds them (socket_sharers.c).
 */
#include "process/linux/listeners.h"

#include "process/linux/kernel_reader.h"
#include "process/linux/socket_sharers.h"

enum {
    /* sockets that are asked whether they listen; servers open their listeners early */
    MAX_ASKED = 256,
    MAX_LINKS = 8192, /* descriptors looked at */
    MAX_FDS = 8,      /* descriptors of one socket that are kept */
};

struct collector {
    struct lk_kernel_reader *os;
    struct lk_snapshot *s;
    size_t links, asked;
    bool missed; /* a socket, or what it does */
};

/* A thread waits for an answer from this socket. */
static bool is_wanted(const struct lk_snapshot *s, uint64_t inode)
{
    for (size_t i = 0; i < s->threads.n; i++) {
        const struct lk_syscall_wait *os = &s->threads.v[i].os;
        for (size_t k = 0; k < os->ends_at.n; k++)
            if (os->ends_at.v[k] == inode)
                return true;
    }
    return false;
}

static bool is_polled(const struct lk_snapshot *s, const struct lk_listener *l)
{
    for (size_t i = 0; i < s->threads.n; i++)
        if (lk_stands_at(&s->threads.v[i], l))
            return true;
    return false;
}

/* It matters who else has it: somebody waits for it, or connections wait in it and nobody here
 * accepts. */
static bool is_of_interest(const struct lk_snapshot *s, const struct lk_listener *l)
{
    return is_wanted(s, l->inode) ||
           (l->listening && l->queue != LK_UNKNOWN && l->queue > 0 && !is_polled(s, l));
}

static void add_fd(struct collector *c, struct lk_listener *l, int64_t fd)
{
    if (!l->fds.v) {
        l->fds.v = lk_arena_array(c->s->arena, MAX_FDS, sizeof(*l->fds.v));
        l->fds.cap = MAX_FDS;
    }
    if (l->fds.n < l->fds.cap)
        l->fds.v[l->fds.n++] = fd;
}

static bool visit(int64_t fd, void *arg)
{
    struct collector *c = arg;
    char link[64];
    unsigned long long inode;
    if (c->links++ >= MAX_LINKS) {
        c->missed = true;
        return false;
    }
    if (lk_procfs_link(link, sizeof(link), c->os->folder.dir, "fd/%lld", (long long)fd) < 0) {
        c->missed = true;
        return true;
    }
    if (sscanf(link, "socket:[%llu]", &inode) != 1)
        return true;
    for (size_t i = 0; i < c->s->listeners.n; i++)
        if (c->s->listeners.v[i].inode == inode) {
            add_fd(c, &c->s->listeners.v[i], fd);
            return true;
        }
    struct lk_listener l = {
        .inode = inode, .queue = LK_UNKNOWN, .asking = LK_UNKNOWN, .alone = LK_TRI_UNKNOWN
    };
    bool wanted = is_wanted(c->s, inode);
    enum lk_tri listens = LK_TRI_UNKNOWN;
    if (wanted || c->asked < MAX_ASKED) {
        c->asked++;
        listens = lk_kernel_listens(c->os, fd, inode, &l);
    }
    l.listening = listens == LK_YES;
    c->missed |= listens == LK_TRI_UNKNOWN;
    if (!wanted && !l.listening)
        return true;
    add_fd(c, &l, fd);
    lk_vec_add(&c->s->listeners, l);
    return true;
}

/* Those come first: their sharers are looked for in one go. */
static size_t interesting_first(struct lk_snapshot *s)
{
    size_t n = 0;
    for (size_t i = 0; i < s->listeners.n; i++) {
        if (!is_of_interest(s, &s->listeners.v[i]))
            continue;
        struct lk_listener l = s->listeners.v[i];
        s->listeners.v[i] = s->listeners.v[n];
        s->listeners.v[n++] = l;
    }
    return n;
}

void lk_listeners_read(struct lk_kernel_reader *os, struct lk_snapshot *s)
{
    struct collector c = { .os = os, .s = s };
    s->listeners.n = 0;
    if (os->folder.dir < 0 || !lk_procfs_each_id(visit, &c, os->folder.dir, "fd"))
        c.missed = true;
    s->listens = c.missed ? LK_TRI_UNKNOWN : LK_NO;
    for (size_t i = 0; i < s->listeners.n; i++)
        if (s->listeners.v[i].listening)
            s->listens = LK_YES;
    size_t n = interesting_first(s);
    if (n)
        lk_socket_sharers_read(os->target, s->listeners.v, n, s->arena);
}

int64_t lk_listeners_backlog_asks(struct lk_kernel_reader *os, uint64_t inode)
{
    const struct lk_socket *s = lk_socket_find(os->net, inode);
    const struct lk_socket_end end = s ? s->local : (struct lk_socket_end){ 0 };
    const int64_t asks =
        s && s->listening && s->proto == LK_SOCKET_TCP ? lk_socket_backlog_asks(os->net, &end) : -1;
    return asks < 0 ? LK_UNKNOWN : asks;
}
