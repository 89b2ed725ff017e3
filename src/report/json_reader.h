/*
 * Reading values of a JSON report back into a snapshot. What is missing or of another type than the
 * schema says counts as not known: nothing that a file holds is relied upon. Strings pass
 * lk_text_clean and live in the snapshot's arena.
 */
#ifndef LK_REPORT_JSON_READER_H
#define LK_REPORT_JSON_READER_H

#include <jansson.h>

#include "report/report.h"
#include "util/map.h"

struct lk_jr {
    struct lk_snapshot *snap;
    const char *prefix;  /* of ids: "" or "4711/" */
    struct lk_map ids;   /* hash of an id -> kind and index */
    struct lk_map codes; /* hash of a frame's function and file -> struct lk_code */
    /* how many references to entities that are folded away may still be made: a number in a file
     * must not become memory */
    size_t folded_left;
};

/** NULL where there is none. */
const char *lk_jr_text(struct lk_jr *r, const json_t *object, const char *key);
const char *lk_jr_text_or(struct lk_jr *r, const json_t *object, const char *key,
                          const char *otherwise);
/** The same for a value. */
const char *lk_jr_string(struct lk_jr *r, const json_t *value);
/** LK_UNKNOWN where there is none. */
int64_t lk_jr_number(const json_t *object, const char *key);
bool lk_jr_bool(const json_t *object, const char *key);
enum lk_tri lk_jr_tri(const json_t *object, const char *key);
/** The items of a list; none where it is none. */
size_t lk_jr_list(const json_t *object, const char *key, const json_t **ret);

/** The value of an enumeration whose name stands under key; otherwise where it is none of them. */
int lk_jr_word(const json_t *object, const char *key, const char *(*name)(int value), int n,
               int otherwise);

enum lk_read lk_jr_read(const json_t *object);
/** Of a line of source; 0 where it is none. */
int lk_jr_line(const json_t *object);

/** An id without the set's prefix. */
const char *lk_jr_id(struct lk_jr *r, const json_t *object, const char *key);
/** Enters an id for what it is of. */
void lk_jr_enter(struct lk_jr *r, const char *id, struct lk_ref of);
/** The entity that an id names; of kind none where it is none of the report. */
struct lk_ref lk_jr_ref(struct lk_jr *r, const json_t *object, const char *key);
/** A list of ids, and for each that is folded away (key_folded) a reference to nothing listed. */
void lk_jr_refs(struct lk_jr *r, const json_t *object, const char *key, enum lk_kind folded,
                struct lk_refs *ret);

/** Threads, loops, tasks, ... and what is folded of them (json_read_entities.c). */
void lk_jr_entities(struct lk_jr *r, const json_t *report);

#endif
