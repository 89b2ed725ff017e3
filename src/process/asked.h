/*
 * Which bytes of the cached pages somebody asked for, a bit each, until they are told to who writes
 * them down.
 */
#ifndef LK_PROCESS_ASKED_H
#define LK_PROCESS_ASKED_H

#include "process/process.h"
#include "util/vec.h"

enum { LK_PAGE_WORDS = LK_PAGE / 64 };

/** Told of the bytes of a page that were asked for, a bit each: LK_PAGE_WORDS words. */
typedef void (*lk_pages_visit)(void *arg, lk_addr page, const uint8_t *bytes,
                               const uint64_t *asked);

struct lk_asked {
    lk_pages_visit visit; /* NULL: nobody is told */
    void *arg;
    uint64_t (*bits)[LK_PAGE_WORDS]; /* by slot */
    uint8_t *any;                    /* by slot: one of its bits is set */
    LK_VEC(uint32_t) told;           /* slots with such bits, and some that were told already */
};

/** Sets n bits of a page's from `at` on. */
void lk_asked_set_bits(uint64_t *bits, size_t at, size_t n);
/** The same number of slots each time; all must have been told. */
void lk_asked_watch(struct lk_asked *k, size_t slots, lk_pages_visit visit, void *arg);
void lk_asked_deinit(struct lk_asked *k);
/** n bytes at `at` of the page in a slot are asked for. */
void lk_asked_of_slot(struct lk_asked *k, uint32_t slot, size_t at, size_t n);
/** The same of a page that has no slot: told at once. */
void lk_asked_once(struct lk_asked *k, lk_addr page, const uint8_t *bytes, size_t at, size_t n);
/** Tells what was asked for of the page in a slot. */
void lk_asked_tell(struct lk_asked *k, uint32_t slot, lk_addr page, const uint8_t *bytes);

#endif
