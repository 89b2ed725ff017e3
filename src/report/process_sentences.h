/* Sentences about a process. */
#ifndef LK_REPORT_PROCESS_SENTENCES_H
#define LK_REPORT_PROCESS_SENTENCES_H

#include "report/enum_names.h"

/** "python3 app.py", cut to `columns`; the short name where there is no command line. */
const char *lk_sentence_command(struct lk_arena *a, const struct lk_snapshot *s, size_t columns);
/** "Python 3.11.2, 14 threads". */
/** "server:app; unit shop.service; docker 0123456789ab": what its command line says that it serves,
 * and where; NULL where nothing of it is known. */
const char *lk_sentence_serves(struct lk_arena *a, const struct lk_snapshot *s);
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

#endif
