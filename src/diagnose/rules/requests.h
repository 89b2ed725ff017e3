/*
 * What somebody waits for: a request of a server, a job of a task queue, a test that runs. Each has
 * an entry, a frame of a thread's or task's stack; from there the property goes along the graph to
 * all that it waits for.
 */
#ifndef LK_DIAGNOSE_RULES_REQUESTS_H
#define LK_DIAGNOSE_RULES_REQUESTS_H

#include "diagnose/rules/context.h"

/** The thread's own stack has the entry of a request, job or test. */
bool lk_is_request_thread(const struct lk_snapshot *s, const struct lk_thread *t);
/** The task's await chain has the entry of a request or job. */
bool lk_has_request_entry(const struct lk_task *k);
/**
 * A suspended task whose await chain has an entry; of several tasks for one request the innermost,
 * and none where a thread stands for it.
 */
bool lk_is_request_task(const struct lk_snapshot *s, const struct lk_task *k);
/** Serves a request: has an entry itself, or a request waits for it. */
bool lk_serves_request(const struct lk_rule_context *c, struct lk_ref r);
/**
 * Requests that stand in the queue of a pool and for which no task is marked in c->mark: those of a
 * server without tasks. 0 unless each worker of the full pool serves a marked request.
 */
int64_t lk_queued_requests(const struct lk_rule_context *c, struct lk_ref pool);
/** Fills c->serves, by graph node. */
void lk_follow_requests(struct lk_rule_context *c);

/** The thread that works for somebody: itself, or the one whose result a task awaits; none. */
struct lk_ref lk_worker_of(const struct lk_rule_context *c, struct lk_ref holder);
/** A task that awaits what a thread works at; none. */
struct lk_ref lk_task_behind(const struct lk_rule_context *c, struct lk_ref thread);

#endif
