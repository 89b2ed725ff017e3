/* References between the entities of a snapshot, and what all of them are told by. */
#ifndef LK_SNAPSHOT_REF_H
#define LK_SNAPSHOT_REF_H

#include "util/arena.h"

#define LK_UNKNOWN INT64_MIN /* an int64_t that is not known */
#define LK_FOREVER INT64_MAX /* a timeout that does not exist */
/* one that exists, of which it is not known how much is left: its moment is known, and the present
 * one is not */
#define LK_SOMETIME (INT64_MAX - 1)

enum lk_tri { LK_NO = 0, LK_YES = 1, LK_TRI_UNKNOWN = -1 };

/** How a fact was read: its owner was stopped, slept before and after unmoved, or may have run
 * meanwhile. */
enum lk_read { LK_READ_RACY = 0, LK_READ_ASLEEP, LK_READ_STOPPED };

/** A reference to an entity of this snapshot: a kind and an index into its array. */
enum lk_kind {
    LK_KIND_NONE = 0,
    LK_KIND_THREAD,   /* threads[] */
    LK_KIND_LOOP,     /* loops[] */
    LK_KIND_TASK,     /* tasks[] */
    LK_KIND_FUTURE,   /* futures[] : asyncio (not tasks) and concurrent */
    LK_KIND_LOCK,     /* locks[] : every thing that threads or tasks synchronise on */
    LK_KIND_EXECUTOR, /* executors[] */
    LK_KIND_EXTERN,   /* externs[] : peer, timer, child process, file, user input, ... */
};
struct lk_ref {
    enum lk_kind kind;
    uint32_t index;
};
struct lk_refs {
    struct lk_ref *v;
    uint32_t n, cap;
};

static inline bool lk_ref_eq(struct lk_ref a, struct lk_ref b)
{
    return a.kind == b.kind && a.index == b.index;
}
static inline bool lk_refs_has(const struct lk_refs *list, struct lk_ref r)
{
    for (uint32_t i = 0; i < list->n; i++)
        if (lk_ref_eq(list->v[i], r))
            return true;
    return false;
}
static inline struct lk_ref lk_ref_make(enum lk_kind k, size_t i)
{
    return (struct lk_ref){ k, (uint32_t)i };
}

#endif
