/* Sentences about findings. */
#ifndef LK_REPORT_FINDING_SENTENCES_H
#define LK_REPORT_FINDING_SENTENCES_H

#include "report/enum_names.h"

/** "LK101 loop-waits-on-itself"; "no rule" where there is none, as in a file. */
const char *lk_sentence_rule(struct lk_arena *a, const struct lk_rule *rule);
/** "thread a [1], thread b [2] and 3 more": whom a near miss is about; "" nobody. */
const char *lk_sentence_parties(struct lk_arena *a, const struct lk_snapshot *s,
                                const struct lk_ruled_out *r);
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
/** A time that the scheduler's record gives may be too short. */
bool lk_sentence_may_be_longer(const struct lk_snapshot *s);
/** How many requests and tasks wait behind it; NULL where none is known to. */
const char *lk_sentence_held(struct lk_arena *a, const struct lk_finding *f);
/** Both; NULL where neither is known. */
const char *lk_sentence_stuck(struct lk_arena *a, const struct lk_snapshot *s,
                              const struct lk_finding *f);
/** Nothing stands still, as far as is known: what is counted is concerned by a hazard, not held up.
 * "2 requests"; NULL else. */
const char *lk_sentence_concerned(struct lk_arena *a, const struct lk_finding *f);
/** What a degree of confidence means. */
const char *lk_sentence_confidence(enum lk_confidence c);
/** The remedy of a finding, else of its rule; never NULL. */
const char *lk_sentence_remedy(const struct lk_finding *f);
/** What may be ended now; NULL for a hazard of which nothing is known. */
/** What may be done now; of a command that `loopknot run` ends, that it does. */
const char *lk_sentence_now(const struct lk_render *how, const struct lk_finding *f);
const char *lk_sentence_safe_now(const struct lk_finding *f);
/** Worst verdict of the reports; unknown for none. */
enum lk_verdict lk_sentence_worst(const struct lk_report *reports, size_t n);
/** A note on how an edge was read, where that weakens it; "" where nothing does. */
const char *lk_sentence_edge_doubt(const struct lk_edge *e);

#endif
