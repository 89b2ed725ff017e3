/*
 * Requests that a process makes to itself, for the rule LK404 and for what cannot be judged.
 */
#ifndef LK_DIAGNOSE_RULES_OWN_REQUESTS_H
#define LK_DIAGNOSE_RULES_OWN_REQUESTS_H

#include "diagnose/rules/context.h"

/** A server's threads, seen from one request that asks the server itself. */
struct lk_own_requests {
    struct lk_ref asking[LK_MAX_LISTED]; /* requests that wait for this process */
    size_t n;
    bool more;     /* than there is room for: nothing is said */
    bool acceptor; /* a thread beside them may accept connections */
    bool moving;   /* a thread beside them ran when it was looked at: it may be about to */
    bool timed;
    int64_t left_ms; /* until the first timeout ends one of them; LK_UNKNOWN */
};

/** What the processes that hold the asked sockets too allow to say. */
enum lk_shared { LK_SHARED_SERVED, LK_SHARED_UNCLEAR, LK_SHARED_NO_HELP };

/** The listener, or accepted connection, of an inode; NULL. */
const struct lk_listener *lk_listener_of(const struct lk_snapshot *s, uint64_t inode);
/** Code on the thread's stack, or the loop that it runs, has this socket at hand: it may come to
 * accept from it. */
bool lk_has_listener(const struct lk_thread *t, const struct lk_listener *l);
/** No server at work: a thread that has the listener at hand and connects to it. Told only when it
 * is certain. */
bool lk_is_before_serving(const struct lk_rule_context *c, struct lk_ref thread);
/** Those that ask; those that a finding explains already are none. */
void lk_find_own_requests(const struct lk_rule_context *c, struct lk_own_requests *v);
/** The one request, a thread or a task, whose code has the other end of that connection at hand: it
 * serves what is asked. NONE where it is not known. */
struct lk_ref lk_server_of(const struct lk_rule_context *c, struct lk_ref asking);
/** Threads beside that request's have the connection at hand, between two requests of theirs: what
 * serves it is then likely, not certain. */
bool lk_others_have_it_too(const struct lk_rule_context *c, struct lk_ref asking,
                           struct lk_ref server);
/** True when no worker is left for any of them. c->mark: what they hold up. */
bool lk_nobody_is_left(struct lk_rule_context *c, struct lk_own_requests *v);
/** Of all sockets in one of which the thread's connection may stand. */
enum lk_shared lk_asked_shared_by(const struct lk_rule_context *c, const struct lk_thread *t);
bool lk_is_served_elsewhere(const struct lk_rule_context *c, const struct lk_own_requests *v);
/** A thread is left, free or at work, that may serve the request that this one makes to its own
 * process. One that was met running and not read is not known to. */
bool lk_someone_may_answer(struct lk_rule_context *c, struct lk_ref thread);

#endif
