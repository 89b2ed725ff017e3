/* Random snapshots for fuzzing graph and rules: every field that they read, plausible or not. */
#ifndef LK_TESTS_DIAGNOSE_GRAPH_RANDOM_H
#define LK_TESTS_DIAGNOSE_GRAPH_RANDOM_H

#include "snapshot/snapshot.h"

/** At most `size` entities of each kind; wild: also dangling references and values outside of their
 * enumerations' meaning. */
struct lk_snapshot *random_snapshot(uint64_t seed, unsigned size, bool wild);

#endif
