/* Open addressing with Fibonacci hashing: keys are mostly addresses, whose low bits say little. */
#include "util/map.h"

#include <stdlib.h>
#include <string.h>

#include "util/arena.h"

static size_t slot_of(uint64_t key, size_t cap)
{
    /* Fibonacci hashing: addresses are aligned, so their low bits say little. */
    return (size_t)((key * UINT64_C(0x9e3779b97f4a7c15)) >> 20) & (cap - 1);
}

/* Index of the key's slot, or of the free slot where it belongs. cap > n always. */
static size_t find_slot(const struct lk_map *m, uint64_t key)
{
    size_t i = slot_of(key, m->cap);
    while (m->used[i] && m->keys[i] != key)
        i = (i + 1) & (m->cap - 1);
    return i;
}

static void grow(struct lk_map *m)
{
    struct lk_map old = *m, new = old;
    /* Steep while small: entering 100,000 tasks one by one would otherwise move each of them twice.
     */
    new.cap = !old.cap ? 64 : old.cap < 65536 ? old.cap * 4 : old.cap * 2;
    new.keys = lk_xcalloc(new.cap, sizeof *new.keys);
    new.values = lk_xcalloc(new.cap, sizeof *new.values);
    new.used = lk_xcalloc(new.cap, 1);
    *m = new; /* whole before and after, also where memory runs out */
    for (size_t i = 0; i < old.cap; i++) {
        if (!old.used[i])
            continue;
        size_t j = find_slot(m, old.keys[i]);
        m->used[j] = 1;
        m->keys[j] = old.keys[i];
        m->values[j] = old.values[i];
    }
    lk_free(old.keys);
    lk_free(old.values);
    lk_free(old.used);
}

void lk_map_deinit(struct lk_map *m)
{
    lk_free(m->keys);
    lk_free(m->values);
    lk_free(m->used);
    memset(m, 0, sizeof *m);
}

void lk_map_clear(struct lk_map *m)
{
    if (m->used)
        memset(m->used, 0, m->cap);
    m->n = 0;
}

bool lk_map_get(const struct lk_map *m, uint64_t key, uint64_t *ret)
{
    if (!m->cap)
        return false;
    size_t i = find_slot(m, key);
    if (!m->used[i])
        return false;
    if (ret)
        *ret = m->values[i];
    return true;
}

static size_t insert_slot(struct lk_map *m, uint64_t key, bool *is_new)
{
    if (m->n * 4 >= m->cap * 3)
        grow(m);
    size_t i = find_slot(m, key);
    *is_new = !m->used[i];
    if (*is_new) {
        m->used[i] = 1;
        m->keys[i] = key;
        m->n++;
    }
    return i;
}

void lk_map_put(struct lk_map *m, uint64_t key, uint64_t value)
{
    bool is_new;
    size_t i = insert_slot(m, key, &is_new);
    m->values[i] = value;
}

bool lk_map_add(struct lk_map *m, uint64_t key, uint64_t value)
{
    bool is_new;
    size_t i = insert_slot(m, key, &is_new);
    if (is_new)
        m->values[i] = value;
    return is_new;
}

uint64_t lk_hash(uint64_t h, const void *p, size_t n)
{
    const unsigned char *b = p;
    for (size_t i = 0; i < n; i++)
        h = (h ^ b[i]) * UINT64_C(0x100000001b3);
    return h;
}

uint64_t lk_hash_u64(uint64_t h, uint64_t v)
{
    h ^= v + UINT64_C(0x9e3779b97f4a7c15) + (h << 6) + (h >> 2);
    h ^= h >> 31;
    return h * UINT64_C(0xbf58476d1ce4e5b9);
}

uint64_t lk_hash_str(uint64_t h, const char *s)
{
    return lk_hash(h, s, strlen(s) + 1);
}
