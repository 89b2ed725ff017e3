/* Frames of functions and coroutines that are known to set a future which they hold in a local. */
#include "read/loops/asyncio/setters.h"

#include "read/loops/asyncio/frame_rows.h"
#include "read/python/interpreter/attribute.h"
#include "read/python/interpreter/code.h"
#include "read/python/interpreter/frame.h"
#include "read/python/interpreter/interpreter.h"
#include "read/python/reader/known_class.h"
#include "read/python/reader/mention.h"
#include "read/python/reader/reader.h"
#include "read/python/stdlib/future_object.h"

static void note_setter(struct lk_py *py, const struct lk_setter_row *row, const struct lk_pyf *f,
                        struct lk_ref by)
{
    lk_addr future = lk_py_local(py, f, row->local);
    if (future && row->attr)
        future = lk_py_attr(py, future, row->attr);
    if (!future || !lk_py_is_waitable(py, future) || !lk_aio_is_pending(py, future))
        return;
    lk_py_future_set_by(py, future, by, true, row->origin);
    if (!row->works_on || by.kind != LK_KIND_THREAD)
        return;
    struct lk_ref ref = lk_py_future(py, future);
    struct lk_thread *t = lk_thread_at(py->s, by);
    if (t->works_on.kind == LK_KIND_NONE)
        t->works_on = ref;
}

size_t lk_aio_note_setters(struct lk_py *py, const struct lk_pyframes *frames, struct lk_ref by)
{
    size_t n = 0;
    for (size_t i = 0; i < frames->n; i++) {
        const struct lk_pycode *c = lk_py_code(py, frames->v[i].code);
        for (size_t r = 0; c && r < lk_n_setter_rows; r++) {
            if (strcmp(c->code->function, lk_setter_rows[r].function) != 0 ||
                !lk_ends_with(c->code->file, lk_setter_rows[r].file))
                continue;
            note_setter(py, &lk_setter_rows[r], &frames->v[i], by);
            n++;
        }
    }
    return n;
}

/* What a coroutine's frame on a thread's stack sets is its task's doing, not the thread's: it goes
 * through the task's loop. */
static void hand_over(struct lk_py *py, const struct lk_setter_row *row, const struct lk_pyf *f,
                      struct lk_ref task)
{
    struct lk_reader *a = lk_reader(py);
    uint64_t by;
    lk_addr future = lk_py_local(py, f, row->local);
    if (future && row->attr)
        future = lk_py_attr(py, future, row->attr);
    if (future && lk_map_get(&a->setters, future, &by) && lk_ref_unpack(by).kind == LK_KIND_THREAD)
        lk_map_put(&a->setters, future, lk_ref_pack(task));
}

void lk_aio_hand_setters(struct lk_py *py, const struct lk_pyframes *frames, size_t n,
                         struct lk_ref task)
{
    for (size_t i = 0; i < n && i < frames->n; i++) {
        const struct lk_pyf *f = &frames->v[i];
        const struct lk_pycode *c = f->generator ? lk_py_code(py, f->code) : NULL;
        for (size_t r = 0; c && r < lk_n_setter_rows; r++)
            if (strcmp(c->code->function, lk_setter_rows[r].function) == 0 &&
                lk_ends_with(c->code->file, lk_setter_rows[r].file))
                hand_over(py, &lk_setter_rows[r], f, task);
    }
}
