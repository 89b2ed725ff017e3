/*
 * What a core has of a page counts; what it leaves out is in the mapped file where nobody may have
 * written there, and is not known elsewhere. Which pages are left out: core(5), "Controlling which
 * mappings are written to the core dump file". gdb's gcore leaves mappings of unchanged files out
 * altogether, but for the list of files.
 */
#include "process/core/memory.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What is behind the end of a file in its last page is zero, mmap(2). */
static int read_file(int fd, uint64_t offset, uint8_t *buf)
{
    size_t done = 0;
    memset(buf, 0, LK_PAGE);
    while (done < LK_PAGE) {
        const ssize_t got = pread(fd, buf + done, LK_PAGE - done, (off_t)(offset + done));
        if (got < 0)
            return errno;
        if (got == 0)
            break;
        done += (size_t)got;
    }
    return done ? 0 : EFAULT;
}

static int read_page(struct lk_core *c, lk_addr page, uint8_t *buf)
{
    const struct lk_core_segment *s = lk_core_segment_at(c->image, page);
    const struct lk_core_mapped *m = lk_core_mapped_at(c->image, page);
    if (lk_core_bytes(c->image, page, buf, LK_PAGE) == LK_PAGE)
        return 0;
    if (!m)
        return s ? ENODATA : EFAULT;
    const uint32_t flags = s && s->flags ? s->flags : lk_core_file_flags(c->files, m);
    if ((flags & PF_W) || (s && page - s->start < s->told))
        return ENODATA;
    const int fd = lk_core_file_at(c->files, m, NULL);
    return fd < 0 ? ENODATA : read_file(fd, m->offset + (page - m->start), buf);
}

void lk_core_read_pages(void *impl, const lk_addr *pages, void *const *bufs, int *why, size_t n)
{
    for (size_t i = 0; i < n; i++)
        why[i] = read_page(impl, pages[i], bufs[i]);
}

size_t lk_core_read(void *impl, lk_addr addr, void *buf, size_t n)
{
    uint8_t page[LK_PAGE], *to = buf;
    size_t done = 0;
    while (done < n) {
        const size_t in = (addr + done) % LK_PAGE, part = LK_MIN(n - done, LK_PAGE - in);
        if (read_page(impl, addr + done - in, page) != 0)
            break;
        memcpy(to + done, page + in, part);
        done += part;
    }
    return done;
}

/* ---- what is mapped ------------------------------------------------------------------------ */

static void set_prot(struct lk_mapping *m, uint32_t flags)
{
    m->prot[0] = flags & PF_R ? 'r' : '-';
    m->prot[1] = flags & PF_W ? 'w' : '-';
    m->prot[2] = flags & PF_X ? 'x' : '-';
    m->prot[3] = 'p';
    m->prot[4] = '\0';
}

/* As /proc/PID/maps calls what is no file: the stack has the bytes of AT_RANDOM (fs/binfmt_elf.c,
 * create_elf_tables). */
static const char *kernel_name(const struct lk_core_image *c, lk_addr start, lk_addr end)
{
    const lk_addr vdso = lk_core_auxv(c, AT_SYSINFO_EHDR), random = lk_core_auxv(c, AT_RANDOM);
    if (vdso >= start && vdso < end)
        return "[vdso]";
    return random >= start && random < end ? "[stack]" : "";
}

static void add_segment(const struct lk_core *c, const struct lk_core_segment *s,
                        struct lk_mapping *m)
{
    const struct lk_core_mapped *f = lk_core_mapped_at(c->image, s->start);
    m->start = s->start;
    m->end = s->end;
    m->offset = f ? f->offset + (s->start - f->start) : 0;
    m->path = f ? f->path : kernel_name(c->image, s->start, s->end);
    set_prot(m, s->flags);
}

static void add_mapped(const struct lk_core *c, const struct lk_core_mapped *f,
                       struct lk_mapping *m)
{
    m->start = f->start;
    m->end = f->end;
    m->offset = f->offset;
    m->path = f->path;
    set_prot(m, lk_core_file_flags(c->files, f));
}

static int by_start(const void *a, const void *b)
{
    const struct lk_mapping *x = a, *y = b;
    return x->start < y->start ? -1 : x->start > y->start;
}

/* What a segment begins in the middle of is what no kernel writes. */
static void drop_overlapping(struct lk_mapping *m, size_t *n)
{
    size_t kept = 0;
    for (size_t i = 0; i < *n; i++)
        if (!kept || m[i].start >= m[kept - 1].end)
            m[kept++] = m[i];
    *n = kept;
}

bool lk_core_maps(void *impl, struct lk_arena *a, struct lk_mapping **ret, size_t *n,
                  struct lk_error *err)
{
    const struct lk_core *c = impl;
    const struct lk_core_image *x = c->image;
    (void)err;
    *ret = lk_arena_array(a, x->segments.n + x->mapped.n + 1, sizeof **ret);
    *n = 0;
    for (size_t i = 0; i < x->segments.n; i++)
        add_segment(c, &x->segments.v[i], &(*ret)[(*n)++]);
    for (size_t i = 0; i < x->mapped.n; i++)
        if (!lk_core_segment_at(x, x->mapped.v[i].start))
            add_mapped(c, &x->mapped.v[i], &(*ret)[(*n)++]);
    qsort(*ret, *n, sizeof **ret, by_start);
    drop_overlapping(*ret, n);
    return true;
}

int lk_core_open_mapping(void *impl, const struct lk_mapping *m, struct lk_error *err)
{
    struct lk_core *c = impl;
    const struct lk_core_mapped *f = lk_core_mapped_at(c->image, m->start);
    const int fd = f ? lk_core_file_at(c->files, f, err) : -1;
    if (!f)
        lk_error_set(err, LK_ERR_BAD_DATA, "the mapping has no file");
    const int ret = fd >= 0 ? fcntl(fd, F_DUPFD_CLOEXEC, 0) : -1;
    if (fd >= 0 && ret < 0)
        lk_error_os(err, errno, "the file of a mapping");
    return ret;
}
