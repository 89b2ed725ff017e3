/*
 * Pages with a bit for each of their bytes; written as runs, the bytes of a page behind them. Most
 * pages of a sample are what they were in the one before: those are kept, and written as such.
 */
#include "process/capture/known.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "process/pages.h"
#include "util/map.h"
#include "util/vec.h"

enum { NEAR = 256 };

struct page {
    lk_addr addr;
    uint64_t sample;               /* in which it was last asked for */
    int why, before_why;           /* errno: it could not be read; 0 */
    bool same;                     /* all that was read of it is what it was in the sample before */
    uint64_t known[LK_PAGE_WORDS]; /* in that sample */
    uint64_t before[LK_PAGE_WORDS]; /* in the one before */
    uint8_t bytes[LK_PAGE];
};

struct lk_known {
    struct lk_map at; /* address of a page -> index + 1 */
    LK_VEC(struct page *) v;
    struct page *near[NEAR]; /* by the last bits of the page's number: found without the map */
    uint64_t sample;
    size_t n, most; /* pages of the sample */
    bool cut;       /* see lk_known_is_cut */
};

struct lk_known *lk_known_create(size_t most)
{
    struct lk_known *w = lk_xcalloc(1, sizeof *w);
    w->most = most;
    w->sample = 1;
    return w;
}

void lk_known_destroy(struct lk_known *w)
{
    if (!w)
        return;
    for (size_t i = 0; i < w->v.n; i++)
        lk_free(w->v.v[i]);
    lk_free(w->v.v);
    lk_map_deinit(&w->at);
    lk_free(w);
}

/* What the sample that ends did not ask for is forgotten: who reads it back does the same. */
void lk_known_next(struct lk_known *w)
{
    if (w->n < w->v.n) {
        size_t n = 0;
        lk_map_clear(&w->at);
        memset(w->near, 0, sizeof w->near);
        for (size_t i = 0; i < w->v.n; i++) {
            struct page *p = w->v.v[i];
            if (p->sample != w->sample) {
                lk_free(p);
                continue;
            }
            w->v.v[n++] = p;
            lk_map_put(&w->at, p->addr, n);
        }
        w->v.n = n;
    }
    w->sample++;
    w->n = 0;
    w->cut = false;
}

/* Also one that is only kept from the sample before. */
static struct page *find_kept(const struct lk_known *w, lk_addr addr)
{
    struct page *p = w->near[addr / LK_PAGE % NEAR];
    uint64_t i;
    if (p && p->addr == addr)
        return p;
    return lk_map_get(&w->at, addr, &i) ? w->v.v[i - 1] : NULL;
}

static struct page *find(const struct lk_known *w, lk_addr addr)
{
    struct page *p = find_kept(w, addr);
    return p && p->sample == w->sample ? p : NULL;
}

static struct page *create(struct lk_known *w, lk_addr addr)
{
    struct page *p = lk_xcalloc(1, sizeof *p);
    p->addr = addr;
    lk_vec_add(&w->v, p); /* NOLINT(bugprone-sizeof-expression): pointers are what it holds */
    lk_map_put(&w->at, addr, w->v.n);
    return p;
}

/* NULL: there are too many. */
static struct page *enter(struct lk_known *w, lk_addr addr)
{
    struct page *p = find_kept(w, addr);
    if (p && p->sample == w->sample)
        return w->near[addr / LK_PAGE % NEAR] = p;
    if (w->n >= w->most) {
        w->cut = true;
        return NULL;
    }
    w->n++;
    if (p) {
        memcpy(p->before, p->known, sizeof p->before);
        memset(p->known, 0, sizeof p->known);
        p->before_why = p->why;
        p->why = 0;
        p->same = true;
    } else {
        p = create(w, addr);
    }
    p->sample = w->sample;
    return w->near[addr / LK_PAGE % NEAR] = p;
}

static void mark(struct page *p, size_t from, size_t n)
{
    for (size_t end = from + n; from < end;) {
        const size_t bit = from % 64, part = LK_MIN(64 - bit, end - from);
        p->known[from / 64] |= (part == 64 ? ~UINT64_C(0) : (UINT64_C(1) << part) - 1) << bit;
        from += part;
    }
}

static bool is_known(const struct page *p, size_t from, size_t n)
{
    for (size_t end = from + n; from < end;) {
        const size_t bit = from % 64, part = LK_MIN(64 - bit, end - from);
        const uint64_t all = (part == 64 ? ~UINT64_C(0) : (UINT64_C(1) << part) - 1) << bit;
        if ((p->known[from / 64] & all) != all)
            return false;
        from += part;
    }
    return true;
}

/* n bytes, 8 at most. */
static inline void put(struct page *p, size_t at, const uint8_t *bytes, size_t n)
{
    uint64_t old = 0, new = 0;
    memcpy(&old, p->bytes + at, n);
    memcpy(&new, bytes + at, n);
    if (p->same && old == new)
        return;
    p->same = false;
    memcpy(p->bytes + at, &new, n);
}

void lk_known_put(struct lk_known *w, lk_addr page, const uint8_t *bytes, const uint64_t *asked)
{
    struct page *p = enter(w, page);
    if (!p)
        return;
    p->why = 0;
    for (size_t i = 0; i < LK_PAGE_WORDS; i++) {
        p->known[i] |= asked[i];
        for (uint64_t left = asked[i], at = i * 64; left; left >>= 8, at += 8)
            if ((left & 0xff) == 0xff)
                put(p, at, bytes, 8);
            else
                for (uint64_t some = left & 0xff, k = at; some; some >>= 1, k++)
                    if (some & 1)
                        put(p, k, bytes, 1);
    }
}

void lk_known_lack(struct lk_known *w, lk_addr page, int why)
{
    struct page *p = find(w, page) ? NULL : enter(w, page);
    if (p)
        p->why = why;
}

bool lk_known_is_cut(const struct lk_known *w)
{
    return w->cut;
}

int lk_known_get(const struct lk_known *w, lk_addr addr, void *ret, size_t n)
{
    for (uint8_t *to = ret; n > 0;) {
        const size_t at = addr % LK_PAGE, part = LK_MIN(n, LK_PAGE - at);
        const struct page *p = find(w, addr - at);
        if (!p || !is_known(p, at, part))
            return p && p->why ? p->why : w->cut ? EFBIG : ENODATA;
        memcpy(to, p->bytes + at, part);
        addr += part;
        to += part;
        n -= part;
    }
    return 0;
}

/* ---- bytes ------------------------------------------------------------------------------- */

static int by_address(const void *a, const void *b)
{
    const struct page *const *x = a, *const *y = b;
    return ((*x)->addr > (*y)->addr) - ((*x)->addr < (*y)->addr);
}

/* The next run of bytes that are known (or are not) from `from` on. */
static size_t run(const struct page *p, size_t from, bool known)
{
    for (size_t at = from; at < LK_PAGE; at = (at / 64 + 1) * 64) {
        const uint64_t bits = p->known[at / 64],
                       other = (known ? ~bits : bits) >> at % 64; /* where the run ends */
        if (other)
            return at + (size_t)__builtin_ctzll(other) - from;
    }
    return LK_PAGE - from;
}

/* 0: as in the sample before. */
static void write_page(const struct page *p, struct lk_bytes *to)
{
    const bool same =
        p->same && p->why == p->before_why && memcmp(p->known, p->before, sizeof p->known) == 0;
    lk_bytes_number(to, same ? 0 : 1 + (uint64_t)p->why);
    if (same)
        return;
    for (size_t at = 0; at < LK_PAGE;) {
        const size_t gap = run(p, at, false), n = at + gap < LK_PAGE ? run(p, at + gap, true) : 0;
        lk_bytes_number(to, gap);
        lk_bytes_number(to, n);
        at += gap + n;
    }
    for (size_t at = 0; at < LK_PAGE;) {
        const size_t gap = run(p, at, false), n = at + gap < LK_PAGE ? run(p, at + gap, true) : 0;
        lk_bytes_put(to, p->bytes + at + gap, n);
        at += gap + n;
    }
}

void lk_known_write(const struct lk_known *w, struct lk_bytes *to)
{
    lk_addr before = 0;
    struct page **v = lk_xcalloc(w->n + 1, sizeof *v); /* NOLINT(bugprone-sizeof-expression) */
    size_t n = 0;
    for (size_t i = 0; i < w->v.n; i++)
        if (w->v.v[i]->sample == w->sample)
            v[n++] = w->v.v[i];
    qsort(v, n, sizeof *v, by_address); /* NOLINT(bugprone-sizeof-expression) */
    lk_bytes_number(to, w->cut);
    lk_bytes_number(to, n);
    for (size_t i = 0; i < n; i++) {
        lk_bytes_number(to, (v[i]->addr - before) / LK_PAGE);
        write_page(v[i], to);
        before = v[i]->addr;
    }
    lk_free(v);
}

/* p may be NULL: nothing is wanted but to come to its end. */
static void read_bytes(struct page *p, struct lk_cursor_of_bytes *from)
{
    struct lk_cursor_of_bytes again = *from;
    for (size_t at = 0; at < LK_PAGE && !from->bad;) {
        const uint64_t gap = lk_take_number(from), n = lk_take_number(from);
        from->bad |= gap > LK_PAGE - at || n > LK_PAGE - at - gap || (!gap && !n);
        if (!from->bad)
            at += (size_t)(gap + n);
    }
    for (size_t at = 0; at < LK_PAGE && !from->bad;) {
        const size_t gap = (size_t)lk_take_number(&again), n = (size_t)lk_take_number(&again);
        const uint8_t *bytes = lk_take(from, n);
        if (p && bytes && n) {
            memcpy(p->bytes + at + gap, bytes, n);
            mark(p, at + gap, n);
        }
        at += gap + n;
    }
}

static void read_page(struct lk_known *w, lk_addr addr, struct lk_cursor_of_bytes *from)
{
    const uint64_t how = lk_take_number(from);
    from->bad |= how > INT32_MAX || (w && !how && !find_kept(w, addr));
    struct page *p = w && !from->bad ? enter(w, addr) : NULL;
    if (p && how) {
        p->why = (int)how - 1;
    } else if (p) {
        p->why = p->before_why;
        memcpy(p->known, p->before, sizeof p->known);
    }
    if (how)
        read_bytes(p, from);
}

bool lk_known_read(struct lk_known *w, struct lk_cursor_of_bytes *from)
{
    const uint64_t cut = lk_take_number(from), n = lk_take_number(from);
    lk_addr addr = 0;
    from->bad |= cut > 1 || n > LK_KNOWN_PAGES;
    if (w)
        w->cut = cut;
    for (uint64_t i = 0; i < n && !from->bad; i++) {
        addr += lk_take_number(from) * LK_PAGE;
        read_page(w, addr, from);
    }
    return !from->bad;
}
