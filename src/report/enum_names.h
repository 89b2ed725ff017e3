/*
 * Words that all formats share: names of enumerators, durations and counts, and the one function
 * that makes a string fit to be shown. Results belong to the given arena or are static.
 */
#ifndef LK_REPORT_ENUM_NAMES_H
#define LK_REPORT_ENUM_NAMES_H

#include "report/report.h"

/** What a thread does, as the report names it (threads[].state). */
enum lk_thread_state {
    LK_TS_LOOP_IDLE = 0,
    LK_TS_FUTURE_WAIT,
    LK_TS_LOCK_WAIT,
    LK_TS_QUEUE_WAIT,
    LK_TS_IO_WAIT,
    LK_TS_SLEEP,
    LK_TS_JOIN,
    LK_TS_GIL_WAIT,
    LK_TS_EXECUTOR_IDLE,
    LK_TS_PARKED,
    LK_TS_RUNNING,
    LK_TS_STOPPED,
    LK_TS_UNKNOWN,
    LK_TS_COUNT
};

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

/** "350 ms", "2.5 s", "14 min", "5 h 12 min", "3 days"; rounded down. "an unknown time" for
 * LK_UNKNOWN. */
const char *lk_words_duration(struct lk_arena *a, int64_t ms);
/** "99,990". */
const char *lk_words_number(struct lk_arena *a, int64_t n);
/** "1 task", "12 tasks": one takes the plural form by an "s", or "es" after s. */
const char *lk_words_count(struct lk_arena *a, int64_t n, const char *one);
/** "DEADLOCK". */
const char *lk_words_upper(struct lk_arena *a, const char *s);

/* Names as the JSON report has them; "unknown" for a value outside the enumeration. */
const char *lk_words_thread_state_name(enum lk_thread_state s);
const char *lk_words_role(enum lk_role r);
const char *lk_words_read(enum lk_read r);
const char *lk_words_os_wait(enum lk_os_wait w);
const char *lk_words_wait_kind(enum lk_wait_kind k);
const char *lk_words_loop_run(enum lk_loop_run r);
const char *lk_words_task_state(enum lk_task_state s);
/** NULL for an unknown state. */
const char *lk_words_future_state(enum lk_future_state s);
const char *lk_words_owner_by(enum lk_owner_by o);
const char *lk_words_extern_kind(enum lk_extern_kind k);
const char *lk_words_kind(enum lk_kind k);

/** blamed: a finding names the thread, so it is not parked on purpose. */
enum lk_thread_state lk_words_thread_state(const struct lk_thread *t, bool blamed);

#endif
