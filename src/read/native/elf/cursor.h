/*
 * A cursor over bytes that somebody else chose: it cannot leave its buffer, and once it met an
 * error all that follows reads as 0 with `bad` set, so that a parser checks once at its end.
 */
#ifndef LK_READ_NATIVE_ELF_CURSOR_H
#define LK_READ_NATIVE_ELF_CURSOR_H

#include <string.h>

#include "util/base.h"

struct cursor {
    const uint8_t *p, *end;
    lk_addr addr; /* target address of p */
    bool bad;     /* ran out of bytes or met nonsense; stays set */
};

static inline const uint8_t *take(struct cursor *c, size_t n)
{
    if (c->bad || n > (size_t)(c->end - c->p)) {
        c->bad = true;
        return NULL;
    }
    const uint8_t *p = c->p;
    c->p += n;
    c->addr += n;
    return p;
}

static inline uint64_t take_uint(struct cursor *c, size_t n)
{
    uint64_t v = 0;
    const uint8_t *p = take(c, n);
    if (p)
        memcpy(&v, p, n);
    return v;
}

static inline uint64_t take_leb(struct cursor *c, bool is_signed)
{
    uint64_t v = 0;
    for (unsigned shift = 0;; shift += 7) {
        const uint8_t *p = take(c, 1);
        if (!p)
            return 0;
        if (shift < 64)
            v |= (uint64_t)(*p & 0x7f) << shift;
        if (*p & 0x80)
            continue;
        if (is_signed && (*p & 0x40) && shift + 7 < 64)
            v |= ~UINT64_C(0) << (shift + 7);
        return v;
    }
}

static inline uint64_t uleb(struct cursor *c)
{
    return take_leb(c, false);
}

static inline int64_t sleb(struct cursor *c)
{
    return (int64_t)take_leb(c, true);
}

#endif
