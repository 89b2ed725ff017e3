/*
 * Clients of task queues poll for a job's result: they sleep, or read from a server with a timeout,
 * again and again. The slices' time and timeout say nothing; those of the call stand in the frame
 * that makes them. Rows as the libraries have them: celery/result.py with
 * celery/backends/asynchronous.py (4.2 on), huey/api.py, arq/jobs.py, taskiq/task.py.
 */
#include "read/python/waits/job_result.h"

#include "read/python/interpreter/code.h"
#include "read/python/interpreter/frame.h"
#include "read/python/interpreter/scalar.h"
#include "read/python/reader/reader.h"
#include "read/python/waits/match.h"
#include "util/text.h"

enum { MAX_INNER = 64 /* frames of one call */ };

static const struct result_call {
    const char *function, *file;
    /* local with the seconds that the call may take; None, or negative, for ever */
    const char *timeout;
    const char
        *began; /* local, here or further in, with the moment by time.monotonic(); NULL none */
    const char *call, *what;
} calls[] = {
    { "get", "/celery/result.py", "timeout", "time_start", "AsyncResult.get()",
      "the result of another job" },
    { "join", "/celery/result.py", "timeout", "time_start", "ResultSet.join()",
      "the results of other jobs" },
    { "join_native", "/celery/result.py", "timeout", "time_start", "ResultSet.join_native()",
      "the results of other jobs" },
    { "get", "/huey/api.py", "timeout", NULL, "Result.get()", "the result of another job" },
    { "result", "/arq/jobs.py", "timeout", NULL, "Job.result()", "the result of another job" },
    { "wait_result", "/taskiq/task.py", "timeout", NULL, "wait_result()",
      "the result of another job" },
};

static unsigned row_of(const struct lk_code *c)
{
    for (unsigned i = 0; i < LK_ARRAY_LEN(calls); i++)
        if (strcmp(c->function, calls[i].function) == 0 && lk_ends_with(c->file, calls[i].file))
            return i + 2;
    return 1;
}

static const struct result_call *find_call(struct lk_py *py, const struct lk_pyf *f)
{
    struct lk_pycode *c = (struct lk_pycode *)lk_py_code(py, f->code); /* memo */
    if (c && !c->job_call)
        c->job_call = row_of(c->code);
    return c && c->job_call > 1 ? &calls[c->job_call - 2] : NULL;
}

/* For how long the call has lasted, by its own record; LK_UNKNOWN. */
static int64_t lasted(struct lk_py *py, const struct lk_pyframes *frames, bool innermost_first,
                      size_t outermost, const char *local)
{
    for (size_t i = 0; local && i <= outermost; i++) {
        const lk_addr v = lk_py_local(py, lk_wait_frame_at(frames, innermost_first, i), local);
        double began;
        if (!v || !lk_py_number(py, v, &began))
            continue;
        const int64_t now_ms = lk_reader(py)->now_ms;
        const int64_t ms = now_ms == LK_UNKNOWN ? -1 : now_ms - lk_reader_ms(began);
        return ms >= 0 ? ms : LK_UNKNOWN;
    }
    return LK_UNKNOWN;
}

static int64_t time_left(struct lk_py *py, lk_addr timeout, int64_t lasted_ms)
{
    double seconds;
    if (timeout && lk_py_is_none(py, timeout))
        return LK_FOREVER;
    if (!timeout || !lk_py_number(py, timeout, &seconds))
        return LK_UNKNOWN;
    if (seconds < 0)
        return LK_FOREVER;
    if (lasted_ms == LK_UNKNOWN)
        return lk_process_is_moment(py->t) ? LK_SOMETIME : LK_UNKNOWN;
    return LK_MAX(lk_reader_ms(seconds) - lasted_ms, 0);
}

void lk_py_read_job_result(struct lk_py *py, const struct lk_pyframes *frames, bool innermost_first,
                           struct lk_wait *w)
{
    const struct result_call *call = NULL;
    size_t at = 0;
    for (size_t i = 0; i < frames->n && i < MAX_INNER && !call; i++) {
        call = find_call(py, lk_wait_frame_at(frames, innermost_first, i));
        at = i;
    }
    if (!call || at + 1 >= frames->n)
        return;
    const struct lk_pyf *f = lk_wait_frame_at(frames, innermost_first, at);
    const int64_t lasted_ms = lasted(py, frames, innermost_first, at, call->began);
    w->kind = LK_WAIT_IO;
    w->on = (struct lk_refs){ 0 };
    lk_refs_add(py->s, &w->on, lk_snapshot_extern(py->s, LK_EXT_OUTSIDE, call->what, LK_UNKNOWN));
    w->complete = w->any = false;
    w->traits = LK_WAIT_POLLS | LK_WAIT_FOR_JOB;
    w->call = call->call;
    w->frame = (int)at + 1;
    w->timeout_ms = time_left(py, lk_py_local(py, f, call->timeout), lasted_ms);
    w->lasted_ms = lasted_ms != LK_UNKNOWN ? lasted_ms : 0;
    w->call_id = lk_py_local(py, f, "self");
}
