/*
 * Hash map from a 64-bit key to a 64-bit value (open addressing). Used for visited
 * sets, address -> index tables and caches. Key 0 is allowed.
 */
#ifndef LK_UTIL_MAP_H
#define LK_UTIL_MAP_H

#include "util/base.h"

struct lk_map {
    uint64_t *keys, *values;
    uint8_t *used;
    size_t n, cap;
};

void lk_map_deinit(struct lk_map *m);
void lk_map_clear(struct lk_map *m);
/** False when the key is absent; ret (may be NULL) is then untouched. */
bool lk_map_get(const struct lk_map *m, uint64_t key, uint64_t *ret);
/** Inserts or overwrites. */
void lk_map_put(struct lk_map *m, uint64_t key, uint64_t value);
/** Inserts when absent; true when it was new. */
bool lk_map_add(struct lk_map *m, uint64_t key, uint64_t value);

/** FNV-1a style mixing for digests. */
uint64_t lk_hash(uint64_t h, const void *p, size_t n);
uint64_t lk_hash_u64(uint64_t h, uint64_t v);
uint64_t lk_hash_str(uint64_t h, const char *s);
#define LK_HASH_INIT UINT64_C(0xcbf29ce484222325)

#endif
