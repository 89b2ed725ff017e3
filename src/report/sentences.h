/*
 * Sentences and half sentences about a report, shared by the formats that people read. Results
 * belong to the given arena or are static. Names in them are cut to a readable length, not yet
 * escaped for any format.
 */
#ifndef LK_REPORT_SENTENCES_H
#define LK_REPORT_SENTENCES_H

#include "report/enum_names.h"

/** "thread bg-loop [4711]", "task Task-8 (inner)", "future f1 of run_coroutine_threadsafe", "loop
 * o1 (asyncio)", ... */
const char *lk_sentence_label(struct lk_arena *a, const struct lk_snapshot *s, struct lk_ref r);
/** Labels joined by commas, at most `most` of them, then "and N more". Empty string for none. */
const char *lk_sentence_labels(struct lk_arena *a, const struct lk_snapshot *s,
                               const struct lk_refs *refs, size_t most);
/** "bg-loop [4711]". */
const char *lk_sentence_thread(struct lk_arena *a, const struct lk_thread *t);

/**
 * What a thread or task waits for: call, thing, file descriptor and peer, time left. NULL when it
 * does not wait. os is NULL for a task.
 */
const char *lk_sentence_wait(struct lk_arena *a, const struct lk_snapshot *s,
                             const struct lk_wait *w, const struct lk_syscall_wait *os);
/** What is known of a thread beside its stack: how long stuck, wait, loops it runs, locks it holds.
 * May be empty. */
const char *lk_sentence_thread_facts(struct lk_arena *a, const struct lk_snapshot *s,
                                     const struct lk_thread *t);
/** One line that describes an entity, without its id. */
const char *lk_sentence_loop(struct lk_arena *a, const struct lk_snapshot *s,
                             const struct lk_loop *l);
const char *lk_sentence_task(struct lk_arena *a, const struct lk_snapshot *s,
                             const struct lk_task *k);
const char *lk_sentence_lock(struct lk_arena *a, const struct lk_snapshot *s,
                             const struct lk_lock *l);
const char *lk_sentence_executor(struct lk_arena *a, const struct lk_snapshot *s,
                                 const struct lk_executor *x);
/** "libc.so.6+0x1234 f"; with debug information "pool.c:12 f (libx.so)". */
const char *lk_sentence_native(struct lk_arena *a, const struct lk_natframe *f);
/** "/srv/app.py:10 in outer". In more than `columns` (0 = as many as it takes) the path loses its
 * first folders. */
const char *lk_sentence_frame(struct lk_arena *a, const struct lk_pyframe *f, size_t columns);

/** "python3 app.py", cut to `columns`; the short name where there is no command line. */
const char *lk_sentence_command(struct lk_arena *a, const struct lk_snapshot *s, size_t columns);
/** "Python 3.11.2, 14 threads". */
const char *lk_sentence_runtime(struct lk_arena *a, const struct lk_snapshot *s);
/** What was done to the target: samples, threads stopped, longest pause. */
const char *lk_sentence_looked(struct lk_arena *a, const struct lk_snapshot *s);
/** Which children of reports[i] were not examined, with a colon at the end; NULL when there are
 * none. */
const char *lk_sentence_children(struct lk_arena *a, const struct lk_report *reports, size_t n,
                                 size_t i);
/** The command that examines them too. */
const char *lk_sentence_children_command(struct lk_arena *a, const struct lk_snapshot *s);
/** The threads counted by what they do: "1 loop idle, 8 pool workers idle, 2 requests moving". */
const char *lk_sentence_census(struct lk_arena *a, const struct lk_snapshot *s);
/** What is known of a limit beside its text: "thread bg-loop [4711]; a frame, 72 bytes at 0x7f00:
 * EFAULT (Bad address)". NULL when nothing is. */
const char *lk_sentence_limit(struct lk_arena *a, const struct lk_snapshot *s,
                              const struct lk_limit *l);
/** Why the verdict is unknown. */
const char *lk_sentence_why_unknown(struct lk_arena *a, const struct lk_report *r);

/** "/srv/app.py:10 in outer"; a native culprit without a file: "libx.so+0x1a2b in f". */
const char *lk_sentence_place(struct lk_arena *a, const struct lk_culprit *c);
/** "thread bg-loop [4711]" or "task Task-8 (inner)"; NULL when neither is known. */
const char *lk_sentence_culprit(struct lk_arena *a, const struct lk_snapshot *s,
                                const struct lk_culprit *c);
/** False for a hazard of which no duration and nothing that is held up is known: then there is
 * nothing to say of it. */
bool lk_sentence_is_stuck(const struct lk_finding *f);
/** For how long, since when, and how that is known. */
const char *lk_sentence_since(struct lk_arena *a, const struct lk_snapshot *s,
                              const struct lk_finding *f);
/** How many requests and tasks wait behind it. */
const char *lk_sentence_held(struct lk_arena *a, const struct lk_finding *f);
/** Nothing stands still, as far as is known: what is counted is concerned by a hazard, not held up.
 * "2 requests"; NULL else. */
const char *lk_sentence_concerned(struct lk_arena *a, const struct lk_finding *f);
/** What a degree of confidence means. */
const char *lk_sentence_confidence(enum lk_confidence c);
/** The remedy of a finding, else of its rule; never NULL. */
const char *lk_sentence_remedy(const struct lk_finding *f);
/** What may be ended now; NULL for a hazard of which nothing is known. */
const char *lk_sentence_safe_now(const struct lk_finding *f);
/** Worst verdict of the reports; unknown for none. */
enum lk_verdict lk_sentence_worst(const struct lk_report *reports, size_t n);
/** A note on how an edge was read, where that weakens it; "" where nothing does. */
const char *lk_sentence_edge_doubt(const struct lk_edge *e);

#endif
