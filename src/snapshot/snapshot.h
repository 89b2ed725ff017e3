/*
 * The snapshot: what was seen of one process, as plain data. Readers (target, unwind,
 * python, native) fill it through snapshot/builder.h; graph, rules and reports read it.
 * It names no reader, holds no handle and no pointer into a target: all memory belongs
 * to its arena. "Unknown" is never 0 or none: where both exist there is a separate
 * encoding (LK_UNKNOWN for int64_t counts and times, LK_TRI_UNKNOWN for flags).
 *
 * A snapshot describes the LAST sample; what earlier samples say about the same
 * entities is condensed into `stable`, `moved` and `stuck_ms`.
 */
#ifndef LK_SNAPSHOT_SNAPSHOT_H
#define LK_SNAPSHOT_SNAPSHOT_H

#include "util/arena.h"
#include "util/vec.h"

#define LK_UNKNOWN INT64_MIN /* an int64_t that is not known */
#define LK_FOREVER INT64_MAX /* a timeout that does not exist */

enum lk_tri { LK_NO = 0, LK_YES = 1, LK_TRI_UNKNOWN = -1 };

/** How a fact was read: its owner was stopped, slept before and after unmoved, or may have run
 * meanwhile. */
enum lk_read { LK_READ_RACY = 0, LK_READ_ASLEEP, LK_READ_STOPPED };

/** A reference to an entity of this snapshot: a kind and an index into its array. */
enum lk_kind {
    LK_KIND_NONE = 0,
    LK_KIND_THREAD,   /* threads[] */
    LK_KIND_LOOP,     /* loops[] */
    LK_KIND_TASK,     /* tasks[] */
    LK_KIND_FUTURE,   /* futures[] : asyncio (not tasks) and concurrent */
    LK_KIND_LOCK,     /* locks[] : every thing that threads or tasks synchronise on */
    LK_KIND_EXECUTOR, /* executors[] */
    LK_KIND_EXTERN,   /* externs[] : peer, timer, child process, file, user input, ... */
};
struct lk_ref {
    enum lk_kind kind;
    uint32_t index;
};
struct lk_refs {
    struct lk_ref *v;
    size_t n, cap;
};

/** One thing that could not be read. */
struct lk_limit {
    const char *text;           /* one sentence, for users */
    struct lk_ref entity;       /* whose it is, of several the first; LK_KIND_NONE: of none */
    struct lk_failed_read read; /* the first read that failed; size 0 with an errno: it was no read
                                   of memory, size 0 without one: nothing is known of it */
};

/* ---- frames -------------------------------------------------------------------------- */

/** Whose code a Python frame is; set by lk_classify (diagnose/catalog/classify.h), LK_CODE_UNSET
 * before. */
enum lk_code_class {
    LK_CODE_UNSET = 0,
    LK_CODE_USER,
    LK_CODE_STDLIB,
    LK_CODE_FRAMEWORK,
    LK_CODE_LAUNCHER
};

/** One Python code object, shared by all frames that run it. Strings are clean (text.h). */
struct lk_code {
    lk_addr addr;
    const char *function; /* co_name */
    const char *qualname; /* co_qualname; = function before 3.11 */
    const char *file;     /* co_filename, as the target has it */
    int firstlineno;
    bool is_coroutine;                       /* CO_COROUTINE or CO_ASYNC_GENERATOR in co_flags */
    bool mentions_release, mentions_acquire; /* co_names holds these words */
    bool mentions_serve;                     /* ... or one that opens a server's socket */
    enum lk_code_class cls;
    bool site;      /* below site-packages or dist-packages */
    unsigned marks; /* what a frame of it means (diagnose/catalog/frames.h); set by lk_classify */
    /* a blocking call: its name for sentences, NULL its qualname; set by lk_classify */
    const char *call;
};

struct lk_pyframe {
    const struct lk_code *code;
    int line;           /* current line; 0 = not known */
    const char *source; /* that line's text, clean; NULL = not read */
    uint32_t lasti;     /* instruction offset, for progress only */
};

/** A stack, innermost first. Equal stacks are one object: compare pointers to fold. */
struct lk_pystack {
    uint32_t n;
    bool truncated;
    struct lk_pyframe *frames;
};

struct lk_natframe {
    const char *function; /* demangled; NULL = no symbol */
    const char *module;   /* file name without folders */
    const char *module_path;
    /* of the pc in the module's file-relative address space (pc - load bias) */
    uint64_t offset;
    uint64_t func_offset; /* pc - start of function */
    const char *build_id; /* hex; NULL */
    const char *file;     /* NULL without debug information */
    int line;
    const char *source; /* that line's text, clean; NULL = not read */
    bool system;        /* libc, ld.so, libpthread, libpython / python executable, vdso */
    bool inlined;       /* into the frame behind it: the same pc, a function of the source */
};
struct lk_natstack {
    uint32_t n;
    bool truncated; /* the unwind stopped before the outermost frame */
    bool has_lines; /* file:line and inlined functions were looked for */
    struct lk_natframe *frames;
};

/* ---- waits --------------------------------------------------------------------------- */

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
struct lk_syscall_wait {
    enum lk_os_wait on;
    const char *syscall; /* name; NULL = runs or not known */
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
    LK_WAIT_FOR_JOB = 1 << 5, /* for the result of a job of a task queue */
};

/* There is one for each task: the order leaves no holes. */
struct lk_wait {
    enum lk_wait_kind kind;
    bool any;      /* any one of `on` ends the wait (else: all are needed) */
    bool complete; /* `on` names every ender; false = other code may end it too */
    struct lk_refs on;
    int64_t timeout_ms; /* time left: LK_FOREVER = no timeout, LK_UNKNOWN = not known */
    enum lk_read read;
    unsigned traits; /* enum lk_wait_trait */
    /* "Future.result()", "Lock.acquire()", "time.sleep()", ... for sentences; NULL */
    const char *call;
    /* index into the waiter's python stack of the frame that calls it (innermost = 0); -1 unknown
     */
    int frame;
    uint32_t n_callees;
    /* functions made in C that the innermost frame may be calling: "module:name", "symbol" (ctypes)
     */
    const char *callees[4];
    /* LK_WAIT_POLLS: a number that no other call at its place has, and how long it has lasted by
     * its own record; 0 not known */
    uint64_t call_id;
    int64_t lasted_ms;
    /* a second thing needed before the waiter goes on (Condition.wait: its lock), or none */
    struct lk_ref gate;
};

/* ---- entities ------------------------------------------------------------------------ */

enum lk_role { LK_ROLE_OTHER = 0, LK_ROLE_LOOP, LK_ROLE_REQUEST, LK_ROLE_EXECUTOR };

struct lk_thread {
    const char *id; /* "t4711" */
    int64_t tid;
    const char *name; /* Python's name if it has one, else comm */
    const char *comm;
    bool main;
    char kstate;    /* R S D T t Z X I of /proc stat */
    bool running;   /* was running (not in a system call) when looked at */
    int unread;     /* errno: in which call it sleeps could not be read; 0 */
    bool python;    /* has a Python thread state */
    uint64_t ident; /* pthread_t as Python sees it; 0 unknown */
    lk_addr tstate;
    enum lk_read read;
    enum lk_role role; /* set by lk_classify */
    bool in_request;   /* a request is being served on this stack; set by lk_classify */
    bool holds_gil;
    struct lk_wait wait;
    struct lk_syscall_wait os;
    lk_addr sp;                      /* stack pointer of the call it sleeps in; 0 not known */
    struct lk_pystack *python_stack; /* never NULL; n = 0 for none */
    /* main thread of a forked process: the parent's frames outside of the one that forked; NULL */
    struct lk_pystack *before_fork;
    struct lk_natstack *native_stack;
    /* loops this stack drives (run_forever / _run_once self), innermost first */
    const struct lk_ref *frame_loops;
    size_t n_frame_loops;
    /* future or task that the innermost run_until_complete on this stack runs its loop for; none:
     * run_forever or not known */
    struct lk_ref drives;
    struct lk_ref running_loop; /* the runtime's running-loop record */
    struct lk_ref current_task; /* task whose step is on this stack */
    struct lk_ref works_for;    /* executor whose worker this is */
    struct lk_ref works_on;     /* future of the work item it runs now */
    struct lk_ref inside_cst;   /* loop whose call_soon_threadsafe is on this stack */
    struct lk_refs holds;       /* locks */
    /* it waits for a file lock of its own process: threads whose frames name the file that has it
     */
    struct lk_refs lock_users;
    /* descriptors of sockets that its frames or its loop have at hand; only read where a thread */
    const int64_t *sockets;
    /* waits for a connection to this process that nobody has accepted */
    size_t n_sockets;
    bool sockets_complete;
    /* times it was given a CPU (schedstat pcount) or context switches */
    uint64_t switches;
    uint64_t cpu_us;       /* CPU time used so far */
    uint64_t cpu_delta_us; /* CPU time used between first and last sample */
    /* since when it has not run, by the scheduler's record; LK_UNKNOWN */
    int64_t off_cpu_ms;
    /* only other processes can end its wait, and none of them can act before this process does */
    bool no_answer;
    /* the outer half of its stack was the same in all samples: one long callback, not many short
     * ones */
    bool callback_stable;
    size_t outer_frames_same; /* outermost Python frames at the same instruction in all samples */
    bool stable;              /* same position in all samples: frames, instructions, wait */
    bool moved;               /* progress was seen between samples or while watching */
    int64_t stuck_ms;         /* LK_UNKNOWN = moves or not known */
    bool stuck_by_scheduler;
    uint64_t digest; /* position, for progress */
};

/** A Python thread that ran while it was read and was not stopped: its frames were left alone. */
static inline bool lk_thread_is_unread(const struct lk_thread *t)
{
    return t->python && t->running && t->read == LK_READ_RACY && !t->python_stack->n;
}

/** It sleeps in a call that could not be read, and nobody held it: its wait is not known. */
static inline bool lk_wait_is_unread(const struct lk_thread *t)
{
    return t->unread && t->read != LK_READ_STOPPED;
}

enum lk_loop_run {
    LK_LOOP_RUNNING = 0,
    LK_LOOP_STOPPED,
    LK_LOOP_NEVER_RUN,
    LK_LOOP_CLOSED,
    LK_LOOP_LOST_IN_FORK,
    LK_LOOP_UNKNOWN
};

/** A callback in a loop's ready queue or timer heap. */
struct lk_handle {
    lk_addr addr;
    const char *callback;     /* qualified name */
    struct lk_pyframe *frame; /* its function's first line; NULL for C functions */
    enum lk_tri cancelled;
    struct lk_ref task;    /* the task whose step or wake-up it is */
    struct lk_ref creates; /* concurrent future whose task this handle will create */
    int64_t when_ms;       /* timers: from now */
    bool stable;           /* in the queue in all samples */
};

/** What led to a loop first. */
enum lk_found_by {
    LK_FOUND_UNKNOWN = 0,
    LK_FOUND_RUNNING, /* the record, or the frames, of the thread that runs it */
    LK_FOUND_TASK,    /* a task, future or lock on it */
    LK_FOUND_FRAME,   /* a local variable */
    LK_FOUND_MODULE,  /* a module's global */
    LK_FOUND_HEAP,    /* a walk over all objects: nothing else led to it */
    LK_FOUND_HANDLE,  /* a callback scheduled on it */
};

struct lk_loop {
    const char *id; /* "o1" */
    lk_addr addr;
    const char *kind;      /* name for reports: "asyncio", ... */
    uint64_t kind_id;      /* equal where the kind is */
    bool driven_in_python; /* the thread that runs it has Python frames that say so */
    const char *cls;       /* class name */
    struct lk_ref thread;  /* that runs it, or last ran it and is alive */
    enum lk_loop_run run;
    enum lk_tri closed, stopping;
    uint64_t thread_ident; /* _thread_id; 0 none */
    int64_t ready, timers; /* counts; LK_UNKNOWN */
    int64_t next_timer_ms; /* LK_UNKNOWN = none or not known */
    int64_t tasks_pending;
    struct lk_handle *handles; /* first ready handles, bounded */
    size_t n_handles;
    struct lk_handle *timer_handles;
    size_t n_timer_handles;
    bool timers_unread; /* not all timers could be read: one of them may do anything */
    int64_t epoll_fd, wakeup_read_fd, wakeup_write_fd; /* LK_UNKNOWN */
    int64_t wakeup_unread;                             /* unread bytes in the self-pipe */
    int64_t watched_fds;                               /* fds registered beside the self-pipe */
    /* its thread is inside its selector's wait (kernel), not waiting for the GIL */
    enum lk_tri in_own_selector;
    enum lk_tri reachable; /* some live thread's frame, or a module global, has it in reach */
    enum lk_found_by found_by;
    const char *origin; /* where it came from if that can be told (module.name), for LK205 */
    enum lk_read read;
    struct lk_ref ready_task; /* not used when none */
    /* The callback that its thread runs now. A turn (one _run_once) runs the callbacks that were
     * ready when it began. */
    /* identity of the callback: the moment the turn began, and its place in it; 0 = idle or not
     * known */
    uint64_t turn;
    int64_t turn_ms; /* how long the turn has lasted; LK_UNKNOWN */
    /* the callback is the first of its turn, so it has run for all of turn_ms */
    bool turn_first;
    bool callback_same;     /* the same callback in all samples */
    int64_t callback_ms;    /* for how long, at least, the callback has run; LK_UNKNOWN */
    bool stable;            /* thread, flags and first ready handle same in all samples */
    bool ready_same_head;   /* same uncancelled first handle in all samples */
    struct lk_ref executor; /* its default executor */
    bool framework_owned;   /* created by a declared framework bridge; set by lk_classify */
};

enum lk_task_state { LK_TASK_PENDING = 0, LK_TASK_RUNNING, LK_TASK_DONE, LK_TASK_CANCELLED };

/** What a task is made of. */
enum lk_task_kind { LK_TASK_COROUTINE = 0, LK_TASK_GREENLET };

struct lk_task {
    const char *id; /* "k7" */
    lk_addr addr;
    const char *name;
    struct lk_ref loop;
    enum lk_task_state state;
    bool started;
    bool ready; /* a step or wake-up of it is in its loop's ready queue */
    bool must_cancel;
    uint8_t kind; /* enum lk_task_kind */
    const char *coroutine;
    struct lk_pystack *stack; /* await chain, innermost first */
    struct lk_wait wait;
    struct lk_ref run_by; /* thread on whose stack its step is, while RUNNING */
    struct lk_ref thread; /* greenlet: the only one that can go on with it; none = not known */
    bool first;           /* greenlet: the one that its thread began with */
    struct lk_refs holds;
    /* what it awaits that another loop's code completes: its future or task, or a primitive */
    struct lk_ref crosses;
    struct lk_ref crosses_loop; /* that other loop; none when it awaits nothing of that kind */
    bool crosses_done;          /* it is done: only the wake-up of its own loop is missing */
    enum lk_read read;
    bool stable;
    /* for how long it was seen in the same wait; LK_UNKNOWN in one sample only, or not in a wait */
    int64_t stuck_ms;
    /* read like this while its thread stood still, in this sample or in an earlier one */
    bool confirmed;
    uint64_t salt; /* tells one wait for the outside from the next one at the same place; 0 none */
};

enum lk_future_state {
    LK_FUTURE_PENDING = 0,
    LK_FUTURE_RUNNING,
    LK_FUTURE_DONE,
    LK_FUTURE_CANCELLED,
    LK_FUTURE_STATE_UNKNOWN
};

/** By what a future gets its result, where its mechanism is known. */
enum lk_future_origin {
    LK_ORIGIN_UNKNOWN = 0,
    LK_ORIGIN_RUN_COROUTINE_THREADSAFE,
    LK_ORIGIN_EXECUTOR,
    LK_ORIGIN_GATHER,
    LK_ORIGIN_WAIT,
    LK_ORIGIN_WAIT_FOR,
    LK_ORIGIN_SHIELD,
    LK_ORIGIN_WRAP_FUTURE,
    LK_ORIGIN_SLEEP,
    LK_ORIGIN_TASK_GROUP,
    LK_ORIGIN_AS_COMPLETED,
    LK_ORIGIN_TIMER,
    LK_ORIGIN_CHAIN,
    LK_ORIGIN_CALLBACK, /* of the program's own */
    LK_ORIGIN_ASYNC_TO_SYNC,
    LK_ORIGIN_BLOCKING_PORTAL,
    LK_ORIGIN_SHUTDOWN_DEFAULT_EXECUTOR,
    LK_N_ORIGINS
};

struct lk_future {
    const char *id; /* "f1" */
    lk_addr addr;
    bool concurrent; /* concurrent.futures, else asyncio */
    const char *cls;
    enum lk_future_state state;
    struct lk_ref loop; /* asyncio: its loop; concurrent: loop it was scheduled on, if found */
    /* task, thread (runs its work item), executor (queued there), loop (a ready handle), extern
     * (timer), future */
    struct lk_refs enders;
    bool all;           /* all enders are needed (gather, wait ALL_COMPLETED); else any one */
    bool enders_sought; /* reading: they were looked for */
    bool enders_cut;    /* reading: the search for them was ended */
    bool enders_likely; /* code of the program's own that has the future at hand; other code may too
                         */
    bool enders_complete;
    bool job_lost; /* the worker process that had its job has ended: nobody will complete it */
    enum lk_future_origin origin;
    enum lk_read read;
    bool stable;
    bool confirmed; /* as of a task */
};

enum lk_owner_by { LK_OWNER_NONE = 0, LK_OWNER_FIELD, LK_OWNER_VALUE_STACK, LK_OWNER_FREE };

struct lk_lock {
    const char *id; /* "l1" */
    lk_addr addr;
    /* "threading.Lock", "threading.RLock", "queue.Queue", "pthread_mutex", "asyncio.Lock", "file
     * lock", ... */
    const char *kind;
    /* mutual exclusion with one holder: waits on it end when the owner releases */
    bool mutex;
    bool plain; /* a threading.Lock: its holder that takes it again waits as well, other than for a
                   threading.RLock */
    enum lk_tri locked;
    struct lk_refs owners; /* thread or task; empty = none known */
    enum lk_owner_by owner_by;
    bool owner_certain; /* the owner is proven, not merely probable */
    /* its holder was a thread of the parent process: nobody here can release it */
    bool lost_in_fork;
    /* its recorded owner was a thread of this process that has ended: nobody else may release it */
    bool owner_gone;
    /* held by the process, not by one of its threads: any of them may release it */
    bool of_process;
    /* its kind records no holder: any thread of the process may release it */
    bool unowned;
    /* no known owner: who is in the midst of code that would end the wait; never all there may be,
     * but where units_all says so */
    struct lk_refs likely_enders;
    const char *likely_for; /* words for an edge from the lock to them */
    /* thread that will end the wait for this one thing and go on to another: it has it as its work
     */
    struct lk_ref worked_on_by;
    bool units_known;   /* Semaphore: they are those who hold its units */
    bool units_all;     /* ... each of them, and nobody else may give one back */
    int64_t units_held; /* ... by `with` */
    /* whoever could end the wait for it was looked for, and not found; nor is it known that there
     * is none */
    bool nobody_found;
    bool lent; /* a queue of things that are lent: who gets one is to put it back */
    struct lk_refs waiters;
    struct lk_ref inner; /* Condition: its lock; queue: its mutex */
    struct lk_ref loop;  /* asyncio primitives: loop they are bound to */
    enum lk_read read;
    bool stable;
    bool set; /* Event: flag; Semaphore: value > 0; queue: not empty */
};

/** One work item still in an executor's queue. */
struct lk_item {
    struct lk_ref future;
    const char *function;
    int64_t fd; /* of the connection it is given to serve; LK_UNKNOWN */
};

struct lk_executor {
    const char *id; /* "x1" */
    lk_addr addr;
    const char *kind; /* "ThreadPoolExecutor", ... */
    struct lk_refs workers;
    int64_t max_workers, queued;
    struct lk_item *items; /* bounded */
    size_t n_items;
    enum lk_tri shutdown;
    bool lost_in_fork; /* its worker threads exist only in the parent process */
    enum lk_read read;
};

enum lk_extern_kind {
    LK_EXT_OUTSIDE = 0,
    LK_EXT_TIMER,
    LK_EXT_CHILD,
    LK_EXT_FILE,
    LK_EXT_SELF_LISTENER,
    LK_EXT_UNKNOWN
};

/** What a child process does for which somebody waits; the more, the likelier its result comes. */
enum lk_child_does {
    LK_CHILD_UNKNOWN = 0,
    LK_CHILD_STANDS, /* each of its threads waits for what may never come */
    LK_CHILD_WAITS,  /* for a timer, for clients, for a connection, or it ran a moment ago */
    LK_CHILD_RUNS,
};

/** Something outside this process (or a timer) that ends a wait. */
struct lk_extern {
    const char *id; /* "e1" */
    enum lk_extern_kind kind;
    const char *text; /* "10.0.0.7:5432", "timer", "child 4712", "/var/lock/x" */
    int64_t in_ms;    /* timers: time left */
    /* LK_EXT_CHILD: of several, of the one that does most */
    enum lk_child_does child;
    bool pool; /* LK_EXT_CHILD: of a process pool, which works its items off */
    /* LK_EXT_OUTSIDE: a client, or whoever connects: an accepted connection, a listener */
    bool client;
    /* LK_EXT_OUTSIDE: for how long no data has come or gone on that connection; LK_UNKNOWN */
    int64_t quiet_ms;
    /* LK_EXT_CHILD: it is blocked writing to this pipe, whose reading end this process has; NULL */
    const char *fills;
};

/** What a process does that holds a socket of the examined one too. */
enum lk_share {
    LK_SHARE_UNKNOWN = 0, /* may come to serve it */
    LK_SHARE_SERVES,      /* a thread of it accepts, reads or polls */
    /* all its requests wait, without a timeout, for an answer from the same socket */
    LK_SHARE_WAITS,
    /* a parent: it has no request, and its threads wait for events, none of which is a connection
       there */
    LK_SHARE_IDLE,
};
struct lk_sharer {
    int64_t pid;
    const char *comm;
    enum lk_share does;
    bool examined; /* in the same run */
};

/** A socket of this process that others connect to, or an accepted connection whose client is this
 * process too. */
struct lk_listener {
    uint64_t inode;
    bool listening;
    const char *address; /* NULL */
    struct {
        int64_t *v;
        size_t n, cap;
    } fds;         /* its descriptors here */
    int64_t queue; /* listening: connections that wait to be accepted; LK_UNKNOWN */
    /* YES: no other process holds it. Only looked for where a thread waits for it */
    enum lk_tri alone;
    struct {
        struct lk_sharer *v;
        size_t n, cap;
    } sharers;
};

struct lk_child {
    int64_t pid;
    const char *comm;
    int64_t threads;
    enum lk_child_does does; /* only asked where the process ends, and may wait for it */
};

/** A thread's wait that another process of the same run can end; set after all of them were
 * examined. */
struct lk_cross_wait {
    uint32_t thread;
    /* of the process that can end it; this one's own id: a descriptor of its own */
    int64_t pid;
    const char *what;  /* "child process 4712", "process 4712, which reads pipe:[123]" */
    struct lk_ref via; /* the extern that the thread waits for */
    /* what that process itself waits for, when it cannot act before this one: "its thread x blocks
     * in write() ..." */
    const char *waits;
    /* of a write to a pipe that only that process reads: its thread that waits for this process to
     * end, though others of it could act; NULL */
    const char *awaits;
    int64_t verdict;     /* of that process (diagnose/rules/rules.h, enum lk_verdict) */
    const char *finding; /* its worst finding in words; NULL */
    bool by_locks;       /* a wait for a file lock, in a ring of such waits only */
    /* all threads of both processes slept on, unchanged, when the last process had been examined */
    bool verified;
};

/** By what somebody has a task or future at hand. */
enum lk_hand {
    LK_HAND_FRAME = 0,    /* a variable of a thread's or suspended task's frames */
    LK_HAND_TIMER,        /* what a loop's timer calls */
    LK_HAND_TIMER_CANCELS /* ... which is known to do nothing but cancel it */
};

/**
 * Who has a task or future at hand that can be part of a ring of waits (read/loops/ring.c), and so
 * may end its wait.
 */
struct lk_at_hand {
    /* the task or future; none: what the timer's callback has at hand is not known, it may be any
     */
    struct lk_ref what;
    struct lk_ref by; /* thread or task; of a timer its loop */
    enum lk_hand hand;
    int64_t in_ms;        /* timers: when it is due */
    const char *callback; /* timers: qualified name, "" unknown */
};

struct lk_sample {
    int64_t at_ms, pause_us;
    int64_t stopped, asleep;
    int64_t *moved_tids;
    size_t n_moved;
};

/** Facts found from /proc before any ptrace (LK501). NULL / 0 = not the case. */
struct lk_process_halt {
    bool job_stopped; /* state T */
    int64_t tracer_pid;
    const char *tracer_comm;
    bool frozen;            /* cgroup freezer */
    bool zombie, main_gone; /* leader is a zombie while threads live */
    double throttled_share; /* of the periods while watched, 0..1 */
    int64_t throttled_ms;
    int64_t d_state;     /* threads in uninterruptible sleep, in every sample */
    const char *d_where; /* kernel function or system call of the first of them */
};

/** Language runtimes; of Python alone are the stacks read. */
enum lk_runtime {
    LK_RUNTIME_UNKNOWN = 0,
    LK_RUNTIME_PYTHON,
    LK_RUNTIME_PYPY,
    LK_RUNTIME_JVM,
    LK_RUNTIME_GO,
    LK_RUNTIME_NODE,
    LK_RUNTIME_DOTNET,
    LK_RUNTIME_RUBY,
    LK_RUNTIME_NATIVE,
};

struct lk_python {
    bool present;
    const char *version; /* "3.11.2"; NULL = not known */
    const char *build;   /* "release" | "debug" */
    enum lk_tri free_threaded;
    bool frames_read;    /* threads, loops and tasks could be read to the end */
    const char *why_not; /* present but not read: one sentence */
    bool passing;        /* ... since its interpreter is just being set up or taken down */
    /* folder(s) of the standard library, from the target: ':'-separated; NULL */
    const char *stdlib;
};

/** What a process that waits for its children is. */
enum lk_supervisor_kind {
    LK_SUPERVISOR_PROGRAM = 0, /* starts another program; known by its own name: sudo, tini */
    LK_SUPERVISOR_SHELL,       /* that runs a command or script */
    LK_SUPERVISOR_SESSION,     /* a shell at which somebody types: what it starts is anything */
    LK_SUPERVISOR_MASTER,      /* of workers */
    LK_SUPERVISOR_OF_SERVERS,  /* starts servers, and starts them again: a reloader */
};

/** One row of what is known of supervisors; static. */
struct lk_supervisor {
    enum lk_supervisor_kind kind;
    const char *name;  /* "gunicorn master", "flask --debug reloader", "shell", "sudo", ... */
    const char *child; /* what a child of it is: "gunicorn worker"; NULL: anything */
};

struct lk_snapshot {
    struct lk_arena *arena;
    /* target */
    int64_t pid, uid, ppid;
    bool not_examined; /* it stands in its set only to say so, and why: among the limits */
    bool forked;       /* a copy of its parent: forked, and no exec since */
    const char *comm, *exe, *host, *boot_id, *start_time, *container, *taken_at;
    char **cmdline; /* redacted, clean */
    size_t n_cmdline;
    const char *cwd;
    struct {
        struct lk_child *v;
        size_t n, cap;
    } children;
    const struct lk_supervisor *supervisor; /* NULL: it is none */
    bool children_examined; /* the children are (or will be) examined in the same run: --tree */
    int64_t supervisor_timeout_ms; /* gunicorn --timeout that kills a hung worker; LK_UNKNOWN */
    /* PYTEST_CURRENT_TEST of its environment, nothing else of which is kept; NULL */
    const char *test_env;
    /* a handler of its own may run (other than for the interrupt key and for crashes) */
    enum lk_tri handles_signals;
    uint64_t caught_signals; /* those: bit n - 1 for signal n */
    /* one of them is the program's own, and may end a wait: not a library's, nor one that only logs
     * or exits; as handles_signals where handlers cannot be read */
    enum lk_tri own_handlers;
    /* SIGALRM has a handler, with which code of its own bounds waits of the main thread */
    enum lk_tri handles_alarm;
    /* the process itself has set it since it began: it runs that test; else it inherited it */
    bool test_env_own;
    enum lk_runtime runtime; /* of its main language */
    struct lk_python python;
    struct lk_process_halt stop;
    int64_t epoll_fds; /* number of epoll descriptors; LK_UNKNOWN */
    /* entities */
    struct {
        struct lk_thread *v;
        size_t n, cap;
    } threads;
    struct {
        struct lk_loop *v;
        size_t n, cap;
    } loops;
    struct {
        struct lk_task *v;
        size_t n, cap;
    } tasks;
    struct {
        struct lk_future *v;
        size_t n, cap;
    } futures;
    struct {
        struct lk_lock *v;
        size_t n, cap;
    } locks;
    struct {
        struct lk_executor *v;
        size_t n, cap;
    } executors;
    struct {
        struct lk_extern *v;
        size_t n, cap;
    } externs;
    struct {
        struct lk_cross_wait *v;
        size_t n, cap;
    } cross_waits;
    struct {
        struct lk_listener *v;
        size_t n, cap;
    } listeners;
    struct {
        struct lk_at_hand *v;
        size_t n, cap;
    } at_hand;
    bool at_hand_cut; /* frames were left out: there may be others */
    struct {
        struct lk_sample *v;
        size_t n, cap;
    } samples;
    struct {
        struct lk_limit *v;
        size_t n, cap;
    } limits; /* what could not be read, and why */
    /* every loop of the process is in loops[] (heap walk, or no epoll fd unaccounted for) */
    bool loops_complete;
    bool tasks_complete;
    /* what of the process may not be read, and what that needs; among the limits too. NULL nothing
     */
    const char *withheld;
    int ran_out;              /* errno: files could not be opened for want of something; 0 */
    bool decisive_unreadable; /* something a verdict of healthy needs could not be read */
    const char *decisive_why; /* what, and why; NULL: the last of the limits */
    int64_t watched_ms;       /* how long, samples and watch together, the target was observed */
    int64_t stalled_after_ms;
    /* the user's, for lk_classify and the rules (diagnose/catalog/frames.h); NULL none. Borrowed */
    const struct lk_patterns *patterns;
    struct lk_map *by_addr;  /* builder's private use */
    size_t n_process_limits; /* limits that belong to the process, not to one try of a sample */
};

/** Typed access; NULL when ref is of another kind or out of range. */
struct lk_thread *lk_thread_at(const struct lk_snapshot *s, struct lk_ref r);
struct lk_loop *lk_loop_at(const struct lk_snapshot *s, struct lk_ref r);
struct lk_task *lk_task_at(const struct lk_snapshot *s, struct lk_ref r);
struct lk_future *lk_future_at(const struct lk_snapshot *s, struct lk_ref r);
struct lk_lock *lk_lock_at(const struct lk_snapshot *s, struct lk_ref r);
struct lk_executor *lk_executor_at(const struct lk_snapshot *s, struct lk_ref r);
struct lk_extern *lk_extern_at(const struct lk_snapshot *s, struct lk_ref r);
/** The id of any entity ("t4711"); NULL for LK_KIND_NONE. */
const char *lk_ref_id(const struct lk_snapshot *s, struct lk_ref r);
static inline bool lk_ref_eq(struct lk_ref a, struct lk_ref b)
{
    return a.kind == b.kind && a.index == b.index;
}
static inline struct lk_ref lk_ref_make(enum lk_kind k, size_t i)
{
    return (struct lk_ref){ k, (uint32_t)i };
}

#endif
