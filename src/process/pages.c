/*
 * The page cache: an index and storage in one mapping, filled in batches through the ops of the
 * kind of target. Until the first stop it is this process's own, in huge pages where the kernel has
 * them: that takes a fifth of the time that faults of shared pages take. Memory is given back by
 * MADV_DONTNEED or, shared, MADV_REMOVE, and taken ahead of a stop by MADV_POPULATE_WRITE (Linux
 * 5.14), madvise(2).
 */
#include "process/pages.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "util/arena.h"
#include "util/compat.h"
#include "util/vec.h"

/*
 * One mapping, MAP_ANONYMOUS | MAP_NORESERVE; MAP_SHARED from the first stop on:
 *
 *     header | page address of each slot | index (open addressing) | storage, one slot a page
 *
 * Another process (the stop helper) may be killed at any instruction while it fills the cache, so
 * an entry becomes visible only after its page is complete, and a slot is taken before it is used.
 */
enum {
    INDEX_BITS = 17,
    INDEX_SIZE = 1 << INDEX_BITS,
    MAX_ENTRIES = INDEX_SIZE / 8 * 7, /* readable and unreadable pages together */
    USUAL_SLOTS = 40 << 20 >> 12,     /* 40 MiB: the bound while nothing is pinned */
    PINNED_SLOTS = 192 << 20 >> 12,   /* the bound of what one stop may read */
    SPARE_SLOTS = 8 << 20 >> 12,      /* always left beside the pinned pages */
    ALL_SLOTS = PINNED_SLOTS + SPARE_SLOTS,
    BLOCK_PAGES = 4, /* read together on a miss: a call costs as much as a page */
    BATCH = 1024,    /* IOV_MAX */
};

/* Values of entry.slot beside real slots: of an unreadable page its errno is kept. */
#define SLOT_PENDING          UINT32_MAX
#define SLOT_UNREADABLE       (UINT32_C(1) << 31)
#define SLOT_UNREADABLE_OF(e) (SLOT_UNREADABLE | (uint32_t)(e))

struct entry {
    uint64_t page; /* address of the page */
    uint32_t gen;  /* valid when equal to header.gen */
    uint32_t slot;
};

struct header {
    uint32_t gen;
    uint32_t n_slots;  /* slots taken */
    uint32_t n_pinned; /* the first n_pinned slots are kept when others are forgotten */
    uint32_t n_entries;
    uint32_t limit;      /* bound of n_slots */
    uint32_t high_water; /* most slots ever taken since memory was given back */
    uint32_t recent;     /* about as many slots were taken before: what the next sample may need */
    bool pinning;
    bool overflow; /* while pinning: a page was read that could not be kept */
};

struct lk_pages {
    const struct lk_process_ops *ops;
    void *impl;
    struct header *h;
    uint64_t *slot_page;
    struct entry *index;
    uint8_t *storage;
    size_t map_size;
    bool shared;
    uint32_t all_slots;

    /* The page asked for last; most reads hit it again. */
    uint64_t last_page;
    const uint8_t *last_bytes;
    uint32_t last_gen;

    size_t n_batch;
    lk_addr batch_page[BATCH];
    void *batch_buf[BATCH];
    int batch_why[BATCH]; /* 0 when it was read */

    int last_errno; /* why the last page that was not given could not be read */
    size_t n_read;  /* see lk_pages_n_read */

    /* by slot: looked at since pin_begin; only in the process that pins, NULL elsewhere */
    uint8_t *used;

    struct lk_asked asked; /* see lk_pages_watch */

    uint8_t scratch[LK_PAGE]; /* for pages that can be read but not kept */
};

static size_t page_round(size_t n)
{
    return (n + LK_PAGE - 1) & ~(size_t)(LK_PAGE - 1);
}

static void unmap(void *memory, size_t size)
{
    munmap(memory, size);
}

static bool map(struct lk_pages *p, uint32_t slots, bool shared)
{
    const size_t head = page_round(sizeof(struct header));
    const size_t pages = page_round(slots * sizeof(uint64_t));
    const size_t index = page_round(INDEX_SIZE * sizeof(struct entry));
    const size_t size = head + pages + index + (size_t)slots * LK_PAGE;
    uint8_t *m = mmap(NULL, size, PROT_READ | PROT_WRITE,
                      (shared ? MAP_SHARED : MAP_PRIVATE) | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (m == MAP_FAILED)
        return false;
    if (!shared)
        madvise(m, size, MADV_HUGEPAGE);
    p->h = (struct header *)m;
    p->slot_page = (uint64_t *)(m + head);
    p->index = (struct entry *)(m + head + pages);
    p->storage = m + head + pages + index;
    p->map_size = size;
    p->all_slots = slots;
    p->shared = shared;
    p->last_bytes = NULL;
    p->h->gen = 1; /* entries start zeroed, so as of generation 0: invalid */
    p->h->limit = LK_MIN((uint32_t)USUAL_SLOTS, slots);
    lk_hold(m, size, unmap);
    return true;
}

static void unmap_all(struct lk_pages *p)
{
    lk_let_go(p->h, unmap);
    munmap(p->h, p->map_size);
}

/* Where memory is overcommitted strictly even a NORESERVE mapping counts, so smaller ones are tried
 * too. */
static bool map_most(struct lk_pages *p)
{
    for (uint32_t slots = ALL_SLOTS; slots >= SPARE_SLOTS; slots /= 2)
        if (map(p, slots, false))
            return true;
    return false;
}

/* What was in it is forgotten. */
static bool share(struct lk_pages *p)
{
    const uint32_t slots = p->all_slots, recent = p->h->recent;

    if (p->shared)
        return true;
    unmap_all(p);
    const bool shared = map(p, slots, true);
    if (!shared && !map(p, slots, false))
        lk_out_of_memory();
    p->h->recent = recent;
    return shared;
}

struct lk_pages *lk_pages_create(const struct lk_process_ops *ops, void *impl)
{
    struct lk_pages *p = lk_xcalloc(1, sizeof(*p));

    p->ops = ops;
    p->impl = impl;
    if (!map_most(p)) {
        lk_free(p);
        return NULL;
    }
    return p;
}

void lk_pages_destroy(struct lk_pages *p)
{
    if (!p)
        return;
    unmap_all(p);
    lk_free(p->used);
    lk_asked_deinit(&p->asked);
    lk_free(p);
}

/* --- index ---------------------------------------------------------------- */

/* Pages of one block are neighbours in the index: one cache line holds all four. */
static uint32_t bucket(uint64_t page)
{
    uint64_t n = page / LK_PAGE;
    uint64_t mixed = (n / BLOCK_PAGES * UINT64_C(0x9E3779B97F4A7C15)) >> (64 - (INDEX_BITS - 2));

    return (uint32_t)(mixed * BLOCK_PAGES + n % BLOCK_PAGES);
}

/* The page's entry, or the free one where it would stand. Ends, since MAX_ENTRIES < INDEX_SIZE. */
static struct entry *probe(const struct lk_pages *p, uint64_t page)
{
    uint32_t i = bucket(page);

    for (;;) {
        struct entry *e = &p->index[i];

        if (e->gen != p->h->gen || e->page == page)
            return e;
        i = (i + 1) % INDEX_SIZE;
    }
}

static bool entry_valid(const struct lk_pages *p, const struct entry *e)
{
    return e->gen == p->h->gen;
}

static void publish(struct lk_pages *p, uint64_t page, uint32_t slot)
{
    struct entry *e = probe(p, page);

    if (!entry_valid(p, e)) {
        p->h->n_entries++;
        e->page = page;
        __atomic_store_n(&e->slot, slot, __ATOMIC_RELEASE);
        __atomic_store_n(&e->gen, p->h->gen, __ATOMIC_RELEASE);
        return;
    }
    __atomic_store_n(&e->slot, slot, __ATOMIC_RELEASE);
}

/* Known, readable or not. A pending entry that this process did not queue was left by a killed
 * helper. */
static bool known(const struct lk_pages *p, uint64_t page, uint32_t *slot)
{
    const struct entry *e = probe(p, page);

    if (!entry_valid(p, e))
        return false;
    *slot = e->slot;
    return e->slot != SLOT_PENDING;
}

static uint8_t *slot_bytes(const struct lk_pages *p, uint32_t slot)
{
    return p->storage + (size_t)slot * LK_PAGE;
}

/* --- what was asked for --------------------------------------------------- */

void lk_pages_watch(struct lk_pages *p, lk_pages_visit visit, void *arg)
{
    lk_pages_tell(p);
    lk_asked_watch(&p->asked, p->all_slots, visit, arg);
}

static void tell_slot(struct lk_pages *p, uint32_t slot)
{
    lk_asked_tell(&p->asked, slot, p->slot_page[slot], slot_bytes(p, slot));
}

void lk_pages_tell(struct lk_pages *p)
{
    for (size_t i = 0; i < p->asked.told.n; i++)
        tell_slot(p, p->asked.told.v[i]);
    p->asked.told.n = 0;
}

void lk_pages_asked(struct lk_pages *p, size_t at, size_t n)
{
    const uint32_t slot = (uint32_t)((size_t)(p->last_bytes - p->storage) / LK_PAGE);

    if (p->last_bytes == p->scratch)
        lk_asked_once(&p->asked, p->last_page, p->scratch, at, n);
    else
        lk_asked_of_slot(&p->asked, slot, at, n);
}

/* --- forgetting and making room ------------------------------------------- */

static void forget_unpinned(struct lk_pages *p)
{
    struct header *h = p->h;

    lk_pages_tell(p);
    h->high_water = LK_MAX(h->high_water, h->n_slots);
    h->recent = LK_MIN(LK_MAX(h->n_slots, h->recent / 2), (uint32_t)USUAL_SLOTS);
    h->gen++;
    h->n_entries = 0;
    h->n_slots = h->n_pinned;
    for (uint32_t i = 0; i < h->n_pinned; i++)
        if (p->slot_page[i] != UINT64_MAX)
            publish(p, p->slot_page[i], i);
}

void lk_pages_forget(struct lk_pages *p)
{
    struct header *h = p->h;
    uint32_t keep = LK_MIN((uint32_t)USUAL_SLOTS, p->all_slots);

    h->n_pinned = 0;
    h->pinning = false;
    h->overflow = false;
    h->limit = keep;
    forget_unpinned(p);
    p->n_batch = 0;
    p->n_read = 0;
    if (h->high_water > keep)
        madvise(slot_bytes(p, keep), (size_t)(h->high_water - keep) * LK_PAGE,
                p->shared ? MADV_REMOVE : MADV_DONTNEED);
    h->high_water = 0;
}

/* The slot of a forgotten page stays unused until the sample ends. */
void lk_pages_forget_range(struct lk_pages *p, lk_addr start, lk_addr end)
{
    struct header *h = p->h;
    uint64_t page = start & ~(uint64_t)(LK_PAGE - 1);

    for (; page < end; page += LK_PAGE) {
        struct entry *e = probe(p, page);

        if (!entry_valid(p, e) || e->slot == SLOT_PENDING || (!h->pinning && e->slot < h->n_pinned))
            continue;
        if (p->asked.visit && e->slot < h->n_slots)
            tell_slot(p, e->slot);
        if (e->slot < h->n_slots)
            p->slot_page[e->slot] = UINT64_MAX;
        __atomic_store_n(&e->slot, SLOT_PENDING, __ATOMIC_RELEASE);
    }
    p->last_bytes = NULL;
}

void lk_pages_forget_unpinned(struct lk_pages *p)
{
    if (!p->h->pinning)
        forget_unpinned(p);
}

/* False when n more pages cannot be kept, which happens only while pinning. */
static bool make_room(struct lk_pages *p, uint32_t n)
{
    struct header *h = p->h;

    if (h->n_slots + n <= h->limit && h->n_entries + n <= MAX_ENTRIES)
        return true;
    if (h->pinning) {
        h->overflow = true;
        return false;
    }
    forget_unpinned(p);
    return true;
}

bool lk_pages_pin_begin(struct lk_pages *p)
{
    lk_pages_forget(p);
    if (!share(p))
        return false;
    p->h->pinning = true;
    p->h->limit = p->all_slots - LK_MIN((uint32_t)SPARE_SLOTS, p->all_slots / 4);
    return true;
}

bool lk_pages_pin_end(struct lk_pages *p)
{
    struct header *h = p->h;
    uint32_t spare = LK_MIN((uint32_t)SPARE_SLOTS, p->all_slots / 4);

    h->pinning = false;
    h->n_pinned = h->n_slots;
    h->limit = LK_MAX(LK_MIN((uint32_t)USUAL_SLOTS, p->all_slots), h->n_pinned + spare);
    p->n_batch = 0;
    p->last_bytes = NULL; /* it may have been the scratch page */
    return !h->overflow;
}

void lk_pages_populate(struct lk_pages *p, size_t bytes)
{
    size_t head = (size_t)(p->storage - (uint8_t *)p->h);
    size_t want = LK_MAX(page_round(bytes), (size_t)p->h->recent * LK_PAGE);
    size_t size = LK_MIN(head + want, p->map_size);
    volatile uint8_t *m = (volatile uint8_t *)p->h;

    p->h->high_water = LK_MAX(p->h->high_water, (uint32_t)((size - head) / LK_PAGE));
    if (!p->used)
        p->used = lk_xcalloc(p->all_slots, 1);
    if (madvise(p->h, size, MADV_POPULATE_WRITE) == 0)
        return;
    for (size_t i = 0; i < size; i += LK_PAGE) { /* Linux before 5.14 */
        uint8_t same = m[i];

        m[i] = same;
    }
}

/* --- reading --------------------------------------------------------------- */

static void read_batch(struct lk_pages *p)
{
    if (p->ops->read_pages) {
        p->ops->read_pages(p->impl, p->batch_page, p->batch_buf, p->batch_why, p->n_batch);
        return;
    }
    for (size_t i = 0; i < p->n_batch; i++)
        p->batch_why[i] =
            p->ops->read(p->impl, p->batch_page[i], p->batch_buf[i], LK_PAGE) == LK_PAGE ? 0
                                                                                         : EFAULT;
}

/* Queues one page that is not known; the caller has made room for it. */
static void enqueue(struct lk_pages *p, uint64_t page)
{
    uint32_t slot = p->h->n_slots + (uint32_t)p->n_batch;

    publish(p, page, SLOT_PENDING);
    p->batch_page[p->n_batch] = page;
    p->batch_buf[p->n_batch] = slot_bytes(p, slot);
    p->n_batch++;
}

void lk_pages_flush(struct lk_pages *p)
{
    uint32_t first = p->h->n_slots;

    if (p->n_batch == 0)
        return;
    read_batch(p);
    p->n_read += p->n_batch;
    for (size_t i = 0; i < p->n_batch; i++)
        p->slot_page[first + i] = p->batch_why[i] ? UINT64_MAX : p->batch_page[i];
    __atomic_store_n(&p->h->n_slots, first + (uint32_t)p->n_batch, __ATOMIC_RELEASE);
    for (size_t i = 0; i < p->n_batch; i++)
        publish(p, p->batch_page[i],
                p->batch_why[i] ? SLOT_UNREADABLE_OF(p->batch_why[i]) : first + (uint32_t)i);
    p->n_batch = 0;
}

/* Reads the queued pages again, each into the slot it has. */
static void reread_batch(struct lk_pages *p, const uint32_t *slots)
{
    read_batch(p);
    for (size_t i = 0; i < p->n_batch; i++) {
        if (!p->batch_why[i])
            continue;
        p->slot_page[slots[i]] = UINT64_MAX;
        publish(p, p->batch_page[i], SLOT_UNREADABLE_OF(p->batch_why[i]));
    }
    p->n_batch = 0;
}

/* Those that were not used (NULL: all were) are not known any more: read when they are asked for.
 */
static void reread_used(struct lk_pages *p, const uint8_t *used)
{
    uint32_t slots[BATCH] = { 0 };

    lk_pages_tell(p);
    lk_pages_flush(p); /* slots of a queued page are given when it is read */
    for (uint32_t i = 0; i < p->h->n_slots; i++) {
        if (p->slot_page[i] == UINT64_MAX)
            continue;
        if (used && !used[i]) {
            publish(p, p->slot_page[i], SLOT_PENDING);
            p->slot_page[i] = UINT64_MAX;
            continue;
        }
        slots[p->n_batch] = i;
        p->batch_page[p->n_batch] = p->slot_page[i];
        p->batch_buf[p->n_batch] = slot_bytes(p, i);
        if (++p->n_batch == BATCH)
            reread_batch(p, slots);
    }
    if (p->n_batch > 0)
        reread_batch(p, slots);
    p->last_bytes = NULL;
}

void lk_pages_refresh(struct lk_pages *p)
{
    if (p->used)
        reread_used(p, p->used);
}

bool lk_pages_reread(struct lk_pages *p)
{
    if (p->h->pinning || p->h->n_pinned || p->h->overflow)
        return false;
    reread_used(p, NULL);
    p->n_read = 0;
    return true;
}

size_t lk_pages_n_read(const struct lk_pages *p)
{
    return p->n_read;
}

void lk_pages_reserve(struct lk_pages *p, size_t n)
{
    const struct header *h = p->h;

    if (!h->pinning && h->n_slots + n > h->limit && n <= h->limit - h->n_pinned)
        forget_unpinned(p);
}

/*
 * A range larger than the room that is left is not read ahead to its end: what came first would be
 * forgotten before it is used.
 */
void lk_pages_want(struct lk_pages *p, lk_addr start, lk_addr end)
{
    uint64_t page = start & ~(uint64_t)(LK_PAGE - 1);
    uint32_t slot;

    if (end <= start)
        return;
    for (uint64_t left = (end - 1 - page) / LK_PAGE + 1; left > 0; left--, page += LK_PAGE) {
        const struct entry *e = probe(p, page);

        if (entry_valid(p, e) && e->slot == SLOT_PENDING && p->n_batch > 0)
            continue;
        if (known(p, page, &slot))
            continue;
        if (p->h->n_slots + p->n_batch + 1 > p->h->limit || p->h->n_entries + 1 > MAX_ENTRIES)
            return;
        enqueue(p, page);
        if (p->n_batch == BATCH)
            lk_pages_flush(p);
    }
}

/* Reads the missing pages of the block around page. False when they cannot be kept. */
static bool load_block(struct lk_pages *p, uint64_t page)
{
    uint64_t block = page & ~(uint64_t)(BLOCK_PAGES * LK_PAGE - 1);
    uint32_t slot;

    if (!make_room(p, BLOCK_PAGES))
        return false;
    for (uint64_t i = 0; i < BLOCK_PAGES; i++)
        if (!known(p, block + i * LK_PAGE, &slot))
            enqueue(p, block + i * LK_PAGE);
    lk_pages_flush(p);
    return true;
}

static const uint8_t *read_unkept(struct lk_pages *p, uint64_t page)
{
    p->n_read++;
    if (p->ops->read(p->impl, page, p->scratch, LK_PAGE) == LK_PAGE)
        return p->scratch;
    p->last_errno = EFAULT;
    return NULL;
}

static const uint8_t *unreadable(struct lk_pages *p, uint32_t slot)
{
    p->last_errno = (int)(slot & ~SLOT_UNREADABLE);
    return NULL;
}

static const uint8_t *get_slow(struct lk_pages *p, uint64_t page)
{
    uint32_t slot = SLOT_UNREADABLE;
    bool kept = known(p, page, &slot) || (load_block(p, page) && known(p, page, &slot));

    if (!kept)
        p->last_bytes = read_unkept(p, page);
    else if (slot & SLOT_UNREADABLE)
        return unreadable(p, slot);
    else
        p->last_bytes = slot_bytes(p, slot);
    if (kept && p->used)
        p->used[slot] = 1;
    p->last_page = page;
    p->last_gen = p->h->gen;
    return p->last_bytes;
}

const uint8_t *lk_pages_get(struct lk_pages *p, lk_addr page)
{
    if (page == p->last_page && p->last_bytes && p->last_gen == p->h->gen)
        return p->last_bytes;
    return get_slow(p, page);
}

int lk_pages_errno(const struct lk_pages *p)
{
    return p->last_errno;
}
