/*
 * Files that a live process maps or names, opened safely.
 */
#ifndef LK_PROCESS_LIVE_FILES_H
#define LK_PROCESS_LIVE_FILES_H

#include "process/process.h"

int lk_live_open_mapping(void *impl, const struct lk_mapping *m, struct lk_error *err);
int lk_live_open_path(void *impl, const char *path, struct lk_error *err);

#endif
