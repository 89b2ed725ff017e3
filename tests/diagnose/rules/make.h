/*
 * Snapshots by hand, a few lines a case. What is made is the picture of a real hang by default:
 * threads asleep and unmoved for ten seconds, everything read twice and the same, no timeouts.
 */
#ifndef LK_TESTS_DIAGNOSE_RULES_MAKE_H
#define LK_TESTS_DIAGNOSE_RULES_MAKE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "diagnose/catalog/classify.h"
#include "diagnose/rules/rules.h"
#include "snapshot/builder.h"

#define SITE   "/usr/lib/python3/dist-packages/"
#define STDLIB "/usr/lib/python3.11/"

/* Frames of the usual callers, innermost first: "function@file:line", "async function@file:line"
 * for coroutines. */
#define ASYNCIO_RUN_FOREVER                                                                        \
    "_run@" STDLIB "asyncio/events.py:80", "_run_once@" STDLIB "asyncio/base_events.py:1905",      \
        "run_forever@" STDLIB "asyncio/base_events.py:607"
#define ASYNCIO_IDLE                                                                               \
    "select@" STDLIB "selectors.py:468", "_run_once@" STDLIB "asyncio/base_events.py:1869",        \
        "run_forever@" STDLIB "asyncio/base_events.py:607"
#define FLASK_REQUEST                                                                              \
    "full_dispatch_request@" SITE "flask/app.py:1820", "wsgi_app@" SITE "flask/app.py:2525",       \
        "run_wsgi@" SITE "werkzeug/serving.py:335",                                                \
        "handle_one_request@" SITE "werkzeug/serving.py:370",                                      \
        "process_request_thread@" STDLIB "socketserver.py:683", "run@" STDLIB "threading.py:975"
#define RESULT "wait@" STDLIB "threading.py:320", "result@" STDLIB "concurrent/futures/_base.py:451"
#define POOL_WORKER                                                                                \
    "run@" STDLIB "concurrent/futures/thread.py:58",                                               \
        "_worker@" STDLIB "concurrent/futures/thread.py:83"

/* A callback on its loop's thread; a loop that its thread runs for one result. */
#define HANDLER   "async device@/srv/app.py:12", ASYNCIO_RUN_FOREVER
#define RUN_UNTIL ASYNCIO_IDLE, "run_until_complete@" STDLIB "asyncio/base_events.py:640"

struct lk_snapshot *mk(void);
/** frames: NULL-terminated. */
struct lk_ref mk_thread(struct lk_snapshot *s, const char *name, ...) __attribute__((sentinel));
struct lk_pystack *mk_stack(struct lk_snapshot *s, ...) __attribute__((sentinel));
/** A running loop; thread.kind LK_KIND_NONE for one that no thread runs. Marks the thread as its
 * driver, blocked in a callback.
 */
struct lk_ref mk_loop(struct lk_snapshot *s, struct lk_ref thread);
/** The same, its thread idle in its selector. */
struct lk_ref mk_idle_loop(struct lk_snapshot *s, struct lk_ref thread);
/** A pending, started task. */
struct lk_ref mk_task(struct lk_snapshot *s, struct lk_ref loop, const char *name, ...)
    __attribute__((sentinel));
/** A pending task that has a step in its loop's ready queue. */
struct lk_ref mk_ready_task(struct lk_snapshot *s, struct lk_ref loop, const char *name);
/** A task whose step is on the loop's thread now. */
struct lk_ref mk_running_task(struct lk_snapshot *s, struct lk_ref loop, const char *name,
                              struct lk_ref thread);
/** A pending future with the given complete set of enders (LK_KIND_NONE ends the list). */
struct lk_ref mk_future(struct lk_snapshot *s, struct lk_ref ender);
/** A bare future: nobody knows who may set it. */
struct lk_ref mk_bare_future(struct lk_snapshot *s);
void mk_ender(struct lk_snapshot *s, struct lk_ref future, struct lk_ref ender);
/** A mutex with a recorded owner; owner NONE: locked, holder unknown. */
struct lk_ref mk_lock(struct lk_snapshot *s, const char *kind, struct lk_ref owner);
/** Condition, event, queue...: no mutex. */
struct lk_ref mk_sync(struct lk_snapshot *s, const char *kind);
struct lk_ref mk_pool(struct lk_snapshot *s, int64_t max_workers);
void mk_worker(struct lk_snapshot *s, struct lk_ref pool, struct lk_ref thread);
/** Makes a thread or task wait, untimed, for what is named by `on` (NONE for nothing). */
void mk_wait(struct lk_snapshot *s, struct lk_ref who, enum lk_wait_kind kind, struct lk_ref on);
/** A request's thread that waits for a future. */
struct lk_ref mk_waiting_request(struct lk_snapshot *s, struct lk_ref future);
/** A request that asks an upstream which does not answer. */
struct lk_ref mk_asking(struct lk_snapshot *s, const char *peer);
/** A loop that no thread runs, in this state. */
struct lk_ref mk_left_loop(struct lk_snapshot *s, enum lk_loop_run run);
/** Adds one more party to a wait. */
void mk_wait_also(struct lk_snapshot *s, struct lk_ref who, struct lk_ref on, bool any);
void mk_timeout(struct lk_snapshot *s, struct lk_ref who, int64_t ms);
/** The thread has moved between samples. */
void mk_moved(struct lk_snapshot *s, struct lk_ref thread);
void mk_stuck(struct lk_snapshot *s, struct lk_ref thread, int64_t ms);

#define NONE          ((struct lk_ref){ LK_KIND_NONE, 0 })
#define THREAD(ref)   lk_thread_at(s, ref)
#define LOOP(ref)     lk_loop_at(s, ref)
#define TASK(ref)     lk_task_at(s, ref)
#define FUTURE(ref)   lk_future_at(s, ref)
#define LOCK(ref)     lk_lock_at(s, ref)
#define EXECUTOR(ref) lk_executor_at(s, ref)

/** Classifies and diagnoses. */
struct lk_findings *mk_diagnose(struct lk_snapshot *s);
/** The finding of a rule; NULL when there is none. */
const struct lk_finding *mk_find(const struct lk_findings *f, const char *rule);
/** Diagnoses and frees: asserts the verdict, and that there is exactly one finding, of this rule
 * (NULL: no finding at all). */
void mk_expect(struct lk_snapshot *s, enum lk_verdict verdict, const char *only_rule);
/** The same, and leaves snapshot and findings to the caller. */
struct lk_findings *mk_expect_one(struct lk_snapshot *s, enum lk_verdict verdict, const char *rule);
void mk_free(struct lk_snapshot *s, struct lk_findings *f);
bool mk_watches(const struct lk_findings *f, struct lk_ref thread);

#endif
