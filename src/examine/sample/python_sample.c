/* One sample of the Python side, in the order in which one part builds on another. */
#include "read/loops/reachable.h"
#include "read/loops/read.h"
#include "read/python/interpreter/interpreter.h"
#include "read/python/interpreter/runtime.h"
#include "read/python/interpreter/thread_states.h"
#include "read/python/python.h"
#include "read/python/reader/reader.h"
#include "read/python/stdlib/file_object.h"
#include "read/python/stdlib/fork_point.h"
#include "read/python/stdlib/lock_holder.h"
#include "read/python/stdlib/reachable_sockets.h"
#include "read/python/stdlib/running_test.h"
#include "read/python/stdlib/signal_handlers.h"
#include "read/python/waits/exit_children.h"
#include "read/servers/servers.h"

void lk_py_read(struct lk_py *py, struct lk_snapshot *s)
{
    s->python.frames_read = false;
    if (!py->readable) {
        lk_snapshot_limit_of(s, (struct lk_ref){ 0 }, py->why_not.read,
                             "the Python interpreter could not be read: %s", py->why_not.text);
        return;
    }
    lk_py_begin(py, s);
    if (py->frames_complete) {
        lk_py_read_threads(py);
        lk_py_cut_at_fork(py);
        lk_py_read_gil(py);
        lk_py_read_loops(py);
        lk_py_read_signal_handlers(py);
        lk_py_read_tasks(py);
        lk_py_read_waits(py);
        lk_py_read_exit_children(py);
        lk_py_read_running_test(py);
        lk_py_read_files(py);
        lk_py_read_servers(py);
        lk_py_read_reachable_sockets(py);
        lk_py_read_owners(py);
        lk_py_name_locks(py);
        lk_reader_end(py);
    }
    s->python.frames_read = py->frames_complete;
    if (!py->frames_complete && !s->python.passing)
        s->decisive_unreadable = true;
}

void lk_py_rehearse(struct lk_py *py, struct lk_snapshot *s, unsigned task_budget_ms)
{
    py->until_us = lk_now_us() + (uint64_t)task_budget_ms * 1000;
    lk_py_read(py, s);
    py->until_us = 0;
}

void lk_py_rehearse_threads(struct lk_py *py, struct lk_snapshot *s)
{
    if (!py->readable)
        return;
    lk_py_begin(py, s);
    if (py->frames_complete)
        lk_py_read_threads(py);
}
