/*
 * A live process: memory by process_vm_readv, everything else from /proc. All files of /proc are
 * opened below a descriptor of /proc/PID, which stays bound to this process even when its number is
 * used again. Nothing of a target is ever opened for writing.
 */
#include "process/live/live_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
    BATCH = 1024, /* IOV_MAX */
    RETRY_BATCH = 64,
};

/* User addresses end at 2^47, or 2^56 with five-level page tables: above lies nothing that can be
 * read. */
#define USER_END (UINT64_C(1) << 56)

/* --- /proc text ------------------------------------------------------------- */

ssize_t lk_proc_read(int dir, const char *name, char *buf, size_t size)
{
    int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    ssize_t n;
    int saved;

    if (fd < 0)
        return -1;
    n = read(fd, buf, size - 1);
    saved = errno;
    close(fd);
    errno = saved;
    if (n >= 0)
        buf[n] = '\0';
    return n;
}

void lk_comm_clean(char *comm)
{
    for (; *comm; comm++)
        if (*comm < 0x20 || *comm > 0x7e)
            *comm = '?';
}

/* Skips n fields separated by blanks and returns the next one; NULL at the end of the text. */
static const char *skip_fields(const char *p, unsigned n)
{
    while (n-- > 0) {
        p = strchr(p, ' ');
        if (!p)
            return NULL;
        p++;
    }
    return p;
}

bool lk_stat_parse(const char *text, struct lk_stat_line *ret)
{
    /* The target chooses comm (PR_SET_NAME) and it may hold ')' or a newline: the last ')' ends it,
     * proc_pid_stat(5). */
    const char *open = strchr(text, '('), *close = strrchr(text, ')');
    const char *p;
    size_t n;
    char *end;

    if (!open || !close || close < open || close[1] != ' ' || !close[2])
        return false;
    memset(ret, 0, sizeof(*ret));
    n = LK_MIN((size_t)(close - open - 1), sizeof(ret->comm) - 1);
    memcpy(ret->comm, open + 1, n);
    p = close + 2;
    ret->state = *p; /* field 3; ppid is field 4, flags 9, utime 14, stime 15, starttime 22 */
    if (!(p = skip_fields(p, 1)))
        return false;
    ret->ppid = strtoll(p, NULL, 10);
    if (!(p = skip_fields(p, 5)))
        return false;
    ret->flags = strtoull(p, NULL, 10);
    if (!(p = skip_fields(p, 5)))
        return false;
    ret->cpu_ticks = strtoull(p, &end, 10);
    ret->cpu_ticks += strtoull(end, NULL, 10);
    if (!(p = skip_fields(p, 8)))
        return false;
    ret->start_ticks = strtoull(p, NULL, 10);
    p = skip_fields(p, 17);
    ret->processor = p ? (int)strtol(p, NULL, 10) : -1; /* field 39 */
    return true;
}

/* --- memory ------------------------------------------------------------------ */

/* Joins neighbouring pieces, so that whole blocks are one element. */
static size_t join(struct iovec *v, size_t n, void *base)
{
    if (n > 0 && (uint8_t *)v[n - 1].iov_base + v[n - 1].iov_len == (uint8_t *)base) {
        v[n - 1].iov_len += LK_PAGE;
        return n;
    }
    v[n].iov_base = base;
    v[n].iov_len = LK_PAGE;
    return n + 1;
}

/*
 * Reads n pages; returns how many from the front could be read. process_vm_readv stops at the first
 * page that it cannot read, and counts whole pages up to there (mm/process_vm_access.c:
 * process_vm_rw_single_vec).
 */
static size_t read_front(struct lk_live *l, const lk_addr *pages, void *const *bufs, size_t n)
{
    struct iovec local[BATCH], remote[BATCH];
    size_t n_local = 0, n_remote = 0;
    ssize_t got;

    if (l->mem_fd >= 0)
        return pread(l->mem_fd, bufs[0], LK_PAGE, (off_t)pages[0]) == LK_PAGE;
    for (size_t i = 0; i < n; i++) {
        n_local = join(local, n_local, bufs[i]);
        /* an address for the kernel, never dereferenced */
        n_remote = join(remote, n_remote, (void *)(uintptr_t)pages[i]);
    }
    got = process_vm_readv(l->mem_tid, local, n_local, remote, n_remote, 0);
    if (got < 0 && errno == ESRCH)
        l->gone = true;
    return got < 0 ? 0 : (size_t)got / LK_PAGE;
}

static void live_read_pages(void *impl, const lk_addr *pages, void *const *bufs, bool *ok, size_t n)
{
    struct lk_live *l = impl;
    size_t most = l->mem_fd >= 0 ? 1 : BATCH, batch = most;

    memset(ok, 0, n * sizeof(*ok));
    for (size_t i = 0; i < n && !l->gone;) {
        size_t k = 0, good;

        while (k < batch && i + k < n && pages[i + k] < USER_END)
            k++;
        good = k ? read_front(l, pages + i, bufs + i, k) : 0;
        for (size_t j = 0; j < good; j++)
            ok[i + j] = true;
        i += good;
        if (k == 0 || good < k)
            i++; /* the bad page */
        /* After a bad page go on in small steps, so that many bad pages do not cost a long list
         * each. */
        batch = good < k ? LK_MIN((size_t)RETRY_BATCH, most) : LK_MIN(batch * 2, most);
    }
}

static size_t live_read(void *impl, lk_addr addr, void *buf, size_t n)
{
    struct lk_live *l = impl;
    struct iovec local = { buf, n }, remote = { (void *)(uintptr_t)addr, n };
    ssize_t got;

    if (l->gone || addr >= USER_END || n > USER_END)
        return 0;
    if (l->mem_fd >= 0)
        got = pread(l->mem_fd, buf, n, (off_t)addr);
    else
        got = process_vm_readv(l->mem_tid, &local, 1, &remote, 1, 0);
    return got < 0 ? 0 : (size_t)got;
}

/* --- life --------------------------------------------------------------------- */

static void live_begin_sample(void *impl)
{
    struct lk_live *l = impl;
    struct lk_stat_line stat;
    char text[1024];

    if (lk_proc_read(l->proc_fd, "stat", text, sizeof(text)) <= 0 || !lk_stat_parse(text, &stat) ||
        stat.start_ticks != l->start_ticks)
        l->gone = true;
    lk_live_pid_ns_begin_sample(l);
}

static void live_destroy(void *impl)
{
    struct lk_live *l = impl;

    lk_live_threads_destroy(l->threads);
    lk_live_pid_ns_destroy(l->tids);
    if (l->mem_fd >= 0)
        close(l->mem_fd);
    if (l->proc_fd >= 0)
        close(l->proc_fd);
    free(l->maps_text);
    free(l);
}

static const struct lk_process_ops live_ops = {
    .read = live_read,
    .read_pages = live_read_pages,
    .maps = lk_live_maps,
    .maps_unchanged = lk_live_maps_unchanged,
    .open_mapping = lk_live_open_mapping,
    .open_path = lk_live_open_path,
    .threads = lk_live_list_threads,
    .begin_sample = live_begin_sample,
    .tid_outside = lk_live_tid_outside,
    .destroy = live_destroy,
};

struct lk_process *lk_process_open_live(pid_t pid, struct lk_error *err)
{
    struct lk_live *l = lk_xcalloc(1, sizeof(*l));
    struct lk_process *t;

    l->pid = l->mem_tid = pid;
    l->proc_fd = l->mem_fd = -1;
    if (!lk_live_check(l, err)) {
        live_destroy(l);
        return NULL;
    }
    t = lk_process_create(&live_ops, l);
    if (!t) {
        lk_error_set(err, LK_ERR_NOMEM, "no address space for the page cache");
        return NULL;
    }
    t->pid = pid;
    return t;
}
