/*
 * One examined process as the kernel shows it, and questions about one of its descriptors. What
 * only the open file itself knows is asked of a duplicate by pidfd_getfd(2) (Linux 5.6; same
 * permission as reading its memory). While a duplicate is open the target's close() would not take
 * effect, so it lives for one question only. Sockets and pipes only: closing a duplicate of a file
 * could not hurt either, but there is nothing to ask it.
 */
#include "process/linux/kernel_reader.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "util/compat.h"
#include "util/redact.h"
#include "util/text.h"

enum {
    MAX_PATH_TEXT = 1024,
    MAX_LINKS = 8192, /* descriptors looked at for connections */
};

struct lk_kernel_reader *lk_kernel_reader_create(struct lk_process *t, int whole,
                                                 struct lk_arena *a)
{
    struct lk_kernel_reader *r = lk_xcalloc(1, sizeof(*r));
    r->target = t;
    r->arena = a;
    r->pid = whole < 0 ? 0 : lk_process_pid(t);
    r->pidfd = -1;
    lk_procfs_find_answering(r->pid, whole, &r->folder);
    r->holders = lk_fd_holders_create(r->pid, r->folder.dir);
    r->net = lk_socket_create(r->folder.dir);
    return r;
}

void lk_kernel_reader_destroy(struct lk_kernel_reader *r)
{
    if (!r)
        return;
    lk_fd_close(r->pidfd);
    lk_fd_holders_destroy(r->holders);
    lk_socket_destroy(r->net);
    lk_procfs_leave_answering(&r->folder);
    lk_free(r);
}

int lk_kernel_borrow(struct lk_kernel_reader *r, int64_t fd)
{
    if (r->pidfd == -1) {
        int opened = r->pid > 0 ? (int)syscall(SYS_pidfd_open, r->pid, 0) : -1;
        r->pidfd = opened >= 0 ? lk_fd_hold(opened) : -2;
    }
    if (r->pidfd < 0 || fd < 0 || fd > INT32_MAX)
        return -1;
    return (int)syscall(SYS_pidfd_getfd, r->pidfd, (int)fd, 0);
}

const char *lk_kernel_text(struct lk_kernel_reader *r, const char *s)
{
    return lk_redact_name(r->arena, lk_text_clean(r->arena, s, strlen(s), MAX_PATH_TEXT));
}

bool lk_kernel_fd_link(struct lk_kernel_reader *r, int64_t fd, char *buf, size_t size)
{
    return r->folder.dir >= 0 && fd >= 0 &&
           lk_procfs_link(buf, size, r->folder.dir, "fd/%lld", (long long)fd) >= 0;
}

ssize_t lk_kernel_fdinfo(struct lk_kernel_reader *r, int64_t fd, char *buf, size_t size)
{
    return lk_procfs_read(buf, size, r->folder.dir, "fdinfo/%lld", (long long)fd);
}

/* ---- sockets ------------------------------------------------------------------------- */

int64_t lk_kernel_socket_timeout(struct lk_kernel_reader *r, int64_t fd, bool sending)
{
    int dup = lk_kernel_borrow(r, fd);
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

enum lk_tri lk_kernel_listens(struct lk_kernel_reader *r, int64_t fd, uint64_t inode,
                              struct lk_listener *ret)
{
    struct lk_socket s = { 0 };
    int listening = 0, dup = lk_kernel_borrow(r, fd);
    socklen_t len = sizeof(listening);
    if (dup < 0)
        return LK_TRI_UNKNOWN;
    const bool asked = getsockopt(dup, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) == 0;
    const bool tcp = asked && listening && lk_socket_ask(dup, &s);
    close(dup);
    if (!asked || !listening)
        return asked ? LK_NO : LK_TRI_UNKNOWN;
    char buf[LK_SOCKET_TEXT];
    uint32_t waiting;
    if (tcp) {
        ret->queue = s.rx;
        ret->address = lk_socket_text(&s.local, buf) ? lk_arena_strdup(r->arena, buf) : NULL;
    } else if (lk_socket_unix_peer(r->net, inode, NULL, &waiting)) {
        ret->queue = waiting;
    }
    return LK_YES;
}

int64_t lk_kernel_quiet_ms(struct lk_kernel_reader *r, int64_t fd)
{
    int dup = r->folder.dir >= 0 && fd >= 0 ? lk_kernel_borrow(r, fd) : -1;
    if (dup < 0)
        return LK_UNKNOWN;
    int64_t ms = lk_socket_quiet_ms(dup);
    close(dup);
    return ms;
}

struct connections {
    struct lk_kernel_reader *r;
    struct lk_connection *v;
    size_t n, max, links;
    bool denied; /* none of its sockets can be asked */
};

static bool visit_connection(int64_t fd, void *arg)
{
    struct connections *c = arg;
    struct lk_socket s = { 0 };
    char link[64], local[LK_SOCKET_TEXT], peer[LK_SOCKET_TEXT];
    if (c->links++ >= MAX_LINKS)
        return false;
    if (!lk_kernel_fd_link(c->r, fd, link, sizeof(link)) || !lk_starts_with(link, "socket:["))
        return true;
    int dup = lk_kernel_borrow(c->r, fd);
    c->denied = c->r->pidfd < 0;
    if (dup < 0)
        return !c->denied;
    bool asked = lk_socket_ask(dup, &s);
    close(dup);
    if (asked && s.proto == LK_SOCKET_TCP && s.state == LK_TCP_ESTABLISHED &&
        lk_socket_text(&s.local, local) && lk_socket_text(&s.remote, peer))
        c->v[c->n++] = (struct lk_connection){ fd, lk_arena_strdup(c->r->arena, local),
                                               lk_arena_strdup(c->r->arena, peer) };
    return c->n < c->max;
}

bool lk_kernel_connections(struct lk_kernel_reader *r, struct lk_connection *ret, size_t max,
                           size_t *n)
{
    struct connections c = { .r = r, .v = ret, .max = max };
    const bool listed = lk_procfs_each_id(visit_connection, &c, r->folder.dir, "fd");
    *n = c.n;
    return listed && !c.denied;
}

/* ---- what is to be read ---------------------------------------------------------------- */

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

int64_t lk_kernel_unread(struct lk_kernel_reader *r, int64_t fd)
{
    char link[64], info[512];
    unsigned long long inode = 0;
    uint64_t count;
    if (!lk_kernel_fd_link(r, fd, link, sizeof(link)))
        return LK_UNKNOWN;
    if (lk_starts_with(link, "anon_inode:[eventfd")) {
        /* fs/eventfd.c eventfd_show_fdinfo: hexadecimal; a read takes 8 bytes whatever the count */
        if (lk_kernel_fdinfo(r, fd, info, sizeof(info)) <= 0 ||
            !lk_procfs_field(info, "eventfd-count:", 16, &count))
            return LK_UNKNOWN;
        return count ? 8 : 0;
    }
    bool is_socket = sscanf(link, "socket:[%llu]", &inode) == 1;
    if (!is_socket && !lk_starts_with(link, "pipe:["))
        return LK_UNKNOWN;
    int dup = lk_kernel_borrow(r, fd), bytes = 0;
    if (dup >= 0) {
        int failed = ioctl(dup, FIONREAD, &bytes);
        close(dup);
        if (!failed)
            return bytes;
    }
    return is_socket ? table_unread(r, inode) : LK_UNKNOWN;
}

const char *lk_kernel_fd_name(struct lk_kernel_reader *r, int64_t fd)
{
    char link[PATH_MAX];
    return lk_kernel_fd_link(r, fd, link, sizeof(link)) ? lk_arena_strdup(r->arena, link) : NULL;
}

int64_t lk_kernel_epoll_fds(struct lk_kernel_reader *r, int64_t epfd, int64_t *fds, size_t max)
{
    char link[64], line[512];
    if (!lk_kernel_fd_link(r, epfd, link, sizeof(link)) ||
        strcmp(link, "anon_inode:[eventpoll]") != 0)
        return LK_UNKNOWN;
    FILE *f = lk_procfs_open(r->folder.dir, "fdinfo/%lld", (long long)epfd);
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
