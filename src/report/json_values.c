/*
 * JSON values of the formats that are built whole in memory (sarif, gitlab, tap), made and escaped
 * by jansson. jansson says NULL or -1 where memory runs out.
 */
#include "report/json_values.h"

#include <stdlib.h>

#include "diagnose/wording/text.h"

static json_t *made(json_t *value)
{
    if (!value)
        lk_free(lk_xmalloc(SIZE_MAX)); /* ends the process with its line on memory */
    return value;
}

json_t *lk_ci_json(struct lk_arena *a, const char *s)
{
    return made(json_string_nocheck(lk_words_safe(a, s)));
}

void lk_ci_set(json_t *object, const char *key, json_t *value)
{
    if (json_object_set_new(object, key, made(value)) != 0)
        made(NULL);
}

void lk_ci_append(json_t *array, json_t *value)
{
    if (json_array_append_new(array, made(value)) != 0)
        made(NULL);
}

bool lk_ci_dump(json_t *value, FILE *out)
{
    const bool ok = json_dumpf(made(value), out, JSON_INDENT(2)) == 0;
    json_decref(value);
    putc('\n', out);
    return ok && fflush(out) == 0 && !ferror(out);
}
