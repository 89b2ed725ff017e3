/*
 * A live target's pages with random words changed: what a torn, or a hostile, heap may look like.
 */
#ifndef LK_TESTS_READ_PYTHON_LYING_TARGET_H
#define LK_TESTS_READ_PYTHON_LYING_TARGET_H

#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "process/process.h"
#include "util/map.h"

static struct {
    pid_t pid;
    uint64_t random, salt;
    unsigned one_in; /* words changed */
} liar;

static uint64_t next_random(void)
{
    liar.random ^= liar.random << 13;
    liar.random ^= liar.random >> 7;
    liar.random ^= liar.random << 17;
    return liar.random;
}

/* A wrong value that looks right: another word of the page, zero, a small or huge number, a
 * neighbour. */
static uint64_t lie(const uint64_t *page, size_t n, size_t i)
{
    switch (next_random() % 6) {
    case 0: return page[next_random() % n];
    case 1: return 0;
    case 2: return next_random() % 64;
    case 3: return next_random();
    case 4: return page[i] + 8 * (next_random() % 8);
    default: return page[i] ^ (UINT64_C(1) << (next_random() % 48));
    }
}

static size_t lying_read(void *impl, lk_addr addr, void *buf, size_t n)
{
    struct iovec local = { buf, n }, remote = { (void *)(uintptr_t)addr, n };
    (void)impl;
    ssize_t got = process_vm_readv(liar.pid, &local, 1, &remote, 1, 0);
    if (got <= 0)
        return 0;
    /* The same page always lies in the same way, as a torn page in a cache would. */
    liar.random = lk_hash_u64(lk_hash_u64(LK_HASH_INIT, liar.salt), addr) | 1;
    uint64_t *words = buf;
    for (size_t i = 0; i < (size_t)got / 8; i++)
        if (next_random() % liar.one_in == 0)
            words[i] = lie(words, (size_t)got / 8, i);
    return (size_t)got;
}

#endif
