/* The frames of one wait: which row of a wait table decides. */
#include "read/python/waits/match.h"

#include "read/python/interpreter/code.h"
#include "read/python/interpreter/frame.h"
#include "read/python/reader/known_class.h"
#include "read/python/reader/reader.h"

enum { MAX_RUN = 64 }; /* frames of one wait */

static bool names(const struct lk_wait_row *r, const struct lk_code *c)
{
    return (!r->function || strcmp(r->function, c->function) == 0) &&
           lk_ends_with(c->file, r->file);
}

static const struct lk_wait_row *find_row(struct lk_py *py, const struct lk_wait_rows *t,
                                          const struct lk_pyf *f, unsigned below)
{
    struct lk_map *none = &lk_reader(py)->no_row[t->memo];
    const struct lk_pycode *c = lk_py_code(py, f->code);
    bool named = false;

    if (!c || lk_map_get(none, f->code, NULL))
        return NULL;
    for (size_t i = 0; i < t->n; i++) {
        const struct lk_wait_row *r = &t->rows[i];
        if (!names(r, c->code))
            continue;
        named = true;
        if (!(r->over & below))
            continue;
        if (r->cls == LK_CLASS_OTHER ||
            lk_py_known_class(py, lk_py_local(py, f, r->local), NULL) == r->cls)
            return r;
    }
    if (!named)
        lk_map_put(none, f->code, 1);
    return NULL;
}

/* A future written in Python is awaited through a frame of its own, which says nothing of the wait.
 */
static size_t own_frames(struct lk_py *py, const struct lk_pyframes *frames, bool innermost_first)
{
    return frames->n > 1 && lk_py_frame_is(py, lk_wait_frame_at(frames, innermost_first, 0),
                                           "__await__", "/asyncio/futures.py");
}

void lk_wait_match(struct lk_py *py, const struct lk_wait_rows *t, const struct lk_pyframes *frames,
                   bool innermost_first, struct lk_wait_run *run)
{
    unsigned below = LK_TAG_INNERMOST;
    size_t first = own_frames(py, frames, innermost_first);

    *run = (struct lk_wait_run){ .n = first };
    for (size_t i = first; i < frames->n && i < MAX_RUN && below; i++) {
        const struct lk_pyf *f = lk_wait_frame_at(frames, innermost_first, i);
        const struct lk_wait_row *r = find_row(py, t, f, below);
        if (i == first)
            run->innermost = f;
        if (!r)
            return;
        if (r->how != LK_HOW_KEEP) {
            run->row = r;
            run->frame = f;
        }
        run->call = r->call;
        run->traits = r->traits;
        run->n = i + 1;
        below = r->tag;
    }
}
