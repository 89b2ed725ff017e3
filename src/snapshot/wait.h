/* What a thread or task waits for: what the kernel says, and what the program means by it. */
#ifndef LK_SNAPSHOT_WAIT_H
#define LK_SNAPSHOT_WAIT_H

#include "snapshot/ref.h"

/** What a thread's blocking system call waits on: facts of the kernel alone. */
enum lk_os_wait {
    LK_OS_NONE = 0, /* runs, or not known */
    LK_OS_FUTEX,
    LK_OS_SOCKET,
    LK_OS_PIPE,
    LK_OS_FILE,     /* regular file, tty, device, file lock */
    LK_OS_CHILD,    /* wait4, waitid */
    LK_OS_TIMER,    /* nanosleep, select/poll without fds, timerfd */
    LK_OS_SELECTOR, /* epoll_wait, poll, select, io_uring_enter on a set of fds */
    LK_OS_EVENTFD,
    LK_OS_SIGNAL, /* pause, sigtimedwait, sigsuspend, signalfd */
    LK_OS_SYSV,   /* semop, msgrcv */
    LK_OS_OTHER,
};
/** Who holds a file lock. */
enum lk_locked_by {
    LK_LOCKED_UNKNOWN = 0,
    LK_LOCKED_SELF, /* the examined process alone */
    /* the same, but another process has that open file description too, or may have */
    LK_LOCKED_SHARED,
    LK_LOCKED_OTHER, /* another process */
};
/** Who has the other end of a connection or pipe. */
enum lk_peer_is { LK_PEER_UNKNOWN = 0, LK_PEER_OUTSIDE, LK_PEER_SELF, LK_PEER_TREE };
/** Which system call it is, where that decides. */
enum lk_os_call {
    LK_OS_CALL_OTHER = 0,
    LK_OS_CALL_FUTEX, /* futex(2) itself */
    LK_OS_CALL_READ,
    LK_OS_CALL_WRITE,
    LK_OS_CALL_FLOCK,
};
struct lk_syscall_wait {
    enum lk_os_wait on;
    enum lk_os_call call;
    const char *syscall; /* name, for reports; NULL = runs or not known */
    int64_t nr;          /* system call number, -1 = none */
    uint64_t args[6];
    lk_addr futex;            /* LK_OS_FUTEX: address of the word */
    int64_t fd;               /* LK_UNKNOWN = none */
    const char *local, *peer; /* socket addresses as text, NULL */
    enum lk_peer_is peer_is;
    bool listening; /* the socket is a listener (accept) */
    /* the socket's local port is a listener of this process: a client's connection */
    bool accepted;
    struct {
        uint64_t *v;
        size_t n, cap;
        /* LK_PEER_SELF: inodes of the sockets here one of which is the other end: the
         * accepted one, or listeners */
    } ends_at;
    /* LK_PEER_SELF: descriptor of the accepted other end; LK_UNKNOWN = not accepted yet */
    int64_t far_fd;
    int64_t peer_pid;            /* another process that holds the other end; LK_UNKNOWN */
    const char *peer_comm;       /* its name; NULL */
    bool connecting;             /* the connection has not come about yet */
    int64_t queues[2];           /* socket receive and send queue, LK_UNKNOWN */
    const char *path;            /* file, pipe, unix socket */
    enum lk_locked_by locked_by; /* the file lock it waits for */
    /* LK_LOCKED_SELF, SHARED: this process's descriptor that has it; -1 the process as a whole */
    int64_t lock_fd;
    uint64_t lock_inode;     /* of the locked file */
    const char *lock_holder; /* LK_LOCKED_OTHER: "process 4711 (name)" */
    int64_t child_pid;       /* LK_UNKNOWN; -1 any child */
    int64_t timeout_ms;      /* timeout of this call: LK_FOREVER none, LK_UNKNOWN not read */
    int64_t left_ms;         /* what is left of it, at most */
    struct {
        int64_t *v;
        size_t n, cap;
    } fds; /* the set a selector watches, bounded */
};

/** Of a thread that is in no system call, or of which nothing is known. */
extern const struct lk_syscall_wait lk_syscall_wait_none;

/** What the program waits for, as the Python (or pthread) level says it. */
enum lk_wait_kind {
    LK_WAIT_NONE = 0, /* runs, or idle in a way that needs no cause */
    LK_WAIT_UNKNOWN,  /* blocks, and on what was not found out */
    /* on: lock (mutual exclusion: Lock, RLock, pthread mutex, asyncio.Lock, file lock) */
    LK_WAIT_LOCK,
    LK_WAIT_CONDITION, /* on: lock (the Condition) : any code may notify */
    LK_WAIT_EVENT,     /* on: lock (the Event) */
    LK_WAIT_SEMAPHORE,
    LK_WAIT_BARRIER,
    LK_WAIT_QUEUE_GET, /* on: lock (the queue) */
    LK_WAIT_QUEUE_PUT,
    LK_WAIT_QUEUE_JOIN,
    LK_WAIT_FUTURE,        /* on: future or task, several with any/all */
    LK_WAIT_JOIN,          /* on: thread */
    LK_WAIT_GIL,           /* on: thread that holds it, if any */
    LK_WAIT_IMPORT,        /* on: lock (module lock) */
    LK_WAIT_SELECTOR,      /* idle in a loop's own selector; on: loop */
    LK_WAIT_EXECUTOR_IDLE, /* a pool worker without work; on: executor */
    LK_WAIT_IO,            /* on: extern */
    LK_WAIT_SLEEP,         /* on: extern timer */
    LK_WAIT_CHILD,         /* on: extern child */
    LK_WAIT_SIGNAL,
    LK_WAIT_READY, /* task only: nothing, it is in a ready queue; on: its loop */
};

/** What else is known of a wait by the function that makes it. */
enum lk_wait_trait {
    LK_WAIT_BY_WITH = 1 << 0, /* a with statement enters a lock */
    /* cancelling the waiter does not cancel what it waits for (asyncio.wait, asyncio.shield) */
    LK_WAIT_SHIELDS = 1 << 1,
    LK_WAIT_LISTENS = 1 << 2, /* waits for clients, not for an answer */
    /* a task that awaits one task itself: cancelling the waiter cancels the other one at once, and
     * does nothing else */
    LK_WAIT_DIRECT = 1 << 3,
    /* a call asks again and again: what it is in at the moment, and that system call's timeout, say
     * nothing */
    LK_WAIT_POLLS = 1 << 4,
    /* one that fails ends it, though all are waited for: a task group */
    LK_WAIT_FAILS_EARLY = 1 << 5,
    LK_WAIT_FOR_JOB = 1 << 6,        /* for the result of a job of a task queue */
    LK_WAIT_HIDES_DEADLINE = 1 << 7, /* a library keeps its deadline in C */
};

/* There is one for each task: the order leaves no holes. */
struct lk_wait {
    enum lk_wait_kind kind;
    bool any;      /* any one of `on` ends the wait (else: all are needed) */
    bool complete; /* `on` names every ender; false = other code may end it too */
    struct lk_refs on;
    /* time left: LK_FOREVER = no timeout, LK_SOMETIME = not known how much, LK_UNKNOWN = not known
     */
    int64_t timeout_ms;
    enum lk_read read;
    unsigned traits; /* enum lk_wait_trait */
    /* "Future.result()", "Lock.acquire()", "time.sleep()", ... for sentences; NULL */
    const char *call;
    /* index into the waiter's python stack of the frame that calls it (innermost = 0); -1 unknown
     */
    int frame;
    /* LK_WAIT_POLLS: a number that no other call at its place has, and how long it has lasted by
     * its own record; 0 not known */
    uint64_t call_id;
    int64_t lasted_ms;
    /* a second thing needed before the waiter goes on (Condition.wait: its lock), or none */
    struct lk_ref gate;
};

#endif
