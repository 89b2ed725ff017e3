/* Pages with a bit for each of their bytes; written as runs, the bytes of a page behind them. */
#include "process/capture/known.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "process/process.h"
#include "util/map.h"
#include "util/vec.h"

struct page {
    lk_addr addr;
    int why; /* errno: it could not be read; 0 */
    uint64_t known[LK_PAGE / 64];
    uint8_t bytes[LK_PAGE];
};

struct lk_known {
    struct lk_map at; /* address of a page -> index + 1 */
    LK_VEC(struct page *) v;
    struct page *last;
    size_t most;
    bool cut; /* see lk_known_is_cut */
};

struct lk_known *lk_known_create(size_t most)
{
    struct lk_known *w = lk_xcalloc(1, sizeof *w);
    w->most = most;
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

static struct page *find(const struct lk_known *w, lk_addr addr)
{
    uint64_t i;
    if (w->last && w->last->addr == addr)
        return w->last;
    return lk_map_get(&w->at, addr, &i) ? w->v.v[i - 1] : NULL;
}

/* NULL: there are too many. */
static struct page *enter(struct lk_known *w, lk_addr addr)
{
    struct page *p = find(w, addr);
    if (!p && w->v.n >= w->most) {
        w->cut = true;
        return NULL;
    }
    if (!p) {
        p = lk_xcalloc(1, sizeof *p);
        p->addr = addr;
        lk_vec_add(&w->v, p); /* NOLINT(bugprone-sizeof-expression): pointers are what it holds */
        lk_map_put(&w->at, addr, w->v.n);
    }
    return w->last = p;
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

void lk_known_put(struct lk_known *w, lk_addr addr, const void *bytes, size_t n)
{
    for (const uint8_t *from = bytes; n > 0;) {
        const size_t at = addr % LK_PAGE, part = LK_MIN(n, LK_PAGE - at);
        struct page *p = enter(w, addr - at);
        if (!p)
            return;
        p->why = 0;
        memcpy(p->bytes + at, from, part);
        mark(p, at, part);
        addr += part;
        from += part;
        n -= part;
    }
}

/* Which of several pages it was is not told: the first of which nothing was read. */
void lk_known_lack(struct lk_known *w, lk_addr addr, size_t n, int why)
{
    const lk_addr first = addr - addr % LK_PAGE;
    for (uint64_t i = 0; n && i <= (addr % LK_PAGE + n - 1) / LK_PAGE; i++) {
        if (find(w, first + i * LK_PAGE))
            continue;
        struct page *p = enter(w, first + i * LK_PAGE);
        if (p)
            p->why = why;
        return;
    }
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

static void write_page(const struct page *p, struct lk_bytes *to)
{
    lk_bytes_signed(to, p->why);
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
    struct page **v = lk_xcalloc(w->v.n + 1, sizeof *v); /* NOLINT(bugprone-sizeof-expression) */
    if (w->v.n) {
        memcpy(v, w->v.v, w->v.n * sizeof *v);   /* NOLINT(bugprone-sizeof-expression) */
        qsort(v, w->v.n, sizeof *v, by_address); /* NOLINT(bugprone-sizeof-expression) */
    }
    lk_bytes_number(to, w->cut);
    lk_bytes_number(to, w->v.n);
    for (size_t i = 0; i < w->v.n; i++) {
        lk_bytes_number(to, (v[i]->addr - before) / LK_PAGE);
        write_page(v[i], to);
        before = v[i]->addr;
    }
    lk_free(v);
}

/* p may be NULL: nothing is wanted but to come to its end. */
static bool read_page(struct page *p, struct lk_cursor_of_bytes *from)
{
    struct lk_cursor_of_bytes again;
    const int64_t why = lk_take_signed(from);
    from->bad |= why < 0 || why > INT32_MAX;
    if (p && !from->bad)
        p->why = (int)why;
    again = *from;
    for (size_t at = 0; at < LK_PAGE && !from->bad;) {
        const uint64_t gap = lk_take_number(from), n = lk_take_number(from);
        if (gap > LK_PAGE - at || n > LK_PAGE - at - gap || gap + n == 0)
            from->bad = true;
        at += from->bad ? 0 : (size_t)(gap + n);
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
    return !from->bad;
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
        read_page(w ? enter(w, addr) : NULL, from);
    }
    return !from->bad;
}
