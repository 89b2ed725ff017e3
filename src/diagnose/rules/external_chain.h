/* LK406: the chain of waits from a request or caller to what it waits for outside. */
#ifndef LK_DIAGNOSE_RULES_EXTERNAL_CHAIN_H
#define LK_DIAGNOSE_RULES_EXTERNAL_CHAIN_H

#include "diagnose/rules/context.h"

/** A chain from a waiting thread or task to what it waits for outside. */
struct lk_external_chain {
    struct lk_edge e[LK_MAX_CHAIN];
    size_t n;
    struct lk_ref last; /* the party that waits for the outside: a thread or task */
    struct lk_ref end;  /* the extern; NONE when only the system call is known */
    bool timed;
    bool only_alike; /* a link was read while its thread ran, each time alike */
};

/** False when what the thread or task waits for does not end outside. */
bool lk_external_chain_find(const struct lk_rule_context *c, struct lk_ref who,
                            struct lk_external_chain *ret);
/** It ends at a child process. */
bool lk_external_at_child(const struct lk_snapshot *s, const struct lk_external_chain *x);
/** Waiting for a client or for the next message is what the end of the chain is there for.
 * own_pipe: it is a pipe of the process's own, and somebody waits for who reads it: not idle. */
bool lk_external_is_idle(const struct lk_rule_context *c, const struct lk_external_chain *x,
                         bool own_pipe);
/** The other end of what the thread waits at is this process's own: a connection to one of its
 * listeners, a pipe, a pair of sockets. */
bool lk_external_to_itself(const struct lk_thread *t);
/** The thread (NULL: no) waits for the result of a job of a task queue: whatever connection it
 * polls, that one is not to blame. */
bool lk_external_for_job(const struct lk_thread *t);

#endif
