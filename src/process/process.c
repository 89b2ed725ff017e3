/*
 * What all kinds of targets share: reads through the page cache (pages.c), the list of mappings of
 * one sample, and the way to the kind's own functions (process_impl.h). A kind that lacks one is an
 * error of its own, LK_ERR_UNSUPPORTED.
 */
#include "process/process.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "process/facts.h"
#include "process/process_impl.h"
#include "process/stop.h"

enum {
    LARGE_READ = 16, /* pages; longer reads are read ahead in chunks */
    CHUNK_PAGES = 256,
};

struct lk_process *lk_process_create(const struct lk_process_ops *ops, void *impl)
{
    struct lk_process *t = lk_xcalloc(1, sizeof(*t));

    t->ops = ops;
    t->impl = impl;
    t->arch = lk_arch_own();
    t->pages = lk_pages_create(ops, impl);
    if (!t->pages) {
        lk_process_destroy(t);
        return NULL;
    }
    return t;
}

void lk_process_destroy(struct lk_process *t)
{
    if (!t)
        return;
    if (t->pages)
        lk_pages_tell(t->pages);
    lk_pages_destroy(t->pages);
    if (t->maps_arena)
        lk_arena_destroy(t->maps_arena);
    if (t->ops->destroy)
        t->ops->destroy(t->impl);
    lk_free(t);
}

pid_t lk_process_pid(const struct lk_process *t)
{
    return t->pid;
}

const struct lk_error *lk_process_withheld(const struct lk_process *t)
{
    return t->withheld.code ? &t->withheld : NULL;
}

const struct lk_arch *lk_process_arch(const struct lk_process *t)
{
    return t->arch;
}

void lk_process_begin_sample(struct lk_process *t)
{
    lk_pages_forget(t->pages);
    lk_process_begin_try(t);
}

/* How a moment was caught is recorded too: a record is walked in the same steps. */
static bool recall(struct lk_process *t, enum lk_fact what, void *ret)
{
    return t->ops->recall && !t->ops->recall(t->impl, what, &(struct lk_key){ 0 }, NULL, ret);
}

static void keep(struct lk_process *t, enum lk_fact what, const void *value)
{
    if (t->ops->keep)
        t->ops->keep(t->impl, what, &(struct lk_key){ 0 }, 0, value);
}

bool lk_process_reread(struct lk_process *t)
{
    bool done = false;

    if (t->ops->recall)
        return recall(t, LK_FACT_REREAD, &done) && done;
    done = lk_pages_reread(t->pages);
    if (!done)
        lk_pages_forget(t->pages);
    keep(t, LK_FACT_REREAD, &done);
    return done;
}

size_t lk_process_n_read(struct lk_process *t)
{
    uint64_t n = lk_pages_n_read(t->pages);

    if (!recall(t, LK_FACT_N_READ, &n))
        keep(t, LK_FACT_N_READ, &n);
    return (size_t)n;
}

void lk_process_begin_try(struct lk_process *t)
{
    lk_read_watch(t);
    t->maps_fresh = false;
    lk_pages_tell(t->pages);
    if (t->ops->begin_sample)
        t->ops->begin_sample(t->impl);
}

/* What is read from here on is of another moment than what was read before. */
static void begin_moment(struct lk_process *t)
{
    lk_pages_tell(t->pages);
    if (t->ops->begin_moment)
        t->ops->begin_moment(t->impl);
}

int64_t lk_process_tid(struct lk_process *t, int64_t inner)
{
    return t->ops->tid_outside ? t->ops->tid_outside(t->impl, inner) : inner;
}

void lk_process_forget(struct lk_process *t, const lk_addr *addrs, size_t n, size_t size)
{
    begin_moment(t);
    for (size_t i = 0; i < n; i++)
        if (addrs[i] + size > addrs[i])
            lk_pages_forget_range(t->pages, addrs[i], addrs[i] + size);
}

void lk_process_forget_racy(struct lk_process *t)
{
    begin_moment(t);
    lk_pages_forget_unpinned(t->pages);
}

void lk_process_forget_all(struct lk_process *t)
{
    begin_moment(t);
    lk_pages_forget(t->pages);
}

/* --- what could not be read ------------------------------------------------- */

const char *lk_reading(struct lk_process *t, const char *what)
{
    const char *before = t->reading;

    t->reading = what;
    return before;
}

void lk_read_watch(struct lk_process *t)
{
    t->failed = (struct lk_failed_read){ 0 };
}

struct lk_failed_read lk_read_failed(const struct lk_process *t)
{
    return t->failed;
}

/* Only the first: what fails after it often fails because of it. */
static bool fail(struct lk_process *t, lk_addr addr, size_t size, int why)
{
    if (t->failed.size == 0)
        t->failed = (struct lk_failed_read){
            .addr = addr, .size = size, .os_errno = why, .reading = t->reading
        };
    return false;
}

bool lk_read_senseless(struct lk_process *t, lk_addr addr, size_t size)
{
    return fail(t, addr, size, 0);
}

/* --- memory ---------------------------------------------------------------- */

static bool is_watched(const struct lk_process *t)
{
    return t->ops->was_read && !t->aside;
}

static const uint8_t *get_page(struct lk_process *t, lk_addr page)
{
    const uint8_t *ret = lk_pages_get(t->pages, page);

    if (!ret && is_watched(t))
        t->ops->not_read(t->impl, page, lk_pages_errno(t->pages));
    return ret;
}

static bool read_by_pages(struct lk_process *t, lk_addr addr, uint8_t *buf, size_t n)
{
    while (n > 0) {
        size_t offset = addr % LK_PAGE, part = LK_MIN(n, LK_PAGE - offset);
        const uint8_t *page = get_page(t, addr - offset);

        if (!page)
            return false;
        memcpy(buf, page + offset, part);
        if (is_watched(t))
            lk_pages_asked(t->pages, offset, part);
        addr += part;
        buf += part;
        n -= part;
    }
    return true;
}

static bool read_in_chunks(struct lk_process *t, lk_addr addr, uint8_t *to, size_t n)
{
    while (n > LARGE_READ * LK_PAGE) {
        size_t part = LK_MIN(n, (size_t)CHUNK_PAGES * LK_PAGE);

        lk_prefetch(t, &addr, 1, part);
        if (!read_by_pages(t, addr, to, part))
            return false;
        addr += part;
        to += part;
        n -= part;
    }
    return read_by_pages(t, addr, to, n);
}

bool lk_read(struct lk_process *t, lk_addr addr, void *buf, size_t n)
{
    int why = 0;

    if (lk_process_spent(t))
        return fail(t, addr, n, ETIME);
    if (n > 0 && addr + (n - 1) < addr)
        return fail(t, addr, n, EFAULT);
    if (t->ops->read_known)
        why = t->ops->read_known(t->impl, addr, buf, n);
    else if (!read_in_chunks(t, addr, buf, n))
        why = lk_pages_errno(t->pages);
    return !why || fail(t, addr, n, why);
}

bool lk_read_u8(struct lk_process *t, lk_addr addr, uint8_t *ret)
{
    return lk_read(t, addr, ret, sizeof(*ret));
}

bool lk_read_u32(struct lk_process *t, lk_addr addr, uint32_t *ret)
{
    return lk_read(t, addr, ret, sizeof(*ret));
}

bool lk_read_i32(struct lk_process *t, lk_addr addr, int32_t *ret)
{
    return lk_read(t, addr, ret, sizeof(*ret));
}

bool lk_read_u64(struct lk_process *t, lk_addr addr, uint64_t *ret)
{
    return lk_read(t, addr, ret, sizeof(*ret));
}

/* Bytes of a string that could be read, with its NUL where that is among them; not terminated. */
static size_t read_cstr_known(struct lk_process *t, lk_addr addr, char *ret, size_t max, int *why)
{
    size_t done = 0;

    while (done < max) {
        *why =
            addr + done < addr ? EFAULT : t->ops->read_known(t->impl, addr + done, ret + done, 1);
        if (*why || !ret[done++])
            break;
    }
    return done;
}

/* The same page by page: the next page may be unreadable although the NUL stands in this one. */
static size_t read_cstr(struct lk_process *t, lk_addr addr, char *ret, size_t max, int *why)
{
    size_t done = 0;

    while (done < max) {
        size_t offset = addr % LK_PAGE, part = LK_MIN(max - done, LK_PAGE - offset);
        const uint8_t *page = get_page(t, addr - offset);
        const uint8_t *nul;

        if (!page) {
            *why = lk_pages_errno(t->pages);
            break;
        }
        nul = memchr(page + offset, '\0', part);
        if (nul)
            part = (size_t)(nul - (page + offset)) + 1;
        if (is_watched(t))
            lk_pages_asked(t->pages, offset, part); /* what stands behind it was not asked for */
        memcpy(ret + done, page + offset, part);
        done += part;
        if (nul || addr + part < addr)
            break;
        addr += part;
    }
    return done;
}

bool lk_read_cstr(struct lk_process *t, lk_addr addr, char *ret, size_t max)
{
    int why = 0;
    size_t n;

    if (max == 0)
        return false;
    ret[0] = '\0';
    if (lk_process_spent(t))
        return fail(t, addr, 1, ETIME);
    n = t->ops->read_known ? read_cstr_known(t, addr, ret, max - 1, &why)
                           : read_cstr(t, addr, ret, max - 1, &why);
    ret[n] = '\0';
    return n > 0 || max == 1 || fail(t, addr, 1, why);
}

void lk_prefetch(struct lk_process *t, const lk_addr *addrs, size_t n, size_t span)
{
    if (span == 0 || t->ops->read_known || lk_process_spent(t))
        return;
    lk_pages_reserve(t->pages, LK_MIN(n * (span / LK_PAGE + 2), (size_t)1024));
    for (size_t i = 0; i < n; i++)
        if (addrs[i] + (span - 1) >= addrs[i])
            lk_pages_want(t->pages, addrs[i], addrs[i] + (span - 1) + 1);
    lk_pages_flush(t->pages);
}

/* --- maps ------------------------------------------------------------------ */

static bool read_maps(struct lk_process *t, struct lk_error *err)
{
    struct lk_arena *a;
    struct lk_mapping *maps = NULL;
    size_t n = 0;

    if (!t->ops->maps)
        return lk_error_set(err, LK_ERR_UNSUPPORTED, "this kind of target has no list of mappings");
    if (t->maps_arena && t->ops->maps_unchanged && t->ops->maps_unchanged(t->impl))
        return true;
    a = lk_arena_create();
    if (!t->ops->maps(t->impl, a, &maps, &n, err)) {
        lk_arena_destroy(a);
        return false;
    }
    if (t->maps_arena)
        lk_arena_destroy(t->maps_arena);
    t->maps_arena = a;
    t->maps = maps;
    t->n_maps = n;
    return true;
}

const struct lk_mapping *lk_process_maps(struct lk_process *t, size_t *n, struct lk_error *err)
{
    static const struct lk_mapping none;

    if (!t->maps_fresh && !read_maps(t, err)) {
        *n = 0;
        return NULL;
    }
    t->maps_fresh = true;
    *n = t->n_maps;
    return t->n_maps ? t->maps : &none;
}

const struct lk_mapping *lk_process_mapping_at(struct lk_process *t, lk_addr addr)
{
    size_t n, low = 0;
    const struct lk_mapping *maps = lk_process_maps(t, &n, NULL);

    while (low < n) {
        size_t middle = low + (n - low) / 2;

        if (addr < maps[middle].start)
            n = middle;
        else if (addr >= maps[middle].end)
            low = middle + 1;
        else
            return &maps[middle];
    }
    return NULL;
}

/* --- the rest goes straight to the kind of target --------------------------- */

static int refuse_to_open(struct lk_process *t, struct lk_error *err)
{
    lk_error_os(err, ETIME, "%s", lk_process_spent(t));
    return -1;
}

int lk_process_open_mapping(struct lk_process *t, const struct lk_mapping *m, struct lk_error *err)
{
    if (lk_process_spent(t))
        return refuse_to_open(t, err);
    if (t->ops->open_mapping)
        return lk_fd_hold(t->ops->open_mapping(t->impl, m, err));
    lk_error_set(err, LK_ERR_UNSUPPORTED, "this kind of target has no files");
    return -1;
}

int lk_process_open_path(struct lk_process *t, const char *path, struct lk_error *err)
{
    if (lk_process_spent(t))
        return refuse_to_open(t, err);
    if (t->ops->open_path)
        return lk_fd_hold(t->ops->open_path(t->impl, path, err));
    lk_error_set(err, LK_ERR_UNSUPPORTED, "this kind of target has no files");
    return -1;
}

struct lk_process *lk_process_open_other(const struct lk_process *t, pid_t pid,
                                         struct lk_error *err)
{
    if (t->ops->open_other)
        return t->ops->open_other(t->impl, pid, err);
    lk_error_set(err, LK_ERR_UNSUPPORTED, "beside this kind of target there is no other process");
    return NULL;
}

const struct lk_thread_facts *lk_thread_facts_of(const struct lk_thread_list *list, int64_t tid,
                                                 size_t likely)
{
    if (likely < list->n && list->v[likely].tid == tid)
        return &list->v[likely];
    for (size_t i = 0; i < list->n; i++)
        if (list->v[i].tid == tid)
            return &list->v[i];
    return NULL;
}

bool lk_process_threads(struct lk_process *t, struct lk_thread_list *list, bool full,
                        struct lk_error *err)
{
    if (t->ops->threads)
        return t->ops->threads(t->impl, list, full, err);
    return lk_error_set(err, LK_ERR_UNSUPPORTED, "this kind of target has no threads");
}

bool lk_stop_collect(struct lk_process *t, const struct lk_stop_request *how,
                     struct lk_stop_result *res, struct lk_error *err)
{
    memset(res, 0, sizeof(*res));
    if (t->ops->stop)
        return how->n == 0 || t->ops->stop(t, how, res, err);
    return lk_error_set(err, LK_ERR_UNSUPPORTED, "only a live process can be stopped");
}

void lk_stop_result_deinit(struct lk_stop_result *res)
{
    lk_free(res->stopped.v);
    lk_free(res->regs.v);
    memset(res, 0, sizeof(*res));
}

uint64_t lk_process_now_us(const struct lk_process *t)
{
    return t->ops->now_us ? t->ops->now_us(t->impl) : lk_now_us();
}

uint64_t lk_process_now_ms(const struct lk_process *t)
{
    return lk_process_now_us(t) / 1000;
}

void lk_process_sleep_us(const struct lk_process *t, uint64_t us)
{
    const struct timespec nap = { (time_t)(us / 1000000), (long)(us % 1000000) * 1000 };

    if (t->ops->sleep_us)
        t->ops->sleep_us(t->impl, us);
    else
        nanosleep(&nap, NULL);
}

bool lk_process_is_cut(const struct lk_process *t)
{
    return t->ops->is_cut && t->ops->is_cut(t->impl);
}

bool lk_process_is_moment(const struct lk_process *t)
{
    return t->ops->one_moment;
}

size_t lk_process_n_missing(const struct lk_process *t)
{
    return t->ops->n_missing ? t->ops->n_missing(t->impl) - t->forgiven : 0;
}

void lk_process_extra(struct lk_process *t)
{
    if (!t->extra++)
        t->missing_before = lk_process_n_missing(t);
}

void lk_process_extra_end(struct lk_process *t)
{
    if (!--t->extra)
        t->forgiven += lk_process_n_missing(t) - t->missing_before;
}

bool lk_process_by_bytes(const struct lk_process *t)
{
    return t->ops->read_known || is_watched(t);
}
