/*
 * One interface over whatever is examined: a live process, or a fake made of byte segments
 * (tests); core dumps and captures join here. Readers never know which they have.
 *
 * Memory goes through a page cache (4 KiB pages, filled in batches). Within one sample a page is
 * read once; lk_process_begin_sample forgets all pages. Nothing is ever written to a target.
 * Not thread safe.
 */
#ifndef LK_PROCESS_PROCESS_H
#define LK_PROCESS_PROCESS_H

#include <sys/types.h>

#include "process/arch/arch.h"
#include "process/facts.h"
#include "snapshot/snapshot.h"
#include "util/base.h"

struct lk_process;
struct lk_stop_request; /* process/stop.h */
struct lk_stop_result;

struct lk_mapping {
    lk_addr start, end; /* end exclusive */
    uint64_t offset;    /* in the file */
    uint64_t inode;
    uint32_t dev_major, dev_minor;
    char prot[5];     /* "r-xp" */
    const char *path; /* as in /proc/PID/maps, raw bytes, " (deleted)" kept; "" = anonymous */
};

/** What /proc says of one thread at one look. */
struct lk_thread_facts {
    int64_t tid;
    char comm[64];      /* raw bytes, NUL-terminated */
    char state;         /* R S D T t Z X I; ? not known */
    bool running;       /* /proc/PID/task/TID/syscall says "running" */
    bool syscall_known; /* it was readable and the thread was asleep in a call */
    int unread;         /* errno: its files could not be read although it lives; 0 */
    int64_t nr;         /* system call number; -1: blocked outside of a call (fault) */
    uint64_t args[6];
    lk_addr sp, pc;
    uint64_t switches; /* times scheduled (schedstat), else context switches (status) */
    uint64_t run_ns;   /* time on CPU (schedstat), 0 unknown */
    uint64_t cpu_us;   /* utime + stime */
    /* now - se.exec_start on the scheduler's clock; LK_UNKNOWN when the kernel has no such file */
    int64_t off_cpu_ms;
    uint64_t start_time; /* of the thread, clock ticks after boot: a reused tid differs */
};
struct lk_thread_list {
    struct lk_thread_facts *v;
    size_t n, cap;
};

struct lk_process_ops {
    /** All that is known of it is of one moment, and when that was is not: it has no clock. */
    bool one_moment;
    /** Reads up to n bytes at addr into buf; returns the bytes read from the front (0: none). */
    size_t (*read)(void *impl, lk_addr addr, void *buf, size_t n);
    /** Vectored: n segments of LK_PAGE bytes each; sets why[i]: 0, or the errno of a page that
     * could not be read. May be NULL (then read is used, and every failure counts as EFAULT). */
    void (*read_pages)(void *impl, const lk_addr *pages, void *const *bufs, int *why, size_t n);
    bool (*maps)(void *impl, struct lk_arena *a, struct lk_mapping **ret, size_t *n,
                 struct lk_error *err);
    /** Opens the file behind a mapping read-only; -1 with err. The caller closes it. */
    int (*open_mapping)(void *impl, const struct lk_mapping *m, struct lk_error *err);
    /** Opens a file the target names (a source), inside the target's root, safely (see live.c); -1
     * with err. */
    int (*open_path)(void *impl, const char *path, struct lk_error *err);
    /** Lists threads until a pass finds none new. full=false fills tid, switches and run_ns only,
     * for tids already in list. */
    bool (*threads)(void *impl, struct lk_thread_list *list, bool full, struct lk_error *err);
    /** A new sample begins: is the target still the same one? May be NULL. */
    void (*begin_sample)(void *impl);
    /** Within a sample: from here on what was read is read anew, and may have changed. A record
     * holds both. May be NULL. */
    void (*begin_moment)(void *impl);
    /** What lk_process_tid asks for. NULL: ids are the same inside and outside. */
    int64_t (*tid_outside)(void *impl, int64_t inner);
    /** What lk_stop_collect does. NULL: it stands still, or cannot be stopped. */
    bool (*stop)(struct lk_process *t, const struct lk_stop_request *how,
                 struct lk_stop_result *res, struct lk_error *err);
    /** Its clock, microseconds, and waiting until then on it. NULL: it is the one here. */
    uint64_t (*now_us)(void *impl);
    void (*sleep_us)(void *impl, uint64_t us);
    /** Reads all n bytes, as they are known of this moment: 0, or an errno. NULL: whole pages are
     * read, and kept for the sample. */
    int (*read_known)(void *impl, lk_addr addr, void *buf, size_t n);
    /** Told of all bytes of a page that were read, a bit each (pages.h), and of pages that could
     * not be; but for what was read aside. Both or none. */
    void (*was_read)(void *impl, lk_addr page, const uint8_t *bytes, const uint64_t *asked);
    void (*not_read)(void *impl, lk_addr page, int why);
    /** lk_process_is_cut. NULL: it is not. */
    bool (*is_cut)(void *impl);
    /** lk_process_n_missing. NULL: none. */
    size_t (*n_missing)(void *impl);
    /** lk_process_recall, lk_process_keep; errors are errnos. NULL: nothing is answered, kept. */
    lk_ask_fn recall;
    void (*keep)(void *impl, enum lk_fact what, const struct lk_key *key, int why,
                 const void *value);
    /** Every other fact (facts.h). NULL: nobody can be asked. */
    lk_ask_fn ask;
    /** Opens another process of the same machine in the same way; NULL with err. NULL: there is no
     * other one to be had. */
    struct lk_process *(*open_other)(void *impl, pid_t pid, struct lk_error *err);
    /** True when maps would return what it returned last time. NULL: never known, always read. */
    bool (*maps_unchanged)(void *impl);
    void (*destroy)(void *impl);
};

#define LK_PAGE 4096u

/** Takes ownership of impl. Its CPU is our own. NULL when there is no address space for the page
 * cache (impl is then destroyed). */
struct lk_process *lk_process_create(const struct lk_process_ops *ops, void *impl);
void lk_process_destroy(struct lk_process *t);

/** A live process, to be examined by this thread. Checks every permission gate; on refusal
 * err->text names gate and mend (LK_ERR_PERMISSION, LK_ERR_NO_PROCESS).
 */
struct lk_process *lk_process_open_live(pid_t pid, struct lk_error *err) LK_MUST_CHECK;
/** Another process of the machine that t runs on, opened as t was; NULL with err. */
struct lk_process *lk_process_open_other(const struct lk_process *t, pid_t pid,
                                         struct lk_error *err) LK_MUST_CHECK;
/** pid of a live target, 0 otherwise. */
pid_t lk_process_pid(const struct lk_process *t);
/** What of a live target may not be read although its memory may: gate and mend; NULL nothing. */
const struct lk_error *lk_process_withheld(const struct lk_process *t);
/** The CPU that its program is made for. */
const struct lk_arch *lk_process_arch(const struct lk_process *t);

/** Forgets all cached pages (unless pinned by lk_stop_collect for this sample) and re-reads maps if
 * they may have changed. */
void lk_process_begin_sample(struct lk_process *t);
/** The same for one more try at a sample, which keeps the cached pages: they are old until
 * lk_process_reread. */
void lk_process_begin_try(struct lk_process *t);
/** Reads all cached pages again, in few calls: they are of one moment then, or nearly so. False,
 * and all are forgotten, where that cannot be done. */
bool lk_process_reread(struct lk_process *t);
/** How many pages were read since then: 0 when all that was asked for was there. */
size_t lk_process_n_read(struct lk_process *t);

/** The time on the clock of the process, which is that of a moment past where it is none that runs;
 * waiting for a while on it. */
uint64_t lk_process_now_us(const struct lk_process *t);
uint64_t lk_process_now_ms(const struct lk_process *t);
void lk_process_sleep_us(const struct lk_process *t, uint64_t us);

/** Nothing of it changes, and how its moment stands to those in its memory is not known. */
bool lk_process_is_moment(const struct lk_process *t);

/** Each byte counts by itself: it is known of this process, or kept, one by one. */
bool lk_process_by_bytes(const struct lk_process *t);

/** So much memory was read in a sample that the record of it does not hold all: it was made, or is
 * read, without the rest. */
bool lk_process_is_cut(const struct lk_process *t);
/** How many words and answers were asked for that were never recorded, but for those that were
 * asked for between the two below: they decide nothing, and a record may be older than the
 * question. */
size_t lk_process_n_missing(const struct lk_process *t);
void lk_process_extra(struct lk_process *t);
void lk_process_extra_end(struct lk_process *t);

/** Within a sample: reads size bytes at each of these places again when they are wanted next,
 * unless they were read under a stop that is over. */
void lk_process_forget(struct lk_process *t, const lk_addr *addrs, size_t n, size_t size);
/** Within a sample: forgets what was read while nobody was stopped, since it changed while it was
 * read. */
void lk_process_forget_racy(struct lk_process *t);
/** The same, and what was read under a stop that is over. */
void lk_process_forget_all(struct lk_process *t);

/** All n bytes or false. Never partial. */
bool lk_read(struct lk_process *t, lk_addr addr, void *buf, size_t n);
bool lk_read_u8(struct lk_process *t, lk_addr addr, uint8_t *ret);
bool lk_read_u32(struct lk_process *t, lk_addr addr, uint32_t *ret);
bool lk_read_i32(struct lk_process *t, lk_addr addr, int32_t *ret);
bool lk_read_u64(struct lk_process *t, lk_addr addr, uint64_t *ret);
/** Reads a NUL-terminated string of at most max - 1 bytes; ret is always terminated on success.
 * False when the first byte is unreadable. */
bool lk_read_cstr(struct lk_process *t, lk_addr addr, char *ret, size_t max);
/** Brings the pages that hold these addresses (each with `span` bytes) into the cache with as few
 * calls as possible. */
void lk_prefetch(struct lk_process *t, const lk_addr *addrs, size_t n, size_t span);

/**
 * The first read that failed is kept, so that whoever gives up a walk can say where and why. What
 * is being read is told by the readers, in a constant ("a frame"); it returns what was read before,
 * which is set again afterwards.
 */
const char *lk_reading(struct lk_process *t, const char *what);
/** Forgets the failed read that is kept: the next one is the first. A new sample does so too. */
void lk_read_watch(struct lk_process *t);
/** The first one since then; size 0: none failed. */
struct lk_failed_read lk_read_failed(const struct lk_process *t);
/** The size bytes at addr (not 0) could be read, but cannot be right: kept like a failed read, with
 * errno 0. Returns false, so that giving up is one line. */
bool lk_read_senseless(struct lk_process *t, lk_addr addr, size_t size);

/** Mappings sorted by start, valid until the next begin_sample. */
const struct lk_mapping *lk_process_maps(struct lk_process *t, size_t *n, struct lk_error *err);
const struct lk_mapping *lk_process_mapping_at(struct lk_process *t, lk_addr addr);
int lk_process_open_mapping(struct lk_process *t, const struct lk_mapping *m, struct lk_error *err);
int lk_process_open_path(struct lk_process *t, const char *path, struct lk_error *err);
/**
 * A thread id that stands in the target's memory, as the thread list has it: in a container
 * gettid() returns another number than /proc outside shows. -1 when no thread has it. The same
 * number when both live in one pid namespace.
 */
int64_t lk_process_tid(struct lk_process *t, int64_t inner);
/** The facts of one thread; NULL none. likely: where it stands unless threads have come or gone. */
const struct lk_thread_facts *lk_thread_facts_of(const struct lk_thread_list *list, int64_t tid,
                                                 size_t likely);
bool lk_process_threads(struct lk_process *t, struct lk_thread_list *list, bool full,
                        struct lk_error *err);

/* page cache, implemented in pages.c over the ops; in memory shared with the stop helper */

#endif
