/*
 * Which callback a loop runs now. The address of its Handle would not do: the next callback's may
 * get the same one, and a reader's Handle is the same object every time. What never comes again is
 * the moment at which the loop's turn began, and the place of the callback in it.
 */
#include "read/loops/asyncio/current_callback.h"

#include "read/python/interpreter/attribute.h"
#include "read/python/interpreter/code.h"
#include "read/python/interpreter/container.h"
#include "read/python/interpreter/frame.h"
#include "read/python/interpreter/interpreter.h"
#include "read/python/interpreter/scalar.h"
#include "read/python/interpreter/type.h"
#include "read/python/reader/reader.h"

enum {
    /* dequeobject.state: counts every change of the deque (Modules/_collectionsmodule.c) */
    DEQUE_STATE = 56,
    MOST_BEHIND_MS = 7 * 24 * 3600 * 1000, /* an older moment is none */
};

/* No machine has been up for so long, whose clock is not known. */
#define LONGEST_UP_MS (INT64_C(20) * 365 * 24 * 3600 * 1000)

/* A moment of the monotonic clock that has been, and not too long ago. */
bool lk_aio_is_moment(struct lk_py *py, int64_t ms)
{
    const int64_t now_ms = lk_reader(py)->now_ms;
    if (now_ms == LK_UNKNOWN)
        return ms > 0 && ms < LONGEST_UP_MS;
    int64_t behind = now_ms - ms;
    return ms > 0 && behind >= -1000 && behind < MOST_BEHIND_MS;
}

bool lk_aio_queue_changes(struct lk_py *py, lk_addr deque, uint64_t *ret)
{
    return lk_py_kind(py, deque) == LK_PYK_DEQUE &&
           lk_read_u64(py->t, lk_py_field(py, deque, DEQUE_STATE), ret);
}

void lk_aio_set_turn(struct lk_py *py, struct lk_ref loop, uint64_t id, int64_t began_ms,
                     bool first)
{
    struct lk_loop *o = lk_loop_at(py->s, loop);
    o->turn = id ? id : 1;
    if (began_ms == LK_UNKNOWN)
        return;
    o->turn_ms = lk_process_is_moment(py->t)
                     ? LK_UNKNOWN
                     : LK_MAX((int64_t)lk_process_now_ms(py->t) - began_ms, (int64_t)0);
    o->turn_first = first;
}

/*
 * Tests run loops on clocks of their own, that stand still or jump (a subclass's or an instance's
 * time(), a replaced time.monotonic): their moments tell no turn from another.
 */
static bool has_real_clock(struct lk_py *py, lk_addr loop)
{
    const struct lk_pytype *ty = lk_py_type(py, loop);
    lk_addr method = ty ? lk_py_type_attr(py, ty, "time") : 0;
    const struct lk_pycode *c = method ? lk_py_code(py, lk_py_function_code(py, method)) : NULL;
    return c && lk_ends_with(c->code->file, "/asyncio/base_events.py") &&
           !lk_py_attr(py, loop, "time") &&
           lk_py_kind(py, lk_py_module_attr(py, "time", "monotonic")) == LK_PYK_BUILTIN_METHOD;
}

/* Without a clock: as long as nothing was put into the ready queue or taken from it, no other
 * callback can have begun. */
static void read_turn_by_queue(struct lk_py *py, struct lk_ref loop, lk_addr handle)
{
    uint64_t state;
    lk_addr ready = lk_py_attr(py, lk_loop_at(py->s, loop)->addr, "_ready");
    if (ready && lk_aio_queue_changes(py, ready, &state))
        lk_aio_set_turn(py, loop, lk_hash_u64(lk_hash_u64(LK_HASH_INIT, handle), state), LK_UNKNOWN,
                        false);
}

/*
 * BaseEventLoop._run_once (Lib/asyncio/base_events.py, 3.8 - 3.15) takes end_time from the clock
 * after its selector has returned, and then runs the ready callbacks with i counting them. Before
 * that, and so while it waits, there is no end_time.
 */
void lk_aio_read_current_callback(struct lk_py *py, struct lk_ref loop, const struct lk_pyf *f)
{
    double end_time;
    int64_t i;
    uint64_t bits;
    lk_addr number = lk_py_local(py, f, "i"), moment = lk_py_local(py, f, "end_time"),
            handle = lk_py_local(py, f, "handle");
    if (lk_loop_at(py->s, loop)->turn || !moment || !number || !lk_py_int(py, number, &i))
        return;
    if (!lk_py_float(py, moment, &end_time) || !lk_aio_is_moment(py, lk_reader_ms(end_time)) ||
        !has_real_clock(py, lk_loop_at(py->s, loop)->addr)) {
        read_turn_by_queue(py, loop, handle);
        return;
    }
    memcpy(&bits, &end_time, sizeof bits);
    lk_aio_set_turn(py, loop, lk_hash_u64(lk_hash_u64(LK_HASH_INIT, bits), (uint64_t)i),
                    lk_reader_ms(end_time), i == 0);
}
