/* Code, frames and stacks, Python's and native ones. */
#ifndef LK_SNAPSHOT_FRAME_H
#define LK_SNAPSHOT_FRAME_H

#include "util/arena.h"

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
/** By the names of its first arguments the entry of a web application, whoever calls it. */
enum lk_entry {
    LK_ENTRY_NONE,
    LK_ENTRY_WSGI, /* (environ, start_response), PEP 3333 */
    LK_ENTRY_ASGI, /* (scope, receive, send) */
};

struct lk_code {
    lk_addr addr;
    const char *function; /* co_name */
    const char *qualname; /* co_qualname; = function before 3.11 */
    const char *file;     /* co_filename, as the target has it */
    int firstlineno;
    bool is_coroutine; /* CO_COROUTINE or CO_ASYNC_GENERATOR in co_flags */
    uint8_t entry;     /* enum lk_entry */
    /* co_names holds these words; set: set_result or set_exception */
    bool mentions_release, mentions_acquire, mentions_cancel, mentions_set;
    bool mentions_serve; /* ... or one that opens a server's socket */
    enum lk_code_class cls;
    bool site;      /* below site-packages or dist-packages */
    bool home;      /* below the folder that the process runs in */
    unsigned marks; /* what a frame of it means (diagnose/catalog/frames.h); set by lk_classify */
    /* a blocking call: its name for sentences, NULL its qualname; set by lk_classify */
    const char *call;
};

/** A variable, and its value in a few words, secrets hidden. */
struct lk_local {
    const char *name, *value;
};
struct lk_locals {
    struct lk_local *v;
    size_t n;
};

/** A line with the ones before and after it, with their indentation; NULL not read. */
struct lk_source_context {
    const char *before, *at, *after;
};

struct lk_pyframe {
    const struct lk_code *code;
    int line;           /* current line; 0 = not known */
    const char *source; /* that line's text, clean; NULL = not read */
    uint32_t lasti;     /* instruction offset, for progress only */
    /* NULL: not asked for, or not read. Only in a stack of one party's own */
    const struct lk_locals *locals;
    /* of the frame that a culprit is made of; NULL elsewhere */
    struct lk_source_context *context;
};

/** A stack, innermost first. Equal stacks are one object: compare pointers to fold. */
struct lk_pystack {
    uint32_t n;
    bool truncated;
    struct lk_pyframe *frames;
};

/** Its code is the user's: neither a library's nor a framework's. */
static inline bool lk_is_user_frame(const struct lk_pyframe *f)
{
    return f->code && f->code->cls == LK_CODE_USER;
}

/** The innermost such frame; NULL where there is none, and of no stack. */
static inline const struct lk_pyframe *lk_user_frame(const struct lk_pystack *st)
{
    for (uint32_t i = 0; st && i < st->n; i++)
        if (lk_is_user_frame(&st->frames[i]))
            return &st->frames[i];
    return NULL;
}

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
    bool rust;          /* function was mangled by Rust's own scheme (v0) */
    bool inlined;       /* into the frame behind it: the same pc, a function of the source */
};
struct lk_natstack {
    uint32_t n;
    bool truncated; /* the unwind stopped before the outermost frame */
    bool has_lines; /* file:line and inlined functions were looked for */
    struct lk_natframe *frames;
};

#endif
