/* Executors, and the work in their queues. */
#ifndef LK_SNAPSHOT_EXECUTOR_H
#define LK_SNAPSHOT_EXECUTOR_H

#include "snapshot/ref.h"

/** One work item still in an executor's queue. */
struct lk_item {
    struct lk_ref future;
    const char *function;
    int64_t fd; /* of the connection it is given to serve; LK_UNKNOWN */
};

struct lk_executor {
    const char *id; /* "x1" */
    lk_addr addr;
    const char *kind; /* "ThreadPoolExecutor", ... */
    struct lk_refs workers;
    int64_t max_workers, queued;
    struct lk_item *items; /* bounded */
    size_t n_items;
    enum lk_tri shutdown;
    bool lost_in_fork; /* its worker threads exist only in the parent process */
    bool workers_gone; /* all that it may have were started in this process, and have ended */
    enum lk_read read;
};

#endif
