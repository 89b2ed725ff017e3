/*
 * Shared by the files of the rules station only: what a finder uses to look at its case and to word
 * a finding.
 */
#ifndef LK_DIAGNOSE_RULES_CONTEXT_H
#define LK_DIAGNOSE_RULES_CONTEXT_H

#include "diagnose/catalog/classify.h"
#include "diagnose/rules/rules.h"

enum {
    LK_MAX_CHAIN = 256, /* edges of one finding */
    LK_MAX_CULPRITS = 32,
    LK_MAX_LISTED = 64,    /* entities of one kind in one finding */
    LK_MIN_BLOCK_MS = 100, /* a block shorter than that is not spoken of */
    /* asleep for that long: one look at it is enough for a proof; what wakes it would have by now
     */
    LK_ASLEEP_MS = 10,
    LK_TWO_SAMPLES_MS = 20, /* observed for that long: more than one sample was taken */
};

/* ---- the case ------------------------------------------------------------------------ */

/** How long the thread is known to have made no progress; -1 when it moves, runs, or that is not
 * known. */
int64_t lk_stuck(const struct lk_rule_context *c, const struct lk_thread *t);
/** lk_stuck reached --stalled-after. */
bool lk_is_stalled(const struct lk_rule_context *c, const struct lk_thread *t);
/** More watching could still show that the thread is stalled (or moves). */
bool lk_may_stall(const struct lk_rule_context *c, const struct lk_thread *t);
/** The thread, seen in one sample only, could be there for an instant. */
bool lk_seen_long_enough(const struct lk_rule_context *c, const struct lk_thread *t);
/** Marks all threads that cannot go on before r does (and r itself) as explained. */
void lk_explain(struct lk_rule_context *c, struct lk_ref r);
void lk_explain_all(struct lk_rule_context *c, const struct lk_ref *roots, size_t n);
/** Asks for more watching of a thread. */
void lk_watch(struct lk_rule_context *c, struct lk_ref thread);
/** The user frame that waits: the innermost frame outside the standard library at the wait; NULL.
 */
const struct lk_pyframe *lk_wait_caller(const struct lk_thread *t);
/** The loop whose callbacks a thread runs (innermost); NULL. */
struct lk_loop *lk_loop_of_thread(const struct lk_rule_context *c, struct lk_ref thread);

/* ---- wording ------------------------------------------------------------------------- */

/** "thread bg-loop [4711]", "loop o1 (_UnixSelectorEventLoop)", "task Task-8 (inner)", "lock l1
 * (threading.Lock)", ... */
const char *lk_name(const struct lk_rule_context *c, struct lk_ref r);
/** "outer (app.py:10)"; "an unknown place" when nothing is known. */
const char *lk_place(const struct lk_rule_context *c, const struct lk_culprit *p);
/** "2.1 s". */
const char *lk_duration(const struct lk_rule_context *c, int64_t ms);
/** "1 task", "3 tasks". */
const char *lk_count(const struct lk_rule_context *c, int64_t n, const char *noun);
const char *lk_print(const struct lk_rule_context *c, const char *fmt, ...) LK_PRINTF(2, 3);
/** The text with a capital letter at its start. */
const char *lk_capitalized(const struct lk_rule_context *c, const char *text);
/** What the thread blocks in: "Future.result()", "a lock", ... */
const char *lk_blocks_in(const struct lk_rule_context *c, const struct lk_thread *t);

/** How to end the process, as the last resort of safe_now. */
const char *lk_end_process_words(const struct lk_rule_context *c);

/** Until a supervisor kills this worker, which has not reported for stuck_ms; LK_UNKNOWN when none
 * is known to. */
int64_t lk_killed_in(const struct lk_rule_context *c, int64_t stuck_ms);
/** The advice, and before it when a supervisor will kill the worker. */
const char *lk_with_kill(const struct lk_rule_context *c, const struct lk_finding *f,
                         const char *advice);

/* ---- findings ------------------------------------------------------------------------ */

/** An empty finding: hazard, proven, times unknown, remedy of the rule. */
struct lk_finding lk_finding_start(const struct lk_rule_context *c, const char *rule);
/** Adds an entity to the list of its kind; a thread or task brings its culprit too when blame is
 * set. */
void lk_finding_part(struct lk_rule_context *c, struct lk_finding *f, struct lk_ref r, bool blame);
/** Adds a culprit unless it is there. */
void lk_finding_blame(struct lk_finding *f, struct lk_culprit p);
struct lk_culprit lk_culprit_of_frame(const struct lk_pyframe *p, int64_t tid, const char *task);
struct lk_culprit lk_culprit_of(const struct lk_rule_context *c, struct lk_ref thread_or_task);
/** Adds edges and, as evidence, what each of them rests on; lowers the confidence to what they
 * allow. */
void lk_finding_chain(struct lk_rule_context *c, struct lk_finding *f, const struct lk_edge *edges,
                      size_t n);
void lk_finding_say(struct lk_rule_context *c, struct lk_finding *f, const char *fmt, ...)
    LK_PRINTF(3, 4);
void lk_finding_doubt(struct lk_finding *f, enum lk_confidence most);
/** Sets stuck_ms from a thread, when it is the shortest so far. */
void lk_finding_since(const struct lk_rule_context *c, struct lk_finding *f,
                      const struct lk_thread *t);
/** Counts requests and tasks that cannot go on before root does, root and the finding's threads
 * included. */
void lk_finding_held(struct lk_rule_context *c, struct lk_finding *f, struct lk_ref root);
void lk_finding_held_by(struct lk_rule_context *c, struct lk_finding *f, const struct lk_ref *roots,
                        size_t n);
/**
 * Files the finding: caps its severity by rule and confidence, makes its fingerprint. False when it
 * was dropped because what it blames is already blamed.
 */
bool lk_finding_file(struct lk_rule_context *c, struct lk_finding *f);
/** Frees a finding that is not filed. */
void lk_finding_drop(struct lk_finding *f);

/* ---- finders (table.c) --------------------------------------------------------------- */

void lk_find_knots(struct lk_rule_context *c);             /* LK101 to LK108 */
void lk_find_dead_ends(struct lk_rule_context *c);         /* LK201, LK204 */
void lk_find_orphaned_tasks(struct lk_rule_context *c);    /* LK202 */
void lk_find_lost_wakeups(struct lk_rule_context *c);      /* LK302, LK203 */
void lk_find_crossings(struct lk_rule_context *c);         /* LK302 */
void lk_find_leaked_loops(struct lk_rule_context *c);      /* LK205 */
void lk_find_loops_in_requests(struct lk_rule_context *c); /* LK301, LK305 */
void lk_find_double_drives(struct lk_rule_context *c);     /* LK303 */
void lk_find_blocking_calls(struct lk_rule_context *c);    /* LK401 */
void lk_find_busy_callbacks(struct lk_rule_context *c);    /* LK402 */
void lk_find_mixed_loops(struct lk_rule_context *c);       /* LK304 */
void lk_find_exhausted_workers(struct lk_rule_context *c); /* LK403 */
void lk_find_self_requests(struct lk_rule_context *c);     /* LK404 */
void lk_find_long_waits(struct lk_rule_context *c);        /* LK405, LK406 */
void lk_find_process_cycles(struct lk_rule_context *c);    /* LK108 across processes */
void lk_find_stopped_process(struct lk_rule_context *c);   /* LK501 */
/** Says what the processes are up to that could end a thread's wait, where they were examined too.
 */
void lk_finding_say_links(struct lk_rule_context *c, struct lk_finding *f, struct lk_ref thread);
/** A thread is left, free or at work, that may serve the request that this one makes to its own
 * process. */
bool lk_someone_may_answer(struct lk_rule_context *c, struct lk_ref thread);
/** The thread accepts from, reads or polls this socket now. */
bool lk_stands_at(const struct lk_thread *t, const struct lk_listener *l);
/** The whole process stands still (job control, freezer, a tracer's stop). */
bool lk_is_halted(const struct lk_snapshot *s);
/** Why it cannot be said that all is well; NULL when it can. */
const char *lk_why_unknown(struct lk_rule_context *c);

#endif
