/*
 * Whether a whole tree of processes has come to a halt: no thread of it can act before another one
 * of the tree does, and no timer, signal or stranger is there that could begin.
 */
#ifndef LK_EXAMINE_TREE_HALT_H
#define LK_EXAMINE_TREE_HALT_H

#include "process/facts.h"
#include "report/report.h"

enum lk_tree_halt {
    LK_TREE_GOES_ON = 0, /* or that is not known */
    LK_TREE_TIMED,       /* nothing but finite timers of its own is left */
    LK_TREE_HALTED,
};

/** left_ms: TIMED: of the last of those timers; LK_UNKNOWN where one could not be read. */
enum lk_tree_halt lk_tree_halt(const struct lk_machine *m, const struct lk_report *reports,
                               size_t n, int64_t *left_ms);

#endif
