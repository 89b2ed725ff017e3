/*
 * Shared by the files that read asyncio, futures, executors, locks and waits: what one sample has
 * found so far. Entities are mentioned first and read from work lists afterwards, so that a chain
 * of a hundred thousand tasks needs no recursion.
 */
#ifndef LK_READ_PYTHON_READER_READER_H
#define LK_READ_PYTHON_READER_READER_H

#include "read/python/interpreter/interpreter.h"
#include "read/python/waits/wait_table.h"

enum {
    LK_READER_MAX_HANDLES = 1 << 18, /* of one ready queue or timer heap that are looked at */
    LK_READER_KEEP_HANDLES = 16,     /* that are kept in the snapshot */
    LK_READER_KEEP_ITEMS = 64,       /* queued work items kept in the snapshot */
    LK_READER_MAX_MANAGERS = 32,     /* `with` blocks of one frame */
};

/** Objects whose completion completes a target, by their callbacks. */
struct lk_aio_sources {
    lk_addr *v;
    size_t n, cap;
    bool all;        /* all are needed */
    bool known;      /* by a documented mechanism */
    bool queued;     /* in relays_todo */
    unsigned rounds; /* how often it was */
    enum lk_future_origin origin;
};

/** A `with` block that someone is in. */
struct lk_with_hold {
    lk_addr manager;      /* what the frame holds: a lock, a condition, ... */
    struct lk_ref holder; /* thread or task */
    bool may_release;     /* a frame from the `with` inwards calls a release that may be its */
};

/** A lock that a frame could take without `with`: its code names the lock, and calls an `acquire`
 * that may be its. */
struct lk_bare_acquire {
    lk_addr lock;
    struct lk_ref holder;
};

/** What a callback object does, by lk_callback_rows or by what it is. */
struct lk_aio_callback {
    enum lk_callback_does does;
    lk_addr target; /* future or queue; 0 none */
    bool first_arg; /* the target is the handle's first argument */
    bool known;     /* by a row: a documented mechanism */
    enum lk_future_origin origin;
};

/** What all tasks suspended at the same place have in common. */
struct lk_aio_chain {
    struct lk_pystack *stack;
    bool plain; /* no frame is in a `with`, names `acquire`, sets a future, or is of a wait row */
};

/** A task that stands in a method of an asyncio primitive though its wake-up is in the queue. */
struct lk_aio_on_primitive {
    uint32_t task;
    lk_addr object;
};

struct lk_reader {
    int64_t now_ms;          /* CLOCK_MONOTONIC, which is what loop.time() counts */
    struct lk_map no_row[2]; /* code objects that no wait row (of threads, of tasks) names */
    struct lk_map visited;   /* containers and instances searched for loops */
    struct lk_map callbacks; /* callback object -> struct lk_aio_callback * */
    struct lk_map sources;   /* future or queue -> index into source_lists + 1 */
    struct lk_map follows;   /* future -> future that completes it */
    /* future -> packed ref of the task, thread, loop or executor that will set it */
    struct lk_map setters;
    struct lk_map may_complete;  /* future -> future whose hand-written callback has it at hand */
    struct lk_map setters_known; /* ... and these by a mechanism that is the only one */
    struct lk_map setter_rows;   /* future -> origin of its setter */
    struct lk_map timer_sets;    /* future -> when (ms) a timer completes it */
    struct lk_map timer_frees;   /* future -> when a timer ends the wait for it early (wait_for) */
    struct lk_map deadlines;     /* task -> when asyncio.timeout() cancels it */
    struct lk_map alias;         /* future -> queue that stands for it (as_completed) */
    struct lk_map ready;         /* task -> loop index + 1: a step of it is queued there */
    struct lk_map running;       /* coroutine -> thread index: executing on that stack */
    struct lk_map chains;        /* hash of an await chain -> struct lk_aio_chain * */
    /* address and entity of the loop mentioned last: most tasks share one */
    lk_addr last_loop;
    struct lk_ref last_loop_ref;
    struct lk_map no_with; /* hash of code and instruction that are inside of no `with` */
    LK_VEC(struct lk_aio_sources) source_lists;
    LK_VEC(uint32_t) loops_todo; /* loop indices to be read */
    bool reading_loops;
    LK_VEC(uint32_t) tasks_todo;   /* task indices to be read */
    LK_VEC(uint32_t) futures_todo; /* future indices whose enders are to be found */
    LK_VEC(lk_addr) relays_todo;   /* futures that a known future's callback completes */
    LK_VEC(struct lk_with_hold) holds;
    LK_VEC(struct lk_bare_acquire) reach;
    LK_VEC(struct lk_aio_on_primitive) on_primitive;
    struct lk_pyframes chain; /* buffer of the await chain being read */
    struct lk_kernel_reader *os;
    /* descriptor of a transport, whichever kind of loop made it; LK_UNKNOWN */
    int64_t (*transport_fd)(struct lk_py *py, lk_addr transport);
    struct lk_map peers; /* file descriptor -> index of its extern */
    bool bad_task;       /* a task's fingerprint did not fit */
    bool tasks_cut;      /* a registry could not be read to its end */
};

/** The state of this sample; made when first asked for. */
struct lk_reader *lk_reader(struct lk_py *py);
/** Frees it; afterwards a mention starts a new one. */
void lk_reader_end(struct lk_py *py);

/* ---- asyncio.c ------------------------------------------------------------------------ */
/** Class of an object by its nearest known base, remembered by type. *row (may be NULL) is the
 * table row. */
enum lk_known_class lk_py_known_class(struct lk_py *py, lk_addr obj,
                                      const struct lk_class_row **row);
/** Bytes by which object fields are shifted (free-threaded builds have a larger header). */
static inline lk_addr lk_py_field(const struct lk_py *py, lk_addr obj, unsigned offset)
{
    return obj + offset + (py->free_threaded ? 16 : 0);
}
/** Row of lk_class_rows + 1 of a type; 0 = none. */
size_t lk_py_class_row(struct lk_py *py, const struct lk_pytype *ty);
static inline uint64_t lk_ref_pack(struct lk_ref r)
{
    return (uint64_t)r.kind << 32 | r.index;
}
static inline struct lk_ref lk_ref_unpack(uint64_t v)
{
    return lk_ref_make((enum lk_kind)(v >> 32), (uint32_t)v);
}
/** Raw frames of a thread, innermost first, parallel to its python_stack; NULL none. */
const struct lk_pyframes *lk_py_frames_of_thread(struct lk_py *py, size_t thread);
/** The live thread with this Python ident; kind NONE. */
struct lk_ref lk_py_thread_by_ident(struct lk_py *py, uint64_t ident);
/** File descriptor at that address of a C object; LK_UNKNOWN when implausible. */
int64_t lk_py_fd_at(struct lk_py *py, lk_addr at);
/** File descriptor of a socket.socket; LK_UNKNOWN for anything else. */
int64_t lk_py_socket_fd(struct lk_py *py, lk_addr sock);
/** Class name without its module. */
const char *lk_py_class_label(struct lk_py *py, lk_addr obj);
/** Adds to deadlines or timers, keeping the earliest. */
void lk_reader_earliest(struct lk_map *m, lk_addr key, int64_t when_ms);
/** A moment of loop.time() in milliseconds, whatever number the target has there. */
int64_t lk_reader_ms(double seconds);
/** Milliseconds from the sample's begin until a moment of loop.time(); LK_FOREVER for one that
 * never comes. */
int64_t lk_reader_left_ms(struct lk_py *py, int64_t when_ms);

/** Counts pending tasks and adds what the kernel knows to loops. */
void lk_loops_finish(struct lk_py *py);

/* ---- drive.c -------------------------------------------------------------------------- */
/** Which loops each thread runs. */
void lk_aio_read_drivers(struct lk_py *py);
/** After the tasks are known: what each thread runs its innermost loop for. */
void lk_aio_read_until(struct lk_py *py);

/* ---- peer.c --------------------------------------------------------------------------- */
/** The sample's reader of descriptors; NULL when the target is no live process. */
struct lk_kernel_reader *lk_reader_kernel(struct lk_py *py);
/** Who is at the other end, as an extern of the snapshot: of what a thread's system call waits on,
 * ... */
struct lk_ref lk_py_peer_of_syscall(struct lk_py *py, const struct lk_syscall_wait *os);
/** ... of an asyncio transport, ... */
struct lk_ref lk_py_peer_of_transport(struct lk_py *py, lk_addr transport);
/** ... of a socket.socket, ... */
struct lk_ref lk_py_peer_of_socket(struct lk_py *py, lk_addr sock);
/** ... and whoever connects to an asyncio.Server. */
struct lk_ref lk_py_peer_of_server(struct lk_py *py, lk_addr server);

/* ---- suspect.c ------------------------------------------------------------------------ */
/** Sets the likely_enders of the things that any code may end. */
void lk_py_find_likely_enders(struct lk_py *py);

/* ---- fork.c --------------------------------------------------------------------------- */
/** True when this is the target's pid as the target itself counts. */
bool lk_py_own_pid(struct lk_py *py, int32_t pid);
/** False when no thread of this process has, or is about to have, this ident. */
bool lk_py_ident_may_live(struct lk_py *py, uint64_t ident);
/** Takes loops from threads of a forked child that only inherited the ident of the thread that ran
 * them. */
void lk_loops_check_runners(struct lk_py *py);
/** Finds locks that nobody in a forked child is left to release. */
void lk_py_find_lost_locks(struct lk_py *py);
/** True when the ident is proven to be of a thread that a fork left in the parent. */
bool lk_py_left_in_parent(struct lk_py *py, uint64_t ident);

/* ---- reach.c -------------------------------------------------------------------------- */
/** Mentions every loop (and thread pool) in reach. */
void lk_py_search_reachable(struct lk_py *py);

/** Enters a task that is none of asyncio's: its reader fills it, no work list does. */
struct lk_ref lk_py_task_of_kind(struct lk_py *py, lk_addr obj, enum lk_task_kind kind,
                                 bool *is_new);

/* ---- task.c --------------------------------------------------------------------------- */
/** Reads all tasks mentioned so far, and those they mention. */
void lk_loops_drain_tasks(struct lk_py *py);

/* ---- future.c ------------------------------------------------------------------------- */
/** The fields tasks and futures share, whether made in C or in Python. */
struct lk_aio_fut {
    enum lk_known_class cls;
    int state; /* 0 pending, 1 cancelled, 2 finished; -1 unknown */
    lk_addr loop, callback0, callbacks;
    lk_addr fut_waiter, coro, name; /* tasks */
    bool must_cancel;
};
bool lk_aio_read_fut(struct lk_py *py, lk_addr obj, struct lk_aio_fut *ret);
/** Indexes the callbacks of a task or future; called once for each. */
void lk_aio_index_callbacks(struct lk_py *py, lk_addr obj, const struct lk_aio_fut *f);
/** What a callback does. Result belongs to the snapshot's arena. */
const struct lk_aio_callback *lk_aio_callback(struct lk_py *py, lk_addr callback);
/** Records that ref will set this future; the first mention wins. known: nothing else sets it. */
void lk_py_future_set_by(struct lk_py *py, lk_addr future, struct lk_ref by, bool known,
                         enum lk_future_origin origin);
/** Notes every frame of lk_setter_rows among these; by: whose frames they are. Returns how many
 * there are. */
size_t lk_aio_note_setters(struct lk_py *py, const struct lk_pyframes *frames, struct lk_ref by);
/** The first n frames are of a task that executes on this stack: what their coroutines set, the
 * task sets. */
void lk_aio_hand_setters(struct lk_py *py, const struct lk_pyframes *frames, size_t n,
                         struct lk_ref task);
/** Finds the enders of all futures mentioned so far. */
void lk_loops_drain_futures(struct lk_py *py);
bool lk_aio_is_pending(struct lk_py *py, lk_addr future);

/* ---- wait.c --------------------------------------------------------------------------- */
/** The wait of a suspended task; frames outermost first. plain: no frame is of a wait row. Returns
 * whether one is. */
bool lk_aio_task_wait(struct lk_py *py, struct lk_ref task, const struct lk_aio_fut *f,
                      const struct lk_pyframes *frames, bool plain);

/* ---- callee.c ------------------------------------------------------------------------- */
/** Functions made in C that a frame may be calling. */
void lk_py_read_builtin_calls(struct lk_py *py, const struct lk_pyf *f, struct lk_wait *w);

/* ---- cross.c -------------------------------------------------------------------------- */
/** Notes what a suspended task awaits that belongs to another loop; frames outermost first. */
void lk_aio_note_cross_loop(struct lk_py *py, struct lk_ref task, const struct lk_aio_fut *f,
                            const struct lk_pyframes *frames);
/** After all tasks and waits are read: primitives that other loops' code has at hand. */
void lk_aio_finish_cross_loop(struct lk_py *py);

/* ---- executor.c ----------------------------------------------------------------------- */
/** Live thread of a threading.Thread object; NONE when it is gone or has not started. *known is
 * false when that cannot be told.
 */
struct lk_ref lk_py_thread_of_object(struct lk_py *py, lk_addr thread, bool *known);

/** Executors whose workers stand in the threads' frames. */
void lk_py_read_executors(struct lk_py *py);

/* ---- servers.c ------------------------------------------------------------------------ */
/** Descriptor of the connection that a queued work item is given to serve; LK_UNKNOWN. */
int64_t lk_py_item_connection(struct lk_py *py, lk_addr item);
/** Pools of servers, a server's timeout, and the sockets that threads have at hand. */
void lk_py_read_servers(struct lk_py *py);

/* ---- lock.c --------------------------------------------------------------------------- */
/** The mutual-exclusion lock behind a lock, condition or context manager's lock attribute; NONE
 * when it is none. */
struct lk_ref lk_py_mutex_of(struct lk_py *py, lk_addr obj);
/** Objects made in C whose acquire or get blocks the thread in a futex. */
bool lk_py_is_primitive(enum lk_known_class cls);
/** True when a thread that sleeps on this futex word waits for this lock, RLock or SimpleQueue. */
bool lk_py_futex_is(struct lk_py *py, lk_addr obj, lk_addr futex);
/** The PyMutex-based object that a futex word stands for, 0 when it is none (3.13.x+). */
lk_addr lk_py_futex_object(struct lk_py *py, lk_addr futex);

/* ---- owner.c -------------------------------------------------------------------------- */
/** Notes the `with` blocks these frames are in. innermost_first: order of frames. Returns whether
 * there is any block. */
bool lk_py_note_with_blocks(struct lk_py *py, const struct lk_pyframes *frames,
                            bool innermost_first, struct lk_ref holder);
/** True for code of the standard library. */
bool lk_py_of_stdlib(struct lk_py *py, const struct lk_code *c);
/** Notes the locks that these frames could take without `with`. Returns how many frames could. */
size_t lk_py_note_bare_acquires(struct lk_py *py, const struct lk_pyframes *frames,
                                struct lk_ref holder);

#endif
