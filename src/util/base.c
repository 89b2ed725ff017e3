/* Errors with their cause, the clock and other small things that every room needs. */
#include "util/base.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

bool lk_error_set(struct lk_error *err, enum lk_error_code code, const char *fmt, ...)
{
    if (!err)
        return false;
    /* Formatted beside err first: an argument may be the old text of the same err. */
    char text[sizeof err->text];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    memset(err, 0, sizeof *err);
    err->code = code;
    memcpy(err->text, text, sizeof text);
    return false;
}

bool lk_error_os(struct lk_error *err, int errnum, const char *fmt, ...)
{
    if (!err)
        return false;
    char text[sizeof err->text], reason[80];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    size_t n = strlen(text);
    snprintf(text + n, sizeof text - n, ": %s", strerror_r(errnum, reason, sizeof reason));
    memset(err, 0, sizeof *err);
    err->code = LK_ERR_OS;
    err->os_errno = errnum;
    memcpy(err->text, text, sizeof text);
    return false;
}

bool lk_error_read(struct lk_error *err, const struct lk_failed_read *r, const char *fmt, ...)
{
    if (!err)
        return false;
    struct lk_error e = { .code = r->os_errno ? LK_ERR_FAULT : LK_ERR_BAD_DATA,
                          .os_errno = r->os_errno,
                          .read = *r };
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(e.text, sizeof e.text, fmt, ap);
    va_end(ap);
    *err = e;
    return false;
}

uint64_t lk_now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000u + (uint64_t)t.tv_nsec / 1000u;
}

uint64_t lk_now_ms(void)
{
    return lk_now_us() / 1000u;
}
