/* The kinds of loops and tasks that can be read: one row a kind, the first that fits is it. */
#include "read/loops/asyncio/current_callback.h"
#include "read/loops/asyncio/loop.h"
#include "read/loops/eventlet/eventlet.h"
#include "read/loops/gevent/gevent.h"
#include "read/loops/greenlet/below_task.h"
#include "read/loops/greenlet/tasks.h"
#include "read/loops/loop_kind.h"
#include "read/loops/trio/loop.h"
#include "read/loops/trio/tasks.h"
#include "read/loops/twisted/calls.h"
#include "read/loops/twisted/reactor.h"
#include "read/loops/uvloop/loop.h"
#include "read/loops/uvloop/transport.h"

const struct lk_loop_kind lk_loop_kinds[] = {
    { .name = "asyncio",
      .module = "asyncio.base_events",
      .cls = "BaseEventLoop",
      .driven_in_python = true,
      /* nesters (nest_asyncio) replace the functions: any file will do */
      .drivers = { { "_run_once", "", "self", NULL },
                   { "run_forever", "", "self", NULL },
                   { "run_until_complete", "", "self", NULL } },
      .cancels = "loop.call_soon_threadsafe(task.cancel)",
      .read_current = lk_aio_read_current_callback,
      .read_loop = lk_aio_read_loop },
    { .name = "uvloop",
      .module = "uvloop.loop",
      .cls = "Loop",
      .cancels = "loop.call_soon_threadsafe(task.cancel)",
      .read_loop = lk_uvloop_read_loop,
      .transport_fd = lk_uvloop_transport_fd },
    { .name = "trio",
      .module = "trio._core._run",
      .cls = "Runner",
      .offload = "await trio.to_thread.run_sync(...)",
      .alone = true,
      .driven_in_python = true,
      /* in guest mode a host's loop makes its steps, and a thread of its own waits for events */
      .drivers = { { "run", "/trio/_core/_run.py", "runner", NULL },
                   { "get_events", "/trio/_core/_run.py", "self", "runner" } },
      .cancels = "token.run_sync_soon(scope.cancel), with a cancel scope around it,",
      .read_current = lk_trio_read_current,
      .read_loop = lk_trio_read_loop,
      .read_members = lk_trio_read_tasks,
      .until = lk_trio_main_task },
    { .name = "Twisted",
      .module = "twisted.internet.base",
      .cls = "ReactorBase",
      .offload = "twisted.internet.threads.deferToThread(...)",
      .alone = true,
      .driven_in_python = true,
      /* startRunning: what is to be called when it runs is called before it does */
      .drivers = { { "startRunning", "/twisted/internet/base.py", "self", NULL },
                   { "mainLoop", "/twisted/internet/base.py", "self", NULL },
                   { "runUntilCurrent", "/twisted/internet/base.py", "self", NULL } },
      .read_current = lk_twisted_read_current,
      .read_loop = lk_twisted_read_reactor,
      .read_calls = lk_twisted_read_calls },
    { .name = "greenlet",
      .join_chain = lk_greenlet_join_chain,
      .task_module = "greenlet",
      .task_cls = "greenlet",
      .read_tasks = lk_greenlet_read_tasks,
      .finish_tasks = lk_greenlet_finish_tasks,
      .settle_tasks = lk_greenlet_settle_tasks },
    /* behind the greenlets, whose hubs they are */
    { .name = "gevent",
      .task_module = "gevent.hub",
      .task_cls = "Hub",
      .parts = lk_gevent_parts,
      .read_tasks = lk_gevent_read },
    { .name = "eventlet",
      .task_module = "eventlet.hubs.hub",
      .task_cls = "BaseHub",
      .parts = lk_eventlet_parts,
      .read_tasks = lk_eventlet_read },
};
const size_t lk_n_loop_kinds = LK_ARRAY_LEN(lk_loop_kinds);

const struct lk_loop_kind *lk_loop_kind_of(const struct lk_loop *o)
{
    return o->kind_id && o->kind_id <= lk_n_loop_kinds ? &lk_loop_kinds[o->kind_id - 1] : NULL;
}
