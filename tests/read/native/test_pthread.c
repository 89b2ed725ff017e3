/* What futex words of glibc's thread library say: made-up objects of every kind, ones that nearly
 * fit, and random bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <linux/futex.h>
#include <stdlib.h>
#include <string.h>

#include "fake_target.h"
#include "read/native/glibc/pthread.h"

#define BASE 0x10000u
enum { SIZE = 0x2000, AT = 0x800 };

/* What a thread that sleeps at BASE + at in a word of these bytes waits for. */
static struct lk_pthread_object decode(const void *bytes, uint32_t at, int command, uint32_t value)
{
    const struct fake_segment segment = { BASE, bytes, SIZE };
    struct lk_process *t = fake_target(&segment, 1);
    struct lk_futex_wait w = {
        .at = BASE + at, .command = command, .value = value, .endless = true
    };
    struct lk_pthread_object o;
    bool found = lk_pthread_decode(t, &w, &o);
    assert_int_equal(found, o.kind != LK_PT_NONE);
    lk_process_destroy(t);
    return o;
}

struct words {
    uint32_t w[SIZE / 4];
};

static struct words mutex(uint32_t lock, uint32_t owner, uint32_t users, uint32_t kind)
{
    struct words b = { 0 };
    uint32_t *m = &b.w[AT / 4];
    m[0] = lock;
    m[2] = owner;
    m[3] = users;
    m[4] = kind;
    return b;
}

static void mutexes_name_their_owner(void **state)
{
    enum { OWNER = 4711, WAITED_FOR = 0x80000000 };
    static const struct {
        uint32_t lock, kind;
        int command;
        uint32_t value;
        bool fits, shared;
    } rows[] = {
        { 2, 0, FUTEX_WAIT, 2, true, false },
        { 2, 1, FUTEX_WAIT_BITSET, 2, true, false }, /* recursive, timed */
        { 2, 0x80, FUTEX_WAIT, 2, true, true },      /* process-shared */
        { 1, 0, FUTEX_WAIT, 2, false, false },       /* nobody is known to wait */
        { 0, 0, FUTEX_WAIT, 2, false, false },       /* free */
        { 2, 0, FUTEX_WAIT, 0, false, false },       /* sleeps on another value */
        { 2, 0, FUTEX_LOCK_PI, 2, false, false },    /* not the kind's call */
        { 2, 0x400, FUTEX_WAIT, 2, false, false },   /* no kind */
        { 2, 0x80000000, FUTEX_WAIT, 2, false, false },
        { OWNER | WAITED_FOR, 0x10, FUTEX_WAIT, OWNER | WAITED_FOR, true, false }, /* robust */
        { OWNER | WAITED_FOR, 0x10, FUTEX_WAIT, 2, false, false },
        { 1 | WAITED_FOR, 0x10, FUTEX_WAIT, 1 | WAITED_FOR, false,
          false },                                                   /* word and owner differ */
        { OWNER | WAITED_FOR, 0x20, FUTEX_LOCK_PI, 0, true, false }, /* priority inheritance */
        { OWNER | WAITED_FOR, 0x30, 13, 0, true, false },            /* FUTEX_LOCK_PI2 */
        { OWNER | WAITED_FOR, 0x20, FUTEX_WAIT, 0, false, false },
        { 5 << 19 | 2, 0x40, FUTEX_WAIT, 5 << 19 | 2, true, false }, /* with a ceiling */
        { 5 << 19 | 1, 0x40, FUTEX_WAIT, 5 << 19 | 1, false, false },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct words b = mutex(rows[i].lock, OWNER, 1, rows[i].kind);
        struct lk_pthread_object o = decode(&b, AT, rows[i].command, rows[i].value);
        assert_int_equal(o.kind, rows[i].fits ? LK_PT_MUTEX : LK_PT_NONE);
        assert_int_equal(o.owner, rows[i].fits ? OWNER : 0);
        assert_int_equal(o.process_shared, rows[i].shared);
    }
}

static void mutexes_without_owner_or_users_are_none(void **state)
{
    struct words b = mutex(2, 0, 1, 0);
    (void)state;
    assert_int_equal(decode(&b, AT, FUTEX_WAIT, 2).kind, LK_PT_NONE);
    b = mutex(2, 4711, 0, 0);
    assert_int_equal(decode(&b, AT, FUTEX_WAIT, 2).kind, LK_PT_NONE);
    b = mutex(2, 4711, 1000000, 0);
    assert_int_equal(decode(&b, AT, FUTEX_WAIT, 2).kind, LK_PT_NONE);
    b = mutex(2, (uint32_t)-4711, 1, 0);
    assert_int_equal(decode(&b, AT, FUTEX_WAIT, 2).kind, LK_PT_NONE);
}

static struct words rwlock(uint32_t readers, uint32_t wrphase, uint32_t writers, uint32_t writer)
{
    struct words b = { 0 };
    uint32_t *k = &b.w[AT / 4];
    k[0] = readers;
    k[2] = wrphase;
    k[3] = writers;
    k[6] = writer;
    return b;
}

static void rwlocks_name_their_writer(void **state)
{
    enum { PHASE = AT + 8, WRITERS = AT + 12 };
    struct words b = rwlock(3, 3, 3, 4711); /* written, a reader and a writer wait */
    struct lk_pthread_object o;
    (void)state;
    for (int i = 0; i < 2; i++) {
        o = decode(&b, i ? WRITERS : PHASE, FUTEX_WAIT_BITSET, 3);
        assert_int_equal(o.kind, LK_PT_RWLOCK);
        assert_int_equal(o.owner, 4711);
        assert_int_equal(o.at, BASE + AT);
    }
    b = rwlock(2 << 3 | 2, 2, 1, 0); /* two read, a writer is first in line */
    o = decode(&b, PHASE, FUTEX_WAIT_BITSET, 2);
    assert_int_equal(o.kind, LK_PT_RWLOCK);
    assert_int_equal(o.owner, 0);
    b = rwlock(2, 2, 1, 0); /* nobody reads any more */
    assert_int_equal(decode(&b, PHASE, FUTEX_WAIT_BITSET, 2).kind, LK_PT_NONE);
    b = rwlock(2, 3, 3, 4711); /* not in the write phase yet */
    assert_int_equal(decode(&b, PHASE, FUTEX_WAIT_BITSET, 3).kind, LK_PT_NONE);
    b = rwlock(3, 3, 3, 4711);
    b.w[AT / 4 + 4] = 7; /* padding */
    assert_int_equal(decode(&b, PHASE, FUTEX_WAIT_BITSET, 3).kind, LK_PT_NONE);
}

static void joins_name_their_thread(void **state)
{
    enum { TID = 0x2d0 };
    struct words b = { 0 };
    uint64_t self = BASE + AT;
    (void)state;
    memcpy(&b.w[AT / 4], &self, sizeof self);
    memcpy(&b.w[AT / 4 + 4], &self, sizeof self);
    b.w[(AT + TID) / 4] = 4711;
    assert_int_equal(decode(&b, AT + TID, FUTEX_WAIT_BITSET, 4711).kind, LK_PT_JOIN);
    assert_int_equal(decode(&b, AT + TID, FUTEX_WAIT_BITSET, 4711).owner, 4711);
    assert_int_equal(decode(&b, AT + TID, FUTEX_WAIT_BITSET, 4712).kind, LK_PT_NONE);
    b.w[AT / 4 + 4]++;
    assert_int_equal(decode(&b, AT + TID, FUTEX_WAIT_BITSET, 4711).kind, LK_PT_NONE);
}

/* At the ends of the address space nothing overflows; of random words only a few look like a lock,
 * and none crashes. */
static void hostile_words(void **state)
{
    static const lk_addr places[] = {
        0, 1, 8, 12, 0x2cf, 0x2d0, UINT64_MAX, UINT64_MAX - 8, UINT64_MAX - 0x2d0, BASE + SIZE - 4
    };
    struct words b;
    size_t found = 0;
    (void)state;
    srandom(1);
    for (int round = 0; round < 3000; round++) {
        for (size_t i = 0; i < SIZE / 4; i++)
            b.w[i] = round % 2 ? (uint32_t)random() % 5 : (uint32_t)random();
        found += decode(&b, AT, round % 14, b.w[AT / 4]).kind != LK_PT_NONE;
    }
    assert_true(found < 300);
    const struct fake_segment segment = { BASE, &b, SIZE };
    struct lk_process *t = fake_target(&segment, 1);
    for (size_t i = 0; i < LK_ARRAY_LEN(places); i++) {
        struct lk_futex_wait w = {
            .at = places[i], .command = FUTEX_WAIT, .value = 2, .sp = places[i], .endless = i % 2
        };
        struct lk_pthread_object o;
        lk_pthread_decode(t, &w, &o);
    }
    lk_process_destroy(t);
}

/* Recognised by a word 0 right above the stack pointer, slept on without a timeout: nothing weaker.
 */
static void refused_threads(void **state)
{
    struct words b = { 0 };
    const struct fake_segment segment = { BASE, &b, SIZE };
    struct lk_process *t = fake_target(&segment, 1);
    struct lk_futex_wait w = {
        .at = BASE + AT, .command = FUTEX_WAIT_BITSET, .sp = BASE + AT - 0x54, .endless = true
    };
    struct lk_pthread_object o;
    (void)state;
    assert_true(lk_pthread_decode(t, &w, &o));
    assert_int_equal(o.kind, LK_PT_REFUSED);
    w.endless = false;
    assert_false(lk_pthread_decode(t, &w, &o));
    w.endless = true;
    w.sp = BASE + AT - 0x100;
    assert_false(lk_pthread_decode(t, &w, &o));
    w.sp = BASE + AT + 8;
    assert_false(lk_pthread_decode(t, &w, &o));
    w.sp = 0;
    assert_false(lk_pthread_decode(t, &w, &o));
    lk_process_destroy(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mutexes_name_their_owner),
        cmocka_unit_test(mutexes_without_owner_or_users_are_none),
        cmocka_unit_test(rwlocks_name_their_writer),
        cmocka_unit_test(joins_name_their_thread),
        cmocka_unit_test(hostile_words),
        cmocka_unit_test(refused_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
