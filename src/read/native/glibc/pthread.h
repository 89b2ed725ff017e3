/*
 * What a word of glibc's thread library says about a thread that sleeps on it. Private to this
 * station and its tests.
 */
#ifndef LK_READ_NATIVE_GLIBC_PTHREAD_H
#define LK_READ_NATIVE_GLIBC_PTHREAD_H

#include "process/process.h"

enum lk_pthread_kind {
    LK_PT_NONE = 0, /* nothing that is known here */
    LK_PT_MUTEX,
    LK_PT_RWLOCK,
    LK_PT_JOIN,
    /* a mutex, not known which, that closes a ring of waits for priority-inheriting mutexes */
    LK_PT_REFUSED,
};

/** A thread asleep in futex(2). */
struct lk_futex_wait {
    lk_addr at;
    int command; /* FUTEX_WAIT ..., without its flags */
    uint32_t value;
    lk_addr sp;   /* the sleeper's; 0 not known */
    bool endless; /* without a timeout */
};

struct lk_pthread_object {
    enum lk_pthread_kind kind;
    lk_addr at; /* of the mutex, lock or thread */
    /* tid as the target itself counts: holder, or thread that is joined; 0 not recorded */
    int64_t owner;
    bool process_shared; /* its owner may be in another process */
};

/** True when the word that the thread sleeps on belongs to an object whose fields all fit a thread
 * that waits for it. */
bool lk_pthread_decode(struct lk_process *t, const struct lk_futex_wait *w,
                       struct lk_pthread_object *ret);

#endif
