/* Threads between trio's tasks and its loop: to_thread, from_thread. */
#ifndef LK_READ_LOOPS_TRIO_BRIDGE_H
#define LK_READ_LOOPS_TRIO_BRIDGE_H

#include "read/python/reader/reader.h"

/** A task that has, or waits for, a token of a limiter for a worker thread. */
struct lk_trio_job {
    lk_addr limiter, placeholder, task_register;
    struct lk_ref task;
};

struct lk_trio_bridge {
    struct lk_ref loop;
    struct lk_map workers; /* task register of a job -> index of its thread */
    LK_VEC(struct lk_trio_job) jobs;
    struct lk_map resizing;  /* code -> whether it names total_tokens */
    struct lk_refs resizers; /* whose frames do */
    size_t waiting, strange; /* tasks; those whose wait is not understood */
    struct lk_refs asked;    /* futures of calls from threads */
};

/** Enters, as futures, the calls into the loop that threads wait for; notes the workers. */
void lk_trio_note_threads(struct lk_py *py, struct lk_trio_bridge *b);
/** Frames of a task, in any order: calls that it runs, threads that run for it. */
void lk_trio_note_frames(struct lk_py *py, struct lk_trio_bridge *b,
                         const struct lk_pyframes *frames, struct lk_ref task);
/** When all tasks have been noted: who ends what. */
void lk_trio_join_bridge(struct lk_py *py, struct lk_trio_bridge *b);
/** The limiter as a pool: its workers are the threads that its tokens were taken for. */
struct lk_ref lk_trio_pool(struct lk_py *py, lk_addr limiter);
void lk_trio_bridge_deinit(struct lk_trio_bridge *b);

#endif
