/*
 * The picture of a finding, apart from how it is drawn: its chain as nodes and edges, the parties
 * of it that are alike told as one where it is long, and what is held up behind it folded by
 * identical stacks. dot, Markdown's mermaid block and HTML's SVG draw the same one.
 */
#ifndef LK_REPORT_DRAWING_H
#define LK_REPORT_DRAWING_H

#include "report/folding.h"

struct lk_drawing_node {
    struct lk_ref ref;
    uint32_t count;      /* how many alike it stands for */
    const char *label;   /* what it is called */
    const char *place;   /* where its code stands, of a culprit or a thread's user frame; NULL */
    bool culprit, chain; /* the finding blames it; it is part of the chain, not held up behind it */
};

struct lk_drawing_edge {
    size_t from, to; /* of nodes */
    const char *why;
    const char *doubt; /* how it was read, where that weakens it; "" */
    uint32_t count;    /* how many alike it stands for */
    bool chain;
};

struct lk_drawing {
    struct lk_drawing_node *nodes;
    size_t n_nodes, n_chain; /* those of the chain come first, in its order */
    struct lk_drawing_edge *edges;
    size_t n_edges;
    bool ring;       /* the chain leads back to where it began */
    size_t left_out; /* nodes of what is held up that are not drawn */
};

/** Lives in arena. */
struct lk_drawing lk_drawing_create(struct lk_arena *a, const struct lk_report *r,
                                    const struct lk_finding *f, const struct lk_fold *view);

/** What an entity needs first to go on; of kind none where that is not known. */
struct lk_ref lk_drawing_next(const struct lk_snapshot *s, struct lk_ref r);

/** "thread", "loop", ...: the kind of an entity as one lower-case word. */
const char *lk_drawing_kind(enum lk_kind k);

#endif
