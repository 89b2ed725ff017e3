/* Memory of a core, and the list of what was mapped. */
#ifndef LK_PROCESS_CORE_MEMORY_H
#define LK_PROCESS_CORE_MEMORY_H

#include "process/core/core_internal.h"

/** As lk_process_ops has them; impl is a struct lk_core. */
size_t lk_core_read(void *impl, lk_addr addr, void *buf, size_t n);
void lk_core_read_pages(void *impl, const lk_addr *pages, void *const *bufs, int *why, size_t n);
bool lk_core_maps(void *impl, struct lk_arena *a, struct lk_mapping **ret, size_t *n,
                  struct lk_error *err);
int lk_core_open_mapping(void *impl, const struct lk_mapping *m, struct lk_error *err);

#endif
