/*
 * Pages with a bit for each of their bytes; written as runs, the bytes of a page behind them. Most
 * pages of a moment are what they were in the one before: those are kept, and written as such. What
 * was read in an earlier moment of the same sample, and not since, is still known: a reader that
 * remembered it did not ask again.
 */
#include "process/capture/known.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "process/asked.h"
#include "util/map.h"
#include "util/vec.h"

enum { NEAR = 256 };

struct page {
    lk_addr addr;
    uint64_t moment;                 /* in which it was last asked for */
    int why, before_why;             /* errno: it could not be read; 0 */
    bool same;                       /* all that was read of it is what it was the time before */
    uint64_t known[LK_PAGE_WORDS];   /* in that moment */
    uint64_t before[LK_PAGE_WORDS];  /* the time before */
    uint64_t earlier[LK_PAGE_WORDS]; /* in earlier moments of the same sample */
    uint8_t bytes[LK_PAGE];
};

struct lk_known {
    struct lk_map at; /* address of a page -> index + 1 */
    LK_VEC(struct page *) v;
    struct page *near[NEAR]; /* by the last bits of the page's number: found without the map */
    uint64_t moment, first;  /* that is under way; the first one of its sample */
    LK_VEC(struct page *) of_moment;
    size_t most; /* pages of a moment */
    bool cut;    /* see lk_known_is_cut */
};

struct lk_known *lk_known_create(size_t most)
{
    struct lk_known *w = lk_xcalloc(1, sizeof *w);
    w->most = most;
    w->moment = w->first = 1;
    return w;
}

void lk_known_destroy(struct lk_known *w)
{
    if (!w)
        return;
    for (size_t i = 0; i < w->v.n; i++)
        lk_free(w->v.v[i]);
    lk_free(w->v.v);
    lk_free(w->of_moment.v);
    lk_map_deinit(&w->at);
    lk_free(w);
}

void lk_known_next_moment(struct lk_known *w)
{
    w->moment++;
    w->of_moment.n = 0;
}

/* What the sample that ends did not ask for is forgotten: who reads it back does the same. */
void lk_known_next(struct lk_known *w)
{
    size_t n = 0;
    lk_map_clear(&w->at);
    memset(w->near, 0, sizeof w->near);
    for (size_t i = 0; i < w->v.n; i++) {
        struct page *p = w->v.v[i];
        if (p->moment < w->first) {
            lk_free(p);
            continue;
        }
        w->v.v[n++] = p;
        lk_map_put(&w->at, p->addr, n);
    }
    w->v.n = n;
    w->cut = false;
    lk_known_next_moment(w);
    w->first = w->moment;
}

/* Also one that is only kept from a moment before. */
static struct page *find_kept(const struct lk_known *w, lk_addr addr)
{
    struct page *p = w->near[addr / LK_PAGE % NEAR];
    uint64_t i;
    if (p && p->addr == addr)
        return p;
    return lk_map_get(&w->at, addr, &i) ? w->v.v[i - 1] : NULL;
}

static struct page *create(struct lk_known *w, lk_addr addr)
{
    struct page *p = lk_xcalloc(1, sizeof *p);
    p->addr = addr;
    lk_vec_add(&w->v, p); /* NOLINT(bugprone-sizeof-expression): pointers are what it holds */
    lk_map_put(&w->at, addr, w->v.n);
    return p;
}

/* It was asked for before: now it is, too. */
static void enter_again(struct lk_known *w, struct page *p)
{
    const bool of_sample = p->moment >= w->first;
    for (size_t i = 0; i < LK_PAGE_WORDS; i++)
        p->earlier[i] = of_sample ? p->earlier[i] | p->known[i] : 0;
    memcpy(p->before, p->known, sizeof p->before);
    memset(p->known, 0, sizeof p->known);
    p->before_why = p->why;
    p->why = 0;
    p->same = true;
}

/* NULL: there are too many. */
static struct page *enter(struct lk_known *w, lk_addr addr)
{
    struct page *p = find_kept(w, addr);
    if (p && p->moment == w->moment)
        return w->near[addr / LK_PAGE % NEAR] = p;
    if (w->of_moment.n >= w->most || (!p && w->v.n >= 2 * w->most)) {
        w->cut = true;
        return NULL;
    }
    if (p)
        enter_again(w, p);
    else
        p = create(w, addr);
    p->moment = w->moment;
    lk_vec_add(&w->of_moment, p); /* NOLINT(bugprone-sizeof-expression): as above */
    return w->near[addr / LK_PAGE % NEAR] = p;
}

static bool is_known(const struct page *p, size_t from, size_t n)
{
    for (size_t end = from + n; from < end;) {
        const size_t bit = from % 64, part = LK_MIN(64 - bit, end - from);
        const uint64_t all = (part == 64 ? ~UINT64_C(0) : (UINT64_C(1) << part) - 1) << bit;
        if (((p->known[from / 64] | p->earlier[from / 64]) & all) != all)
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

/* What was read before it could not be read any more is past. */
static void set_why(struct page *p, int why)
{
    p->why = why;
    if (why)
        memset(p->earlier, 0, sizeof p->earlier);
}

void lk_known_lack(struct lk_known *w, lk_addr page, int why)
{
    const struct page *kept = find_kept(w, page);
    struct page *p = kept && kept->moment == w->moment ? NULL : enter(w, page);
    if (p)
        set_why(p, why);
}

bool lk_known_is_cut(const struct lk_known *w)
{
    return w->cut;
}

int lk_known_get(const struct lk_known *w, lk_addr addr, void *ret, size_t n)
{
    for (uint8_t *to = ret; n > 0;) {
        const size_t at = addr % LK_PAGE, part = LK_MIN(n, LK_PAGE - at);
        const struct page *kept = find_kept(w, addr - at),
                          *p = kept && kept->moment >= w->first ? kept : NULL;
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

/* 0: as it was the time before. */
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
    struct page **v = w->of_moment.v;
    const size_t n = w->of_moment.n;
    if (n)
        qsort(v, n, sizeof *v, by_address); /* NOLINT(bugprone-sizeof-expression) */
    lk_bytes_number(to, w->cut);
    lk_bytes_number(to, n);
    for (size_t i = 0; i < n; i++) {
        lk_bytes_number(to, (v[i]->addr - before) / LK_PAGE);
        write_page(v[i], to);
        before = v[i]->addr;
    }
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
            lk_asked_set_bits(p->known, at + gap, n);
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
        set_why(p, (int)how - 1);
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
