/*
 * A process that ends waits for all its children: Lib/multiprocessing/util.py _exit_function joins
 * them one after the other, Lib/concurrent/futures/process.py _python_exit the thread that waits
 * for those of a pool (3.8 to 3.15). Whether they are at work the kernel is asked.
 */
#include "read/python/waits/exit_children.h"

#include "read/python/interpreter/frame.h"
#include "read/python/interpreter/interpreter.h"
#include "read/python/interpreter/thread_lookup.h"

enum { MOST_ASKED = 64 };

static bool waits_for_children(struct lk_py *py, const struct lk_pyframes *frames)
{
    for (size_t i = 0; frames && i < frames->n; i++)
        if (lk_py_frame_is(py, &frames->v[i], "_exit_function", "/multiprocessing/util.py") ||
            lk_py_frame_is(py, &frames->v[i], "_python_exit", "/concurrent/futures/process.py"))
            return true;
    return false;
}

void lk_py_read_exit_children(struct lk_py *py)
{
    struct lk_snapshot *s = py->s;
    bool ends = false;
    for (size_t i = 0; i < s->threads.n && s->children.n && !ends; i++)
        ends = s->threads.v[i].main && waits_for_children(py, lk_py_frames_of_thread(py, i));
    for (size_t i = 0; ends && i < s->children.n && i < MOST_ASKED; i++)
        s->children.v[i].does = lk_process_child_work(py->t, s->children.v[i].pid);
}
