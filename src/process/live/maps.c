/* The list of mappings of a live process. */
#include "process/live/maps.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "process/live/live.h"
#include "util/map.h"
#include "util/vec.h"

enum {
    MAX_MAPPINGS = 262144, /* four times the kernel's default vm.max_map_count */
    MAX_TEXT = 96 << 20,
    READ_STEP = 64 << 10,
};

/* /proc/PID/maps comes in pieces of about a page, whatever the size asked for. */
static bool read_text(struct lk_live *l, struct lk_error *err)
{
    size_t cap = READ_STEP, n = 0;
    ssize_t got = -1;
    char *text;
    int fd = lk_fd_hold(openat(l->proc_fd, l->maps_name, O_RDONLY | O_CLOEXEC));

    if (fd < 0)
        return lk_error_os(err, errno, "cannot open /proc/%d/%s", l->pid, l->maps_name);
    text = lk_xmalloc(cap);
    while (n < MAX_TEXT && (got = read(fd, text + n, cap - n)) > 0) {
        n += (size_t)got;
        if (cap - n < READ_STEP / 4)
            text = lk_xrealloc(text, cap *= 2);
    }
    if (got < 0)
        lk_error_os(err, errno, "cannot read /proc/%d/%s", l->pid, l->maps_name);
    lk_fd_close(fd);
    if (got != 0) {
        lk_free(text);
        return n >= MAX_TEXT
                   ? lk_error_set(err, LK_ERR_BAD_DATA, "process %d has too many mappings", l->pid)
                   : false;
    }
    lk_free(l->maps_text);
    l->maps_text = text;
    l->maps_len = n;
    return true;
}

static void drop_text(struct lk_live *l)
{
    lk_free(l->maps_text);
    l->maps_text = NULL;
    l->maps_len = 0;
}

bool lk_live_maps_unchanged(void *impl)
{
    struct lk_live *l = impl;
    bool same;

    if (l->gone || !read_text(l, NULL))
        return false;
    same = lk_hash(LK_HASH_INIT, l->maps_text, l->maps_len) == l->maps_hash;
    if (same)
        drop_text(l);
    return same;
}

/* --- parsing ---------------------------------------------------------------- */

struct cursor {
    const char *at, *end;
};

static bool number(struct cursor *c, unsigned base, uint64_t *ret)
{
    const char *first = c->at;
    uint64_t v = 0;

    for (; c->at < c->end; c->at++) {
        unsigned digit = (unsigned char)*c->at - (unsigned)'0';

        if (digit > 9) {
            digit = (unsigned char)*c->at - (unsigned)'a';
            digit = digit < 6 ? digit + 10 : base;
        }
        if (digit >= base)
            break;
        v = v * base + digit;
    }
    *ret = v;
    return c->at > first;
}

static bool character(struct cursor *c, char ch)
{
    if (c->at >= c->end || *c->at != ch)
        return false;
    c->at++;
    return true;
}

/* proc_pid_maps(5): "start-end perms offset major:minor inode   path"; a newline in the path is
 * written \012. */
static bool parse_line(struct cursor c, struct lk_mapping *m, struct cursor *path)
{
    uint64_t major, minor;

    if (!number(&c, 16, &m->start) || !character(&c, '-') || !number(&c, 16, &m->end) ||
        !character(&c, ' ') || c.end - c.at < 5)
        return false;
    memcpy(m->prot, c.at, 4);
    c.at += 4;
    if (!character(&c, ' ') || !number(&c, 16, &m->offset) || !character(&c, ' ') ||
        !number(&c, 16, &major) || !character(&c, ':') || !number(&c, 16, &minor) ||
        !character(&c, ' ') || !number(&c, 10, &m->inode))
        return false;
    m->dev_major = (uint32_t)major;
    m->dev_minor = (uint32_t)minor;
    while (character(&c, ' '))
        ;
    *path = c;
    return m->start < m->end;
}

/* Segments of one library follow each other, so comparing with the one before saves nearly all
 * copies. */
static const char *path_of(struct lk_arena *a, struct cursor path, const struct lk_mapping *before)
{
    size_t n = (size_t)(path.end - path.at);

    if (n == 0)
        return "";
    if (before && strlen(before->path) == n && memcmp(before->path, path.at, n) == 0)
        return before->path;
    return lk_arena_strndup(a, path.at, n);
}

static size_t count_lines(const char *text, size_t n)
{
    size_t lines = 0;

    for (const char *p = text; p && p < text + n; lines++) {
        p = memchr(p, '\n', (size_t)(text + n - p));
        if (p)
            p++;
    }
    return lines;
}

bool lk_live_maps(void *impl, struct lk_arena *a, struct lk_mapping **ret, size_t *n,
                  struct lk_error *err)
{
    struct lk_live *l = impl;
    size_t lines, count = 0;
    const char *at, *end;
    struct lk_mapping *maps;

    if (l->gone)
        return lk_error_set(err, LK_ERR_NO_PROCESS, "process %d is gone", l->pid);
    if (!l->maps_text && !read_text(l, err))
        return false;
    lines = count_lines(l->maps_text, l->maps_len);
    if (lines > MAX_MAPPINGS) {
        drop_text(l);
        return lk_error_set(err, LK_ERR_BAD_DATA, "process %d has more than %d mappings", l->pid,
                            MAX_MAPPINGS);
    }
    maps = lk_arena_array(a, lines ? lines : 1, sizeof(*maps));
    end = l->maps_text + l->maps_len;
    for (at = l->maps_text; at < end;) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        struct cursor line = { at, newline ? newline : end }, path;
        struct lk_mapping *m = &maps[count];

        at = line.end + 1;
        /* Read in pieces while the target maps and unmaps: a mapping that moved may appear twice.
         */
        if (!parse_line(line, m, &path) || (count && m->start < maps[count - 1].end))
            continue;
        m->path = path_of(a, path, count ? &maps[count - 1] : NULL);
        count++;
    }
    l->maps_hash = lk_hash(LK_HASH_INIT, l->maps_text, l->maps_len);
    drop_text(l);
    *ret = maps;
    *n = count;
    return true;
}
