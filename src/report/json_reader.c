/*
 * Access to jansson's values by key, with the types that docs/report.schema.json gives them.
 * Numbers are integers of 64 bits there; whatever else stands for a number is not known.
 */
#include "report/json_reader.h"

#include <string.h>

#include "report/enum_names.h"
#include "snapshot/builder.h"
#include "util/text.h"

#define MAX_TEXT (1 << 20) /* bytes of one string */

const char *lk_jr_string(struct lk_jr *r, const json_t *value)
{
    return json_is_string(value) ? lk_text_clean(r->snap->arena, json_string_value(value),
                                                 json_string_length(value), MAX_TEXT)
                                 : NULL;
}

const char *lk_jr_text(struct lk_jr *r, const json_t *object, const char *key)
{
    return lk_jr_string(r, json_object_get(object, key));
}

const char *lk_jr_text_or(struct lk_jr *r, const json_t *object, const char *key,
                          const char *otherwise)
{
    const char *s = lk_jr_text(r, object, key);
    return s ? s : otherwise;
}

int64_t lk_jr_number(const json_t *object, const char *key)
{
    const json_t *v = json_object_get(object, key);
    return json_is_integer(v) ? json_integer_value(v) : LK_UNKNOWN;
}

bool lk_jr_bool(const json_t *object, const char *key)
{
    return json_is_true(json_object_get(object, key));
}

enum lk_tri lk_jr_tri(const json_t *object, const char *key)
{
    const json_t *v = json_object_get(object, key);
    return json_is_boolean(v) ? json_is_true(v) ? LK_YES : LK_NO : LK_TRI_UNKNOWN;
}

size_t lk_jr_list(const json_t *object, const char *key, const json_t **ret)
{
    *ret = json_object_get(object, key);
    return json_array_size(*ret); /* 0 for what is no array */
}

int lk_jr_word(const json_t *object, const char *key, const char *(*name)(int value), int n,
               int otherwise)
{
    const char *s = json_string_value(json_object_get(object, key));
    for (int i = 0; s && i < n; i++)
        if (name(i) && strcmp(name(i), s) == 0)
            return i;
    return otherwise;
}

static const char *read_name(int v)
{
    return lk_words_read((enum lk_read)v);
}

enum lk_read lk_jr_read(const json_t *object)
{
    return (enum lk_read)lk_jr_word(object, "read", read_name, LK_READ_STOPPED + 1, LK_READ_RACY);
}

int lk_jr_line(const json_t *object)
{
    const int64_t n = lk_jr_number(object, "line");
    return n > 0 && n < INT32_MAX ? (int)n : 0;
}

/* ---- references ---------------------------------------------------------------------------- */

static const char *without_prefix(const struct lk_jr *r, const char *id)
{
    return id && lk_starts_with(id, r->prefix) ? id + strlen(r->prefix) : id;
}

const char *lk_jr_id(struct lk_jr *r, const json_t *object, const char *key)
{
    return without_prefix(r, lk_jr_text(r, object, key));
}

void lk_jr_enter(struct lk_jr *r, const char *id, struct lk_ref of)
{
    if (id)
        lk_map_put(&r->ids, lk_hash_str(LK_HASH_INIT, id), (uint64_t)of.kind << 32 | of.index);
}

static struct lk_ref find(const struct lk_jr *r, const json_t *value)
{
    uint64_t at;
    const char *id = without_prefix(r, json_string_value(value));
    if (!id || !lk_map_get(&r->ids, lk_hash_str(LK_HASH_INIT, id), &at))
        return (struct lk_ref){ 0 };
    return lk_ref_make((enum lk_kind)(at >> 32), at & UINT32_MAX);
}

struct lk_ref lk_jr_ref(struct lk_jr *r, const json_t *object, const char *key)
{
    return find(r, json_object_get(object, key));
}

void lk_jr_refs(struct lk_jr *r, const json_t *object, const char *key, enum lk_kind folded,
                struct lk_refs *ret)
{
    const json_t *list;
    char name[64];
    const size_t listed = lk_jr_list(object, key, &list);
    snprintf(name, sizeof name, "%s_folded", key);
    const int64_t more = lk_jr_number(object, name);
    const size_t unlisted = more > 0 ? LK_MIN((size_t)more, r->folded_left) : 0;
    r->folded_left -= unlisted;
    *ret = (struct lk_refs){ .v = lk_arena_array(r->snap->arena, listed + unlisted, sizeof *ret->v),
                             .cap = (uint32_t)(listed + unlisted) };
    for (size_t i = 0; i < listed; i++) {
        const struct lk_ref one = find(r, json_array_get(list, i));
        if (one.kind != LK_KIND_NONE)
            ret->v[ret->n++] = one;
    }
    for (size_t i = 0; i < unlisted; i++)
        ret->v[ret->n++] = lk_ref_make(folded, UINT32_MAX);
}
