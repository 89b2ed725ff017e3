/*
 * Mutexes, reader-writer locks and joins of glibc by the word that a thread sleeps on, as
 * nptl/pthread_mutex_lock.c, pthread_rwlock_common.c and pthread_join_common.c leave it; where the
 * fields stand is in process/arch. An object is believed only where all its fields fit that wait;
 * musl's do not.
 */
#include "read/native/glibc/pthread.h"

#include <linux/futex.h>

#include "util/compat.h"

enum { MAX_USERS = 100000 }; /* more threads wait for no lock */

/* Where the fields stand is a fact of the CPU. */
static const struct lk_glibc_layout *glibc_of(const struct lk_process *t)
{
    return &lk_process_arch(t)->glibc;
}

static bool fits_in_memory(lk_addr at, unsigned size)
{
    return at + size > at;
}

/* ---- mutexes ------------------------------------------------------------------------- */

/* What is used of glibc's struct __pthread_mutex_s. Waiters sleep on its word __lock. */
struct mutex {
    /* 0 free, 1 held, 2 held and waited for; robust and PI kinds: owner's tid and flags */
    int32_t lock;
    int32_t owner; /* tid */
    uint32_t nusers;
    int32_t kind;
};

static bool read_mutex(struct lk_process *t, lk_addr at, struct mutex *ret)
{
    const struct lk_glibc_layout *l = glibc_of(t);
    return fits_in_memory(at, l->mutex.size) && lk_read_i32(t, at + l->mutex.lock, &ret->lock) &&
           lk_read_i32(t, at + l->mutex.owner, &ret->owner) &&
           lk_read_u32(t, at + l->mutex.nusers, &ret->nusers) &&
           lk_read_i32(t, at + l->mutex.kind, &ret->kind);
}

/* __kind: nptl/pthreadP.h, enum of PTHREAD_MUTEX_*_NP */
enum {
    KIND_ROBUST = 0x10,
    KIND_INHERIT = 0x20,
    KIND_PROTECT = 0x40,
    KIND_SHARED = 0x80,
    KIND_ALL = 0x3ff,   /* with the type and two bits for lock elision */
    CEILING = ~0x7ffff, /* PTHREAD_MUTEX_PRIO_CEILING_MASK: stands in __lock of KIND_PROTECT */
};

static bool is_owned(const struct mutex *m)
{
    return m->kind >= 0 && m->kind <= KIND_ALL && m->owner > 0 && m->nusers &&
           m->nusers <= MAX_USERS;
}

static bool is_wait(const struct lk_futex_wait *w)
{
    return w->command == FUTEX_WAIT || w->command == FUTEX_WAIT_BITSET;
}

/* The word says that the mutex is held by its owner and waited for, in the way of its kind. */
static bool mutex_word_fits(const struct mutex *m, const struct lk_futex_wait *w)
{
    bool names_owner = (m->lock & FUTEX_TID_MASK) == m->owner;
    if (m->kind & KIND_INHERIT) /* the kernel keeps the queue */
        return names_owner && (w->command == FUTEX_LOCK_PI || w->command == FUTEX_LOCK_PI2);
    if (!is_wait(w))
        return false;
    if (m->kind & KIND_ROBUST)
        return names_owner && (w->value & FUTEX_TID_MASK) == (uint32_t)m->owner;
    int32_t word = m->kind & KIND_PROTECT ? m->lock & ~CEILING : m->lock;
    return word == 2 && w->value == (uint32_t)m->lock;
}

static bool decode_mutex(struct lk_process *t, const struct lk_futex_wait *w,
                         struct lk_pthread_object *ret)
{
    struct mutex m;
    lk_addr at = w->at - glibc_of(t)->mutex.lock;
    if (!read_mutex(t, at, &m) || !is_owned(&m) || !mutex_word_fits(&m, w))
        return false;
    *ret = (struct lk_pthread_object){ LK_PT_MUTEX, at, m.owner, m.kind & KIND_SHARED };
    return true;
}

/*
 * The kernel refuses to let a thread wait for a priority-inheriting mutex when that would close a
 * ring of such waits (EDEADLK), and for most kinds nptl/pthread_mutex_lock.c then puts the thread
 * to sleep for ever, on a word 0 of its own frame. It does not say which mutex it was. A condition
 * variable, which is waited for with a word 0 too, lies further out.
 */
static bool decode_refused(const struct lk_futex_wait *w, struct lk_pthread_object *ret)
{
    enum { NEAR = 96 };
    if (!w->endless || w->value || w->command != FUTEX_WAIT_BITSET || !w->sp || w->at < w->sp ||
        w->at - w->sp >= NEAR)
        return false;
    *ret = (struct lk_pthread_object){ LK_PT_REFUSED, w->at, 0, false };
    return true;
}

/* ---- reader-writer locks -------------------------------------------------------------- */

/* What is used of glibc's struct __pthread_rwlock_arch_t. */
struct rwlock {
    /* bit 0: write phase; 1: a writer has it or is first in line; 2: readers wait; from 3 on: how
     * many read */
    uint32_t readers;
    uint32_t writers;
    uint32_t wrphase_futex; /* 1: write phase; 2: somebody sleeps here */
    uint32_t writers_futex; /* 1: a writer has it or is first in line; 2: somebody sleeps here */
    uint32_t zeros[2];
    int32_t cur_writer; /* tid; 0 when it is held for reading */
    int32_t shared;
    uint32_t flags; /* preference of readers or writers */
};
enum { RW_PHASE = 1, RW_WRLOCKED = 2, RW_READERS = 3, FUTEX_USED = 2, RW_MAX_FLAGS = 3 };

static bool read_rwlock(struct lk_process *t, lk_addr at, struct rwlock *ret)
{
    const struct lk_glibc_layout *l = glibc_of(t);
    return fits_in_memory(at, l->rwlock.size) &&
           lk_read_u32(t, at + l->rwlock.readers, &ret->readers) &&
           lk_read_u32(t, at + l->rwlock.writers, &ret->writers) &&
           lk_read_u32(t, at + l->rwlock.wrphase_futex, &ret->wrphase_futex) &&
           lk_read_u32(t, at + l->rwlock.writers_futex, &ret->writers_futex) &&
           lk_read(t, at + l->rwlock.zeros, ret->zeros, sizeof ret->zeros) &&
           lk_read_i32(t, at + l->rwlock.cur_writer, &ret->cur_writer) &&
           lk_read_i32(t, at + l->rwlock.shared, &ret->shared) &&
           lk_read_u32(t, at + l->rwlock.flags, &ret->flags);
}

static bool rwlock_fits(const struct rwlock *k)
{
    return (k->readers & RW_WRLOCKED) && k->readers >> RW_READERS <= MAX_USERS &&
           k->writers <= MAX_USERS && k->wrphase_futex <= 3 && k->writers_futex <= 3 &&
           !k->zeros[0] && !k->zeros[1] && k->cur_writer >= 0 && k->shared >= 0 && k->shared <= 1 &&
           k->flags < RW_MAX_FLAGS;
}

/* Held for writing, or (nptl/pthread_rwlock_common.c) by readers for whom a writer waits. */
static bool rwlock_held(const struct rwlock *k)
{
    bool writes = k->readers & RW_PHASE;
    return k->cur_writer ? writes : !writes && k->readers >> RW_READERS;
}

/* Waiters sleep on one of two words of it; what each expects there tells which. */
static bool decode_rwlock(struct lk_process *t, const struct lk_futex_wait *w,
                          struct lk_pthread_object *ret)
{
    struct rwlock k;
    const struct lk_glibc_layout *l = glibc_of(t);
    lk_addr at = w->at - l->rwlock.wrphase_futex;
    bool for_phase = is_wait(w) && read_rwlock(t, at, &k) && rwlock_fits(&k) &&
                     k.wrphase_futex == w->value &&
                     w->value == (k.cur_writer ? 1 | FUTEX_USED : FUTEX_USED);
    if (!for_phase) {
        at = w->at - l->rwlock.writers_futex;
        if (!is_wait(w) || w->value != (1 | FUTEX_USED) || !read_rwlock(t, at, &k) ||
            !rwlock_fits(&k) || k.writers_futex != w->value)
            return false;
    }
    if (!rwlock_held(&k))
        return false;
    *ret = (struct lk_pthread_object){ LK_PT_RWLOCK, at, k.cur_writer, k.shared };
    return true;
}

/* ---- joins --------------------------------------------------------------------------- */

static bool points_to_itself(struct lk_process *t, lk_addr at)
{
    const struct lk_glibc_layout *l = glibc_of(t);
    lk_addr p;
    for (unsigned i = 0; i < l->thread.n_self; i++)
        if (!lk_read_u64(t, at + l->thread.self[i], &p) || p != at)
            return false;
    return true;
}

/* glibc's struct pthread: pthread_join sleeps on the tid in it, until the kernel sets that to 0 at
 * the thread's end (CLONE_CHILD_CLEARTID). */
static bool decode_join(struct lk_process *t, const struct lk_futex_wait *w,
                        struct lk_pthread_object *ret)
{
    uint32_t tid;
    lk_addr at = w->at - glibc_of(t)->thread.tid;
    if (!is_wait(w) || at > w->at || !w->value || !points_to_itself(t, at) ||
        !lk_read_u32(t, w->at, &tid) || tid != w->value)
        return false;
    *ret = (struct lk_pthread_object){ LK_PT_JOIN, at, tid, false };
    return true;
}

bool lk_pthread_decode(struct lk_process *t, const struct lk_futex_wait *w,
                       struct lk_pthread_object *ret)
{
    *ret = (struct lk_pthread_object){ 0 };
    return decode_join(t, w, ret) || decode_mutex(t, w, ret) || decode_rwlock(t, w, ret) ||
           decode_refused(w, ret);
}
