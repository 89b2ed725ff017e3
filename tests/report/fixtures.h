/* Reports made by hand for the tests of the formats: no target, no rules, only the data that
 * formats read. */
#ifndef LK_TESTS_REPORT_FIXTURES_H
#define LK_TESTS_REPORT_FIXTURES_H

#include "report/report.h"
#include "snapshot/builder.h"

extern const struct lk_supervisor fixture_gunicorn_master;

/* A report without findings on a process of which nothing was read. */
struct lk_report fixture_empty(void);
/* A loop that waits on itself: request threads wait behind it, idle pool, a cycle of four edges. */
struct lk_report fixture_deadlock(void);
/* An idle loop, an idle pool, moving requests. */
struct lk_report fixture_healthy(void);
/* A gunicorn master with four workers. */
struct lk_report fixture_master(void);
/* One loop with n pending tasks that share `stacks` different stacks, each waiting for a future of
   its own; the last task is named by a finding. */
struct lk_report fixture_tasks(size_t n, size_t stacks);
/* Every string that a target chooses is `evil`. */
struct lk_report fixture_hostile(const char *evil);
/* At least one entity for every value of every enumeration. */
struct lk_report fixture_every_value(void);
void fixture_destroy(struct lk_report *r);

struct lk_finding *fixture_finding(struct lk_report *r, const char *rule, enum lk_verdict severity);
void fixture_edge(struct lk_finding *f, struct lk_ref from, const char *why, struct lk_ref to);
struct lk_pystack *fixture_stack(struct lk_snapshot *s, size_t n, const char *const (*frames)[4],
                                 const int *lines);

/* What a format writes, to be freed. */
char *fixture_render(const char *format, const struct lk_report *r, size_t n, bool set,
                     struct lk_render how, size_t *size);

#endif
