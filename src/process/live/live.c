/*
 * A live process: memory by process_vm_readv, everything else from /proc. All files of /proc are
 * opened below a descriptor of /proc/PID, which stays bound to this process even when its number is
 * used again. Nothing of a target is ever opened for writing.
 */
#include "process/live/live.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "process/linux/procfs.h"
#include "process/live/answers.h"
#include "process/live/files.h"
#include "process/live/maps.h"
#include "process/live/permission.h"
#include "process/live/pid_namespace.h"
#include "process/live/stop.h"
#include "process/live/threads.h"
#include "process/process_impl.h"
#include "util/arena.h"

enum {
    BATCH = 1024, /* IOV_MAX */
    RETRY_BATCH = 64,
};

/* User addresses end at 2^47, or 2^56 with five-level page tables: above lies nothing that can be
 * read. */
#define USER_END (UINT64_C(1) << 56)

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
 * Reads n pages; returns how many from the front could be read, and why the next one could not.
 * process_vm_readv stops at the first page that it cannot read, and counts whole pages up to there
 * (mm/process_vm_access.c: process_vm_rw_single_vec): the errno of that page, EFAULT, is then lost.
 */
static size_t read_front(struct lk_live *l, const lk_addr *pages, void *const *bufs, size_t n,
                         int *why)
{
    struct iovec local[BATCH], remote[BATCH];
    size_t n_local = 0, n_remote = 0;
    ssize_t got;

    *why = EFAULT;
    if (l->mem_fd >= 0) {
        got = pread(l->mem_fd, bufs[0], LK_PAGE, (off_t)pages[0]);
        *why = got < 0 ? errno : EFAULT;
        return got == LK_PAGE;
    }
    for (size_t i = 0; i < n; i++) {
        n_local = join(local, n_local, bufs[i]);
        /* an address for the kernel, never dereferenced */
        n_remote = join(remote, n_remote, (void *)(uintptr_t)pages[i]);
    }
    got = process_vm_readv(l->mem_tid, local, n_local, remote, n_remote, 0);
    if (got < 0)
        *why = errno;
    l->gone |= got < 0 && *why == ESRCH;
    return got < 0 ? 0 : (size_t)got / LK_PAGE;
}

static void live_read_pages(void *impl, const lk_addr *pages, void *const *bufs, int *why, size_t n)
{
    struct lk_live *l = impl;
    size_t most = l->mem_fd >= 0 ? 1 : BATCH, batch = most, i = 0;

    while (i < n && !l->gone) {
        size_t k = 0, good;
        int bad = EFAULT;

        while (k < batch && i + k < n && pages[i + k] < USER_END)
            k++;
        good = k ? read_front(l, pages + i, bufs + i, k, &bad) : 0;
        memset(why + i, 0, good * sizeof(*why));
        i += good;
        if (k == 0 || good < k)
            why[i++] = bad;
        /* After a bad page go on in small steps, so that many bad pages do not cost a long list
         * each. */
        batch = good < k ? LK_MIN((size_t)RETRY_BATCH, most) : LK_MIN(batch * 2, most);
    }
    for (; i < n; i++) /* the process is gone */
        why[i] = ESRCH;
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
    struct lk_procfs_stat stat;
    char text[1024];

    errno = ESRCH;
    if (lk_procfs_read_at(l->proc_fd, "stat", text, sizeof(text)) <= 0)
        l->gone |= errno == ESRCH || errno == ENOENT;
    else
        l->gone |= !lk_procfs_stat_parse(text, &stat) || stat.start_ticks != l->start_ticks;
    lk_live_forget_kernel(l);
    lk_live_pid_ns_begin_sample(l);
}

static void live_destroy(void *impl)
{
    struct lk_live *l = impl;

    lk_live_forget_kernel(l);
    lk_live_threads_destroy(l->threads);
    lk_live_pid_ns_destroy(l->tids);
    lk_fd_close(l->mem_fd);
    lk_fd_close(l->proc_fd);
    lk_free(l->maps_text);
    lk_free(l);
}

static struct lk_process *open_process(pid_t pid, struct lk_error *err);

static struct lk_process *open_other(void *impl, pid_t pid, struct lk_error *err)
{
    (void)impl;
    return open_process(pid, err);
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
    .stop = lk_live_stop,
    .ask = lk_live_ask,
    .open_other = open_other,
    .destroy = live_destroy,
};

static struct lk_process *open_process(pid_t pid, struct lk_error *err)
{
    struct lk_live *l = lk_xcalloc(1, sizeof(*l));
    struct lk_process *t;

    l->pid = l->mem_tid = pid;
    l->proc_fd = l->mem_fd = -1;
    l->arch = lk_arch_own();
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
    t->arch = l->arch;
    t->withheld = l->withheld;
    t->machine = lk_machine_here();
    l->process = t;
    return t;
}

struct lk_process *lk_process_open_live(pid_t pid, struct lk_error *err)
{
    lk_procfs_watch();
    struct lk_process *t = open_process(pid, err);
    /* One that cannot be asked for want of descriptors has not ended. */
    if (!t && err->code == LK_ERR_NO_PROCESS && lk_procfs_ran_out())
        lk_error_os(err, lk_procfs_ran_out(), "process %d could not be examined to the end", pid);
    return t;
}
