/*
 * The pattern table: which packages are frameworks, what a frame of a well-known function means,
 * what a blocking call is called. The built-in rows are data of patterns.c; a user's file
 * (loopknot-rules(5)) adds rows of the same kinds, and every lookup goes through both. Matching is
 * here too, so that nothing else compares file names.
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
};

/**
 * A Python function, by name or qualified name and by the end of its file's path
 * ("werkzeug/serving.py"). function NULL: any in that file.
 */
struct lk_pattern {
    const char *function, *file;
    unsigned marks;
    const char *call; /* blocking calls: their name for sentences; NULL: the qualified name */
};

/** A blocking function made in C, or a system call. */
struct lk_call_pattern {
    const char *name;   /* symbol or system call; a '*' at its end stands for any rest */
    const char *module; /* beginning of the library's file name ("libpq"); NULL: any */
    const char *call;   /* NULL: the name itself */
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

enum {
    LK_PATTERNS_MAX_BYTES = 256 * 1024, /* of a file */
    LK_PATTERNS_MAX_LINE = 512,
    LK_PATTERNS_MAX_ROWS = 4096,
};

/**
 * Parses the n bytes of a file of patterns. name: how errors call the file. NULL with err
 * ("NAME:LINE: what, why, what to do") when anything in it cannot be used.
 */
struct lk_patterns *lk_patterns_parse(const char *name, const char *text, size_t n,
                                      struct lk_error *err) LK_MUST_CHECK;
void lk_patterns_destroy(struct lk_patterns *p); /* p may be NULL */

/**
 * What the table says of a code object, whose strings must not be NULL: sets c->marks and c->call.
 * qualnames: the target's Python has qualified names (3.11 on); else only their last part is
 * compared.
 */
void lk_pattern_mark(const struct lk_patterns *user, struct lk_code *c, bool qualnames);
/** True when a module or package of this top-level name is a framework or a library that user code
 * calls. */
bool lk_pattern_is_framework(const char *name, size_t length);
/** True when a package of the user's file has this file. */
bool lk_pattern_is_users_framework(const struct lk_patterns *user, const char *path);
/** Name of the blocking call that a native frame is; NULL when the table does not know it. *by_user
 * (may be NULL): the user's. */
const struct lk_call_pattern *lk_pattern_native(const struct lk_patterns *user,
                                                const struct lk_natframe *f, bool *by_user);
/** The same of a function made in C that Python code calls: "module:name", or a symbol (struct
 * lk_wait); the user's only. */
const struct lk_call_pattern *lk_pattern_callee(const struct lk_patterns *user, const char *callee);
/** The same of a system call by name; NULL. Built-in: none, since every system call has a name of
 * its own. */
const struct lk_call_pattern *lk_pattern_syscall(const struct lk_patterns *user, const char *name);
/** True when path ends with suffix at a folder boundary. */
bool lk_path_ends_with(const char *path, const char *suffix);

#endif
