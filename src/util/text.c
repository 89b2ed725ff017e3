/*
 * The growing string, durations, and what makes the bytes of a target printable: valid UTF-8,
 * nothing that a terminal would obey.
 */
#include "util/text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void lk_strbuf_add(struct lk_strbuf *b, const char *s, size_t n)
{
    if (n > SIZE_MAX / 4 - b->n)
        lk_out_of_memory();
    if (!b->s || b->n + n + 1 > b->cap) {
        b->cap = LK_MAX(b->cap * 2, b->n + n + 64);
        b->s = lk_xrealloc(b->s, b->cap);
    }
    if (n)
        memcpy(b->s + b->n, s, n);
    b->n += n;
    b->s[b->n] = '\0';
}

void lk_strbuf_puts(struct lk_strbuf *b, const char *s)
{
    lk_strbuf_add(b, s, strlen(s));
}

void lk_strbuf_printf(struct lk_strbuf *b, const char *fmt, ...)
{
    char small[512];
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(small, sizeof small, fmt, ap);
    va_end(ap);
    if (n >= 0 && (size_t)n < sizeof small) {
        lk_strbuf_add(b, small, (size_t)n);
    } else if (n > 0) {
        char *big = lk_xmalloc((size_t)n + 1);
        vsnprintf(big, (size_t)n + 1, fmt, again);
        lk_strbuf_add(b, big, (size_t)n);
        lk_free(big);
    }
    va_end(again);
}

void lk_strbuf_deinit(struct lk_strbuf *b)
{
    lk_free(b->s);
    memset(b, 0, sizeof *b);
}

/* Length of the valid UTF-8 sequence at s (RFC 3629: no overlong form, no surrogate), its code
 * point; 0 when invalid. */
static size_t utf8_decode(const unsigned char *s, size_t n, uint32_t *cp)
{
    static const struct {
        unsigned char mask, lead;
        uint32_t least;
    } forms[] = {
        { 0x80, 0x00, 0 },
        { 0xe0, 0xc0, 0x80 },
        { 0xf0, 0xe0, 0x800 },
        { 0xf8, 0xf0, 0x10000 },
    };
    for (size_t len = 1; len <= LK_ARRAY_LEN(forms); len++) {
        if ((s[0] & forms[len - 1].mask) != forms[len - 1].lead)
            continue;
        if (len > n)
            return 0;
        *cp = s[0] & (unsigned char)~forms[len - 1].mask;
        for (size_t i = 1; i < len; i++) {
            if ((s[i] & 0xc0) != 0x80)
                return 0;
            *cp = *cp << 6 | (s[i] & 0x3f);
        }
        bool bad = *cp < forms[len - 1].least || *cp > 0x10ffff || (*cp >= 0xd800 && *cp <= 0xdfff);
        return bad ? 0 : len;
    }
    return 0;
}

/* Characters that would let a name move the cursor, end a line or reorder what a reader sees. */
static bool must_escape(uint32_t cp)
{
    return cp < 0x20 || (cp >= 0x7f && cp <= 0x9f) || cp == 0x061c ||
           (cp >= 0x200e && cp <= 0x200f) || (cp >= 0x2028 && cp <= 0x202e) ||
           (cp >= 0x2066 && cp <= 0x2069) || cp == 0xfeff;
}

char *lk_text_clean(struct lk_arena *a, const char *str, size_t n, size_t max)
{
    const unsigned char *s = (const unsigned char *)str;
    struct lk_strbuf b = { 0 };
    size_t i = 0;
    while (i < n && b.n < max) {
        uint32_t cp = 0;
        size_t len = utf8_decode(s + i, n - i, &cp);
        if (!len) {
            lk_strbuf_printf(&b, "\\x%02x", s[i]);
            i++;
            continue;
        }
        if (!must_escape(cp))
            lk_strbuf_add(&b, str + i, len);
        else
            lk_strbuf_printf(&b, cp <= 0xff ? "\\x%02x" : "\\u%04x", cp);
        i += len;
    }
    if (i < n)
        lk_strbuf_puts(&b, "...");
    char *ret = lk_arena_strndup(a, b.s ? b.s : "", b.n);
    lk_strbuf_deinit(&b);
    return ret;
}

bool lk_ends_with(const char *s, const char *suffix)
{
    size_t n = strlen(s), m = strlen(suffix);
    return m <= n && memcmp(s + n - m, suffix, m) == 0;
}

bool lk_is_one_of(const char *s, const char *const *words, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(s, words[i]) == 0)
            return true;
    return false;
}

bool lk_starts_with(const char *s, const char *prefix)
{
    return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool lk_same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

const char *lk_or_else(const char *s, const char *other)
{
    return s && *s ? s : other;
}

static const char *after_last(const char *s, char separator)
{
    const char *at = strrchr(s, separator);
    return at && at[1] ? at + 1 : s;
}

const char *lk_base_name(const char *path)
{
    return after_last(path, '/');
}

const char *lk_last_part(const char *dotted)
{
    return after_last(dotted, '.');
}

const char *lk_text_duration(struct lk_arena *a, int64_t ms)
{
    ms = LK_MAX(ms, 0);
    const int64_t s = ms / 1000, min = s / 60, h = min / 60;
    if (ms < 1000)
        return lk_arena_printf(a, "%" PRId64 " ms", ms);
    if (s < 10)
        return lk_arena_printf(a, "%" PRId64 ".%" PRId64 " s", s, ms % 1000 / 100);
    if (s < 120)
        return lk_arena_printf(a, "%" PRId64 " s", s);
    if (min < 120)
        return lk_arena_printf(a, "%" PRId64 " min", min);
    if (h < 48)
        return lk_arena_printf(a, "%" PRId64 " h %" PRId64 " min", h, min % 60);
    return lk_arena_printf(a, "%" PRId64 " days", h / 24);
}
