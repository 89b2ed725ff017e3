/* What each thread and task waits for. */
#ifndef LK_READ_PYTHON_WAITS_WAIT_H
#define LK_READ_PYTHON_WAITS_WAIT_H

#include "read/python/stdlib/future_object.h"
#include "read/python/waits/wait_table.h"

/** A table of wait rows. */
struct lk_wait_rows {
    const struct lk_wait_row *rows;
    size_t n;
    unsigned memo; /* index into lk_reader.no_row */
};

void lk_py_read_thread_wait(struct lk_py *py, size_t thread);
/** After what the threads wait for has been read. */
void lk_py_finish_thread_waits(struct lk_py *py);
/** The wait of a suspended task; frames outermost first. rows: NULL when no frame is of a wait row.
 * Returns whether one is. */
bool lk_py_task_wait(struct lk_py *py, struct lk_ref task, const struct lk_aio_fut *f,
                     const struct lk_pyframes *frames, const struct lk_wait_rows *rows);

#endif
