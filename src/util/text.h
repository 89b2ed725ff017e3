/*
 * Text: a growing string, durations, and the one function through which every string that a
 * target chose passes before it enters the snapshot.
 */
#ifndef LK_UTIL_TEXT_H
#define LK_UTIL_TEXT_H

#include "util/arena.h"

struct lk_strbuf {
    char *s; /* always NUL-terminated once something was added; NULL before */
    size_t n, cap;
};

void lk_strbuf_add(struct lk_strbuf *b, const char *s, size_t n);
void lk_strbuf_puts(struct lk_strbuf *b, const char *s);
void lk_strbuf_printf(struct lk_strbuf *b, const char *fmt, ...) LK_PRINTF(2, 3);
void lk_strbuf_deinit(struct lk_strbuf *b);

/**
 * Copies n bytes chosen by a target as valid UTF-8 with control characters escaped:
 * C0, DEL and C1 controls as \xNN, invalid bytes as \xNN, the bidirectional and line
 * separators U+2028-202E, U+2066-2069 and surrogates as \uNNNN. A NUL ends nothing, it is escaped.
 * At most max bytes of output, then "..." . The result belongs to the arena.
 */
char *lk_text_clean(struct lk_arena *a, const char *s, size_t n, size_t max);

/** True when s ends with suffix. */
bool lk_ends_with(const char *s, const char *suffix);
/** It is one of n words. */
bool lk_is_one_of(const char *s, const char *const *words, size_t n);
bool lk_starts_with(const char *s, const char *prefix);
/** Equal, or both NULL. */
bool lk_same_text(const char *a, const char *b);
/** s, or other when s is NULL or empty. */
const char *lk_or_else(const char *s, const char *other);
/** What follows the last '/' of a path, the last '.' of a dotted name; all of it where nothing
 * does. */
const char *lk_base_name(const char *path);
const char *lk_last_part(const char *dotted);

/** "350 ms", "2.5 s", "14 min", "5 h 12 min", "3 days"; rounded down. */
const char *lk_text_duration(struct lk_arena *a, int64_t ms);

#endif
