#include <string.h>

#include "native/native.h"
#include "snapshot/builder.h"

/*
 * The head of glibc's struct __pthread_mutex_s on x86-64 (sysdeps/x86/nptl/bits/struct_mutex.h, unchanged
 * since 2.3): the futex word __lock comes first, so a waiter's futex address is the mutex's address.
 */
struct mutex_head {
    int32_t lock;    /* 0 free, 1 held, 2 held and waited for; PI and robust kinds: owner's tid and flags */
    uint32_t count;
    int32_t owner;   /* tid */
    uint32_t nusers;
    int32_t kind;
};

enum {
    KIND_MAX = 0x3ff,              /* PTHREAD_MUTEX_*_NP and the flags of nptl/pthreadP.h */
    FUTEX_TID_MASK = 0x3fffffff,   /* linux/futex.h */
};

static bool plausible(const struct mutex_head *m)
{
    if (m->kind < 0 || m->kind > KIND_MAX || m->owner <= 0 || !m->nusers || m->nusers > 100000)
        return false;
    bool counted = m->lock == 2;
    bool by_tid = (m->lock & FUTEX_TID_MASK) == m->owner;
    return counted || by_tid;
}

static bool unexplained(const struct lk_thread *t)
{
    return t->os.on == LK_OS_FUTEX && t->os.futex &&
           (t->wait.kind == LK_WAIT_UNKNOWN || t->wait.kind == LK_WAIT_NONE);
}

static void explain(struct lk_target *t, struct lk_snapshot *s, size_t i)
{
    struct mutex_head m;
    lk_addr at = s->threads.v[i].os.futex;
    if (!lk_read(t, at, &m, sizeof m) || !plausible(&m))
        return;
    struct lk_ref owner = lk_snapshot_find(s, LK_KIND_THREAD, (uint64_t)lk_target_tid(t, m.owner));
    if (owner.kind == LK_KIND_NONE)
        return;
    bool is_new;
    struct lk_ref ref = lk_snapshot_lock(s, at, &is_new);
    struct lk_lock *l = lk_lock_at(s, ref);
    if (is_new) {
        l->kind = "pthread_mutex";
        l->mutex = true;
        l->locked = LK_YES;
        l->owner_by = LK_OWNER_FIELD;
        l->owner_certain = true;
        lk_refs_add(s, &l->owners, owner);
        lk_refs_add(s, &s->threads.v[owner.index].holds, ref);
        l->read = LK_MIN(s->threads.v[i].read, s->threads.v[owner.index].read);
    }
    lk_refs_add(s, &l->waiters, lk_ref_make(LK_KIND_THREAD, i));
    struct lk_wait *w = &s->threads.v[i].wait;
    w->kind = LK_WAIT_LOCK;
    w->on = (struct lk_refs){ 0 };
    lk_refs_add(s, &w->on, ref);
    w->complete = true;
    w->call = "pthread_mutex_lock()";
    w->timeout_ms = s->threads.v[i].os.timeout_ms;
    w->read = s->threads.v[i].read;
    w->frame = -1;
}

void lk_native_read(struct lk_target *t, struct lk_snapshot *s)
{
    for (size_t i = 0; i < s->threads.n; i++)
        if (unexplained(&s->threads.v[i]))
            explain(t, s, i);
}
