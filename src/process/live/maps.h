/*
 * The mappings of a live process, from /proc/PID/maps.
 */
#ifndef LK_PROCESS_LIVE_MAPS_H
#define LK_PROCESS_LIVE_MAPS_H

#include "process/process.h"

bool lk_live_maps(void *impl, struct lk_arena *a, struct lk_mapping **ret, size_t *n,
                  struct lk_error *err);
bool lk_live_maps_unchanged(void *impl);

#endif
