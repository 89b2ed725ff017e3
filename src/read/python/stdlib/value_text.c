/*
 * Values by what their types are (Objects/longobject.c, unicodeobject.c, dictobject.c, ...: the
 * readers know the layouts). Of an object of any other class no attribute is looked at: what it is
 * must do. Items, depth, length and the number of values looked at have bounds, so a list that
 * holds itself ends.
 */
#include "read/python/stdlib/value_text.h"

#include <inttypes.h>

#include "read/python/interpreter/attribute.h"
#include "read/python/interpreter/code.h"
#include "read/python/interpreter/container.h"
#include "read/python/interpreter/scalar.h"
#include "read/python/interpreter/type.h"
#include "read/python/reader/known_class.h"
#include "util/redact.h"

enum {
    MAX_TEXT = 240,   /* bytes of the whole */
    MAX_STRING = 100, /* ... and of one string */
    MAX_ITEMS = 8,
    MAX_DEPTH = 3,
    MAX_VALUES = 100,
};

#define HIDDEN "***"

struct writer {
    struct lk_py *py;
    struct lk_strbuf text;
    unsigned depth, values;
    const char *before; /* the string in front of this one in its list: "--password" */
};

static void put(struct writer *w, lk_addr value);

static bool is_full(const struct writer *w)
{
    return w->text.n >= MAX_TEXT || w->values >= MAX_VALUES;
}

/* ---- strings --------------------------------------------------------------------------------- */

/* str and bytes; NULL for anything else. */
static const char *string_of(struct lk_py *py, lk_addr value)
{
    const char *s = lk_py_str(py, value);
    return s ? s : lk_py_bytes_text(py, value);
}

/* The secret is hidden before the text is cut: half of a token has no shape. */
static void put_string(struct writer *w, const char *prefix, const char *s)
{
    struct lk_arena *a = w->py->s->arena;
    const char *shown = lk_redact(a, s, w->before);
    lk_strbuf_printf(&w->text, "%s'%s'", prefix,
                     lk_text_clean(a, shown, strlen(shown), MAX_STRING));
}

static bool says_secret(struct lk_py *py, lk_addr key)
{
    const char *s = string_of(py, key);
    return s && lk_redact_says_secret(s);
}

/* ---- containers ------------------------------------------------------------------------------ */

/* What hangs on a name: None and the like are no secret. */
static void put_named(struct writer *w, bool secret, lk_addr value)
{
    const enum lk_pykind kind = lk_py_kind(w->py, value);
    if (secret && kind != LK_PYK_NONE && kind != LK_PYK_BOOL && kind != LK_PYK_OTHER)
        lk_strbuf_puts(&w->text, HIDDEN);
    else
        put(w, value);
}

static void put_items(struct writer *w, lk_addr list, const char *open, const char *close)
{
    const int64_t all = lk_py_len(w->py, list);
    size_t n = 0;
    const lk_addr *v = lk_py_items(w->py, list, MAX_ITEMS, &n);
    /* ("authorization", "Bearer x") as headers are kept */
    const bool secret = n == 2 && all == 2 && says_secret(w->py, v[0]);
    const char *before = w->before;
    w->before = NULL;
    lk_strbuf_puts(&w->text, open);
    for (size_t i = 0; i < n && !is_full(w); i++) {
        lk_strbuf_puts(&w->text, i ? ", " : "");
        put_named(w, secret && i == 1, v[i]);
        w->before = lk_py_str(w->py, v[i]);
    }
    w->before = before;
    if (all > (int64_t)n || is_full(w))
        lk_strbuf_printf(&w->text, "%s... %" PRId64 " in all", n ? ", " : "", all);
    lk_strbuf_puts(&w->text, close);
}

struct entries {
    struct writer *w;
    size_t n;
};

static bool put_entry(struct lk_py *py, lk_addr key, lk_addr value, void *arg)
{
    struct entries *e = arg;
    if (e->n == MAX_ITEMS || is_full(e->w))
        return false;
    lk_strbuf_puts(&e->w->text, e->n++ ? ", " : "");
    put(e->w, key);
    lk_strbuf_puts(&e->w->text, ": ");
    put_named(e->w, says_secret(py, key), value);
    return true;
}

static void put_dict(struct writer *w, lk_addr dict)
{
    struct entries e = { .w = w };
    const char *before = w->before;
    w->before = NULL;
    lk_strbuf_puts(&w->text, "{");
    lk_py_dict_each(w->py, dict, put_entry, &e);
    const int64_t all = lk_py_len(w->py, dict);
    if (all > (int64_t)e.n)
        lk_strbuf_printf(&w->text, "%s... %" PRId64 " in all", e.n ? ", " : "", all);
    lk_strbuf_puts(&w->text, "}");
    w->before = before;
}

static void put_container(struct writer *w, enum lk_pykind kind, lk_addr value)
{
    static const char *const brackets[][2] = {
        [LK_PYK_TUPLE] = { "(", ")" },
        [LK_PYK_LIST] = { "[", "]" },
        [LK_PYK_SET] = { "{", "}" },
        [LK_PYK_DEQUE] = { "deque(", ")" },
    };
    if (w->depth >= MAX_DEPTH) {
        lk_strbuf_printf(&w->text, "<%s of %" PRId64 ">", lk_py_class_label(w->py, value),
                         LK_MAX(lk_py_len(w->py, value), 0));
        return;
    }
    w->depth++;
    if (kind == LK_PYK_DICT)
        put_dict(w, value);
    else
        put_items(w, value, brackets[kind][0], brackets[kind][1]);
    w->depth--;
}

/* ---- everything else ------------------------------------------------------------------------- */

/* A thing that the report tells of elsewhere, by its id there. */
static bool put_entity(struct writer *w, lk_addr value)
{
    static const enum lk_kind kinds[] = { LK_KIND_TASK, LK_KIND_FUTURE, LK_KIND_LOOP, LK_KIND_LOCK,
                                          LK_KIND_EXECUTOR };
    const struct lk_snapshot *s = w->py->s;
    for (size_t i = 0; i < LK_ARRAY_LEN(kinds); i++) {
        const struct lk_ref r = lk_snapshot_find(s, kinds[i], value);
        const struct lk_task *k = lk_task_at(s, r);
        if (r.kind == LK_KIND_NONE)
            continue;
        lk_strbuf_printf(&w->text, "<%s %s", lk_py_class_label(w->py, value), lk_ref_id(s, r));
        if (k && k->name && *k->name)
            lk_strbuf_printf(&w->text, " '%s'", k->name);
        lk_strbuf_puts(&w->text, ">");
        return true;
    }
    return false;
}

static void put_object(struct writer *w, enum lk_pykind kind, lk_addr value)
{
    const struct lk_pycode *c =
        kind == LK_PYK_FUNCTION ? lk_py_code(w->py, lk_py_function_code(w->py, value)) : NULL;
    const struct lk_pytype *ty = kind == LK_PYK_TYPE ? lk_py_type_at(w->py, value) : NULL;
    if (c)
        lk_strbuf_printf(&w->text, "<function %s>", c->code->qualname);
    else if (ty)
        lk_strbuf_printf(&w->text, "<class %s>", ty->name);
    else if (!put_entity(w, value))
        lk_strbuf_printf(&w->text, "<%s>", lk_py_class_label(w->py, value));
}

static void put_int(struct writer *w, lk_addr value)
{
    int64_t i;
    if (lk_py_int(w->py, value, &i))
        lk_strbuf_printf(&w->text, "%" PRId64, i);
    else
        lk_strbuf_puts(&w->text, "<int>");
}

static void put_float(struct writer *w, lk_addr value)
{
    double d;
    if (lk_py_float(w->py, value, &d))
        lk_strbuf_printf(&w->text, "%.12g", d);
    else
        lk_strbuf_puts(&w->text, "<float>");
}

static void put(struct writer *w, lk_addr value)
{
    const enum lk_pykind kind = lk_py_kind(w->py, value);
    const char *s = string_of(w->py, value);
    w->values++;
    if (s) {
        put_string(w, kind == LK_PYK_BYTES ? "b" : "", s);
        return;
    }
    switch (kind) {
    case LK_PYK_NONE: lk_strbuf_puts(&w->text, "None"); break;
    case LK_PYK_BOOL:
        lk_strbuf_puts(&w->text, lk_py_bool(w->py, value) == LK_YES ? "True" : "False");
        break;
    case LK_PYK_INT: put_int(w, value); break;
    case LK_PYK_FLOAT: put_float(w, value); break;
    case LK_PYK_TUPLE:
    case LK_PYK_LIST:
    case LK_PYK_DICT:
    case LK_PYK_SET:
    case LK_PYK_DEQUE: put_container(w, kind, value); break;
    default: put_object(w, kind, value); break;
    }
}

const char *lk_py_value_text(struct lk_py *py, const char *name, lk_addr value)
{
    struct writer w = { .py = py };
    put_named(&w, lk_redact_says_secret(name), value);
    const char *ret = lk_text_clean(py->s->arena, w.text.s ? w.text.s : "", w.text.n, MAX_TEXT);
    lk_strbuf_deinit(&w.text);
    return ret;
}
