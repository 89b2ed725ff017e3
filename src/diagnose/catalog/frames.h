/*
 * The catalog's rows: which packages are frameworks, what a frame of a well-known function means,
 * what a blocking call is called. A user's file (loopknot-rules(5), user_file.h) adds rows of the
 * same kinds, and every lookup (match.h) goes through both.
 */
#ifndef LK_DIAGNOSE_CATALOG_FRAMES_H
#define LK_DIAGNOSE_CATALOG_FRAMES_H

#include "snapshot/snapshot.h"

/** What a frame on a stack means; several may hold. */
enum lk_mark {
    LK_MARK_REQUEST = 1 << 0, /* a request is being served by its callees */
    LK_MARK_WORKER = 1 << 1,  /* a server's worker, with or without a request */
    LK_MARK_DRIVES = 1 << 2,  /* part of a call that runs an asyncio loop */
    LK_MARK_FOREVER = 1 << 3, /* ... run_forever */
    LK_MARK_UNTIL = 1 << 4,   /* ... until something is done: run_until_complete, asyncio.run */
    LK_MARK_POOL = 1 << 5,    /* main function of an executor's worker */
    LK_MARK_NESTER = 1 << 6,  /* declares that it runs a loop inside a callback */
    /* waits for a future on purpose, on behalf of its caller: a framework's function */
    LK_MARK_BRIDGE = 1 << 7,
    LK_MARK_CONSUMER = 1 << 8, /* waits for the next message: may take for ever */
    LK_MARK_BLOCKING = 1 << 9, /* a blocking call */
    /* a debugger's or interpreter's prompt: a person holds the thread */
    LK_MARK_DEBUGGER = 1 << 10,
    LK_MARK_GROWS = 1 << 11,    /* a server that starts a thread for each connection */
    LK_MARK_WATCHED = 1 << 12,  /* a supervisor kills the worker when it does not report */
    LK_MARK_CELL = 1 << 13,     /* runs what somebody entered at a kernel or a prompt */
    LK_MARK_STARTUP = 1 << 14,  /* a server's start, before it opens its sockets */
    LK_MARK_JOB = 1 << 15,      /* a job of a task queue, or a test, is being run by its callees */
    LK_MARK_EXIT = 1 << 16,     /* the interpreter waits for threads or children at its end */
    LK_MARK_CHILDREN = 1 << 17, /* waits for the children of a process pool */
    LK_MARK_CLOSES = 1 << 18,   /* what asyncio.run ran is over: it takes its loop down */
    LK_MARK_HANDLER = 1 << 19,  /* by its name a handler of the standard library's servers */
    /* asks its callee again and again, with a timeout that ends nothing */
    LK_MARK_ASKS_AGAIN = 1 << 20,
    LK_MARK_UNREAD = 1 << 21, /* runs a loop of a kind that cannot be read */
    LK_MARK_HELPER = 1 << 22, /* what a process that another one has made for its own work runs */
};

/**
 * A Python function, by name or qualified name and by the end of its file's path
 * ("werkzeug/serving.py"). function NULL: any in that file.
 */
struct lk_pattern {
    const char *function, *file;
    unsigned marks;
    /* blocking calls: their name for sentences; NULL: the qualified name. Unread loops: their kind
     */
    const char *call;
};

/** A blocking function made in C, or a system call. */
struct lk_call_pattern {
    const char *name;   /* symbol or system call; a '*' at its end stands for any rest */
    const char *module; /* beginning of the library's file name ("libpq"); NULL: any */
    const char *call;   /* NULL: the name itself */
};

/** Native code that sleeps with the GIL in its hands, and why. */
struct lk_gil_keeper {
    const char *function, *module; /* symbol, beginning of the file's name */
    const char *what, *remedy;     /* a clause, a sentence */
};

/** The rows of a user's file; plain data in an arena of its own. */
struct lk_patterns {
    struct lk_arena *arena;
    struct {
        struct lk_pattern *v;
        size_t n, cap;
    } functions;
    struct {
        struct lk_call_pattern *v;
        size_t n, cap;
    } natives, syscalls;
    /* "module:qualname": made in C, so without a file */
    struct {
        struct lk_call_pattern *v;
        size_t n, cap;
    } builtins;
    struct {
        const char **v;
        size_t n, cap;
    } packages; /* frameworks, with '/' for '.' */
};

/* The built-in rows. Frameworks are sorted, in lower case. */
extern const char *const lk_known_frameworks[];
extern const size_t lk_n_known_frameworks;
extern const struct lk_pattern lk_known_functions[];
extern const size_t lk_n_known_functions;
extern const struct lk_call_pattern lk_known_natives[];
extern const size_t lk_n_known_natives;
/* Of libraries whose functions stand between a program and what it waits for. */
extern const struct lk_call_pattern lk_known_wrappers[];
extern const size_t lk_n_known_wrappers;
extern const struct lk_gil_keeper lk_known_gil_keepers[];
extern const size_t lk_n_known_gil_keepers;

#endif
