/*
 * Rules: each is a pure function of snapshot and graph, one row of one table. They return findings;
 * lk_diagnose sorts them, removes what a more specific one explains, caps severity by confidence
 * and gives the verdict.
 */
#ifndef LK_DIAGNOSE_RULES_RULES_H
#define LK_DIAGNOSE_RULES_RULES_H

#include "diagnose/graph/graph.h"

enum lk_verdict { LK_HEALTHY = 0, LK_HAZARD, LK_VERDICT_UNKNOWN, LK_STALLED, LK_DEADLOCK };
enum lk_confidence { LK_POSSIBLE = 0, LK_PROBABLE, LK_PROVEN };

struct lk_culprit {
    int64_t tid;      /* LK_UNKNOWN = null */
    const char *task; /* id; NULL */
    const char *function, *file;
    int line;
    const char *source;                /* NULL */
    struct lk_source_context *context; /* the frame's; NULL */
    const char *module;                /* native culprit without file: module and offset */
    uint64_t offset;
};

/** The rules, in the order of their ids; also the index into the table (rule_table.h). */
enum lk_rule_id {
    LK_RULE_LK101,
    LK_RULE_LK102,
    LK_RULE_LK103,
    LK_RULE_LK104,
    LK_RULE_LK105,
    LK_RULE_LK106,
    LK_RULE_LK107,
    LK_RULE_LK108,
    LK_RULE_LK201,
    LK_RULE_LK202,
    LK_RULE_LK203,
    LK_RULE_LK204,
    LK_RULE_LK205,
    LK_RULE_LK301,
    LK_RULE_LK302,
    LK_RULE_LK303,
    LK_RULE_LK304,
    LK_RULE_LK305,
    LK_RULE_LK401,
    LK_RULE_LK402,
    LK_RULE_LK403,
    LK_RULE_LK404,
    LK_RULE_LK405,
    LK_RULE_LK406,
    LK_RULE_LK407,
    LK_RULE_LK408,
    LK_RULE_LK409,
    LK_RULE_LK410,
    LK_RULE_LK501,
    LK_N_RULES
};

struct lk_rule;
struct lk_finding {
    const struct lk_rule *rule;
    enum lk_verdict severity; /* LK_HAZARD, LK_STALLED or LK_DEADLOCK */
    enum lk_confidence confidence;
    /* of rule and culprits' functions and files: equal for the same hang in another run */
    char fingerprint[17];
    const char *summary;
    int64_t stuck_ms; /* LK_UNKNOWN */
    bool stuck_by_scheduler;
    bool stuck_by_connection; /* the kernel says when data came or went on it last */
    int64_t held_requests, held_tasks;
    struct lk_refs threads, loops, tasks, locks;
    struct {
        struct lk_culprit *v;
        size_t n, cap;
    } culprits;
    struct {
        struct lk_edge *v;
        size_t n, cap;
    } chain;
    struct {
        const char **v;
        size_t n, cap;
    } evidence;
    const char *remedy, *safe_now;
    bool alone;        /* LK409: filed whatever is blamed already; it says no more than where */
    bool nothing_left; /* LK203: nothing exists any more that could wake the loop */
    /* its severity depends on --stalled-after not yet having passed: keep watching these threads */
    bool needs_time;
};

/** What a rule looked at and did not find to be so: a near miss. */
struct lk_ruled_out {
    const struct lk_rule *rule;
    struct lk_refs parties; /* for which the same holds */
    const char *why;        /* the fact that decided, in the words of a sentence */
};

/** How to sample on: what one more look may show or refute. All false and empty: the result stands.
 */
struct lk_look_again {
    struct {
        struct lk_ref *v;
        size_t n, cap;
    } threads; /* that more watching may accuse or acquit: those of findings with needs_time, and
                  candidates that are no finding yet */
    /* a candidate among tasks alone: no thread stands for it, so one more sample at the end decides
     */
    bool at_end;
    /* something that concerns no thread: loops that seem left behind */
    bool at_once;
};

struct lk_findings {
    struct lk_arena *arena;
    struct {
        struct lk_finding *v;
        size_t n, cap;
    } list; /* worst first */
    enum lk_verdict verdict;
    const char *verdict_why; /* for unknown: what could not be read */
    struct lk_look_again look_again;
    struct {
        struct lk_ruled_out *v;
        size_t n, cap;
    } ruled_out;
};

struct lk_rule_context;
struct lk_rule {
    const char *id, *name;
    /* only LK203 may go beyond it, in the one case in which nothing is left that could wake the
     * loop */
    enum lk_verdict ceiling;
    /* it tells of what is nothing special for a moment: where a core dump shows no more than one,
     * that is a hazard, and not what decides whether all is well */
    bool slow;
    void (*find)(struct lk_rule_context *c);
    const char *means; /* one sentence */
    const char *remedy;
    const char *docs[6]; /* addresses, NULL-terminated */
};

/** Builds the graph, runs all rules. The result owns its memory; chain edges point into the
 * snapshot's arena or its own. */
struct lk_findings *lk_diagnose(struct lk_snapshot *s);
/** None, and an unknown verdict: the process was not examined. */
struct lk_findings *lk_findings_none(const char *why);
/** Adds the first threads and tasks that the findings name, those of the chains before others. */
void lk_findings_parties(const struct lk_findings *f, struct lk_snapshot *s, struct lk_refs *ret);
void lk_findings_destroy(struct lk_findings *f);
const char *lk_verdict_name(enum lk_verdict v);
const char *lk_confidence_name(enum lk_confidence c);

#endif
