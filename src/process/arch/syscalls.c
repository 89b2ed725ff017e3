/*
 * Where descriptor and timeout stand among the arguments: the manual page of each call, section 2.
 * The order of arguments of these is the same on all 64-bit CPUs.
 */
#include "process/arch/syscalls.h"

#include <stdlib.h>
#include <string.h>

#define BLOCKS(call_name, what, fd_arg, timeout_arg, timeout_shape)                                \
    {                                                                                              \
        .name = #call_name, .call = LK_CALL_##what, .fd = fd_arg, .timeout = timeout_arg,          \
        .shape = LK_TIMEOUT_##timeout_shape                                                        \
    }

/* sorted by name */
static const struct lk_syscall blocking[] = {
    BLOCKS(accept, ACCEPT, 0, -1, SOCKET),
    BLOCKS(accept4, ACCEPT, 0, -1, SOCKET),
    BLOCKS(clock_nanosleep, SLEEP, -1, 2, SPECIAL),
    BLOCKS(close, FILE, 0, -1, NONE),
    BLOCKS(connect, CONNECT, 0, -1, SOCKET),
    BLOCKS(copy_file_range, FILE, 0, -1, NONE),
    BLOCKS(creat, OPEN, 0, -1, NONE),
    BLOCKS(epoll_pwait, EPOLL, 0, 3, MS),
    BLOCKS(epoll_pwait2, EPOLL, 0, 3, TIMESPEC),
    BLOCKS(epoll_wait, EPOLL, 0, 3, MS),
    BLOCKS(fallocate, FILE, 0, -1, NONE),
    BLOCKS(fcntl, FCNTL, 0, -1, NONE),
    BLOCKS(fdatasync, FILE, 0, -1, NONE),
    BLOCKS(flock, FLOCK, 0, -1, NONE),
    BLOCKS(fstat, FILE, 0, -1, NONE),
    BLOCKS(fsync, FILE, 0, -1, NONE),
    BLOCKS(ftruncate, FILE, 0, -1, NONE),
    BLOCKS(futex, FUTEX, -1, 3, SPECIAL),
    BLOCKS(futex_wait, FUTEX_WAIT, -1, 4, SPECIAL),
    BLOCKS(futex_waitv, FUTEX_WAITV, -1, 3, SPECIAL),
    BLOCKS(getdents, FILE, 0, -1, NONE),
    BLOCKS(getdents64, FILE, 0, -1, NONE),
    BLOCKS(io_getevents, RING, -1, 4, TIMESPEC),
    BLOCKS(io_pgetevents, RING, -1, 4, TIMESPEC),
    BLOCKS(io_uring_enter, RING, 0, -1, SPECIAL),
    BLOCKS(ioctl, FILE, 0, -1, NONE),
    BLOCKS(lseek, FILE, 0, -1, NONE),
    BLOCKS(mq_timedreceive, SYSV, -1, 4, REALTIME),
    BLOCKS(mq_timedsend, SYSV, -1, 4, REALTIME),
    BLOCKS(msgrcv, SYSV, -1, -1, NONE),
    BLOCKS(msgsnd, SYSV, -1, -1, NONE),
    BLOCKS(nanosleep, SLEEP, -1, 0, TIMESPEC),
    BLOCKS(open, OPEN, 0, -1, NONE),
    BLOCKS(openat, OPEN, 1, -1, NONE),
    BLOCKS(openat2, OPEN, 1, -1, NONE),
    BLOCKS(pause, SIGNAL, -1, -1, NONE),
    BLOCKS(poll, POLL, -1, 2, MS),
    BLOCKS(ppoll, POLL, -1, 2, TIMESPEC),
    BLOCKS(pread64, READ, 0, -1, NONE),
    BLOCKS(preadv, READ, 0, -1, NONE),
    BLOCKS(preadv2, READ, 0, -1, SOCKET),
    BLOCKS(pselect6, SELECT, -1, 4, TIMESPEC),
    BLOCKS(pwrite64, WRITE, 0, -1, NONE),
    BLOCKS(pwritev, WRITE, 0, -1, NONE),
    BLOCKS(pwritev2, WRITE, 0, -1, SOCKET),
    BLOCKS(read, READ, 0, -1, SOCKET),
    BLOCKS(readahead, FILE, 0, -1, NONE),
    BLOCKS(readv, READ, 0, -1, SOCKET),
    BLOCKS(recvfrom, RECV, 0, -1, SOCKET),
    BLOCKS(recvmmsg, READ, 0, -1, SOCKET),
    BLOCKS(recvmsg, RECVMSG, 0, -1, SOCKET),
    BLOCKS(restart_syscall, RESTART, -1, -1, SPECIAL),
    BLOCKS(rt_sigsuspend, SIGNAL, -1, -1, NONE),
    BLOCKS(rt_sigtimedwait, SIGNAL, -1, 2, TIMESPEC),
    BLOCKS(select, SELECT, -1, 4, TIMEVAL),
    BLOCKS(semop, SYSV, -1, -1, NONE),
    BLOCKS(semtimedop, SYSV, -1, 3, TIMESPEC),
    BLOCKS(sendfile, WRITE, 0, -1, SOCKET),
    BLOCKS(sendmmsg, WRITE, 0, -1, SOCKET),
    BLOCKS(sendmsg, WRITE, 0, -1, SOCKET),
    BLOCKS(sendto, WRITE, 0, -1, SOCKET),
    BLOCKS(splice, READ, 0, -1, NONE),
    BLOCKS(sync_file_range, FILE, 0, -1, NONE),
    BLOCKS(syncfs, FILE, 0, -1, NONE),
    BLOCKS(tee, READ, 0, -1, NONE),
    BLOCKS(vmsplice, WRITE, 0, -1, NONE),
    BLOCKS(wait4, WAIT4, -1, -1, NONE),
    BLOCKS(waitid, WAITID, -1, -1, NONE),
    BLOCKS(write, WRITE, 0, -1, SOCKET),
    BLOCKS(writev, WRITE, 0, -1, SOCKET),
};

static int by_name(const void *name, const void *row)
{
    return strcmp(name, ((const struct lk_syscall *)row)->name);
}

struct lk_syscall lk_syscall_named(const char *name)
{
    const struct lk_syscall *row =
        bsearch(name, blocking, LK_ARRAY_LEN(blocking), sizeof(blocking[0]), by_name);
    return row ? *row : (struct lk_syscall){ .name = name, .fd = -1, .timeout = -1 };
}

bool lk_syscall_find(const struct lk_arch *arch, int64_t nr, struct lk_syscall *ret)
{
    if (nr < 0 || (uint64_t)nr >= arch->n_syscalls || !arch->syscalls[nr])
        return false;
    *ret = lk_syscall_named(arch->syscalls[nr]);
    return true;
}
