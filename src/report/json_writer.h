/*
 * Writing JSON piece by piece: values are made and escaped by jansson, the levels above them are
 * written by hand, so that memory does not grow with the number of tasks. References are written as
 * ids, and unknown values are counted.
 */
#ifndef LK_REPORT_JSON_WRITER_H
#define LK_REPORT_JSON_WRITER_H

#include <jansson.h>

#include "report/folding.h"
#include "report/json_values.h"
#include "util/map.h"

/*
 * A null that stands for something unknown must have an entry in `limits`; while values are written
 * the nulls are counted here, and `limits` is the last key.
 */
enum lk_gap {
    LK_GAP_TARGET,
    LK_GAP_PYTHON,
    LK_GAP_STUCK,
    LK_GAP_WAIT,
    LK_GAP_TIMEOUT,
    LK_GAP_LINE,
    LK_GAP_SOURCE,
    LK_GAP_CLASS,
    LK_GAP_CUT,
    LK_GAP_NATIVE,
    LK_GAP_SYMBOL,
    LK_GAP_LOOP,
    LK_GAP_FUTURE,
    LK_GAP_OWNER,
    LK_GAP_EXECUTOR,
    LK_GAP_HELD,
    LK_GAP_FINDING_STUCK,
    LK_GAP_CULPRIT,
    LK_GAP_CHILD,
    LK_GAP_SAMPLE,
    LK_GAP_COUNT
};

struct lk_jw {
    FILE *out;
    struct lk_arena *arena;
    const struct lk_snapshot *snap;
    const struct lk_fold *view;
    const char *prefix; /* of ids: "" or "4711/" */
    bool all;
    int depth;             /* nesting of what is written by hand */
    bool first;            /* nothing was written yet on this level */
    struct lk_map *frames; /* stack -> its json array, so that equal stacks are made once */
    size_t gap[LK_GAP_COUNT];
};

/* Levels and members in order; the first item of a level gets no comma. */
void lk_jw_open_level(struct lk_jw *w, char bracket);
void lk_jw_close_level(struct lk_jw *w, char bracket);
void lk_jw_item(struct lk_jw *w);
void lk_jw_key(struct lk_jw *w, const char *name);
/** Writes a value and releases it. */
void lk_jw_dump(struct lk_jw *w, json_t *value);
void lk_jw_member(struct lk_jw *w, const char *name, json_t *value);

/* Values. The known_ forms count a null as something that is not known. */
json_t *lk_jw_text(struct lk_jw *w, const char *s);
json_t *lk_jw_known_text(struct lk_jw *w, const char *s, enum lk_gap g);
json_t *lk_jw_texts(struct lk_jw *w, const char *const *v, size_t n);
/** Null for LK_UNKNOWN. */
json_t *lk_jw_number(int64_t n);
json_t *lk_jw_known_number(struct lk_jw *w, int64_t n, enum lk_gap g);
json_t *lk_jw_known_tri(struct lk_jw *w, enum lk_tri t, enum lk_gap g);
/** Null for a timeout that does not exist, and for one that was not read, which `limits` then says.
 */
json_t *lk_jw_timeout(struct lk_jw *w, int64_t ms);
void lk_jw_set(json_t *object, const char *name, json_t *value);
void lk_jw_append(json_t *array, json_t *value);

/** An id with the prefix of the set; null for NULL. */
json_t *lk_jw_raw_id(struct lk_jw *w, const char *id);
/** The id of an entity that the report lists, else null. */
json_t *lk_jw_id(struct lk_jw *w, struct lk_ref r);
json_t *lk_jw_first_id(struct lk_jw *w, const struct lk_refs *refs);
/** The ids of those entities that are listed, and under NAME_folded how many are not. */
void lk_jw_set_ids(struct lk_jw *w, json_t *object, const char *name, const struct lk_refs *refs);

/** Sentences for the gaps that were met, to be appended to `limits`. */
void lk_jw_append_gaps(struct lk_jw *w, json_t *list);

/** threads, loops, tasks ... and their groups, as members of the open level (json_entities.c). */
void lk_json_entities(struct lk_jw *w);

#endif
