/*
 * The checked allocators, and what becomes of a call that memory runs out in.
 *
 * A call of the library runs inside lk_guarded(), on whatever thread it is. When an allocation
 * fails there, everything that was allocated since and not freed is freed, what is held (open
 * descriptors, mappings, streams) is released, and lk_guarded() returns false, by longjmp(3): no
 * function in between sees the failure, so none has to be written for it. For this each block knows
 * its neighbours in the list of its guard, and is freed by lk_free(), never by free(3).
 *
 * What a guarded function opens and keeps while it allocates is held by lk_hold() or lk_fd_hold().
 * Memory that a guarded function reaches and that is older than the guard may be read and written
 * but must not get pointers to new blocks, unless its blocks are adopted: they would be left
 * pointing to freed memory. Whatever is shared by threads is allocated with malloc(3).
 */
#ifndef LK_UTIL_MEMORY_H
#define LK_UTIL_MEMORY_H

#include "util/base.h"

/** The malloc family; memory that cannot be had ends the guarded call. A block belongs to the
 * innermost guard of the thread; outside of all it stands alone. */
void lk_free(void *p);
#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 11
#define LK_ALLOCATES __attribute__((malloc, malloc(lk_free, 1), returns_nonnull))
#else
#define LK_ALLOCATES __attribute__((malloc, returns_nonnull))
#endif
void *lk_xmalloc(size_t n) LK_ALLOCATES;
void *lk_xcalloc(size_t n, size_t size) LK_ALLOCATES;
void *lk_xrealloc(void *p, size_t n);
char *lk_xstrdup(const char *s) LK_ALLOCATES;

/** Bytes of this thread's blocks; only the difference of two answers counts, since blocks may go
 * from one thread to another. */
size_t lk_memory_used(void);

/** Ends the guarded call as a failed allocation does; outside of any the process, see
 * lk_memory_set_last_resort(). */
_Noreturn void lk_out_of_memory(void);

/** Blocks that were allocated under a guard and are handled together. */
struct lk_blocks;

/**
 * Calls work(arg). False when memory ran out in it; what it allocated is then gone. Otherwise its
 * blocks live on, each alone; with keep they stay together, for lk_blocks_adopt() or
 * lk_blocks_dissolve().
 */
LK_MUST_CHECK bool lk_guarded(void (*work)(void *arg), void *arg, struct lk_blocks **keep);

/** Makes them blocks of the innermost guard: they are freed if that fails. b may be NULL. */
void lk_blocks_adopt(struct lk_blocks *b);
/** Each lives on alone. b may be NULL. */
void lk_blocks_dissolve(struct lk_blocks *b);

typedef void (*lk_release_fn)(void *what, size_t size);

/** Calls release(what, size) when the guarded call fails, the last held first. */
void lk_hold(void *what, size_t size, lk_release_fn release);
/** Forgets what was held last under this name; what nobody holds is fine. */
void lk_let_go(const void *what, lk_release_fn release);

/** Holds a descriptor and returns it; -1 is passed through. */
int lk_fd_hold(int fd);
/** Closes it, held or not; keeps errno. -1 is fine. */
void lk_fd_close(int fd);

/** In a forked child, which must not return into the call it was forked in: no guard is in force,
 * and where memory runs out `end` is called, which must not return. */
void lk_memory_in_child(void (*end)(void));
/** What ends a program where memory runs out outside of any guard; without, abort(3) does. */
void lk_memory_set_last_resort(void (*end)(void));

#endif
