/*
 * The rules: one row each, with its own finder; and the order in which the finders run, in which
 * the more specific come first, so that what a finding explains is not told again.
 */
#include "diagnose/rules/rule_table.h"

#include <string.h>

#include "diagnose/rules/documents.h"
#include "diagnose/rules/finders.h"

const struct lk_rule lk_rules[] = {
    [LK_RULE_LK101] = {
        .id = "LK101",
        .name = "loop-waits-on-itself",
        .ceiling = LK_DEADLOCK,
        .find = lk_find_loop_waits_on_itself,
        .means = "a cycle through exactly one loop: its thread blocks, directly or through other "
                 "threads, joins, locks, executors and tasks, on something that only code on that "
                 "loop can bring about",
        .remedy = "Never block a loop's thread for work of that loop: await the coroutine (or "
                  "asyncio.wrap_future(future)) instead of calling result(), and run code that "
                  "must wait synchronously with asyncio.to_thread. Other threads wait with "
                  "result(timeout=...) and hold no lock meanwhile that code on the loop takes.",
        .docs = { LK_DOC_DEV, LK_DOC_TASKS, LK_DOC_FLASK, NULL },
    },
    [LK_RULE_LK102] = {
        .id = "LK102",
        .name = "cross-loop-cycle",
        .ceiling = LK_DEADLOCK,
        .find = lk_find_cross_loop_cycle,
        .means = "a cycle through two or more loops whose threads block on one another",
        .remedy = "Do not wait with result() on one loop's thread for a coroutine of another: "
                  "await asyncio.wrap_future(run_coroutine_threadsafe(...)), or keep one "
                  "process-wide loop. A view that needs async code is best an async def view.",
        .docs = { LK_DOC_DEV, LK_DOC_TASKS, LK_DOC_FLASK, NULL },
    },
    [LK_RULE_LK103] = {
        .id = "LK103",
        .name = "lock-cycle",
        .ceiling = LK_DEADLOCK,
        .find = lk_find_lock_cycle,
        .means = "a cycle of locks only: each thread holds a lock that another one of them waits "
                 "for",
        .remedy = "Take the locks in the same order everywhere, hold only one at a time, or "
                  "acquire with a timeout and back off.",
        .docs = { LK_DOC_THREADING, NULL },
    },
    [LK_RULE_LK104] = {
        .id = "LK104",
        .name = "executor-starvation",
        .ceiling = LK_DEADLOCK,
        .find = lk_find_executor_starvation,
        .means = "every worker of a pool that cannot grow waits, without a timeout, for a work "
                 "item that is still in that pool's queue",
        .remedy = "Do not wait inside a pool for work submitted to the same pool: call the "
                  "function directly, give the inner work a pool of its own, or let the caller "
                  "combine the futures. A larger pool only moves the limit.",
        .docs = { LK_DOC_FUTURES, LK_DOC_FLASK, NULL },
    },
    [LK_RULE_LK105] = {
        .id = "LK105",
        .name = "await-cycle",
        .ceiling = LK_DEADLOCK,
        .find = lk_find_await_cycle,
        .means = "tasks and futures await each other in a ring",
        .remedy = "Break the ring: let one side hand over its result by a future or queue that "
                  "nobody in the ring awaits, and put asyncio.timeout or wait_for around waits "
                  "for other tasks.",
        .docs = { LK_DOC_BACKGROUND, LK_DOC_TIMEOUTS, LK_DOC_SYNC, NULL },
    },
    [LK_RULE_LK106] = {
        .id = "LK106",
        .name = "lock-held-across-await",
        .ceiling = LK_DEADLOCK,
        .find = lk_find_lock_held_across_await,
        .means = "a suspended coroutine holds a thread lock on which its own loop's thread now "
                 "blocks",
        .remedy = "Coroutines must not take a threading lock that is held across an await: use "
                  "asyncio.Lock with async with, or give the lock back before the await.",
        .docs = { LK_DOC_SYNC, LK_DOC_DEV, NULL },
    },
    [LK_RULE_LK107] = {
        .id = "LK107",
        .name = "gil-inversion",
        .ceiling = LK_DEADLOCK,
        .find = lk_find_gil_inversion,
        .means = "the holder of the GIL waits for a native lock whose holder waits for the GIL",
        .remedy = "Native code must release the GIL (Py_BEGIN_ALLOW_THREADS) before it waits for "
                  "a lock of its own, and must not call into Python while it holds that lock.",
        .docs = { LK_DOC_GIL, NULL },
    },
    [LK_RULE_LK108] = {
        .id = "LK108",
        .name = "wait-cycle",
        .ceiling = LK_DEADLOCK,
        .find = lk_find_wait_cycle,
        .means = "any other proven cycle or knot of waits, such as a lock and a future, or a join "
                 "and a lock",
        .remedy = "Give up what the other side needs before waiting for it: submit or join after "
                  "the with block, and put a timeout on one of the waits (result(timeout=...), "
                  "join(timeout), acquire(timeout=...)).",
        .docs = { LK_DOC_THREADING, LK_DOC_FUTURES, NULL },
    },
    [LK_RULE_LK201] = {
        .id = "LK201",
        .name = "future-on-dead-loop",
        .ceiling = LK_DEADLOCK,
        .find = lk_find_future_on_dead_loop,
        .means = "a thread waits for a future on a loop that is closed (or, at most stalled: "
                 "merely stopped, never run, or whose thread ended)",
        .remedy = "Start the loop once, in a daemon thread, before serving begins, and keep it "
                  "until the process ends; check loop.is_running() before submitting, wait with "
                  "result(timeout=...), and cancel what is pending before the loop is stopped or "
                  "closed.",
        .docs = { LK_DOC_LOOP, LK_DOC_TASKS, LK_DOC_DEV, NULL },
    },
    [LK_RULE_LK202] = {
        .id = "LK202",
        .name = "orphaned-tasks",
        .ceiling = LK_HAZARD,
        .find = lk_find_orphaned_tasks,
        .means = "tasks are pending on a loop that nobody runs, or callbacks were handed over to "
                 "it",
        .remedy = "Run the loop to the tasks' end, or cancel them and close it (asyncio.run and "
                  "asyncio.Runner do both). Background work that outlives a request belongs on "
                  "the process-wide loop or in a task queue, not on the request's loop.",
        .docs = { LK_DOC_LOOP, LK_DOC_BACKGROUND, LK_DOC_FLASK, NULL },
    },
    [LK_RULE_LK203] = {
        .id = "LK203",
        .name = "lost-wakeup",
        .ceiling = LK_STALLED,
        .find = lk_find_lost_wakeup,
        .means = "a callback stands in the ready queue of a loop that sleeps in its selector: "
                 "nobody woke it",
        .remedy = "From another thread only loop.call_soon_threadsafe or "
                  "asyncio.run_coroutine_threadsafe may be used; call_soon, create_task and "
                  "Future.set_result do not wake the loop.",
        .docs = { LK_DOC_DEV, LK_DOC_TASKS, NULL },
    },
    [LK_RULE_LK204] = {
        .id = "LK204",
        .name = "loop-lost-in-fork",
        .ceiling = LK_DEADLOCK,
        .find = lk_find_loop_lost_in_fork,
        .means = "a forked child waits on a loop, lock holder or executor whose threads exist "
                 "only in the parent",
        .remedy = "Create loops, pools and their threads after the fork, since only the forking "
                  "thread exists in the child: gunicorn without --preload, or in post_fork; uWSGI "
                  "with --lazy-apps, or in a function with uwsgidecorators.postfork; Celery in "
                  "worker_process_init. Or use the spawn start method.",
        .docs = { LK_DOC_FORK, LK_DOC_GUNICORN, NULL },
    },
    [LK_RULE_LK205] = {
        .id = "LK205",
        .name = "leaked-loops",
        .ceiling = LK_HAZARD,
        .find = lk_find_leaked_loops,
        .means = "two or more loops of the same origin were left behind, neither running nor "
                 "closed; each holds an epoll descriptor and a socket pair",
        .remedy = "Let asyncio.run or asyncio.Runner create and close the loop, or close it in a "
                  "finally block; in Flask use an async def view and let it manage the loop.",
        .docs = { LK_DOC_LOOP, LK_DOC_RUNNERS, LK_DOC_FLASK, NULL },
    },
    [LK_RULE_LK301] = {
        .id = "LK301",
        .name = "loop-per-request",
        .ceiling = LK_HAZARD,
        .find = lk_find_loop_per_request,
        .means = "a request thread itself runs a loop: run_until_complete or asyncio.run on its "
                 "own stack, called from user code",
        .remedy = "Make the view async def and await, or start one long-lived loop before serving "
                  "and call run_coroutine_threadsafe(...).result(timeout=...) from the view.",
        .docs = { LK_DOC_FLASK, LK_DOC_ASGIREF, LK_DOC_TASKS, NULL },
    },
    [LK_RULE_LK302] = {
        .id = "LK302",
        .name = "primitive-across-loops",
        .ceiling = LK_STALLED,
        .find = lk_find_primitive_across_loops,
        .means = "an object bound to one loop is awaited from another: what completes it wakes "
                 "its own loop alone",
        .remedy = "Keep futures, tasks and asyncio primitives on the loop that made them. From "
                  "another loop await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(...)), "
                  "change an event or queue by loop.call_soon_threadsafe, or hand things over by "
                  "a queue.Queue and asyncio.to_thread.",
        .docs = { LK_DOC_DEV, LK_DOC_TASKS, LK_DOC_SYNC, NULL },
    },
    [LK_RULE_LK303] = {
        .id = "LK303",
        .name = "loop-driven-twice",
        .ceiling = LK_STALLED,
        .find = lk_find_loop_driven_twice,
        .means = "one loop is driven by two threads, or a loop is run inside a callback of another",
        .remedy = "Inside of a running loop await, never run_until_complete; give each loop one "
                  "thread, and reach it from others by run_coroutine_threadsafe. For synchronous "
                  "callers of async code use asgiref's async_to_sync or Flask's ensure_sync.",
        .docs = { LK_DOC_LOOP, LK_DOC_ASGIREF, LK_DOC_FLASK, NULL },
    },
    [LK_RULE_LK304] = {
        .id = "LK304",
        .name = "mixed-loop-kinds",
        .ceiling = LK_HAZARD,
        .find = lk_find_mixed_loop_kinds,
        .means = "loops of several implementations run or have pending tasks in one process",
        .remedy = "Leave the event loop policy alone in a WSGI process and use one implementation "
                  "for all loops, or move to an ASGI server that runs the one loop.",
        .docs = { LK_DOC_POLICIES, LK_DOC_LOOP, LK_DOC_FLASK, NULL },
    },
    [LK_RULE_LK305] = {
        .id = "LK305",
        .name = "run-forever-in-request",
        .ceiling = LK_STALLED,
        .find = lk_find_run_forever_in_request,
        .means = "a request thread sits in run_forever: the request never returns",
        .remedy = "Create the loop when the process starts and run it in a daemon thread; the "
                  "request only submits to it with run_coroutine_threadsafe and a timeout.",
        .docs = { LK_DOC_FLASK, LK_DOC_LOOP, LK_DOC_WERKZEUG, NULL },
    },
    [LK_RULE_LK401] = {
        .id = "LK401",
        .name = "blocking-call-in-loop",
        .ceiling = LK_STALLED,
        .slow = true,
        .find = lk_find_blocking_call_in_loop,
        .means = "a callback or coroutine makes a blocking call on the loop's thread; everything "
                 "else on that loop waits",
        .remedy = "Move the call off the loop's thread (await asyncio.to_thread(...) or "
                  "loop.run_in_executor), or use the async form: asyncio.sleep, an async driver, "
                  "asyncio.create_subprocess_exec, asyncio.Lock.",
        .docs = { LK_DOC_BLOCKING, LK_DOC_FLASK, NULL },
    },
    [LK_RULE_LK402] = {
        .id = "LK402",
        .name = "cpu-bound-callback",
        .ceiling = LK_STALLED,
        .slow = true,
        .find = lk_find_cpu_bound_callback,
        .means = "one callback keeps the loop's thread busy across all samples; everything else "
                 "on that loop waits",
        .remedy = "Move the computation to a process pool (loop.run_in_executor with a "
                  "ProcessPoolExecutor), or cut it into steps with await asyncio.sleep(0) between "
                  "them.",
        .docs = { LK_DOC_BLOCKING, LK_DOC_FLASK, NULL },
    },
    [LK_RULE_LK403] = {
        .id = "LK403",
        .name = "workers-exhausted",
        .ceiling = LK_STALLED,
        .slow = true,
        .find = lk_find_workers_exhausted,
        .means = "for --stalled-after no worker of the server finished a request while other "
                 "requests wait in its queue: its pool's, the socket's, or that of what limits its "
                 "threads",
        .remedy = "Find what the workers wait for and bound it with a timeout; give the server "
                  "more threads or workers, or hand slow work to a task queue. An async view does "
                  "not help: it ties up its worker too.",
        .docs = { LK_DOC_FLASK, LK_DOC_GUNICORN_DESIGN, NULL },
    },
    [LK_RULE_LK404] = {
        .id = "LK404",
        .name = "self-request",
        .ceiling = LK_DEADLOCK,
        .find = lk_find_self_request,
        .means = "a server waits for a request to itself, and no worker is left to serve it (at "
                 "most stalled with a timeout, or where another process may share the listener)",
        .remedy = "Do not call your own server over HTTP from a request: call the function behind "
                  "the URL. Else serve with more threads or workers than such calls can occupy "
                  "(gunicorn --threads, uWSGI --processes and --threads), and give the inner "
                  "request a timeout.",
        .docs = { LK_DOC_WERKZEUG, LK_DOC_FLASK, LK_DOC_GUNICORN, NULL },
    },
    [LK_RULE_LK405] = {
        .id = "LK405",
        .name = "unbounded-future-wait",
        .ceiling = LK_HAZARD,
        .slow = true,
        .find = lk_find_unbounded_future_wait,
        .means = "user code has waited long without a timeout for a future, or a request for an "
                 "event, a semaphore, a barrier, a queue or something lent, whoever could end that "
                 "was looked for and not found, and no other finding explains it",
        .remedy = "Wait with result(timeout=...) and handle the TimeoutError, or await the future "
                  "instead of blocking a thread on it.",
        .docs = { LK_DOC_TASKS, LK_DOC_FUTURES, NULL },
    },
    [LK_RULE_LK406] = {
        .id = "LK406",
        .name = "external-wait",
        .ceiling = LK_STALLED,
        .slow = true,
        .find = lk_find_external_wait,
        .means = "a request, or a caller's wait for a result, is held up by an event from outside "
                 "of the process, without a timeout; no deadlock here",
        .remedy = "Give the call to the outside a timeout (socket, HTTP client, database driver, "
                  "subprocess), and the waiter too: result(timeout=...) or asyncio.timeout.",
        .docs = { LK_DOC_SOCKETS, LK_DOC_SUBPROCESS, LK_DOC_TIMEOUTS, LK_DOC_GUNICORN_DESIGN, NULL },
    },
    [LK_RULE_LK407] = {
        .id = "LK407",
        .name = "resource-held-by-its-waiters",
        .ceiling = LK_DEADLOCK,
        .find = lk_find_held_by_its_waiters,
        .means = "what is waited for (a unit of a semaphore, or of a pool guarded by one) is held "
                 "by those who wait for it: everybody who could give one back waits for one too",
        .remedy = "Take one unit a request, and none inside of what already holds one: pass on "
                  "what is held, or give it back before the inner call. A larger semaphore only "
                  "moves the limit. A timeout on the inner acquire (asyncio.timeout, "
                  "acquire(timeout=...)) turns the hang into an error.",
        .docs = { LK_DOC_SYNC, LK_DOC_THREADING, LK_DOC_TIMEOUTS, NULL },
    },
    [LK_RULE_LK408] = {
        .id = "LK408",
        .name = "exit-blocked",
        .ceiling = LK_STALLED,
        .find = lk_find_exit_blocked,
        .means = "the program is over, or was told to end, and waits for a thread or child process "
                 "that nothing ends",
        .remedy = "Tell each thread to end before the program does (a sentinel in its queue, an "
                  "event, timeouts) or make it a daemon; join with a timeout. To cancel a future "
                  "does not end the call that a thread already runs.",
        .docs = { LK_DOC_THREADING, LK_DOC_FUTURES, LK_DOC_RUNNERS, NULL },
    },
    [LK_RULE_LK409] = {
        .id = "LK409",
        .name = "stood-still",
        .ceiling = LK_STALLED,
        .find = lk_find_stood_still,
        .means = "a command was ended because it stood still (--stall-kill) or ran too long "
                 "(--timeout), and nothing else explains it: where it stood",
        .remedy = "See what the call at that place waits for. Give it a timeout of its own, or a "
                  "longer one to the run.",
        .docs = { LK_DOC_THREADING, NULL },
    },
    [LK_RULE_LK410] = {
        .id = "LK410",
        .name = "nobody-left-to-act",
        .ceiling = LK_STALLED,
        .find = lk_find_nobody_left,
        .means = "somebody waits, and whoever could end it is gone: the owner of the lock has ended, "
                 "the worker process that had the job has, or all threads wait for one another's "
                 "next step and nothing else is left that could act",
        .remedy = "Hold a lock by `with`, so that an exception gives it back, and see to it that a "
                  "thread that others rely on catches and reports what ends it. Wait with a "
                  "timeout.",
        .docs = { LK_DOC_THREADING, NULL },
    },
    [LK_RULE_LK501] = {
        .id = "LK501",
        .name = "process-stopped",
        .ceiling = LK_STALLED,
        .find = lk_find_process_stopped,
        .means = "the process does not run: job control, another tracer, a frozen control group, "
                 "CPU throttling, uninterruptible sleep, no main thread",
        .remedy = "See what stopped it: SIGCONT for job control, the tracer's process, the "
                  "container's pause or CPU limit, the device behind a thread in state D.",
        .docs = { LK_DOC_PROC, LK_DOC_PTRACE, LK_DOC_CGROUPS, NULL },
    },
};
const size_t lk_n_rules = LK_ARRAY_LEN(lk_rules);
_Static_assert(LK_ARRAY_LEN(lk_rules) == LK_N_RULES, "one row a rule");

/*
 * Cycles first, then ends that exist no more, then what is only slow. LK404 is the same block as
 * LK401, told more exactly; that all workers of a server wait (LK403) says more than what one of
 * them waits for outside (LK406), which is told with it, and that more than one wait (LK405).
 */
const enum lk_rule_id lk_rule_order[] = {
    LK_RULE_LK101, LK_RULE_LK102, LK_RULE_LK103, LK_RULE_LK104, LK_RULE_LK105, LK_RULE_LK106,
    LK_RULE_LK107, LK_RULE_LK108, LK_RULE_LK201, LK_RULE_LK204, LK_RULE_LK202, LK_RULE_LK302,
    LK_RULE_LK203, LK_RULE_LK205, LK_RULE_LK305, LK_RULE_LK301, LK_RULE_LK303, LK_RULE_LK304,
    LK_RULE_LK404, LK_RULE_LK407, LK_RULE_LK408, LK_RULE_LK410, LK_RULE_LK401, LK_RULE_LK402,
    LK_RULE_LK403, LK_RULE_LK406, LK_RULE_LK405, LK_RULE_LK501, LK_RULE_LK409,
};
_Static_assert(LK_ARRAY_LEN(lk_rule_order) == LK_N_RULES, "each rule is looked for once");

const struct lk_rule *lk_rule_by_id(const char *id)
{
    for (size_t i = 0; i < lk_n_rules; i++)
        if (strcmp(lk_rules[i].id, id) == 0)
            return &lk_rules[i];
    return NULL;
}
