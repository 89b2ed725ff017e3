/* LK406: a server that keeps things for its connections, and which of them this process has. */
#ifndef LK_DIAGNOSE_RULES_ASKED_SERVER_H
#define LK_DIAGNOSE_RULES_ASKED_SERVER_H

#include "diagnose/catalog/services.h"
#include "diagnose/rules/external_chain.h"

enum { LK_MAX_ASKED_OWN = 8 }; /* connections told */

/** What is known of the server that is waited for. */
struct lk_asked_server {
    const struct lk_service *kind; /* NULL: not known, nor what it keeps */
    const char *peer, *local;      /* the connection that is waited on; NULL */
    /* others of this process to it */
    const struct lk_own_connection *own[LK_MAX_ASKED_OWN];
    size_t n;
    const struct lk_own_connection *keeps; /* of these, one in the hands of who waits; NULL */
    bool in_chain;                         /* ... of this very chain */
};

/** The server at the end of who's chain. */
struct lk_asked_server lk_asked_server_of(const struct lk_rule_context *c, struct lk_ref who,
                                          const struct lk_external_chain *x);
/** For the summary: whose connection keeps what is waited for; "" when none is known to. */
const char *lk_asked_server_keeper(const struct lk_rule_context *c,
                                   const struct lk_external_chain *x,
                                   const struct lk_asked_server *v);
/** Says the other connections to it. */
void lk_asked_server_say_own(struct lk_rule_context *c, struct lk_finding *f,
                             const struct lk_asked_server *v);
/** How to ask it what it does, and what frees the wait there; kind is known. */
const char *lk_asked_server_question(const struct lk_rule_context *c,
                                     const struct lk_asked_server *v);

#endif
