/*
 * Durations, counts and cut lines in words, and the one function that makes a string fit to be
 * shown. Rules and reports say a number the same way. Results belong to the given arena or are
 * static.
 */
#ifndef LK_DIAGNOSE_WORDING_TEXT_H
#define LK_DIAGNOSE_WORDING_TEXT_H

#include "util/arena.h"

/**
 * s itself when it is valid UTF-8 without control, line separator or bidirectional characters, else
 * a cleaned copy. NULL gives "?". Every format passes every string through this, whatever the
 * snapshot promises.
 */
const char *lk_words_safe(struct lk_arena *a, const char *s);
/** Terminal columns of (at most n bytes of) valid UTF-8 text: combining marks take none, East Asian
 * wide characters two. */
size_t lk_words_columns(const char *s, size_t n);
/** At most `columns` (at least 4) columns of s (made safe), with "..." at the end where something
 * was cut. */
const char *lk_words_cut(struct lk_arena *a, const char *s, size_t columns);

/** As lk_text_duration; "an unknown time" for LK_UNKNOWN and LK_SOMETIME, "for ever" for
 * LK_FOREVER. */
const char *lk_words_duration(struct lk_arena *a, int64_t ms);
/** "99,990". */
const char *lk_words_number(struct lk_arena *a, int64_t n);
/** "1 task", "12 tasks": one takes the plural form by an "s", or "es" after s. */
const char *lk_words_count(struct lk_arena *a, int64_t n, const char *one);
/** "DEADLOCK". */
const char *lk_words_upper(struct lk_arena *a, const char *s);

#endif
