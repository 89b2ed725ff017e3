/*
 * Phrases that several rules use. Results live as long as the findings, or are static.
 */
#ifndef LK_DIAGNOSE_RULES_RULE_WORDS_H
#define LK_DIAGNOSE_RULES_RULE_WORDS_H

#include "diagnose/rules/context.h"

/** "thread bg-loop [4711]", "loop o1 (_UnixSelectorEventLoop)", "task Task-8 (inner)", "lock l1
 * (threading.Lock)", ... */
const char *lk_name(const struct lk_rule_context *c, struct lk_ref r);
/** "outer (app.py:10)"; "an unknown place" when nothing is known. */
const char *lk_place(const struct lk_rule_context *c, const struct lk_culprit *p);
/** "2.1 s". */
const char *lk_duration(const struct lk_rule_context *c, int64_t ms);
/** "1 task", "3 tasks". */
const char *lk_count(const struct lk_rule_context *c, int64_t n, const char *noun);
/** Text in the memory of the findings. */
#define lk_print(c, ...) lk_arena_printf((c)->out->arena, __VA_ARGS__)
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

#endif
