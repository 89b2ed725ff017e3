/* Which future a done-callback completes. */
#ifndef LK_READ_LOOPS_ASYNCIO_CALLBACK_H
#define LK_READ_LOOPS_ASYNCIO_CALLBACK_H

#include "read/loops/asyncio/frame_rows.h"
#include "read/python/reader/reader.h"
#include "read/python/stdlib/future_object.h"

/** What a callback object does, by lk_callback_rows or by what it is. */
struct lk_aio_callback {
    enum lk_callback_does does;
    lk_addr target; /* future or queue; 0 none */
    lk_addr *held;  /* LK_CB_MAY_COMPLETE: the futures that it has at hand */
    size_t n_held;
    bool first_arg; /* the target is the handle's first argument */
    bool known;     /* by a row: a documented mechanism */
    bool ends_here; /* the target relays to nobody */
    bool releases;  /* it may give back a unit of a semaphore */
    enum lk_future_origin origin;
};

/** What a callback does. Result belongs to the snapshot's arena. */
const struct lk_aio_callback *lk_aio_callback(struct lk_py *py, lk_addr callback);
/** Indexes the callbacks of a task or future; called once for each. */
void lk_aio_index_callbacks(struct lk_py *py, lk_addr obj, const struct lk_aio_fut *f);
/** Those whose callbacks complete the target; NULL none. */
struct lk_aio_sources *lk_aio_sources_of(struct lk_reader *a, lk_addr target, bool make);
/** The target is no longer among the relays that are to be read. */
void lk_aio_unqueue(struct lk_reader *a, lk_addr target);
enum { LK_AIO_MAX_BY_HAND = 1024 };
/** Those with a callback of the program's own that has the target at hand; NULL none. A list that
 * is LK_AIO_MAX_BY_HAND long may lack some. */
const struct lk_aio_sources *lk_aio_sources_by_hand(struct lk_reader *a, lk_addr target);

#endif
