/* Sentences about entities and frames. */
#ifndef LK_REPORT_ENTITY_SENTENCES_H
#define LK_REPORT_ENTITY_SENTENCES_H

#include "report/enum_names.h"

/** "thread bg-loop [4711]", "task Task-8 (inner)", "future f1 of run_coroutine_threadsafe", "loop
 * o1 (asyncio)", ... */
const char *lk_sentence_label(struct lk_arena *a, const struct lk_snapshot *s, struct lk_ref r);
/** "bg-loop [4711]". */
const char *lk_sentence_thread(struct lk_arena *a, const struct lk_thread *t);

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
/** "timeout = 30" */
const char *lk_sentence_local(struct lk_arena *a, const struct lk_local *l);

#endif
