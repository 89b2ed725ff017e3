/*
 * What every station needs and none owns: the remote address type, the error
 * record and two or three helpers of the compiler.
 */
#ifndef LK_UTIL_BASE_H
#define LK_UTIL_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/** An address in the target. Never a pointer of ours, so nobody can dereference it by accident. */
typedef uint64_t lk_addr;

/** A field of bytes that were read, at that offset. */
static inline int32_t lk_i32_in(const uint8_t *bytes, size_t offset)
{
    int32_t v;
    memcpy(&v, bytes + offset, sizeof v);
    return v;
}
static inline lk_addr lk_addr_in(const uint8_t *bytes, size_t offset)
{
    lk_addr v;
    memcpy(&v, bytes + offset, sizeof v);
    return v;
}

#define LK_ARRAY_LEN(a)       (sizeof(a) / sizeof((a)[0]))
#define LK_MIN(a, b)          ((a) < (b) ? (a) : (b))
#define LK_MAX(a, b)          ((a) > (b) ? (a) : (b))
#define LK_PRINTF(fmt, first) __attribute__((format(printf, fmt, first)))
#define LK_MUST_CHECK         __attribute__((warn_unused_result))

enum lk_error_code {
    LK_OK = 0,
    LK_ERR_NOMEM,
    LK_ERR_OS,          /* os_errno says why */
    LK_ERR_FAULT,       /* the target's memory could not be read: see read */
    LK_ERR_BAD_DATA,    /* the target's data made no sense: see read, when its size is not 0 */
    LK_ERR_NO_PROCESS,  /* no such process, or it is gone */
    LK_ERR_PERMISSION,  /* a permission gate is shut; text names it and the mend */
    LK_ERR_UNSUPPORTED, /* a runtime, version or architecture we do not read */
    LK_ERR_USAGE,
    LK_ERR_TIMEOUT,
};

/**
 * The first read of a target's memory that failed while something larger was read. size 0: none
 * did. os_errno 0: the bytes were there, and made no sense.
 */
struct lk_failed_read {
    lk_addr addr;
    uint64_t size;
    int os_errno;
    const char *reading; /* what: "a frame"; a constant, NULL not known */
};

/**
 * Why something failed. Owned by the caller, filled by the callee on failure only.
 * text is one line without a trailing newline, fit to be shown to a user.
 */
struct lk_error {
    enum lk_error_code code;
    int os_errno;
    struct lk_failed_read read; /* what could not be read, where that is why */
    char text[640];
};

/** Fills err (which may be NULL) and returns false, so that failing is one line. */
bool lk_error_set(struct lk_error *err, enum lk_error_code code, const char *fmt, ...)
    LK_PRINTF(3, 4);
/** The same with an errno value; the text is followed by ": " and strerror(errnum). */
bool lk_error_os(struct lk_error *err, int errnum, const char *fmt, ...) LK_PRINTF(3, 4);
/** The same for a read that failed, which err keeps; without one (size 0) it is bad data. */
bool lk_error_read(struct lk_error *err, const struct lk_failed_read *r, const char *fmt, ...)
    LK_PRINTF(3, 4);

/** Milliseconds and microseconds of CLOCK_MONOTONIC. */
uint64_t lk_now_ms(void);
uint64_t lk_now_us(void);

/** The 64-bit word at an offset of bytes that were read from a target; any alignment. */
static inline uint64_t lk_word_at(const void *bytes, size_t offset)
{
    uint64_t v;
    memcpy(&v, (const char *)bytes + offset, sizeof v);
    return v;
}

#endif
