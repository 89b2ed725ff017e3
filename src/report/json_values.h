/*
 * JSON values made by jansson, for formats that are built whole before they are written.
 */
#ifndef LK_REPORT_JSON_VALUES_H
#define LK_REPORT_JSON_VALUES_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "util/arena.h"

/* JSON values; memory that runs out ends the process. */
json_t *lk_ci_json(struct lk_arena *a, const char *s);
void lk_ci_set(json_t *object, const char *key, json_t *value);
void lk_ci_append(json_t *array, json_t *value);
/** Writes the value and a newline, and releases it. */
bool lk_ci_dump(json_t *value, FILE *out);

#endif
