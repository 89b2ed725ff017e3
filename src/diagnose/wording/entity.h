/*
 * How an entity of the snapshot is called in a sentence: the same in findings and in reports.
 */
#ifndef LK_DIAGNOSE_WORDING_ENTITY_H
#define LK_DIAGNOSE_WORDING_ENTITY_H

#include "snapshot/snapshot.h"

/**
 * "thread bg-loop [4711]", "loop o1 (_UnixSelectorEventLoop)", "task Task-8 (inner)",
 * "threading.Lock l1", ... Belongs to the arena or to the snapshot; never NULL.
 */
const char *lk_entity_name(struct lk_arena *a, const struct lk_snapshot *s, struct lk_ref r);
/** "threading.Lock server.AUDIT", "threading.Lock Account.lock (l1)", "threading.Lock l1". */
const char *lk_entity_lock(struct lk_arena *a, const struct lk_lock *l);
/** "python", "jvm", ...; NULL where it is not known. */
const char *lk_runtime_name(enum lk_runtime r);
/** "a ", or "" before the name of a program: "a shell", "sudo". */
const char *lk_supervisor_article(const struct lk_supervisor *v);

#endif
