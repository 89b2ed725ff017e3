/*
 * Filling a snapshot. Entities are found by their address in the target (threads by
 * tid), so a reader may mention a thing before it has read it: the same address always
 * gives the same index. Pointers returned by _at become invalid when an entity of the same kind
 * is added; keep refs.
 */
#ifndef LK_SNAPSHOT_BUILDER_H
#define LK_SNAPSHOT_BUILDER_H

#include "snapshot/snapshot.h"

struct lk_snapshot *lk_snapshot_create(void);
void lk_snapshot_destroy(struct lk_snapshot *s);

/** Copies what is known of the process itself (target part, children, stop facts, limits) into a
 * fresh snapshot. */
void lk_snapshot_copy_process(struct lk_snapshot *to, const struct lk_snapshot *from);
/** Forgets all threads, loops, tasks ... and limits, keeps what is known of the process and the
 * samples. */
void lk_snapshot_clear_entities(struct lk_snapshot *s);

/** Find or add. *is_new (may be NULL) tells whether it was added now. */
struct lk_ref lk_snapshot_thread(struct lk_snapshot *s, int64_t tid, bool *is_new);
struct lk_ref lk_snapshot_loop(struct lk_snapshot *s, lk_addr addr, bool *is_new);
struct lk_ref lk_snapshot_task(struct lk_snapshot *s, lk_addr addr, bool *is_new);
struct lk_ref lk_snapshot_future(struct lk_snapshot *s, lk_addr addr, bool *is_new);
struct lk_ref lk_snapshot_lock(struct lk_snapshot *s, lk_addr addr, bool *is_new);
struct lk_ref lk_snapshot_executor(struct lk_snapshot *s, lk_addr addr, bool *is_new);
/** Never finds, always adds. text is copied. */
struct lk_ref lk_snapshot_extern(struct lk_snapshot *s, enum lk_extern_kind kind, const char *text,
                                 int64_t in_ms);
/** Only finds; kind LK_KIND_NONE when absent. */
struct lk_ref lk_snapshot_find(const struct lk_snapshot *s, enum lk_kind kind,
                               uint64_t addr_or_tid);

/** Some task is a greenlet. */
bool lk_snapshot_has_greenlets(const struct lk_snapshot *s);

/** Appends to a list of refs in the snapshot's arena, unless it is there already. */
void lk_refs_add(struct lk_snapshot *s, struct lk_refs *list, struct lk_ref r);

/** Interns a stack: an equal one (codes and lines) that is there already is returned instead.
 * frames are copied. */
struct lk_pystack *lk_snapshot_stack(struct lk_snapshot *s, const struct lk_pyframe *frames,
                                     size_t n, bool truncated);

/** A copy of a stack that is no other one's, for what stands in its frames alone: their variables.
 */
struct lk_pystack *lk_snapshot_own_stack(struct lk_snapshot *s, const struct lk_pystack *st);
/** Forgets the variables of all that are not in keep. */
void lk_snapshot_forget_locals(struct lk_snapshot *s, const struct lk_refs *keep);

/** One more line of `limits`; the same text is added once, at most 200 lines. */
void lk_snapshot_limit(struct lk_snapshot *s, const char *fmt, ...) LK_PRINTF(2, 3);
/** The same, with whose it is (of several the first; kind LK_KIND_NONE: of none) and the read that
 * failed. */
void lk_snapshot_limit_of(struct lk_snapshot *s, struct lk_ref entity, struct lk_failed_read read,
                          const char *fmt, ...) LK_PRINTF(4, 5);
/** The same for what is asked of the kernel: the errno, and what was being read. */
void lk_snapshot_limit_os(struct lk_snapshot *s, int errnum, const char *reading, const char *fmt,
                          ...) LK_PRINTF(4, 5);
/** The same of what keeps the verdict from being healthy: this is the reason that is given. */
void lk_snapshot_limit_decides(struct lk_snapshot *s, const char *fmt, ...) LK_PRINTF(2, 3);

#endif
