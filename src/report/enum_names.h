/*
 * Names of enumerators as the JSON report has them, and what a thread does in one word. All are
 * static strings.
 */
#ifndef LK_REPORT_ENUM_NAMES_H
#define LK_REPORT_ENUM_NAMES_H

#include "diagnose/wording/text.h"
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

/* Names as the JSON report has them; "unknown" for a value outside the enumeration. */
const char *lk_words_thread_state_name(enum lk_thread_state s);
const char *lk_words_role(enum lk_role r);
const char *lk_words_read(enum lk_read r);
const char *lk_words_os_wait(enum lk_os_wait w);
const char *lk_words_wait_kind(enum lk_wait_kind k);
const char *lk_words_loop_run(enum lk_loop_run r);
const char *lk_words_task_kind(enum lk_task_kind k);
const char *lk_words_task_state(enum lk_task_state s);
/** NULL for an unknown state. */
const char *lk_words_future_state(enum lk_future_state s);
/** NULL where it is not known. */
const char *lk_words_future_origin(enum lk_future_origin o);
const char *lk_words_peer_is(enum lk_peer_is p);
const char *lk_words_owner_by(enum lk_owner_by o);
const char *lk_words_extern_kind(enum lk_extern_kind k);
const char *lk_words_supervisor_kind(enum lk_supervisor_kind k);
/** NULL for a process that `loopknot run` did not end. */
const char *lk_words_stood_still(enum lk_stood_still s);

/** "EFAULT"; "errno 4711" for a number that has no name. */
const char *lk_words_errno(struct lk_arena *a, int number);

/** blamed: a finding names the thread, so it is not parked on purpose. */
enum lk_thread_state lk_words_thread_state(const struct lk_thread *t, bool blamed);
/** It has nothing to do: its loop, its pool or its program waits for work. */
bool lk_words_is_idle(enum lk_thread_state s);

#endif
