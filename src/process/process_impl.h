/*
 * The record behind struct lk_process: for process.c, for the kinds of process that fill it, and
 * for tests. Everybody else goes through process.h.
 */
#ifndef LK_PROCESS_PROCESS_IMPL_H
#define LK_PROCESS_PROCESS_IMPL_H

#include "process/budget.h"
#include "process/pages.h"
#include "process/process.h"
#include "util/arena.h"

struct lk_process {
    const struct lk_process_ops *ops;
    void *impl;
    const struct lk_arch *arch;
    const struct lk_machine *machine; /* NULL: not known */
    pid_t pid;                        /* 0: not live */
    struct lk_error withheld;         /* lk_process_withheld */
    struct lk_pages *pages;
    const char *reading;          /* NULL not told */
    struct lk_failed_read failed; /* the first, since lk_read_watch */
    struct lk_arena *maps_arena;  /* NULL: maps were never read */
    struct lk_mapping *maps;
    size_t n_maps;
    bool maps_fresh; /* read in this sample */
    unsigned aside;  /* lk_process_aside, so many times */
    struct lk_budget budget;
    struct lk_spending spending;
    unsigned extra; /* lk_process_extra, so many times; what was missing when it began */
    size_t missing_before, forgiven;
};

#endif
