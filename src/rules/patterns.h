/*
 * The pattern table: which packages are frameworks, and what a frame of a well-known function means. Data only; matching
 * is here too, so that nothing else compares file names.
 */
#ifndef LK_RULES_PATTERNS_H
#define LK_RULES_PATTERNS_H

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
};

/** A function, by name or qualified name and by the end of its file's path ("werkzeug/serving.py"). function NULL: any in that
 * file. */
struct lk_pattern {
    const char *function, *file;
    unsigned marks;
};

/** Marks of a code object by the table; its strings must not be NULL. */
unsigned lk_pattern_marks(const struct lk_code *c);
/** True when a module or package of this top-level name is a framework or a library that user code calls. */
bool lk_pattern_is_framework(const char *name, size_t length);
/** True when a task or thread that is in this call (lk_wait.call) waits for clients, not for an answer. */
bool lk_pattern_is_listening(const char *call);
/** True when path ends with suffix at a folder boundary. */
bool lk_path_ends_with(const char *path, const char *suffix);

#endif
