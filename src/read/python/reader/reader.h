/*
 * What one sample has found so far. Entities are mentioned first and read from work lists
 * afterwards, so that a chain of a hundred thousand tasks needs no recursion.
 */
#ifndef LK_READ_PYTHON_READER_READER_H
#define LK_READ_PYTHON_READER_READER_H

#include "read/python/interpreter/interpreter.h"

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
    size_t found;    /* how many of them are enders in the snapshot already */
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

/** A `with` block of any other object: its exit may give back something. */
struct lk_with_other {
    lk_addr manager;
    struct lk_ref holder;
};

/** A `with` block of what @contextmanager has made: its generator's frame. */
struct lk_with_generator {
    struct lk_pyf frame;
    struct lk_ref holder;
};

/** A frame of a suspended task, or of a generator that a `with` has begun, whose code names
 * `release`. */
struct lk_releasing {
    struct lk_pyf frame;
    struct lk_ref holder;
    bool takes; /* nothing but the standard library's frames is further in */
};

/** A done-callback whose code names `release`, or is that of a semaphore. */
struct lk_release_callback {
    lk_addr of, callback;
};

/** What all tasks suspended at the same place have in common. */
struct lk_aio_chain {
    struct lk_pystack *stack;
    bool asgi;  /* a frame is the entry of an ASGI application */
    bool plain; /* no frame is in a `with`, names `acquire`, sets a future, or is of a wait row */
};

/** A task that stands in a method of an asyncio primitive though its wake-up is in the queue. */
struct lk_aio_on_primitive {
    uint32_t task;
    lk_addr object;
};

/** A greenlet that a walk over the heap has met. */
struct lk_met_greenlet {
    lk_addr addr;
    struct lk_ref thread; /* that alone can go on with it; none = not known */
    bool main, current, suspended, dead;
};

/** A thread that joins the workers of an executor. */
struct lk_pool_join {
    uint32_t thread, executor;
};

/** Where the program keeps something: "server.AUDIT"; of an attribute of self, "Account.lock". */
struct lk_place {
    const char *name;
    bool shared; /* each object of a class has one of that name */
};

struct lk_reader {
    int64_t now_ms; /* CLOCK_MONOTONIC, which is what loop.time() counts; LK_UNKNOWN */
    /* of each kind, the indices of what was mentioned and is to be read */
    struct {
        uint32_t *v;
        size_t n, cap;
    } todo[LK_KIND_EXTERN];
    bool reading_loops;           /* what is mentioned now is found by way of a loop */
    LK_VEC(uint32_t) enders_todo; /* futures whose enders are to be found */
    LK_VEC(lk_addr) relays_todo;  /* futures that a known future's callback completes */
    LK_VEC(struct lk_pool_join) pool_joins;
    struct lk_map
        no_row[3]; /* code objects that no wait row (of threads, of tasks, of trio's) names */
    struct lk_map visited;   /* containers and instances searched for loops */
    struct lk_map places;    /* lock, queue... -> struct lk_place *: where the program keeps it */
    struct lk_map callbacks; /* callback object -> struct lk_aio_callback * */
    struct lk_map sources;   /* future or queue -> index into source_lists + 1 */
    struct lk_map follows;   /* future -> future that completes it */
    /* future -> packed ref of the task, thread, loop or executor that will set it */
    struct lk_map setters;
    struct lk_map may_complete;   /* future -> index of those whose own callbacks have it at hand */
    struct lk_map setters_known;  /* ... and these by a mechanism that is the only one */
    struct lk_map lost_jobs;      /* results of a pool whose worker has ended with the job */
    struct lk_map setter_rows;    /* future -> origin of its setter */
    struct lk_map timer_sets;     /* future -> when (ms) a timer completes it */
    struct lk_map timer_frees;    /* future -> when a timer ends the wait for it early (wait_for) */
    struct lk_map deadlines;      /* task -> when asyncio.timeout() cancels it */
    struct lk_map gathers_failed; /* future of gather() -> 1: that of a child is no end of it */
    struct lk_map alias;          /* future -> queue that stands for it (as_completed) */
    struct lk_map ready;          /* task -> loop index + 1: a step of it is queued there */
    struct lk_map running;        /* coroutine -> thread index: executing on that stack */
    struct lk_map chains;         /* hash of an await chain -> struct lk_aio_chain * */
    /* address and entity of the loop mentioned last: most tasks share one */
    lk_addr last_loop;
    struct lk_ref last_loop_ref;
    const struct lk_pytype
        *cancel_of; /* type of task asked last whether its cancel() is asyncio's */
    bool cancel_is_own;
    struct lk_map no_with; /* hash of code and instruction that are inside of no `with` */
    LK_VEC(struct lk_aio_sources) source_lists;
    LK_VEC(struct lk_with_hold) holds;
    LK_VEC(struct lk_bare_acquire) reach;
    LK_VEC(struct lk_with_other) with_others;
    LK_VEC(struct lk_with_generator) with_generators;
    LK_VEC(struct lk_releasing) releasing;
    bool releasing_cut;
    LK_VEC(struct lk_release_callback) release_callbacks;
    LK_VEC(struct lk_aio_on_primitive) on_primitive;
    LK_VEC(struct lk_met_greenlet) greenlets;
    struct lk_map greenlet_at; /* address -> index in greenlets */
    struct lk_map hub_of_loop; /* a hub's loop object -> index of the snapshot's loop */
    bool greenlets_cut;        /* there may be more, or not all could be read */
    unsigned hubs;             /* that switch them, and were read */
    unsigned hubs_unread;      /* ... or have begun, and were not */
    struct lk_pyframes chain;  /* buffer of the await chain being read */
    /* descriptor of a transport, whichever kind of loop made it; LK_UNKNOWN */
    int64_t (*transport_fd)(struct lk_py *py, lk_addr transport);
    /* puts what a coroutine runs in a greenlet of its own into an await chain */
    void (*join_chain)(struct lk_py *py, struct lk_pyframes *chain);
    /* what the program's signal handlers are: callables; known: the table was read, or is not
     * needed
     */
    struct {
        lk_addr v[64];
        size_t n;
        bool known;
    } handlers;
    struct lk_map peers; /* file descriptor -> index of its extern */
    bool bad_task;       /* a task's fingerprint did not fit */
    bool tasks_cut;      /* a registry could not be read to its end */
    /* of the first time that either was set */
    struct lk_failed_read bad_read, cut_read;
    struct lk_ref cut_task; /* whose state is not known; none where a registry is torn */
};

/** The state of this sample; made when first asked for. */
struct lk_reader *lk_reader(struct lk_py *py);
/** Frees it; afterwards a mention starts a new one. */
void lk_reader_end(struct lk_py *py);

/** Sets tasks_cut, with what failed since lk_read_watch. */
void lk_reader_cut_tasks(struct lk_py *py);

static inline uint64_t lk_ref_pack(struct lk_ref r)
{
    return (uint64_t)r.kind << 32 | r.index;
}
static inline struct lk_ref lk_ref_unpack(uint64_t v)
{
    return lk_ref_make((enum lk_kind)(v >> 32), (uint32_t)v);
}

/** Adds to deadlines or timers, keeping the earliest. */
void lk_reader_earliest(struct lk_map *m, lk_addr key, int64_t when_ms);
/** A moment of loop.time() in milliseconds, whatever number the process has there. */
int64_t lk_reader_ms(double seconds);
/** Milliseconds from the sample's begin until a moment of loop.time(); LK_FOREVER for one that
 * never comes. */
int64_t lk_reader_left_ms(struct lk_py *py, int64_t when_ms);

#endif
