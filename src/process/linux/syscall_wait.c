/*
 * From a system call's number and arguments to what the thread waits for. arch/syscalls.c says what
 * kind of call it is; here stands one function for each kind. Arguments that are pointers are
 * followed in the target's memory, which for a blocked thread holds still what it passed in.
 */
#include "process/linux/process_facts.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <linux/openat2.h>

#include "process/arch/syscalls.h"
#include "process/linux/call_timeout.h"
#include "process/linux/descriptor.h"
#include "process/linux/file_locks.h"
#include "process/linux/socket_peer.h"
#include "util/compat.h"
#include "util/text.h"

#define MAX_SELECT_FDS 8192
#define MAX_DESCRIBED  4 /* of a set that is polled */

/* ---- one descriptor ------------------------------------------------------------------ */

static void decode_fd(struct lk_call_decode *d)
{
    lk_descriptor_describe(d->r, lk_call_int(d, d->call->fd), d->ret);
    if (d->ret->on == LK_OS_SOCKET && d->call->shape == LK_TIMEOUT_SOCKET) {
        bool sending = d->call->call == LK_CALL_WRITE || d->call->call == LK_CALL_CONNECT;
        d->ret->timeout_ms = lk_kernel_socket_timeout(d->r, d->ret->fd, sending);
    } else if (d->call->shape == LK_TIMEOUT_SOCKET && lk_process_is_moment(d->r->target)) {
        d->ret->timeout_ms = LK_UNKNOWN; /* what the descriptor is is not known */
    }
}

static void decode_connect(struct lk_call_decode *d)
{
    struct sockaddr_storage addr;
    size_t len = LK_MIN((uint32_t)lk_call_arg(d, 2), sizeof(addr));
    decode_fd(d);
    memset(&addr, 0, sizeof(addr));
    if (len > 0 && lk_read(d->r->target, lk_call_arg(d, 1), &addr, len))
        lk_socket_connecting(d->r, &addr, len, d->ret);
}

static void decode_file(struct lk_call_decode *d)
{
    decode_fd(d);
    if (d->ret->on == LK_OS_TIMER || d->ret->on == LK_OS_SIGNAL || d->ret->on == LK_OS_CHILD)
        d->ret->on = LK_OS_OTHER; /* an ioctl on it does not wait for what reading it waits for */
}

static void describe_holder(struct lk_call_decode *d, bool by_flock)
{
    struct lk_file_lock lock;
    lk_file_lock_find(d->r->pid, d->r->folder.dir, d->ret->fd, by_flock, &lock);
    d->ret->locked_by = lock.by;
    d->ret->lock_fd = lock.fd;
    d->ret->lock_inode = lock.inode;
    if (lock.by == LK_LOCKED_OTHER)
        d->ret->lock_holder = lk_arena_printf(
            d->r->arena, "process %lld (%s)", (long long)lock.pid,
            lk_text_clean(d->r->arena, lock.comm, strlen(lock.comm), sizeof(lock.comm)));
}

static void decode_fcntl(struct lk_call_decode *d)
{
    int command = lk_call_int(d, 1);
    decode_fd(d);
    d->ret->on = command == F_SETLKW || command == F_OFD_SETLKW ? LK_OS_FILE : LK_OS_OTHER;
    if (d->ret->on == LK_OS_FILE)
        describe_holder(d, false);
}

static void decode_flock(struct lk_call_decode *d)
{
    decode_fd(d);
    d->ret->on = LK_OS_FILE;
    describe_holder(d, true);
}

/*
 * A named pipe? Asked without waiting for anything: only what the kernel has in its caches
 * (RESOLVE_CACHED, Linux 5.12), no server, no automount, and O_PATH opens nothing.
 */
static bool path_is_fifo(const struct lk_call_decode *d, const char *path)
{
    struct open_how how = { .flags = O_PATH | O_CLOEXEC,
                            .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | RESOLVE_CACHED };
    struct statx st;
    int dir =
        openat(d->r->folder.dir, path[0] == '/' ? "root" : "cwd", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0)
        return false;
    int fd = (int)syscall(SYS_openat2, dir, path, &how, sizeof(how));
    close(dir);
    if (fd < 0)
        return false;
    bool fifo = statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE, &st) == 0 &&
                S_ISFIFO(st.stx_mode);
    close(fd);
    return fifo;
}

static void decode_open(struct lk_call_decode *d)
{
    char path[1024];
    d->ret->on = LK_OS_FILE;
    if (!lk_read_cstr(d->r->target, lk_call_arg(d, d->call->fd), path, sizeof(path)) || !path[0])
        return;
    d->ret->path = lk_kernel_text(d->r, path);
    bool below_fd = path[0] != '/' && d->call->fd == 1 && lk_call_int(d, 0) != AT_FDCWD;
    if (!below_fd && path_is_fifo(d, path))
        d->ret->on = LK_OS_PIPE;
}

/* ---- sets of descriptors ------------------------------------------------------------- */

static void set_fds(struct lk_call_decode *d, const int64_t *fds, size_t n)
{
    d->ret->fds.v = lk_arena_array(d->r->arena, n, sizeof(*fds));
    d->ret->fds.n = d->ret->fds.cap = n;
    if (n)
        memcpy(d->ret->fds.v, fds, n * sizeof(*fds));
}

/* poll and select without descriptors: a sleep, or without a timeout a wait for a signal. */
static void empty_set(struct lk_call_decode *d)
{
    d->ret->on = d->ret->timeout_ms == LK_FOREVER ? LK_OS_SIGNAL : LK_OS_TIMER;
}

/* A few descriptors whose other ends are all with one process: a program that is run with several
 * pipes. */
static void common_peer(struct lk_call_decode *d, const int64_t *fds, size_t n)
{
    struct lk_syscall_wait one = { 0 };
    int64_t pid = LK_UNKNOWN;
    for (size_t i = 0; i < n; i++) {
        one = (struct lk_syscall_wait){ .timeout_ms = LK_UNKNOWN, .peer_pid = LK_UNKNOWN };
        lk_descriptor_describe(d->r, fds[i], &one);
        if (one.peer_pid <= 0 || (i > 0 && one.peer_pid != pid))
            return;
        pid = one.peer_pid;
    }
    d->ret->peer_pid = pid;
    d->ret->peer_comm = one.peer_comm;
}

/*
 * The set read from memory. One descriptor only (what CPython does before recv on a socket with a
 * timeout, and subprocess on a pipe) is a wait for that descriptor, with the timeout of the call.
 */
static void decode_poll(struct lk_call_decode *d)
{
    struct pollfd set[LK_OSFD_MAX_FDS] = { 0 };
    int64_t fds[LK_OSFD_MAX_FDS] = { 0 };
    size_t given = (uint32_t)lk_call_arg(d, 1), n = 0,
           read = LK_MIN(given, (size_t)LK_OSFD_MAX_FDS);
    d->ret->on = LK_OS_SELECTOR;
    if (read > 0 && !lk_read(d->r->target, lk_call_arg(d, 0), set, read * sizeof(set[0])))
        return;
    for (size_t i = 0; i < read; i++)
        if (set[i].fd >= 0) /* poll(2): negative ones are ignored */
            fds[n++] = set[i].fd;
    set_fds(d, fds, n);
    if (n == 0 && read == given)
        empty_set(d);
    else if (n == 1 && read == given)
        lk_descriptor_describe(d->r, fds[0], d->ret);
    else if (n <= MAX_DESCRIBED && read == given)
        common_peer(d, fds, n);
}

static void decode_select(struct lk_call_decode *d)
{
    uint64_t set[MAX_SELECT_FDS / 64], all[MAX_SELECT_FDS / 64] = { 0 };
    int64_t fds[LK_OSFD_MAX_FDS] = { 0 };
    int32_t limit = lk_call_int(d, 0);
    size_t words = ((size_t)LK_MIN(LK_MAX(limit, 0), MAX_SELECT_FDS) + 63) / 64, n = 0;
    d->ret->on = LK_OS_SELECTOR;
    for (int i = 1; i <= 3; i++) {
        if (words == 0 || lk_call_arg(d, i) == 0)
            continue;
        if (!lk_read(d->r->target, lk_call_arg(d, i), set, words * sizeof(set[0])))
            return;
        for (size_t w = 0; w < words; w++)
            all[w] |= set[w];
    }
    for (int fd = 0; fd < (int)words * 64 && fd < limit && n < LK_OSFD_MAX_FDS; fd++)
        if (all[fd / 64] >> (fd % 64) & 1)
            fds[n++] = fd;
    set_fds(d, fds, n);
    if (n == 0 && limit <= MAX_SELECT_FDS)
        empty_set(d);
}

static void decode_epoll(struct lk_call_decode *d)
{
    int64_t fds[LK_OSFD_MAX_FDS];
    d->ret->on = LK_OS_SELECTOR;
    d->ret->fd = lk_call_int(d, 0);
    int64_t n = lk_kernel_epoll_fds(d->r, d->ret->fd, fds, LK_OSFD_MAX_FDS);
    if (n != LK_UNKNOWN)
        set_fds(d, fds, LK_MIN((size_t)n, (size_t)LK_OSFD_MAX_FDS));
}

static void decode_ring(struct lk_call_decode *d)
{
    d->ret->on = LK_OS_SELECTOR;
    if (d->call->fd >= 0)
        d->ret->fd = lk_call_int(d, d->call->fd);
}

/* ---- everything else ----------------------------------------------------------------- */

static void decode_futex(struct lk_call_decode *d)
{
    d->ret->on = LK_OS_FUTEX;
    d->ret->futex = lk_call_arg(d, 0);
}

/* struct futex_waitv { u64 val, uaddr; u32 flags, reserved }: the first of them stands for all. */
static void decode_futex_waitv(struct lk_call_decode *d)
{
    d->ret->on = LK_OS_FUTEX;
    lk_read_u64(d->r->target, lk_call_arg(d, 0) + 8, &d->ret->futex);
}

struct translation {
    int64_t inner, outer;
};

static bool matches_inner_pid(int64_t pid, void *arg)
{
    struct translation *t = arg;
    char status[4096];
    if (lk_procfs_read_of((pid_t)pid, "status", status, sizeof(status)) < 0)
        return true;
    const char *line = strstr(status, "\nNSpid:");
    if (!line)
        return true;
    char *end = strchrnul(line + 1, '\n');
    *end = '\0';
    const char *last = strrchr(line, '\t');
    if (last && strtoll(last + 1, NULL, 10) == t->inner)
        t->outer = pid;
    return t->outer == LK_UNKNOWN;
}

/* The target counts in its own pid namespace. */
static int64_t child_pid(const struct lk_call_decode *d, int64_t pid)
{
    char ours[64], theirs[64];
    if (pid <= 0 || lk_procfs_link(ours, sizeof(ours), AT_FDCWD, "/proc/self/ns/pid") < 0 ||
        lk_procfs_link(theirs, sizeof(theirs), d->r->folder.dir, "ns/pid") < 0 ||
        strcmp(ours, theirs) == 0)
        return pid;
    struct translation t = { .inner = pid, .outer = LK_UNKNOWN };
    lk_procfs_children(d->r->pid, matches_inner_pid, &t);
    return t.outer;
}

static void decode_wait4(struct lk_call_decode *d)
{
    int32_t pid = lk_call_int(d, 0);
    d->ret->on = LK_OS_CHILD;
    d->ret->child_pid = pid > 0 ? child_pid(d, pid) : -1;
}

static void decode_waitid(struct lk_call_decode *d)
{
    d->ret->on = LK_OS_CHILD;
    switch (lk_call_int(d, 0)) {
    case P_PID: d->ret->child_pid = child_pid(d, lk_call_int(d, 1)); break;
    case P_PIDFD:
        lk_descriptor_describe(d->r, lk_call_int(d, 1), d->ret);
        d->ret->on = LK_OS_CHILD;
        break;
    default: d->ret->child_pid = -1; break;
    }
}

static void decode_sleep(struct lk_call_decode *d)
{
    d->ret->on = LK_OS_TIMER;
}

static void decode_signal(struct lk_call_decode *d)
{
    d->ret->on = LK_OS_SIGNAL;
}

static void decode_sysv(struct lk_call_decode *d)
{
    d->ret->on = LK_OS_SYSV;
}

static void decode_other(struct lk_call_decode *d)
{
    d->ret->on = LK_OS_OTHER;
}

static void (*const decoders[])(struct lk_call_decode *) = {
    [LK_CALL_OTHER] = decode_other,      [LK_CALL_FUTEX] = decode_futex,
    [LK_CALL_FUTEX_WAIT] = decode_futex, [LK_CALL_FUTEX_WAITV] = decode_futex_waitv,
    [LK_CALL_READ] = decode_fd,          [LK_CALL_WRITE] = decode_fd,
    [LK_CALL_RECV] = decode_fd,          [LK_CALL_RECVMSG] = decode_fd,
    [LK_CALL_ACCEPT] = decode_fd,        [LK_CALL_CONNECT] = decode_connect,
    [LK_CALL_POLL] = decode_poll,        [LK_CALL_SELECT] = decode_select,
    [LK_CALL_EPOLL] = decode_epoll,      [LK_CALL_RING] = decode_ring,
    [LK_CALL_WAIT4] = decode_wait4,      [LK_CALL_WAITID] = decode_waitid,
    [LK_CALL_FLOCK] = decode_flock,      [LK_CALL_FCNTL] = decode_fcntl,
    [LK_CALL_SLEEP] = decode_sleep,      [LK_CALL_SIGNAL] = decode_signal,
    [LK_CALL_SYSV] = decode_sysv,        [LK_CALL_OPEN] = decode_open,
    [LK_CALL_FILE] = decode_file,        [LK_CALL_RESTART] = decode_other,
};

/* ---- calls that a stop has restarted ---------------------------------------------------- */

static bool can_be_restarted(const char *name)
{
    static const char *const names[] = { "poll", "nanosleep", "futex", "clock_nanosleep" };
    return lk_is_one_of(name, names, LK_ARRAY_LEN(names));
}

/*
 * After a stop the kernel continues timed poll, nanosleep and futex calls as restart_syscall(2),
 * with the old arguments still in the registers; its number says nothing. Which it was stands in
 * the code: the number is loaded shortly before the instruction that pc has just passed.
 */
static void restarted_call(const struct lk_call_decode *d, struct lk_syscall *call)
{
    const struct lk_arch *arch = lk_process_arch(d->r->target);
    uint8_t code[34];
    uint32_t numbers[sizeof(code)];
    if (d->f->pc < sizeof(code) ||
        !lk_read(d->r->target, d->f->pc - sizeof(code), code, sizeof(code)))
        return;
    size_t n = arch->loaded_numbers(code, sizeof(code), numbers, LK_ARRAY_LEN(numbers));
    for (size_t i = 0; i < n; i++) {
        struct lk_syscall before;
        if (lk_syscall_find(arch, numbers[i], &before) && can_be_restarted(before.name)) {
            *call = before;
            d->ret->nr = numbers[i];
            return;
        }
    }
}

static enum lk_os_call call_of(const struct lk_syscall *call)
{
    switch (call->call) {
    case LK_CALL_FUTEX: return LK_OS_CALL_FUTEX;
    case LK_CALL_READ: return LK_OS_CALL_READ;
    case LK_CALL_WRITE: return LK_OS_CALL_WRITE;
    case LK_CALL_FLOCK: return LK_OS_CALL_FLOCK;
    default: return LK_OS_CALL_OTHER;
    }
}

static void decode(struct lk_call_decode *d)
{
    d->ret->syscall = d->call->name;
    d->ret->call = call_of(d->call);
    d->ret->timeout_ms = lk_call_timeout(d);
    decoders[d->call->call](d);
    d->ret->left_ms = lk_call_time_left(d);
}

void lk_kernel_read_wait(struct lk_kernel_reader *r, const struct lk_thread_facts *f,
                         struct lk_syscall_wait *ret)
{
    struct lk_syscall call;
    struct lk_call_decode d = { .r = r, .f = f, .call = &call, .ret = ret };
    *ret = lk_syscall_wait_none;
    if (f->running || !f->syscall_known)
        return;
    if (f->nr < 0) { /* asleep, but not in a call: a page fault */
        ret->on = LK_OS_OTHER;
        return;
    }
    memcpy(ret->args, f->args, sizeof(ret->args));
    ret->nr = f->nr;
    if (!lk_syscall_find(lk_process_arch(r->target), f->nr, &call)) {
        ret->on = LK_OS_OTHER;
        ret->syscall = lk_arena_printf(r->arena, "syscall_%lld", (long long)f->nr);
        return;
    }
    if (call.call == LK_CALL_RESTART)
        restarted_call(&d, &call);
    decode(&d);
}

void lk_kernel_read_fd(struct lk_kernel_reader *r, int64_t fd, struct lk_syscall_wait *ret)
{
    static const struct lk_thread_facts nobody;
    const struct lk_syscall call = lk_syscall_named("read");
    struct lk_call_decode d = { .r = r, .f = &nobody, .call = &call, .ret = ret };
    *ret = lk_syscall_wait_none;
    ret->args[call.fd] = (uint64_t)fd;
    decode(&d);
}
