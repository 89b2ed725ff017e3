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
    const char *source; /* NULL */
    const char *module; /* native culprit without file: module and offset */
    uint64_t offset;
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
    bool nothing_left; /* LK203: nothing exists any more that could wake the loop */
    /* its severity depends on --stalled-after not yet having passed: keep watching these threads */
    bool needs_time;
};

struct lk_findings {
    struct lk_arena *arena;
    struct {
        struct lk_finding *v;
        size_t n, cap;
    } list; /* worst first */
    enum lk_verdict verdict;
    const char *verdict_why; /* for unknown: what could not be read */
    struct {
        struct lk_ref *v;
        size_t n, cap;
    } watch; /* threads that more watching may accuse or acquit: those of findings with needs_time,
                and candidates that are no finding yet */
    /* a candidate among tasks alone: no thread stands for it, so one more sample at the end decides
     */
    bool look_later;
    /* one more look may show or refute something that concerns no thread: loops that seem left
     * behind */
    bool again;
};

/** Context of one run of the rules. */
struct lk_rule_context {
    struct lk_snapshot *snap;
    struct lk_graph *graph;
    struct lk_findings *out;
    bool *explained; /* by thread: stuck because of something that a finding already says */
    bool *mark;      /* scratch, by graph node */
    bool halted;     /* the whole process stands still: times without progress say nothing */
};

struct lk_rule {
    const char *id, *name;
    /* only LK203 may go beyond it, in the one case in which nothing is left that could wake the
     * loop */
    enum lk_verdict ceiling;
    void (*find)(struct lk_rule_context *c); /* several rules may share one finder: NULL then */
    const char *means;                       /* one sentence */
    const char *remedy;
    const char *docs[6]; /* addresses, NULL-terminated */
};

extern const struct lk_rule lk_rules[];
extern const size_t lk_n_rules;
const struct lk_rule *lk_rule_by_id(const char *id);
/** The title of a document that a rule names; the address itself when it is none of theirs. */
const char *lk_doc_title(const char *address);

/** Builds the graph, runs all rules. The result owns its memory; chain edges point into the
 * snapshot's arena or its own. */
struct lk_findings *lk_diagnose(struct lk_snapshot *s);
void lk_findings_destroy(struct lk_findings *f);
const char *lk_verdict_name(enum lk_verdict v);
const char *lk_confidence_name(enum lk_confidence c);

#endif
