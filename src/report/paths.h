/*
 * Paths of the target as text: absolute, and as a part below a folder. Results belong to the arena.
 */
#ifndef LK_REPORT_PATHS_H
#define LK_REPORT_PATHS_H

#include "snapshot/snapshot.h"

/** A file of the target as an absolute path where its folder is known, without "." and empty parts.
 */
const char *lk_ci_path(struct lk_arena *a, const struct lk_snapshot *s, const char *file);
/** The part of an absolute path below a folder; NULL when it is not below it, or when ".." leaves
 * that open. */
const char *lk_ci_below(const char *folder, const char *path);

#endif
