/* Types and scalars: what an object is, and str, int, float, bool as values. */
#include "read/python/interpreter/scalar.h"
#include <stdlib.h>

#include "read/python/interpreter/type.h"

enum {
    OB_SIZE = 16,    /* PyVarObject.ob_size; length of str and bytes */
    DIGIT_BITS = 30, /* PyLong_SHIFT of 64-bit builds */
};

/* ---- str ----------------------------------------------------------------------------- */

struct str_view {
    int64_t length; /* code points */
    unsigned width; /* bytes of one */
    bool ascii;
    lk_addr data;
};

/* PyASCIIObject: length +16, state +32 (bits 2-4 kind, 5 compact, 6 ascii) in all versions. */
static bool str_open(struct lk_py *py, lk_addr obj, struct str_view *v)
{
    const struct lk_layout *l = &py->layout;
    uint8_t b[40];
    uint32_t state;

    if (!lk_py_plausible(obj) || !lk_read(py->t, lk_py_field(py, obj, 0), b, sizeof b))
        return false;
    const struct lk_pytype *ty = lk_py_type(py, obj);
    if (!ty || ty->kind != LK_PYK_STR)
        return false;
    v->length = (int64_t)lk_word_at(b, OB_SIZE);
    memcpy(&state, b + 32, sizeof state);
    v->width = state >> 2 & 7;
    v->ascii = state >> 6 & 1;
    if (v->length < 0 || v->length > (INT64_C(1) << 40) ||
        (v->width != 1 && v->width != 2 && v->width != 4))
        return false;
    if (state >> 5 & 1)
        v->data = obj + (v->ascii ? l->str_data_ascii : l->str_data_compact);
    /* instance of a subclass: PyUnicodeObject.data is a pointer right after the compact header */
    else
        v->data = 0;
    if (!v->data && !lk_read_u64(py->t, obj + l->str_data_compact, &v->data))
        return false;
    return v->data != 0;
}

static size_t put_utf8(char *out, uint32_t c)
{
    if (c >= 0xdc80 && c <= 0xdcff) { /* os.fsdecode (PEP 383): a byte that was no UTF-8 */
        out[0] = (char)(c & 0xff);
        return 1;
    }
    if (c > 0x10ffff)
        c = 0xfffd;
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xc0 | c >> 6);
        out[1] = (char)(0x80 | (c & 63));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xe0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 63));
        out[2] = (char)(0x80 | (c & 63));
        return 3;
    }
    out[0] = (char)(0xf0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 63));
    out[2] = (char)(0x80 | (c >> 6 & 63));
    out[3] = (char)(0x80 | (c & 63));
    return 4;
}

const char *lk_py_str(struct lk_py *py, lk_addr obj)
{
    struct str_view v;
    uint8_t raw[(LK_PY_MAX_STR + 1) * 4];
    char out[sizeof raw];
    size_t len = 0;

    if (!str_open(py, obj, &v))
        return NULL;
    /* one more than fits shows that it was cut */
    size_t n = (size_t)LK_MIN(v.length, LK_PY_MAX_STR + 1);
    if (!lk_read(py->t, v.data, raw, n * v.width))
        return NULL;
    if (v.ascii)
        return lk_text_clean(lk_py_arena(py), (const char *)raw, n, LK_PY_MAX_STR);
    for (size_t i = 0; i < n; i++) {
        uint32_t c = 0;
        memcpy(&c, raw + i * v.width, v.width);
        len += put_utf8(out + len, c);
    }
    return lk_text_clean(lk_py_arena(py), out, len, LK_PY_MAX_STR);
}

const char *lk_py_bytes_text(struct lk_py *py, lk_addr obj)
{
    enum { SIZE = 16, DATA = 32, MOST = 256 }; /* PyBytesObject: ob_size, ob_sval */
    char raw[MOST];
    int64_t n;

    if (!obj || lk_py_kind(py, obj) != LK_PYK_BYTES ||
        !lk_read(py->t, lk_py_field(py, obj, SIZE), &n, sizeof n) || n < 0)
        return NULL;
    n = LK_MIN(n, (int64_t)MOST);
    return lk_read(py->t, lk_py_field(py, obj, DATA), raw, (size_t)n)
               ? lk_text_clean(lk_py_arena(py), raw, (size_t)n, MOST)
               : NULL;
}

bool lk_py_str_raw(struct lk_py *py, lk_addr obj, char *ret, size_t max)
{
    struct str_view v;

    if (!str_open(py, obj, &v) || !v.ascii || (uint64_t)v.length >= max ||
        !lk_read(py->t, v.data, ret, (size_t)v.length))
        return false;
    ret[v.length] = '\0';
    return true;
}

bool lk_py_str_eq(struct lk_py *py, lk_addr obj, const char *s)
{
    struct str_view v;
    char buf[256];
    size_t n = strlen(s);

    if (!str_open(py, obj, &v) || !v.ascii || (uint64_t)v.length != n || n > sizeof buf)
        return false;
    return lk_read(py->t, v.data, buf, n) && memcmp(buf, s, n) == 0;
}

/* ---- numbers ------------------------------------------------------------------------- */

bool lk_py_int(struct lk_py *py, lk_addr obj, int64_t *ret)
{
    uint32_t digit[3];
    uint64_t head, value = 0, n;
    bool negative;
    enum lk_pykind k = lk_py_kind(py, obj);

    if ((k != LK_PYK_INT && k != LK_PYK_BOOL) ||
        !lk_read_u64(py->t, lk_py_field(py, obj, OB_SIZE), &head))
        return false;
    /* lv_tag: digits << 3 | sign, sign 0 positive, 1 zero, 2 negative */
    if (py->layout.int_tagged) {
        negative = (head & 3) == 2;
        n = (head & 3) == 1 ? 0 : head >> 3;
    } else { /* ob_size: its sign is the number's sign */
        negative = (int64_t)head < 0;
        n = negative ? -head : head;
    }
    if (n > LK_ARRAY_LEN(digit) ||
        (n && !lk_read(py->t, lk_py_field(py, obj, 24), digit, n * sizeof digit[0])))
        return false;
    for (size_t i = n; i-- > 0;) {
        if (digit[i] >> DIGIT_BITS || value >> (63 - DIGIT_BITS))
            return false;
        value = value << DIGIT_BITS | digit[i];
    }
    *ret = negative ? -(int64_t)value : (int64_t)value;
    return true;
}

bool lk_py_float(struct lk_py *py, lk_addr obj, double *ret)
{
    return lk_py_kind(py, obj) == LK_PYK_FLOAT &&
           lk_read(py->t, lk_py_field(py, obj, 16), ret, sizeof *ret);
}

bool lk_py_number(struct lk_py *py, lk_addr obj, double *ret)
{
    int64_t i;

    if (lk_py_float(py, obj, ret))
        return true;
    if (!lk_py_int(py, obj, &i))
        return false;
    *ret = (double)i;
    return true;
}

enum lk_tri lk_py_bool(struct lk_py *py, lk_addr obj)
{
    int64_t i;
    return lk_py_int(py, obj, &i) ? (i != 0 ? LK_YES : LK_NO) : LK_TRI_UNKNOWN;
}

bool lk_py_is_none(struct lk_py *py, lk_addr obj)
{
    return lk_py_kind(py, obj) == LK_PYK_NONE;
}
