/*
 * Gives every frame its class (user, standard library, framework, launcher) and every thread its
 * role, from the pattern table. Run once, before the graph is built. Pure.
 */
#ifndef LK_DIAGNOSE_CATALOG_CLASSIFY_H
#define LK_DIAGNOSE_CATALOG_CLASSIFY_H

#include "snapshot/snapshot.h"

/** project: folders of user code (--project), separated by ':', or NULL. */
void lk_classify(struct lk_snapshot *s, const char *project);
/**
 * The innermost user frame: of code below the folder that the process runs in; where there is none,
 * of any that is not below site-packages; then of that; else the first frame outside the standard
 * library; else NULL. *index may be NULL.
 */
const struct lk_pyframe *lk_culprit_frame(const struct lk_pystack *st, size_t *index);
/** The innermost frame outside the standard library at or outside of index from; NULL. *index may
 * be NULL. */
const struct lk_pyframe *lk_caller_frame(const struct lk_pystack *st, size_t from, size_t *index);
/**
 * The nth (0 = innermost) call on a stack that runs an asyncio loop: a run of frames such as
 * _run_once, run_forever, run_until_complete, run. *outermost is its last frame, *marks
 * (diagnose/catalog/frames.h) the sum of theirs.
 * @return index of its innermost frame + 1; 0 when there is no nth call.
 */
size_t lk_drive_call(const struct lk_pystack *st, size_t nth, size_t *outermost, unsigned *marks);
/** Index + 1 of the innermost frame of a request being served; 0 when the stack serves none. */
size_t lk_request_frame(const struct lk_pystack *st);
/** True when a frame of the stack carries the mark (diagnose/catalog/frames.h). */
bool lk_stack_has(const struct lk_pystack *st, unsigned mark);

#endif
