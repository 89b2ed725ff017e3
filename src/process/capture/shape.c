/* Values by the tables of their members: written, and read with care. */
#include "process/capture/shape_members.h"

#include <limits.h>
#include <string.h>

#include "process/process.h"
#include "util/text.h"
#include "util/vec.h"

size_t lk_shape_size(const struct lk_shape *s)
{
    return s->size;
}

/* ---- writing --------------------------------------------------------------------------------- */

/* What a member, which is aligned as its type wants it, points to or holds. */
#define LOAD(type, p) (*(type const *)(const void *)(p))

static void write_many(const struct lk_shape *of, const void *v, size_t n, struct lk_bytes *to)
{
    lk_bytes_number(to, n);
    for (size_t i = 0; i < n; i++)
        lk_shape_write(of, (const char *)v + i * of->size, to);
}

static void write_texts(char **v, size_t n, struct lk_bytes *to)
{
    lk_bytes_number(to, v ? n + 1 : 0);
    for (size_t i = 0; v && i < n; i++)
        lk_bytes_text(to, v[i]);
}

/* Trailing zeros of a fixed array are not written. */
static void write_words(const uint64_t *v, size_t n, struct lk_bytes *to)
{
    while (n && !v[n - 1])
        n--;
    lk_bytes_number(to, n);
    for (size_t i = 0; i < n; i++)
        lk_bytes_signed(to, (int64_t)v[i]);
}

static void write_member(const struct member *m, const char *base, struct lk_bytes *to)
{
    const char *p = base + m->at;
    switch (m->kind) {
    case BOOL: lk_bytes_number(to, LOAD(bool, p)); break;
    case CHAR: lk_bytes_number(to, (uint8_t)*p); break;
    case INT:
    case ENUM:
    case TRI: lk_bytes_signed(to, LOAD(int, p)); break;
    case U32: lk_bytes_number(to, LOAD(uint32_t, p)); break;
    case I64: lk_bytes_signed(to, LOAD(int64_t, p)); break;
    case U64: lk_bytes_number(to, LOAD(uint64_t, p)); break;
    case TEXT:
    case SURE:
    case RAW: lk_bytes_text(to, LOAD(const char *, p)); break;
    case NAME:
        lk_bytes_number(to, strnlen(p, m->count_at));
        lk_bytes_put(to, p, strnlen(p, m->count_at));
        break;
    case WORDS: write_words((const void *)p, m->count_at, to); break;
    case TEXTS: write_texts(LOAD(char **, p), LOAD(size_t, base + m->count_at), to); break;
    case INSIDE: lk_shape_write(m->of, p, to); break;
    case ARRAY:
    case LIST:
        write_many(m->of, LOAD(const void *, p), LOAD(size_t, base + m->count_at), to);
        break;
    }
}

void lk_shape_write(const struct lk_shape *s, const void *value, struct lk_bytes *to)
{
    for (size_t i = 0; i < s->n; i++)
        write_member(&s->members[i], value, to);
}

/* ---- reading --------------------------------------------------------------------------------- */

#define STORE(type, p, value) (*(type *)(void *)(p) = (value))

static char *take_clean(struct lk_cursor_of_bytes *from, struct lk_arena *a)
{
    const char *raw = lk_take_text(from, a);
    return raw ? lk_text_clean(a, raw, strlen(raw), SIZE_MAX) : NULL;
}

static int take_within(struct lk_cursor_of_bytes *from, int64_t least, int64_t most)
{
    const int64_t v = lk_take_signed(from);
    from->bad |= v < least || v > most;
    return from->bad ? 0 : (int)v;
}

static uint64_t take_below(struct lk_cursor_of_bytes *from, uint64_t most)
{
    const uint64_t v = lk_take_number(from);
    from->bad |= v > most;
    return from->bad ? 0 : v;
}

/* Each element takes a byte at least: no count asks for more memory than there are bytes. */
static void *read_many(const struct member *m, struct lk_cursor_of_bytes *from, struct lk_arena *a,
                       size_t *ret_n)
{
    const uint64_t n = lk_take_number(from);
    if (n > (uint64_t)(from->end - from->p))
        from->bad = true;
    *ret_n = from->bad ? 0 : (size_t)n;
    if (!*ret_n)
        return NULL;
    char *v =
        m->kind == LIST ? lk_xcalloc(*ret_n, m->of->size) : lk_arena_array(a, *ret_n, m->of->size);
    for (size_t i = 0; i < *ret_n; i++)
        lk_shape_read(m->of, from, a, v + i * m->of->size);
    return v;
}

static void read_texts(const struct member *m, struct lk_cursor_of_bytes *from, struct lk_arena *a,
                       char *base)
{
    const uint64_t n = lk_take_number(from);
    if (n > (uint64_t)(from->end - from->p) + 1)
        from->bad = true;
    if (from->bad || !n)
        return;
    char **v = lk_arena_array(a, (size_t)n, sizeof *v);
    for (size_t i = 0; i + 1 < n; i++)
        if (!(v[i] = take_clean(from, a)))
            v[i] = lk_arena_strdup(a, "");
    STORE(char **, base + m->at, v);
    STORE(size_t, base + m->count_at, (size_t)n - 1);
}

static void read_fixed(const struct member *m, struct lk_cursor_of_bytes *from, char *p)
{
    const uint64_t n = lk_take_number(from);
    from->bad |= n > m->count_at - (m->kind == NAME);
    if (from->bad)
        return;
    if (m->kind == WORDS) {
        memset(p, 0, m->count_at * sizeof(uint64_t));
        for (size_t i = 0; i < n; i++)
            STORE(uint64_t, p + i * sizeof(uint64_t), (uint64_t)lk_take_signed(from));
        return;
    }
    const uint8_t *text = lk_take(from, n);
    memset(p, 0, m->count_at);
    if (text)
        memcpy(p, text, (size_t)n);
}

/* A vector's capacity stands behind its count. */
static void read_list(const struct member *m, struct lk_cursor_of_bytes *from, struct lk_arena *a,
                      char *base)
{
    size_t n;
    char *p = base + m->at;
    void *old = LOAD(void *, p), *v = read_many(m, from, a, &n);
    STORE(void *, p, v);
    STORE(size_t, base + m->count_at, n);
    if (m->kind == ARRAY)
        return;
    STORE(size_t, base + m->count_at + sizeof n, n);
    lk_free(old);
}

static void read_member(const struct member *m, struct lk_cursor_of_bytes *from, struct lk_arena *a,
                        char *base)
{
    char *p = base + m->at;
    switch (m->kind) {
    case BOOL: STORE(bool, p, take_below(from, 1)); break;
    case CHAR: *p = (char)take_below(from, UINT8_MAX); break;
    case INT: STORE(int, p, take_within(from, INT_MIN, INT_MAX)); break;
    case ENUM: STORE(int, p, take_within(from, 0, (int64_t)m->count_at)); break;
    case TRI: STORE(int, p, take_within(from, LK_TRI_UNKNOWN, LK_YES)); break;
    case U32: STORE(uint32_t, p, (uint32_t)take_below(from, UINT32_MAX)); break;
    case I64: STORE(int64_t, p, lk_take_signed(from)); break;
    case U64: STORE(uint64_t, p, lk_take_number(from)); break;
    case TEXT:
    case SURE:
        STORE(char *, p, take_clean(from, a));
        from->bad |= m->kind == SURE && !LOAD(char *, p);
        break;
    case RAW: STORE(char *, p, lk_take_text(from, a)); break;
    case NAME:
    case WORDS: read_fixed(m, from, p); break;
    case TEXTS: read_texts(m, from, a, base); break;
    case INSIDE: lk_shape_read(m->of, from, a, p); break;
    case ARRAY:
    case LIST: read_list(m, from, a, base); break;
    }
}

bool lk_shape_read(const struct lk_shape *s, struct lk_cursor_of_bytes *from, struct lk_arena *a,
                   void *ret)
{
    for (size_t i = 0; i < s->n && !from->bad; i++)
        read_member(&s->members[i], from, a, ret);
    return !from->bad;
}
