/* jansson allocates with malloc(3), which no guard knows, and its own hook for that
 * (json_set_alloc_funcs) belongs to the whole process, so to the caller. */
#include "report/json_values.h"

#include "diagnose/wording/text.h"

static void drop(void *value, size_t size)
{
    (void)size;
    json_decref(value);
}

json_t *lk_json_made(json_t *value)
{
    if (!value)
        lk_out_of_memory();
    lk_hold(value, 0, drop);
    return value;
}

json_t *lk_json_object(void)
{
    return lk_json_made(json_object());
}

json_t *lk_json_array(void)
{
    return lk_json_made(json_array());
}

/* jansson releases what it cannot take. */
void lk_json_set(json_t *object, const char *key, json_t *value)
{
    lk_let_go(value, drop);
    if (json_object_set_new_nocheck(object, key, value) != 0)
        lk_out_of_memory();
}

void lk_json_append(json_t *array, json_t *value)
{
    lk_let_go(value, drop);
    if (json_array_append_new(array, value) != 0)
        lk_out_of_memory();
}

void lk_json_release(json_t *value)
{
    lk_let_go(value, drop);
    json_decref(value);
}

json_t *lk_ci_json(struct lk_arena *a, const char *s)
{
    return lk_json_made(json_string_nocheck(lk_words_safe(a, s)));
}

bool lk_ci_dump(json_t *value, FILE *out)
{
    const bool ok = json_dumpf(value, out, JSON_INDENT(2)) == 0;
    lk_json_release(value);
    putc('\n', out);
    return ok && fflush(out) == 0 && !ferror(out);
}
