/* Everything that threads and tasks synchronise on. */
#ifndef LK_SNAPSHOT_LOCK_H
#define LK_SNAPSHOT_LOCK_H

#include "snapshot/ref.h"
#include "snapshot/wait.h"

enum lk_owner_by { LK_OWNER_NONE = 0, LK_OWNER_FIELD, LK_OWNER_VALUE_STACK, LK_OWNER_FREE };

/** What a lock is, where rules decide on it. */
enum lk_lock_type {
    LK_LOCK_TYPE_OTHER = 0,
    LK_LOCK_TYPE_THREADING, /* of the threading module */
    LK_LOCK_TYPE_QUEUE,     /* of the queue module */
    LK_LOCK_TYPE_ASYNCIO,   /* asyncio's and anyio's */
    LK_LOCK_TYPE_PTHREAD_MUTEX,
    LK_LOCK_TYPE_PTHREAD_RWLOCK,
    LK_LOCK_TYPE_FILE,
    LK_LOCK_TYPE_MULTIPROCESSING, /* that several processes may have */
    LK_N_LOCK_TYPES
};

struct lk_lock {
    const char *id; /* "l1" */
    lk_addr addr;
    /* for reports: "threading.Lock", "queue.Queue", "pthread_mutex", "asyncio.Lock", "file lock" */
    const char *kind;
    enum lk_lock_type type;
    /* where the program keeps it, "server.AUDIT"; NULL not found */
    const char *name;
    bool shared_name; /* an attribute of its class: objects of that class have one each */
    /* mutual exclusion with one holder: waits on it end when the owner releases */
    bool mutex;
    bool plain; /* a threading.Lock: its holder that takes it again waits as well, other than for a
                   threading.RLock */
    enum lk_tri locked;
    struct lk_refs owners; /* thread or task; empty = none known */
    enum lk_owner_by owner_by;
    bool owners_all;    /* of several each has to give it back: a reentrant one, of coroutines */
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
    int64_t units;      /* Semaphore: how many there are; LK_UNKNOWN */
    bool units_known;   /* ... likely_enders: those who hold them */
    bool units_all;     /* ... each of them, and nobody else may give one back */
    int64_t units_held; /* ... by `with` */
    bool units_counted; /* as many as the thing itself says are out */
    /* whoever could end waits of this kind was looked for, and not found; nor is it known that
     * there is none */
    enum lk_wait_kind unended;
    bool kept_by_waiters; /* ... but that nobody refers to it besides who waits for it */
    bool next_may_end;    /* ... but the code that waits, called once more: the next request */
    bool lent;            /* a queue of things that are lent: who gets one is to put it back */
    struct lk_refs waiters;
    struct lk_ref inner; /* Condition: its lock; queue: its mutex */
    struct lk_ref loop;  /* asyncio primitives: loop they are bound to */
    enum lk_read read;
    bool stable;
    bool set; /* Event: flag; Semaphore: value > 0; queue: not empty */
};

#endif
