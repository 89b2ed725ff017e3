/*
 * The page cache behind lk_read. From the first stop on storage and index lie in memory shared
 * across fork, so that pages read by the stop helper (stop.c) are there for its parent. Bounded:
 * when full, it forgets everything that is not pinned and goes on.
 */
#ifndef LK_PROCESS_PAGES_H
#define LK_PROCESS_PAGES_H

#include "process/asked.h"

struct lk_pages;

/** ops and impl are borrowed and must outlive the cache. NULL when there is no address space for
 * it. */
struct lk_pages *lk_pages_create(const struct lk_process_ops *ops, void *impl);
void lk_pages_destroy(struct lk_pages *p);

/** Forgets all pages, pinned ones too, and gives memory above the usual bound back. */
void lk_pages_forget(struct lk_pages *p);

/** Reads all pages that are there again, in few calls, each in its place. False, and nothing done,
 * where some are pinned. */
bool lk_pages_reread(struct lk_pages *p);
/** How many pages were read since lk_pages_forget or lk_pages_reread. */
size_t lk_pages_n_read(const struct lk_pages *p);

/** Forgets the pages of [start, end), so that they are read again: all while pinning, later only
 * those that are not pinned. */
void lk_pages_forget_range(struct lk_pages *p, lk_addr start, lk_addr end);
/** Forgets all pages that are not pinned: what changed while it was read can be read again. */
void lk_pages_forget_unpinned(struct lk_pages *p);

/**
 * The bytes of one page (addr is page aligned), read if needed together with its missing neighbours
 * of the same 16 KiB block; NULL when it cannot be read. Valid until the next call on this cache.
 */
const uint8_t *lk_pages_get(struct lk_pages *p, lk_addr page);
/** The errno of the last page that lk_pages_get did not give. */
int lk_pages_errno(const struct lk_pages *p);

/** From here on somebody is told what was asked for, before it is forgotten or read again; NULL:
 * nobody any more, after what is left was told. */
void lk_pages_watch(struct lk_pages *p, lk_pages_visit visit, void *arg);
/** n bytes at `at` of the page that lk_pages_get just gave are asked for. */
void lk_pages_asked(struct lk_pages *p, size_t at, size_t n);
/** Tells what was asked for until now. */
void lk_pages_tell(struct lk_pages *p);

/** Makes room for n pages that are about to be wanted, where that is possible by forgetting others.
 */
void lk_pages_reserve(struct lk_pages *p, size_t n);
/** Queues the pages of [start, end) that are not cached; lk_pages_flush reads them in few calls. */
void lk_pages_want(struct lk_pages *p, lk_addr start, lk_addr end);
void lk_pages_flush(struct lk_pages *p);

/** From here on every page read is kept until lk_pages_forget. Forgets what was there: it was read
 * without a stop. False, and nothing is pinned, where there is no memory to share with the helper.
 */
bool lk_pages_pin_begin(struct lk_pages *p);
/** Takes the page faults of index and storage (`bytes`, or as much as was used before) now, in the
 * process that fills them. */
void lk_pages_populate(struct lk_pages *p, size_t bytes);
/**
 * After a rehearsal without a stop: reads the pages that it looked at once more, in few calls, and
 * forgets those that only came with them. Under the stop the walk then finds its pages in place.
 */
void lk_pages_refresh(struct lk_pages *p);
/** Returns false when more pages were read than could be kept. */
bool lk_pages_pin_end(struct lk_pages *p);

#endif
