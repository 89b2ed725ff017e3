/*
 * One descriptor of a process: its kind by the text of its link in /proc/PID/fd, details by fdinfo,
 * sockets by socket_peer.c, other ends of pipes by fd_holders.c. The kernel functions that write
 * each fdinfo stand at their readers.
 */
#include "process/linux/descriptor.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "process/linux/socket_peer.h"
#include "util/text.h"

/* The sooner of two timeouts; an unknown one is taken for later than any known. */
static int64_t timeout_min(int64_t a, int64_t b)
{
    if (a == LK_UNKNOWN || b == LK_UNKNOWN)
        return a == LK_UNKNOWN ? (b == LK_FOREVER ? LK_UNKNOWN : b)
                               : (a == LK_FOREVER ? LK_UNKNOWN : a);
    return LK_MIN(a, b);
}

static void describe_pipe(struct lk_kernel_reader *r, int64_t fd, uint64_t inode,
                          struct lk_syscall_wait *ret)
{
    char info[512];
    uint64_t flags;
    if (lk_kernel_fdinfo(r, fd, info, sizeof(info)) <= 0 ||
        !lk_procfs_field(info, "flags:", 8, &flags) || (flags & O_ACCMODE) == O_RDWR)
        return;
    bool we_read = (flags & O_ACCMODE) == O_RDONLY;
    enum lk_held held = lk_fd_holders_pipe_other_end(r->holders, inode, we_read);
    ret->peer_is = lk_socket_peer_is(held);
    if (held == LK_HELD_TREE)
        lk_socket_peer_process(r, lk_fd_holders_pipe_pid(r->holders, inode, we_read), ret);
}

/* fs/timerfd.c timerfd_show: "it_value: (seconds, nanoseconds)" left, both 0 when it is not armed
 */
static void describe_timerfd(struct lk_kernel_reader *r, int64_t fd, struct lk_syscall_wait *ret)
{
    char info[1024];
    long long sec, nsec;
    const char *at;
    if (lk_kernel_fdinfo(r, fd, info, sizeof(info)) <= 0 || !(at = strstr(info, "it_value:")) ||
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
    if (lk_kernel_fdinfo(r, fd, info, sizeof(info)) > 0 &&
        lk_procfs_field(info, "Pid:", 10, &pid) && (int64_t)pid > 0)
        ret->child_pid = (int64_t)pid;
}

/* A named pipe's link is its path. AT_STATX_DONT_SYNC: never ask a file server that may not answer.
 */
static bool is_fifo(struct lk_kernel_reader *r, int64_t fd)
{
    char path[LK_PROCFS_PATH];
    struct statx st;
    snprintf(path, sizeof(path), "fd/%lld", (long long)fd);
    return statx(r->folder.dir, path, AT_STATX_DONT_SYNC, STATX_TYPE, &st) == 0 &&
           S_ISFIFO(st.stx_mode);
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
    if (!lk_kernel_fd_link(r, fd, link, sizeof(link)))
        return;
    if (sscanf(link, "socket:[%llu]", &inode) == 1) {
        ret->on = LK_OS_SOCKET;
        lk_socket_describe(r, fd, inode, ret);
        return;
    }
    ret->path = lk_kernel_text(r, link);
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
