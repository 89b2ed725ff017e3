/*
 * JSON values made by jansson. Where memory runs out, jansson's NULL and -1 end the call, see
 * util/memory.h; a value that is in no other one by then is held, so that it is released.
 */
#ifndef LK_REPORT_JSON_VALUES_H
#define LK_REPORT_JSON_VALUES_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "util/arena.h"

/** New references, held until they are given away or released. */
json_t *lk_json_object(void);
json_t *lk_json_array(void);
/** The same for a reference that jansson made; NULL ends the call. */
json_t *lk_json_made(json_t *value);
/** Give the reference away. */
void lk_json_set(json_t *object, const char *key, json_t *value);
void lk_json_append(json_t *array, json_t *value);
void lk_json_release(json_t *value);

/** A string for the formats that are built whole. */
json_t *lk_ci_json(struct lk_arena *a, const char *s);
/** Writes the value and a newline, and releases it. */
bool lk_ci_dump(json_t *value, FILE *out);

#endif
