/* Connections that wait to be accepted, and who would do that. */
#ifndef LK_DIAGNOSE_RULES_ACCEPT_QUEUE_H
#define LK_DIAGNOSE_RULES_ACCEPT_QUEUE_H

#include "diagnose/rules/context.h"

/** No other process that has the listener is seen to serve it, or might. */
bool lk_is_left_alone(const struct lk_listener *l);
/** The thread runs, went on, or polls what was not read: any of these may come to accept. */
bool lk_may_come_to_accept(const struct lk_thread *t);
/** Clients have sent something to a listener where nobody has stood for --stalled-after: in words
 * of the context's arena; NULL where there is none. Threads that have not stood still for that long
 * are watched. */
const char *lk_clients_left_outside(struct lk_rule_context *c);

#endif
