/* cmocka with what it needs before it, and the limits of time that hold for this build. */
#ifndef LK_TESTS_REPORT_CM_H
#define LK_TESTS_REPORT_CM_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Sanitizers make code several times slower; CPU time is measured, since the machine may be shared.
 */
#if defined(__SANITIZE_ADDRESS__) || !defined(__OPTIMIZE__)
#define CM_SLOWER 8
#else
#define CM_SLOWER 1
#endif

static inline double cm_cpu_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static inline size_t cm_occurrences(const char *text, const char *word)
{
    size_t n = 0;
    for (const char *at = text; (at = strstr(at, word)) != NULL; at += strlen(word))
        n++;
    return n;
}

#define assert_has(text, word)                                                                     \
    do {                                                                                           \
        if (!strstr((text), (word)))                                                               \
            fail_msg("no \"%s\" in:\n%s", (word), (text));                                         \
    } while (0)
#define assert_lacks(text, word)                                                                   \
    do {                                                                                           \
        if (strstr((text), (word)))                                                                \
            fail_msg("\"%s\" in:\n%s", (word), (text));                                            \
    } while (0)

#endif
