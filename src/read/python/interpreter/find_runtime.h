/* Finding the Python runtime among the ELF files that a process has mapped. */
#ifndef LK_READ_PYTHON_INTERPRETER_FIND_RUNTIME_H
#define LK_READ_PYTHON_INTERPRETER_FIND_RUNTIME_H

#include "read/python/interpreter/interpreter.h"

/** A mapped ELF file that may hold the runtime. */
struct lk_runtime_file {
    const struct lk_mapping *m;
    int rank; /* 0 libpython, 1 the program or something called python, 2 the rest */
};
struct lk_runtime_files {
    struct lk_runtime_file *v;
    size_t n, cap;
};

/** What one file holds. */
struct lk_runtime_found {
    lk_addr runtime;
    uint32_t py_version; /* 0 unknown */
    bool old;            /* a Python without _PyRuntime: before 3.7 */
    char hint[16];
};

/** The first mapping of every ELF file; c->v is malloc'd. *pypy: one of them is PyPy's. */
void lk_runtime_files(struct lk_process *t, struct lk_runtime_files *c, bool *pypy);
/** It is Python by its name: libpython*.so*, python*. */
bool lk_runtime_is_named(const struct lk_runtime_file *c);
/** Looks into one file; false when there is no Python in it. */
bool lk_runtime_probe(struct lk_process *t, const struct lk_runtime_file *c,
                      struct lk_runtime_found *f);
/** True for a version, by a file's name, that is older than every row of the layout table. */
bool lk_runtime_hint_is_old(const char *hint);

#endif
