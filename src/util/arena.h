/* Arena: many small objects, one owner, one release. Zeroed memory. Where memory runs out the call
 * ends, see util/memory.h. */
#ifndef LK_UTIL_ARENA_H
#define LK_UTIL_ARENA_H

#include "util/memory.h"

struct lk_arena;

struct lk_arena *lk_arena_create(void);
void lk_arena_destroy(struct lk_arena *a);
/** other is destroyed with a. Allocates nothing. */
void lk_arena_keep(struct lk_arena *a, struct lk_arena *other);
/** Zeroed, aligned for any type. n may be 0. */
void *lk_arena_alloc(struct lk_arena *a, size_t n);
/** n * size with overflow check. */
void *lk_arena_array(struct lk_arena *a, size_t n, size_t size);
char *lk_arena_strdup(struct lk_arena *a, const char *s);
char *lk_arena_strndup(struct lk_arena *a, const char *s, size_t n);
char *lk_arena_printf(struct lk_arena *a, const char *fmt, ...) LK_PRINTF(2, 3);

#endif
