/*
 * SQLAlchemy's bridge (sqlalchemy/util/concurrency.py, up to 2.0 _concurrency_py3k.py,
 * greenlet_spawn): a coroutine runs code without await in a greenlet; when that code wants to
 * await, it switches to the coroutine, which awaits for it. Until then the greenlet is suspended,
 * with its frames where the coroutine's local variable leads. Its parent, among the words of its
 * body, is the greenlet that the thread began with: those two tell the layout.
 */
#include "read/loops/greenlet/below_task.h"

#include "read/loops/greenlet/greenlet.h"
#include "read/python/interpreter/class.h"
#include "read/python/interpreter/frame.h"
#include "read/python/interpreter/type.h"
#include "util/memory.h"

enum {
    MOST = 8, /* greenlets in one chain, and those that tell the layout */
};

static const struct bridge_row {
    const char *function, *file, *local;
} bridges[] = {
    { "greenlet_spawn", "sqlalchemy/util/concurrency.py", "context" },
    { "greenlet_spawn", "sqlalchemy/util/_concurrency_py3k.py", "context" },
};

static bool is_greenlet(struct lk_py *py, lk_addr obj)
{
    return lk_py_plausible(obj) && lk_py_isinstance(py, obj, NULL, "greenlet.greenlet");
}

static lk_addr run_by(struct lk_py *py, const struct lk_pyf *f)
{
    for (size_t i = 0; i < LK_ARRAY_LEN(bridges); i++)
        if (lk_py_frame_is(py, f, bridges[i].function, bridges[i].file)) {
            lk_addr obj = lk_py_local(py, f, bridges[i].local);
            return obj && is_greenlet(py, obj) ? obj : 0;
        }
    return 0;
}

/* The greenlet itself, and those that the words of its body name: its parent among them. */
static size_t relatives(struct lk_py *py, lk_addr obj, lk_addr *ret)
{
    const struct lk_greenlet_layout generations[] = { { .in_object = 1 }, { .inner = 32 } };
    size_t n = 0;
    ret[n++] = obj;
    for (size_t g = 0; g < LK_ARRAY_LEN(generations); g++) {
        uint64_t w[LK_GREENLET_WORDS];
        if (!lk_greenlet_words(py, &generations[g], obj, w))
            continue;
        for (size_t i = 0; i < LK_ARRAY_LEN(w) && n < MOST; i++)
            if (w[i] != obj && is_greenlet(py, w[i]))
                ret[n++] = w[i];
    }
    return n;
}

static bool read_frames(struct lk_py *py, lk_addr obj, struct lk_pyframes *frames)
{
    struct lk_greenlet_layout layout;
    const struct lk_map nobody = { 0 };
    lk_addr known[MOST];
    size_t n = relatives(py, obj, known);
    if (!lk_greenlet_layout_find(py, known, n, &layout))
        return false;
    struct lk_greenlet g = lk_greenlet_read(py, &layout, obj, &nobody);
    frames->n = 0;
    return g.state == LK_GREENLET_SUSPENDED && lk_greenlet_frames(py, &g, frames);
}

/* frames, innermost first, behind the first ones of the chain. */
static void insert(struct lk_pyframes *chain, size_t behind, const struct lk_pyframes *frames)
{
    size_t rest = chain->n - behind;
    for (size_t i = 0; i < frames->n; i++)
        lk_vec_push(chain);
    memmove(&chain->v[behind + frames->n], &chain->v[behind], rest * sizeof *chain->v);
    for (size_t i = 0; i < frames->n; i++)
        chain->v[behind + i] = frames->v[frames->n - 1 - i];
}

void lk_greenlet_join_chain(struct lk_py *py, struct lk_pyframes *chain)
{
    struct lk_pyframes frames = { 0 };
    size_t found = 0;
    for (size_t i = 0; i < chain->n && found < MOST && chain->n < LK_PY_MAX_FRAMES; i++) {
        lk_addr obj = run_by(py, &chain->v[i]);
        if (!obj || !read_frames(py, obj, &frames))
            continue;
        insert(chain, i + 1, &frames);
        i += frames.n;
        found++;
    }
    lk_free(frames.v);
}
