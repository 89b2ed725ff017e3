/* Growing buffer and bounded cursor; lengths come before what they are of. */
#include "process/capture/bytes.h"

#include <string.h>

#include "util/text.h"

void lk_bytes_put(struct lk_bytes *b, const void *p, size_t n)
{
    if (n > b->cap - b->n) {
        b->cap = LK_MAX(b->cap * 2, b->n + n + 256);
        b->v = lk_xrealloc(b->v, b->cap);
    }
    if (n)
        memcpy(b->v + b->n, p, n);
    b->n += n;
}

void lk_bytes_number(struct lk_bytes *b, uint64_t v)
{
    uint8_t out[10];
    size_t n = 0;
    do {
        out[n++] = (uint8_t)((v & 0x7f) | (v > 0x7f ? 0x80 : 0));
        v >>= 7;
    } while (v);
    lk_bytes_put(b, out, n);
}

void lk_bytes_signed(struct lk_bytes *b, int64_t v)
{
    lk_bytes_number(b, (uint64_t)v << 1 ^ (v < 0 ? ~UINT64_C(0) : 0));
}

void lk_bytes_text(struct lk_bytes *b, const char *s)
{
    const size_t n = s ? strlen(s) : 0;
    lk_bytes_number(b, s ? n + 1 : 0);
    lk_bytes_put(b, s, n);
}

void lk_bytes_error(struct lk_bytes *b, const struct lk_error *err)
{
    lk_bytes_number(b, !err ? LK_OK : err->code ? err->code : LK_ERR_OS);
    if (!err)
        return;
    lk_bytes_signed(b, err->os_errno);
    lk_bytes_text(b, err->text);
}

const uint8_t *lk_take(struct lk_cursor_of_bytes *c, uint64_t n)
{
    const uint8_t *ret = c->p;
    if (c->bad || n > (uint64_t)(c->end - c->p)) {
        c->bad = true;
        return NULL;
    }
    c->p += n;
    return ret;
}

uint64_t lk_take_number(struct lk_cursor_of_bytes *c)
{
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        const uint8_t *p = lk_take(c, 1);
        if (!p)
            return 0;
        v |= (uint64_t)(*p & 0x7f) << shift;
        if (!(*p & 0x80))
            return v;
    }
    c->bad = true;
    return 0;
}

int64_t lk_take_signed(struct lk_cursor_of_bytes *c)
{
    const uint64_t v = lk_take_number(c);
    return (int64_t)(v >> 1 ^ (0 - (v & 1)));
}

char *lk_take_text(struct lk_cursor_of_bytes *c, struct lk_arena *a)
{
    const uint64_t n = lk_take_number(c);
    const uint8_t *p = n ? lk_take(c, n - 1) : NULL;
    return p ? lk_arena_strndup(a, (const char *)p, (size_t)(n - 1)) : NULL;
}

bool lk_take_error(struct lk_cursor_of_bytes *c, struct lk_error *err)
{
    const uint64_t code = lk_take_number(c);
    c->bad |= code > LK_ERR_TIMEOUT;
    if (!c->bad && code == LK_OK)
        return true;
    struct lk_arena *a = lk_arena_create();
    const int64_t os_errno = lk_take_signed(c);
    const char *text = lk_take_text(c, a);
    c->bad |= os_errno != (int)os_errno;
    lk_error_set(err, c->bad ? LK_ERR_BAD_DATA : (enum lk_error_code)code, "%s",
                 text ? lk_text_clean(a, text, strlen(text), SIZE_MAX)
                      : "why is not in the capture");
    if (err && !c->bad)
        err->os_errno = (int)os_errno;
    lk_arena_destroy(a);
    return false;
}
