/* What a wait is on. */
#ifndef LK_READ_PYTHON_WAITS_RESOLVE_H
#define LK_READ_PYTHON_WAITS_RESOLVE_H

#include "read/python/waits/match.h"

/** Who waits, while the wait is being worked out. */
struct lk_waiter {
    struct lk_ref ref;
    lk_addr fut_waiter; /* tasks */
};

/** complete: nothing but `on` ends the wait. */
void lk_wait_on(struct lk_py *py, struct lk_wait *w, enum lk_wait_kind kind, struct lk_ref on,
                bool complete);
void lk_wait_on_extern(struct lk_py *py, struct lk_wait *w, enum lk_wait_kind kind,
                       enum lk_extern_kind ext, const char *text, int64_t in_ms);
/** pid: of the child; not positive: any. */
void lk_wait_on_pid(struct lk_py *py, struct lk_wait *w, int64_t pid);
/** False for what is no lock. */
bool lk_wait_on_lock(struct lk_py *py, struct lk_wait *w, enum lk_wait_kind kind,
                     struct lk_ref lock);
/** False for what is no future or task. */
bool lk_wait_on_future(struct lk_py *py, struct lk_wait *w, lk_addr obj);
/** From the deciding row to what is waited for; false when it could not be told. */
bool lk_wait_resolve(struct lk_py *py, const struct lk_wait_run *run,
                     const struct lk_pyf *innermost, const struct lk_waiter *who,
                     struct lk_wait *w);

#endif
