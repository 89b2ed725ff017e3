/* The kinds of loops and tasks that can be read: one row a kind, the first that fits is it. */
#include "read/loops/asyncio/loop.h"
#include "read/loops/greenlet/below_task.h"
#include "read/loops/greenlet/tasks.h"
#include "read/loops/loop_kind.h"
#include "read/loops/uvloop/loop.h"
#include "read/loops/uvloop/transport.h"

const struct lk_loop_kind lk_loop_kinds[] = {
    { .name = "asyncio",
      .module = "asyncio.base_events",
      .cls = "BaseEventLoop",
      .driven_in_python = true,
      .read_loop = lk_aio_read_loop },
    { .name = "uvloop",
      .module = "uvloop.loop",
      .cls = "Loop",
      .read_loop = lk_uvloop_read_loop,
      .transport_fd = lk_uvloop_transport_fd },
    { .name = "greenlet",
      .join_chain = lk_greenlet_join_chain,
      .task_module = "greenlet",
      .task_cls = "greenlet",
      .read_tasks = lk_greenlet_read_tasks },
};
const size_t lk_n_loop_kinds = LK_ARRAY_LEN(lk_loop_kinds);
