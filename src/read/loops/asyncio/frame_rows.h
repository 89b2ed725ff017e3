/* Rows of asyncio: waits of tasks, done-callbacks, functions that set a future. */
#ifndef LK_READ_LOOPS_ASYNCIO_FRAME_ROWS_H
#define LK_READ_LOOPS_ASYNCIO_FRAME_ROWS_H

#include "read/python/waits/wait_table.h"

extern const struct lk_wait_row lk_task_wait_rows[];
extern const size_t lk_n_task_wait_rows;

/** What a done-callback does. */
enum lk_callback_does {
    LK_CB_NOTHING = 0,        /* touches no future */
    LK_CB_COMPLETES,          /* completes the future (or feeds the queue) named by `var` */
    LK_CB_COMPLETES_WHEN_ALL, /* ... once all futures that have this callback are done */
    LK_CB_MAY_COMPLETE,       /* code of the program's own, which has the future at hand */
    /* the future that has the callback is completed by the one named by `var` */
    LK_CB_FOLLOWS,
    LK_CB_HANDS_ON, /* only lets the loop call the callback named by `var` */
};
struct lk_callback_row {
    const char *qualname; /* of the function */
    const char *file;     /* end of its file */
    /* free variable, attribute of self (methods) or, "0", first argument (partials, handles) */
    const char *var;
    enum lk_callback_does does;
    enum lk_future_origin origin;
    bool
        ends_here; /* only the coroutine that made it awaits the future: it relays to nobody else */
};
extern const struct lk_callback_row lk_callback_rows[];
extern const size_t lk_n_callback_rows;

/** A frame of a function or coroutine that is known to complete a future it holds in a local. */
struct lk_setter_row {
    const char *function, *file, *local;
    const char *attr; /* attribute of the local that is the future; NULL = the local itself */
    bool works_on;    /* it runs a work item: the thread's works_on */
    enum lk_future_origin origin;
};
extern const struct lk_setter_row lk_setter_rows[];
extern const size_t lk_n_setter_rows;

#endif
