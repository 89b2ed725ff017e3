/*
 * Text that is shown to people: cleaned, cut to the columns of a terminal, numbers and durations in
 * words. Facts: widths are those of Unicode's EastAsianWidth.txt (W, F) and general category Mn, by
 * block.
 */
#include "diagnose/wording/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "snapshot/snapshot.h"
#include "util/text.h"

const char *lk_words_safe(struct lk_arena *a, const char *s)
{
    if (!s)
        return "?";
    size_t n = 0;
    while (s[n] >= 0x20 && s[n] < 0x7f)
        n++;
    if (!s[n])
        return s;
    /* Cleaning leaves text alone that is clean already. */
    return lk_text_clean(a, s, n + strlen(s + n), SIZE_MAX);
}

/* Code point at valid UTF-8 s and the bytes it takes; any other byte counts as one character. */
static uint32_t next_char(const char *str, size_t *len)
{
    const unsigned char *s = (const unsigned char *)str;
    uint32_t cp = s[0];
    size_t n = cp >= 0xf0 ? 4 : cp >= 0xe0 ? 3 : cp >= 0xc0 ? 2 : 1;
    if (n > 1)
        cp &= 0x7fu >> n;
    *len = 1;
    for (size_t i = 1; i < n; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return '?';
        cp = cp << 6 | (s[i] & 0x3f);
    }
    *len = n;
    return cp;
}

/* The blocks that matter in practice, after Unicode's EastAsianWidth.txt (W, F) and general
 * category Mn. */
static size_t char_columns(uint32_t cp)
{
    static const struct {
        uint32_t from, to;
        size_t columns;
    } blocks[] = {
        { 0x0300, 0x036f, 0 },   { 0x0483, 0x0489, 0 },   { 0x0591, 0x05bd, 0 },
        { 0x064b, 0x065f, 0 },   { 0x1100, 0x115f, 2 },   { 0x1ab0, 0x1aff, 0 },
        { 0x1dc0, 0x1dff, 0 },   { 0x200b, 0x200d, 0 },   { 0x20d0, 0x20f0, 0 },
        { 0x2e80, 0x303e, 2 },   { 0x3041, 0xa4cf, 2 },   { 0xac00, 0xd7a3, 2 },
        { 0xf900, 0xfaff, 2 },   { 0xfe00, 0xfe0f, 0 },   { 0xfe20, 0xfe2f, 0 },
        { 0xfe30, 0xfe6f, 2 },   { 0xff00, 0xff60, 2 },   { 0xffe0, 0xffe6, 2 },
        { 0x1f300, 0x1f64f, 2 }, { 0x1f680, 0x1f6ff, 2 }, { 0x1f900, 0x1faff, 2 },
        { 0x20000, 0x3fffd, 2 }, { 0xe0100, 0xe01ef, 0 },
    };
    if (cp < 0x300)
        return 1;
    for (size_t i = 0; i < LK_ARRAY_LEN(blocks); i++)
        if (cp >= blocks[i].from && cp <= blocks[i].to)
            return blocks[i].columns;
    return 1;
}

/* The longest prefix of at most `columns` columns, in bytes; what it takes is added to *used. */
static size_t prefix(const char *s, size_t columns, size_t *used)
{
    size_t at = 0;
    while (s[at]) {
        size_t len, wide = char_columns(next_char(s + at, &len));
        if (*used + wide > columns)
            break;
        *used += wide;
        at += len;
    }
    return at;
}

size_t lk_words_columns(const char *s, size_t n)
{
    size_t used = 0;
    for (size_t at = 0, len; at < n && s[at]; at += len)
        used += char_columns(next_char(s + at, &len));
    return used;
}

const char *lk_words_cut(struct lk_arena *a, const char *s, size_t columns)
{
    s = lk_words_safe(a, s);
    size_t used = 0;
    if (!s[prefix(s, columns, &used)])
        return s;
    used = 3;
    return lk_arena_printf(a, "%.*s...", (int)prefix(s, LK_MAX(columns, 4u), &used), s);
}

const char *lk_words_duration(struct lk_arena *a, int64_t ms)
{
    if (ms == LK_UNKNOWN || ms == LK_SOMETIME)
        return "an unknown time";
    if (ms == LK_FOREVER)
        return "for ever";
    return lk_text_duration(a, ms);
}

const char *lk_words_number(struct lk_arena *a, int64_t n)
{
    if (n == LK_UNKNOWN)
        return "an unknown number of";
    char digits[24];
    const int len = snprintf(digits, sizeof digits, "%" PRId64, n);
    const int first = n < 0;
    char *ret = lk_arena_alloc(a, sizeof digits * 2), *to = ret;
    for (int i = 0; i < len; i++) {
        if (i > first && (len - i) % 3 == 0)
            *to++ = ',';
        *to++ = digits[i];
    }
    return ret;
}

const char *lk_words_count(struct lk_arena *a, int64_t n, const char *one)
{
    const char *end = n == 1 ? "" : lk_ends_with(one, "ss") ? "es" : "s";
    return lk_arena_printf(a, "%s %s%s", lk_words_number(a, n), one, end);
}

const char *lk_words_upper(struct lk_arena *a, const char *s)
{
    char *up = lk_arena_strdup(a, s);
    for (char *c = up; *c; c++)
        if (*c >= 'a' && *c <= 'z')
            *c = (char)(*c - 'a' + 'A');
    return up;
}
