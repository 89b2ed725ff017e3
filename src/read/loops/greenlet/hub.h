/* What the readers of libraries with a hub (gevent, eventlet) have in common: a hub is the loop of
 * its thread, and the thread's greenlets are its tasks. */
#ifndef LK_READ_LOOPS_GREENLET_HUB_H
#define LK_READ_LOOPS_GREENLET_HUB_H

#include "read/python/interpreter/interpreter.h"
#include "read/python/reader/reader.h"

/** The greenlet at that address, if the walk over the heap met it; NULL. */
const struct lk_met_greenlet *lk_met_greenlet(struct lk_py *py, lk_addr obj);
/** The greenlet with these frames, innermost first, is a hub's. */
bool lk_hub_runs(struct lk_py *py, const struct lk_pyframes *frames);
/** A hub that runs on a loop of another kind gives that the greenlets of its thread. */
void lk_hub_rides(struct lk_py *py, struct lk_ref loop);
/** Enters the hub obj, whose greenlet is that one (itself, or another object), as the loop of its
 * thread, and gives it the thread's greenlets. kind: name in reports. Kind NONE where its thread
 * has ended, or is not known. */
struct lk_ref lk_hub_loop(struct lk_py *py, lk_addr obj, lk_addr greenlet, const char *kind);
/** A suspended greenlet waits for this; what it waits for by several calls, any of them ends.
 * complete: nobody else can end it. */
void lk_hub_waits(struct lk_py *py, lk_addr greenlet, enum lk_wait_kind kind, struct lk_ref on,
                  bool complete, const char *call);
/** Something that a suspended greenlet waits for is known. */
bool lk_hub_knows_wait(struct lk_py *py, lk_addr greenlet);
/** A suspended greenlet goes on by itself: it stands in its loop's list of what to do next. */
void lk_hub_ready(struct lk_py *py, lk_addr greenlet, struct lk_ref loop);
/** A timer ends the wait of a suspended greenlet in so many milliseconds; LK_UNKNOWN: some time. */
void lk_hub_timeout(struct lk_py *py, lk_addr greenlet, int64_t in_ms);
/** The hub whose loop object a watcher names: an attribute, or one of its first words; NONE. */
struct lk_ref lk_hub_of_loop(struct lk_py *py, lk_addr watcher);
/** Says which loop object a hub has. */
void lk_hub_has_loop(struct lk_py *py, struct lk_ref hub, lk_addr loop);
/** A timer calls this, and that it wakes a greenlet is not all. */
void lk_hub_timer(struct lk_py *py, struct lk_ref loop, lk_addr callback, lk_addr args,
                  int64_t in_ms);
/** The same of what is called when a greenlet has ended (of), or when something else happens (0).
 */
void lk_hub_calls(struct lk_py *py, lk_addr of, lk_addr callback, lk_addr args);
/** A pool of greenlets, so many at once (a number), which this one is in: it has a unit of the
 * semaphore until it ends. */
void lk_hub_pooled(struct lk_py *py, lk_addr greenlet, lk_addr semaphore, lk_addr size);
/** When all hubs and waits are known: what the waits are called, and what is held by `with`. */
void lk_hub_finish(struct lk_py *py);
/** When what that mentioned has been read: who holds which lock. */
void lk_hub_settle(struct lk_py *py);

#endif
