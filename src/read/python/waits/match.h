/* The frames of one wait, and the row that decides it. */
#ifndef LK_READ_PYTHON_WAITS_MATCH_H
#define LK_READ_PYTHON_WAITS_MATCH_H

#include "read/python/interpreter/interpreter.h"
#include "read/python/waits/wait_table.h"

/** A table of wait rows. */
struct lk_wait_rows {
    const struct lk_wait_row *rows;
    size_t n;
    unsigned memo; /* index into lk_reader.no_row */
};

/** The frames of one wait. */
struct lk_wait_run {
    const struct lk_wait_row *row; /* that decides; NULL = no row fits */
    const struct lk_pyf *frame;    /* its frame */
    const char *call;
    unsigned traits;
    const struct lk_pyf *innermost; /* the first frame that was looked at */
    size_t n;                       /* frames that belong to the wait */
};

/** Of frames in either order; i counts from the innermost. */
static inline const struct lk_pyf *lk_wait_frame_at(const struct lk_pyframes *frames,
                                                    bool innermost_first, size_t i)
{
    return &frames->v[innermost_first ? i : frames->n - 1 - i];
}
/** Follows the frames outwards as long as rows name them. */
void lk_wait_match(struct lk_py *py, const struct lk_wait_rows *t, const struct lk_pyframes *frames,
                   bool innermost_first, struct lk_wait_run *run);

#endif
