#include "fuzz.h"

#include <string.h>
#include <time.h>

static uint64_t state = 1;

uint64_t fuzz_below(uint64_t n)
{
    /* splitmix64: any seed will do, also 0 */
    uint64_t z = state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return (z ^ z >> 31) % n;
}

static void put_number(uint8_t *buf, size_t n)
{
    static const uint64_t numbers[] = { 0,          1,
                                        0x7f,       0x80,
                                        0xff,       0x7fff,
                                        0xffff,     0x7fffffff,
                                        0x80000000, 0xffffffff,
                                        INT64_MAX,  UINT64_C(1) << 63,
                                        UINT64_MAX, UINT64_MAX - 7 };
    const uint64_t v = numbers[fuzz_below(sizeof numbers / sizeof numbers[0])];
    const size_t width = (size_t)1 << fuzz_below(4);
    if (width <= n)
        memcpy(buf + fuzz_below(n - width + 1), &v, width);
}

static void put_text(uint8_t *buf, size_t n)
{
    static const char *const texts[] = { "18446744073709551616",
                                         "-1",
                                         "0x",
                                         ")",
                                         "(",
                                         "\n",
                                         "\t",
                                         " ",
                                         "",
                                         ":",
                                         "%s%n",
                                         "\xff",
                                         "\033[31m",
                                         "0000000000000000000000000000",
                                         "/",
                                         "..",
                                         "--password=",
                                         "://a:b@",
                                         "\xe2\x80\xae" };
    const char *t = texts[fuzz_below(sizeof texts / sizeof texts[0])];
    const size_t len = strlen(t) + 1; /* with its NUL now and then */
    const size_t take = fuzz_below(4) ? len - 1 : len;
    if (take <= n)
        memcpy(buf + fuzz_below(n - take + 1), t, take);
}

static void damage_one(uint8_t *buf, size_t n)
{
    switch (fuzz_below(5)) {
    case 0: buf[fuzz_below(n)] ^= (uint8_t)(1u << fuzz_below(8)); break;
    case 1: buf[fuzz_below(n)] = (uint8_t)fuzz_below(256); break;
    case 2: put_number(buf, n); break;
    case 3: put_text(buf, n); break;
    default: {
        const size_t len = 1 + fuzz_below(n < 64 ? n : 64);
        memmove(buf + fuzz_below(n - len + 1), buf + fuzz_below(n - len + 1), len);
    }
    }
}

void fuzz_damage(uint8_t *buf, size_t n)
{
    for (uint64_t i = 1 + fuzz_below(8); n && i; i--)
        damage_one(buf, n);
}

static size_t resize(uint8_t *buf, size_t n, size_t cap)
{
    const size_t at = fuzz_below(n + 1);
    if (fuzz_below(2))
        return fuzz_below(3) ? n : at; /* cut */
    const size_t len = fuzz_below((n - at < cap - n ? n - at : cap - n) + 1);
    memmove(buf + at + len, buf + at, n - at); /* doubled */
    return n + len;
}

size_t fuzz_mutate(uint8_t *buf, size_t n, size_t cap)
{
    fuzz_damage(buf, n);
    return fuzz_below(4) ? n : resize(buf, n, cap);
}

int fuzz_run(int argc, char **argv, void (*one)(uint64_t round))
{
    const double seconds = argc > 1 ? strtod(argv[1], NULL) : 10;
    const uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 0) : (uint64_t)time(NULL);
    struct timespec now;
    uint64_t round = 0;
    printf("%s: seed %llu\n", argv[0], (unsigned long long)seed);
    fflush(stdout);
    state = seed;
    clock_gettime(CLOCK_MONOTONIC, &now);
    const double end = (double)now.tv_sec + (double)now.tv_nsec / 1e9 + seconds;
    do {
        one(round++);
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while ((double)now.tv_sec + (double)now.tv_nsec / 1e9 < end);
    printf("%s: %llu inputs\n", argv[0], (unsigned long long)round);
    return 0;
}
