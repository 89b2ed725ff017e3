#include "fake_target.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/arena.h"

struct fake {
    struct fake_segment *segments;
    size_t n;
    struct fake_counts *counts;
    struct fake_counts own_counts;
};

static lk_addr page_of(lk_addr addr)
{
    return addr & ~(lk_addr)(LK_PAGE - 1);
}

static bool read_page(const struct fake *f, lk_addr page, uint8_t *buf)
{
    bool touched = false;

    memset(buf, 0, LK_PAGE);
    for (size_t i = 0; i < f->n; i++) {
        const struct fake_segment *s = &f->segments[i];

        if (s->len == 0 || page_of(s->addr) > page || page_of(s->addr + s->len - 1) < page)
            continue;
        lk_addr from = LK_MAX(s->addr, page), to = LK_MIN(s->addr + s->len - 1, page + LK_PAGE - 1);
        memcpy(buf + (from - page), (const uint8_t *)s->ptr + (from - s->addr), to - from + 1);
        touched = true;
    }
    return touched;
}

static size_t fake_read(void *impl, lk_addr addr, void *buf, size_t n)
{
    struct fake *f = impl;
    uint8_t page[LK_PAGE];
    size_t done = 0;

    f->counts->calls++;
    while (done < n) {
        size_t offset = addr % LK_PAGE, part = LK_MIN(n - done, LK_PAGE - offset);

        f->counts->pages++;
        if (!read_page(f, addr - offset, page))
            break;
        memcpy((uint8_t *)buf + done, page + offset, part);
        done += part;
        addr += part;
    }
    return done;
}

static void fake_read_pages(void *impl, const lk_addr *pages, void *const *bufs, int *why, size_t n)
{
    struct fake *f = impl;

    f->counts->calls++;
    f->counts->pages += n;
    for (size_t i = 0; i < n; i++)
        why[i] = read_page(f, pages[i], bufs[i]) ? 0 : EFAULT;
}

static int by_start(const void *a, const void *b)
{
    const struct lk_mapping *x = a, *y = b;

    return x->start < y->start ? -1 : x->start > y->start;
}

static bool fake_maps(void *impl, struct lk_arena *a, struct lk_mapping **ret, size_t *n,
                      struct lk_error *err)
{
    struct fake *f = impl;
    struct lk_mapping *maps = lk_arena_array(a, f->n + 1, sizeof(*maps));
    size_t count = 0, kept = 0;

    (void)err;
    f->counts->maps++;
    for (size_t i = 0; i < f->n; i++) {
        const struct fake_segment *s = &f->segments[i];

        if (s->len)
            maps[count++] = (struct lk_mapping){ .start = page_of(s->addr),
                                                 .end = page_of(s->addr + s->len - 1) + LK_PAGE,
                                                 .prot = "rw-p",
                                                 .path = "" };
    }
    qsort(maps, count, sizeof(*maps), by_start);
    for (size_t i = 0; i < count; i++) {
        if (kept && maps[i].start <= maps[kept - 1].end)
            maps[kept - 1].end = LK_MAX(maps[kept - 1].end, maps[i].end);
        else
            maps[kept++] = maps[i];
    }
    *ret = maps;
    *n = kept;
    return true;
}

static void fake_destroy(void *impl)
{
    struct fake *f = impl;

    lk_free(f->segments);
    lk_free(f);
}

static const struct lk_process_ops fake_ops = {
    .read = fake_read,
    .read_pages = fake_read_pages,
    .maps = fake_maps,
    .destroy = fake_destroy,
};

struct lk_process *fake_target_counted(const struct fake_segment *segments, size_t n,
                                       struct fake_counts *counts)
{
    struct fake *f = lk_xcalloc(1, sizeof(*f));

    f->segments = lk_xcalloc(n + 1, sizeof(*segments));
    if (n)
        memcpy(f->segments, segments, n * sizeof(*segments));
    f->n = n;
    f->counts = counts ? counts : &f->own_counts;
    return lk_process_create(&fake_ops, f);
}

struct lk_process *fake_target(const struct fake_segment *segments, size_t n)
{
    return fake_target_counted(segments, n, NULL);
}
