/*
 * The loop of the fuzzers: mutates seeds and feeds them to one function, for some seconds, in one
 * process. What must not happen (a bad access, undefined behaviour, a leak) the sanitizers find;
 * the functions check the rest with CHECK. usage: fuzz_X [SECONDS [SEED]]; the seed is printed, and
 * with it the same inputs come again.
 */
#ifndef LK_TESTS_FUZZ_H
#define LK_TESTS_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define CHECK(what)                                                                                \
    do {                                                                                           \
        if (!(what)) {                                                                             \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #what);              \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/** A number below n; n > 0. */
uint64_t fuzz_below(uint64_t n);

/**
 * Changes 1 to 8 places of the n bytes in buf: bits, bytes, numbers that are easily handled
 * wrongly, pieces moved, cut or doubled. Returns the new length, at most cap.
 */
size_t fuzz_mutate(uint8_t *buf, size_t n, size_t cap);
/** The same without changing the length. */
void fuzz_damage(uint8_t *buf, size_t n);

/** Calls one(round) until the time is up; prints how often. For main(). */
int fuzz_run(int argc, char **argv, void (*one)(uint64_t round));

#endif
