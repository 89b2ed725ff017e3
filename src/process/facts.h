/*
 * Every other fact than memory, mappings, files and threads: asked one at a time, by a word for the
 * fact and a key for what of. The answer is a value, or an errno that says why it is not known;
 * never an empty one in its stead. So whatever is known of a process can be kept, and answered
 * again without it.
 */
#ifndef LK_PROCESS_FACTS_H
#define LK_PROCESS_FACTS_H

#include <sys/types.h>

#include "snapshot/snapshot.h"
#include "util/base.h"

struct lk_process;
struct lk_thread_facts;
struct lk_thread_list;

/** The one variable that is looked for in an environment: pytest names the running test in it
 * (_pytest/runner.py). */
#define LK_TEST_VARIABLE "PYTEST_CURRENT_TEST"

/** What is asked; behind each, what of and the type of its answer. Their numbers stand in captures:
 * a new one comes last. */
enum lk_fact {
    /* of the examined process */
    LK_FACT_IDENTITY,    /* struct lk_snapshot: its part about the process is filled */
    LK_FACT_RAN_OUT,     /* int: an errno, 0 none */
    LK_FACT_LIVES_ON,    /* bool */
    LK_FACT_THROTTLE,    /* struct lk_throttle */
    LK_FACT_HALT,        /* given: struct lk_thread_list. struct lk_process_halt, in part */
    LK_FACT_CALL,        /* given: struct lk_thread_facts. struct lk_syscall_wait */
    LK_FACT_FD,          /* n: descriptor. struct lk_syscall_wait */
    LK_FACT_FD_NAME,     /* n: descriptor. const char *, raw */
    LK_FACT_UNREAD,      /* n: descriptor. int64_t */
    LK_FACT_QUIET_MS,    /* n: descriptor. int64_t */
    LK_FACT_WATCHED,     /* n: epoll descriptor. struct lk_watched */
    LK_FACT_CONNECTIONS, /* struct lk_connections */
    LK_FACT_LISTENERS,   /* struct lk_snapshot: its listeners are filled, for the threads in it */
    LK_FACT_SHARES_PIDS, /* bool: its pid namespace is ours */
    LK_FACT_HAS_FILE,    /* text: path in its working directory. bool */
    /* of another process in its neighbourhood */
    LK_FACT_CHILD_WORK,  /* pid. enum lk_child_does */
    LK_FACT_CHILD_IDLES, /* pid, text: pipe, n: address. bool */
    LK_FACT_CHILD_FILLS, /* pid. const char *; NULL none */
    /* of a machine */
    LK_FACT_STAT,         /* pid, n: thread or 0. struct lk_stat_facts */
    LK_FACT_STARTED,      /* pid. uint64_t */
    LK_FACT_PROGRAM,      /* pid. struct lk_program_facts */
    LK_FACT_HAS_VARIABLE, /* pid, text: "NAME=VALUE" or "NAME=". bool */
    LK_FACT_CHILDREN,     /* pid. struct lk_pids */
    LK_FACT_TIMES_RUN,    /* pid, n: thread. uint64_t */
    LK_FACT_PID_FD_NAME,  /* pid, n: descriptor. const char *, raw */
    LK_FACT_PIPE_ENDS,    /* given: struct lk_pipe_names. struct lk_pipe_ends */
    LK_FACT_LOCK_OWNER,   /* pid, n: descriptor, m: by flock. int64_t */
    LK_FACT_IDENTITY_OF,  /* pid. struct lk_snapshot, as LK_FACT_IDENTITY */
    /* worked out from the above and from files: recalled and kept, see below */
    LK_FACT_SYMBOL,         /* n: module's base, m: address in it. struct lk_symbol_fact */
    LK_FACT_SYMBOL_ADDRESS, /* n: mapping's start, text: name. uint64_t */
    LK_FACT_FUNCTIONS,      /* n: module's base, m: address in it. struct lk_functions_fact */
    LK_FACT_SOURCE_LINE,    /* text: file, n: line, m: with indentation. const char * */
    LK_FACT_SECOND_WALK,    /* n: stack pointer, m: program counter. struct lk_walk_fact */
    LK_FACT_VARIABLE,       /* text: name. const char *; NULL not set */
    LK_FACT_SIGNAL_TABLE,   /* uint64_t */
    LK_FACT_HEAP,           /* n: loops are looked for too. struct lk_heap_fact */
    LK_FACT_IS_LIBPQ_END,   /* n: address, text: of this end of a connection. bool */
    LK_FACT_LOCALS,         /* pid: enum lk_kind, n: thread, or address of a task, m: frame, text:
                               its function. struct lk_locals */
    LK_FACT_REREAD,         /* lk_process_reread. bool */
    LK_FACT_N_READ,         /* lk_process_n_read. uint64_t */
    LK_FACT_SURROUNDINGS,   /* of the examined process. struct lk_surroundings */
    LK_FACT_STACK_PLACE,    /* n: stack pointer, m: code, text: what is looked for. uint64_t */
    LK_FACT_BACKLOG_ASKS,   /* of the examined process. n: inode of a listener. int64_t */
    LK_FACT_UNIT,           /* of the examined process. const char *; NULL none */
    LK_FACT_OUR_CHILD,      /* of the examined process. int64_t */
    LK_FACTS,
};

struct lk_key {
    int64_t pid, n, m;
    const char *text;
    const void *given; /* what is known already, of which more is asked */
};

/** Who answers; ret is of the fact's type, with what it points to in the arena. Returns 0, or why
 * it is not known: an errno. */
typedef int (*lk_ask_fn)(void *impl, enum lk_fact what, const struct lk_key *key,
                         struct lk_arena *a, void *ret);

int lk_process_ask(struct lk_process *t, enum lk_fact what, const struct lk_key *key,
                   struct lk_arena *a, void *ret) LK_MUST_CHECK;

/* ---- of the examined process --------------------------------------------------------- */

/** False: there is nobody to be asked, as behind bytes alone. */
bool lk_process_answers(const struct lk_process *t);
/** Fills the part of a snapshot that says what process it is (pid ... epoll_fds, children, runtime,
 * stop). Command line redacted. */
bool lk_process_identify(struct lk_process *t, struct lk_snapshot *s, struct lk_error *err);
/** Descriptors, memory or the device gave out while it was read: EMFILE, ENFILE, ENOMEM or EIO; 0
 * none. */
int lk_process_ran_out(struct lk_process *t);
/** False when all its threads end within a moment (50 ms). The leader of a process that ends is
 * often the first to be a zombie; only one whose other threads stay has lost its main thread. */
bool lk_process_lives_on(struct lk_process *t);

/** Counters of the innermost control group that has a processor quota: periods so far, those in
 * which it was throttled, and for how long. */
struct lk_throttle {
    uint64_t periods, throttled, usec;
};
/** Read it twice and subtract. False: no quota, or not readable. */
bool lk_process_throttle(struct lk_process *t, struct lk_throttle *ret);
/** Sets what thread states alone tell (job_stopped, zombie, main_gone, d_state) from one look at
 * all threads. A caller that samples keeps the smallest d_state: a thread is in D for a moment
 * whenever it reads a disk. */
void lk_process_halt(struct lk_process *t, const struct lk_thread_list *threads, struct lk_arena *a,
                     struct lk_process_halt *ret);

/** Decodes the system call a thread sleeps in into ret; strings belong to the arena. */
void lk_process_call(struct lk_process *t, const struct lk_thread_facts *f, struct lk_arena *a,
                     struct lk_syscall_wait *ret);
/** What a thread would wait on that slept in read(fd). False: nobody can be asked. */
bool lk_process_fd(struct lk_process *t, int64_t fd, struct lk_arena *a,
                   struct lk_syscall_wait *ret);
/** "pipe:[123]", "/a/file": raw, in the arena; NULL. */
const char *lk_process_fd_name(struct lk_process *t, int64_t fd, struct lk_arena *a);
/** Unread bytes in a pipe, socket or eventfd, without side effect; LK_UNKNOWN. */
int64_t lk_process_unread(struct lk_process *t, int64_t fd);
/** Milliseconds since data came or went on its TCP connection; LK_UNKNOWN. */
int64_t lk_process_quiet_ms(struct lk_process *t, int64_t fd);

#define LK_MAX_WATCHED 1024 /* descriptors of a selector's set that are listed */
struct lk_watched {
    int64_t total; /* registered in all */
    int64_t fds[LK_MAX_WATCHED];
};
/** The descriptors registered in an epoll instance: ret.total of them, at most LK_MAX_WATCHED
 * listed. False: not known. */
bool lk_process_watched(struct lk_process *t, int64_t epfd, struct lk_watched *ret);

/** A TCP connection, from here to there; accepted ones are among them. */
struct lk_connection {
    int64_t fd;
    const char *local, *peer; /* "127.0.0.1:5432" */
};
#define LK_MAX_CONNECTIONS 512
struct lk_connections {
    struct lk_connection *v;
    size_t n;
};
/** The first LK_MAX_CONNECTIONS, by descriptor. What it points to belongs to the arena. False: not
 * known. */
bool lk_process_connections(struct lk_process *t, struct lk_arena *a, struct lk_connections *ret);
/** Fills s->listeners, from scratch, for the threads as they stand in s. Nothing is stopped; may be
 * called again when time has passed. */
void lk_process_listeners(struct lk_process *t, struct lk_snapshot *s);
/** Of the connections that wait to be accepted by a listener of that inode those that have sent
 * something already: it asks for an answer. LK_UNKNOWN for other sockets than TCP's. */
int64_t lk_process_backlog_asks(struct lk_process *t, uint64_t inode);
/** The systemd service that it belongs to; NULL where it is of none, or that is not known. */
const char *lk_process_unit(struct lk_process *t, struct lk_arena *a);
/** Its child that we are, or descend from, as when a process examines itself; 0: we do not. */
int64_t lk_process_our_child(struct lk_process *t);
/** Where it runs; lk_surroundings_none where nobody can be asked. */
void lk_process_surroundings(struct lk_process *t, struct lk_arena *a, struct lk_surroundings *ret);
bool lk_process_shares_pids(struct lk_process *t);
/** path: in its working directory. */
bool lk_process_has_file(struct lk_process *t, const char *path);

/** What a process of that number does for whoever waits for it. LK_CHILD_UNKNOWN where it may not
 * be read. */
enum lk_child_does lk_process_child_work(struct lk_process *t, int64_t pid);
/** It has one thread, which has slept for a while in a read of that pipe ("pipe:[123]") or on the
 * futex word at that address: where a pool's worker waits for the next job. */
bool lk_process_child_idles(struct lk_process *t, int64_t pid, const char *pipe, lk_addr futex);
/** The pipe that a thread of it is blocked writing to while t has its reading end: "pipe:[123]", in
 * the arena; NULL where there is none, or that may not be read. */
const char *lk_process_child_fills(struct lk_process *t, int64_t pid, struct lk_arena *a);

/** Signals that nearly every program handles, and with which none ends a wait: of the interrupt
 * key, of crashes, and the two that glibc keeps for itself. */
bool lk_signal_is_usual(int number);
/** Those of setitimer(2), with which code of its own bounds waits. */
bool lk_signal_is_of_timers(int number);

/* ---- what is worked out above the door -------------------------------------------------- */

/**
 * What takes more than a record keeps (symbol tables, debug information, sources, the whole heap)
 * is not worked out again from a record, but was kept: who works it out asks first, and says what
 * came of it. key->given is not looked at. Returns false where it is to be worked out; true where
 * it is answered: *why is then 0 and ret set, or *why is an errno.
 */
bool lk_process_recall(struct lk_process *t, enum lk_fact what, const struct lk_key *key,
                       struct lk_arena *a, void *ret, int *why);
/** Whether it ever answers: files and such are then not to be had. */
bool lk_process_recalls(const struct lk_process *t);
/** What was worked out; value is not looked at when why is not 0. */
void lk_process_keep(struct lk_process *t, enum lk_fact what, const struct lk_key *key, int why,
                     const void *value);
/** Between these two, what is read is for such work alone: a record does not keep it. */
void lk_process_aside(struct lk_process *t);
void lk_process_aside_end(struct lk_process *t);

struct lk_symbol_fact {
    const char *name; /* raw */
    uint64_t offset;
};
/** The functions at an address, innermost first; none: nothing is known. */
struct lk_function_fact {
    const char *name, *file;
    int line;
};
struct lk_functions_fact {
    struct lk_function_fact *v;
    size_t n;
};
struct lk_addrs {
    uint64_t *v;
    size_t n, cap;
};
struct lk_walk_fact {
    uint64_t *v; /* twice each program counter, plus one where it is exact */
    size_t n;
    bool truncated;
};
/** Objects on the heap: loops, then tasks by kind of loop. */
struct lk_heap_fact {
    struct lk_addrs *v;
    size_t n;
    bool ended, timed_out, too_many;
    struct lk_failed_read failed;
};

/* ---- of a machine -------------------------------------------------------------------- */

/** What belongs to no one process that is examined: its neighbours, by number, and what several
 * have in common. */
struct lk_machine {
    lk_ask_fn ask;
    void *impl;
};
/** The machine that this program runs on. */
const struct lk_machine *lk_machine_here(void);
/** The one that t runs on. */
const struct lk_machine *lk_process_machine(const struct lk_process *t);
int lk_machine_ask(const struct lk_machine *m, enum lk_fact what, const struct lk_key *key,
                   struct lk_arena *a, void *ret) LK_MUST_CHECK;

struct lk_stat_facts {
    int64_t ppid, threads;
    char state;
    uint64_t start_ticks; /* clock ticks after boot: a reused number differs */
};
/** tid: a thread of it, 0 the process. False: there is none such. */
bool lk_machine_stat(const struct lk_machine *m, int64_t pid, int64_t tid,
                     struct lk_stat_facts *ret);
/** Start in clock ticks after boot: tells a reused number. 0: no such process, or it has ended. */
uint64_t lk_machine_started(const struct lk_machine *m, int64_t pid);
/** How often a thread was given a processor; false: not known. */
bool lk_machine_times_run(const struct lk_machine *m, int64_t pid, int64_t tid, uint64_t *ret);

struct lk_program_facts {
    const char *exe, *comm; /* raw; NULL not readable */
    char **argv;            /* argv[argc] is NULL; redacted; NULL not readable */
    size_t argc;
};
/** What of it cannot be read is NULL. */
void lk_machine_program(const struct lk_machine *m, int64_t pid, struct lk_arena *a,
                        struct lk_program_facts *ret);
/** variable: "NAME=VALUE", or "NAME=" for any value. */
bool lk_machine_has_variable(const struct lk_machine *m, int64_t pid, const char *variable);

struct lk_pids {
    int64_t *v;
    size_t n, cap;
};
/** Living children, whichever thread forked them, in the arena. False: not known. */
bool lk_machine_children(const struct lk_machine *m, int64_t pid, struct lk_arena *a,
                         struct lk_pids *ret) LK_MUST_CHECK;

/** As lk_process_fd_name. */
const char *lk_machine_fd_name(const struct lk_machine *m, int64_t pid, int64_t fd,
                               struct lk_arena *a);

struct lk_pipe_names {
    char *const *v; /* "pipe:[123]" */
    size_t n;
};
struct lk_pipe_end {
    uint64_t pipe; /* index + 1 in the names */
    int64_t pid;
    bool reads, writes;
};
struct lk_pipe_ends {
    struct lk_pipe_end *v;
    size_t n;
    bool all_seen; /* the descriptors of all processes could be read */
};
/** Who has ends of these pipes, in the arena. False: not known. */
bool lk_machine_pipe_ends(const struct lk_machine *m, const struct lk_pipe_names *of,
                          struct lk_arena *a, struct lk_pipe_ends *ret) LK_MUST_CHECK;
/** The one process that can give back the file lock that a thread of pid waits for in flock(fd), or
 * a fcntl(fd); false where it may be several, or that is not known. */
bool lk_machine_lock_owner(const struct lk_machine *m, int64_t pid, int64_t fd, bool by_flock,
                           int64_t *owner);
/** As lk_process_identify, of one that cannot be opened. */
bool lk_machine_identify(const struct lk_machine *m, int64_t pid, struct lk_snapshot *s,
                         struct lk_error *err);

#endif
