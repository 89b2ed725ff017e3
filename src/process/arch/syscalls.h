/*
 * The system calls that block, by name, since their numbers differ from CPU to CPU: what they wait
 * on, where their descriptor and timeout stand among the arguments.
 */
#ifndef LK_PROCESS_ARCH_SYSCALLS_H
#define LK_PROCESS_ARCH_SYSCALLS_H

#include "process/arch/arch.h"

/** What kind of wait a call is; says which further arguments syscall_wait.c looks at. */
enum lk_call {
    LK_CALL_OTHER = 0,   /* only its name is of use */
    LK_CALL_FUTEX,       /* futex(2): uaddr, op, val, timeout */
    LK_CALL_FUTEX_WAIT,  /* futex_wait(2): uaddr, val, mask, flags, timeout, clock */
    LK_CALL_FUTEX_WAITV, /* futex_waitv(2): waiters, n, flags, timeout, clock */
    LK_CALL_READ,        /* one descriptor, until something can be taken from it */
    LK_CALL_WRITE,       /* one descriptor, until something fits */
    LK_CALL_RECV,        /* recvfrom: flags in argument 3 */
    LK_CALL_RECVMSG,     /* recvmsg: flags in argument 2 */
    LK_CALL_ACCEPT,
    LK_CALL_CONNECT, /* fd, address, length */
    LK_CALL_POLL,    /* pollfd array, its length */
    LK_CALL_SELECT,  /* n, read, write and exception set */
    LK_CALL_EPOLL,   /* epoll descriptor */
    LK_CALL_RING,    /* io_uring_enter, io_getevents */
    LK_CALL_WAIT4,   /* pid */
    LK_CALL_WAITID,  /* idtype, id */
    LK_CALL_FLOCK,   /* flock(2) */
    LK_CALL_FCNTL,   /* fcntl(2), blocking with two commands only */
    LK_CALL_SLEEP,   /* nothing but time */
    LK_CALL_SIGNAL,
    LK_CALL_SYSV, /* System V semaphores and message queues, POSIX message queues */
    LK_CALL_OPEN, /* the path is the argument in `fd` */
    LK_CALL_FILE, /* fsync and others that wait for a file's device */
    /* restart_syscall(2): whatever call it was before a signal or a stop, same arguments */
    LK_CALL_RESTART,
};

enum lk_timeout_shape {
    LK_TIMEOUT_NONE = 0, /* waits as long as it takes */
    LK_TIMEOUT_MS,       /* int, milliseconds, negative = none */
    LK_TIMEOUT_TIMESPEC, /* pointer to a relative struct timespec, NULL = none */
    LK_TIMEOUT_TIMEVAL,  /* the same with struct timeval */
    /* pointer to an absolute struct timespec of CLOCK_REALTIME, NULL = none */
    LK_TIMEOUT_REALTIME,
    LK_TIMEOUT_SPECIAL, /* depends on other arguments: syscall_wait.c */
    LK_TIMEOUT_SOCKET,  /* SO_RCVTIMEO or SO_SNDTIMEO of the descriptor */
};

struct lk_syscall {
    const char *name;
    enum lk_call call;
    int8_t fd;      /* argument that holds the descriptor, -1 none */
    int8_t timeout; /* argument that holds the timeout, -1 none */
    enum lk_timeout_shape shape;
};

/** False for a number that is no system call of that CPU, as far as it is known here. */
bool lk_syscall_find(const struct lk_arch *arch, int64_t nr, struct lk_syscall *ret);
/** One of any name: LK_CALL_OTHER when it is none of those that block. */
struct lk_syscall lk_syscall_named(const char *name);

#endif
