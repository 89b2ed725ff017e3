#include "diagnose/rules/rules.h"

#include <string.h>

#include "diagnose/rules/context.h"

#define FLASK           "https://flask.palletsprojects.com/en/stable/async-await/"
#define LOOP            "https://docs.python.org/3/library/asyncio-eventloop.html"
#define RUNNERS         "https://docs.python.org/3/library/asyncio-runner.html"
#define POLICIES        "https://docs.python.org/3/library/asyncio-policy.html"
#define DEV             "https://docs.python.org/3/library/asyncio-dev.html#asyncio-multithreading"
#define BLOCKING        "https://docs.python.org/3/library/asyncio-dev.html#asyncio-handle-blocking"
#define TASKS           "https://docs.python.org/3/library/asyncio-task.html#asyncio.run_coroutine_threadsafe"
#define BACKGROUND      "https://docs.python.org/3/library/asyncio-task.html#creating-tasks"
#define TIMEOUTS        "https://docs.python.org/3/library/asyncio-task.html#timeouts"
#define SYNC            "https://docs.python.org/3/library/asyncio-sync.html"
#define FUTURES         "https://docs.python.org/3/library/concurrent.futures.html#threadpoolexecutor"
#define THREADING       "https://docs.python.org/3/library/threading.html#lock-objects"
#define ASGIREF         "https://github.com/django/asgiref#readme"
#define GUNICORN        "https://docs.gunicorn.org/en/stable/settings.html"
#define GUNICORN_DESIGN "https://docs.gunicorn.org/en/stable/design.html"
#define WERKZEUG        "https://werkzeug.palletsprojects.com/en/stable/serving/"
#define FORK            "https://docs.python.org/3/library/os.html#os.fork"
#define GIL                                                                                        \
    "https://docs.python.org/3.13/c-api/init.html#thread-state-and-the-global-interpreter-lock"
#define SOCKETS    "https://docs.python.org/3/library/socket.html#notes-on-socket-timeouts"
#define SUBPROCESS "https://docs.python.org/3/library/subprocess.html#subprocess.Popen.communicate"
#define PROC       "https://man7.org/linux/man-pages/man5/proc_pid_status.5.html"
#define PTRACE     "https://man7.org/linux/man-pages/man2/ptrace.2.html"
#define CGROUPS    "https://man7.org/linux/man-pages/man7/cgroups.7.html"

/* clang-format off */

/* What is to be read at each address. */
static const char *const titles[][2] = {
    { FLASK, "Flask: Using async and await" },
    { LOOP, "Python: asyncio, Event Loop" },
    { RUNNERS, "Python: asyncio, Runners" },
    { POLICIES, "Python: asyncio, Policies" },
    { DEV, "Python: Developing with asyncio, Concurrency and Multithreading" },
    { BLOCKING, "Python: Developing with asyncio, Running Blocking Code" },
    { TASKS, "Python: asyncio, Coroutines and Tasks, Scheduling From Other Threads" },
    { BACKGROUND, "Python: asyncio, Coroutines and Tasks, Creating Tasks" },
    { TIMEOUTS, "Python: asyncio, Coroutines and Tasks, Timeouts" },
    { SYNC, "Python: asyncio, Synchronization Primitives" },
    { FUTURES, "Python: concurrent.futures, ThreadPoolExecutor (with its deadlock examples)" },
    { THREADING, "Python: threading, Lock Objects" },
    { ASGIREF, "asgiref: README" },
    { GUNICORN, "gunicorn: Settings" },
    { GUNICORN_DESIGN, "gunicorn: Design" },
    { WERKZEUG, "Werkzeug: Serving WSGI Applications" },
    { FORK, "Python: os.fork, and its warning on threads" },
    { GIL, "Python/C API: Thread State and the Global Interpreter Lock" },
    { SOCKETS, "Python: socket, Notes on socket timeouts" },
    { SUBPROCESS, "Python: subprocess, Popen.communicate and its timeout" },
    { PROC, "Linux: proc_pid_status(5)" },
    { PTRACE, "Linux: ptrace(2)" },
    { CGROUPS, "Linux: cgroups(7)" },
};

/* clang-format on */

/*
 * By id, which is also the order in which finders run: the more specific before the more general,
 * so that what a finding explains is not told again. A row without a finder is told by the finder
 * of a row before it (LK204 by LK201's, LK302 by LK203's, LK305 by LK301's, LK403 and LK406 by
 * LK405's).
 */
const struct lk_rule lk_rules[] = {
    { "LK101",
      "loop-waits-on-itself",
      LK_DEADLOCK,
      lk_find_knots,
      "a cycle through exactly one loop: its thread blocks, directly or through other threads, "
      "joins, locks, executors and "
      "tasks, on "
      "something that only code on that loop can bring about",
      "Never block a loop's thread for work of that loop: await the coroutine (or "
      "asyncio.wrap_future(future)) instead of "
      "calling result(), and run code that must wait synchronously with asyncio.to_thread. Other "
      "threads wait with "
      "result(timeout=...) and hold no lock meanwhile that code on the loop takes.",
      { DEV, TASKS, FLASK, NULL } },
    { "LK102",
      "cross-loop-cycle",
      LK_DEADLOCK,
      NULL,
      "a cycle through two or more loops whose threads block on one another",
      "Do not wait with result() on one loop's thread for a coroutine of another: await "
      "asyncio.wrap_future(run_coroutine_threadsafe(...)), "
      "or keep one process-wide loop. A view that needs async code is best an async def view.",
      { DEV, TASKS, FLASK, NULL } },
    { "LK103",
      "lock-cycle",
      LK_DEADLOCK,
      NULL,
      "a cycle of locks only: each thread holds a lock that another one of them waits for",
      "Take the locks in the same order everywhere, hold only one at a time, or acquire with a "
      "timeout and back off. A lock that "
      "its own "
      "holder takes again must be an RLock.",
      { THREADING, NULL } },
    { "LK104",
      "executor-starvation",
      LK_DEADLOCK,
      NULL,
      "every worker of a pool that cannot grow waits, without a timeout, for a work item that is "
      "still in that pool's queue",
      "Do not wait inside a pool for work submitted to the same pool: call the function directly, "
      "give the inner work a pool of "
      "its own, or "
      "let the caller combine the futures. A larger pool only moves the limit.",
      { FUTURES, FLASK, NULL } },
    { "LK105",
      "await-cycle",
      LK_DEADLOCK,
      NULL,
      "tasks and futures await each other in a ring",
      "Break the ring: let one side hand over its result by a future or queue that nobody in the "
      "ring awaits, and put "
      "asyncio.timeout or "
      "wait_for around waits for other tasks.",
      { BACKGROUND, TIMEOUTS, SYNC, NULL } },
    { "LK106",
      "lock-held-across-await",
      LK_DEADLOCK,
      NULL,
      "a suspended coroutine holds a thread lock on which its own loop's thread now blocks",
      "Coroutines must not take a threading lock that is held across an await: use asyncio.Lock "
      "with async with, or give the "
      "lock back "
      "before the await.",
      { SYNC, DEV, NULL } },
    { "LK107",
      "gil-inversion",
      LK_DEADLOCK,
      NULL,
      "the holder of the GIL waits for a native lock whose holder waits for the GIL",
      "Native code must release the GIL (Py_BEGIN_ALLOW_THREADS) before it waits for a lock of its "
      "own, and must not call into "
      "Python while "
      "it holds that lock.",
      { GIL, NULL } },
    { "LK108",
      "wait-cycle",
      LK_DEADLOCK,
      lk_find_process_cycles,
      "any other proven cycle or knot of waits, such as a lock and a future, or a join and a lock",
      "Give up what the other side needs before waiting for it: submit or join after the with "
      "block, and put a timeout on one of "
      "the waits "
      "(result(timeout=...), join(timeout), acquire(timeout=...)).",
      { THREADING, FUTURES, NULL } },
    { "LK201",
      "future-on-dead-loop",
      LK_DEADLOCK,
      lk_find_dead_ends,
      "a thread waits for a future on a loop that is closed (or, at most stalled: merely stopped, "
      "never run, or whose thread "
      "ended)",
      "Start the loop once, in a daemon thread, before serving begins, and keep it until the "
      "process ends; check "
      "loop.is_running() before "
      "submitting, wait with result(timeout=...), and cancel what is pending before the loop is "
      "stopped or closed.",
      { LOOP, TASKS, DEV, NULL } },
    { "LK202",
      "orphaned-tasks",
      LK_HAZARD,
      lk_find_orphaned_tasks,
      "tasks are pending on a loop that nobody runs",
      "Run the loop to the tasks' end, or cancel them and close it (asyncio.run and asyncio.Runner "
      "do both). Background work "
      "that outlives a "
      "request belongs on the process-wide loop or in a task queue, not on the request's loop.",
      { LOOP, BACKGROUND, FLASK, NULL } },
    { "LK203",
      "lost-wakeup",
      LK_STALLED,
      lk_find_lost_wakeups,
      "a callback stands in the ready queue of a loop that sleeps in its selector: nobody woke it",
      "From another thread only loop.call_soon_threadsafe or asyncio.run_coroutine_threadsafe may "
      "be used; call_soon, "
      "create_task and "
      "Future.set_result do not wake the loop.",
      { DEV, TASKS, NULL } },
    { "LK204",
      "loop-lost-in-fork",
      LK_DEADLOCK,
      NULL,
      "a forked child waits on a loop, lock holder or executor whose threads exist only in the "
      "parent",
      "Create loops, pools and their threads after the fork (in gunicorn in post_fork, without "
      "--preload), or use the spawn "
      "start method; "
      "only the forking thread exists in the child.",
      { FORK, GUNICORN, NULL } },
    { "LK205",
      "leaked-loops",
      LK_HAZARD,
      lk_find_leaked_loops,
      "two or more loops of the same origin were left behind, neither running nor closed; each "
      "holds an epoll descriptor and a "
      "socket pair",
      "Let asyncio.run or asyncio.Runner create and close the loop, or close it in a finally "
      "block; in Flask use an async def "
      "view and let it "
      "manage the loop.",
      { LOOP, RUNNERS, FLASK, NULL } },
    { "LK301",
      "loop-per-request",
      LK_HAZARD,
      lk_find_loops_in_requests,
      "a request thread itself runs a loop: run_until_complete or asyncio.run on its own stack, "
      "called from user code",
      "Make the view async def and await, or start one long-lived loop before serving and call "
      "run_coroutine_threadsafe(...).result(timeout=...) "
      "from the view.",
      { FLASK, ASGIREF, TASKS, NULL } },
    { "LK302",
      "primitive-across-loops",
      LK_STALLED,
      NULL,
      "an object bound to one loop is awaited from another: what completes it wakes its own loop "
      "alone",
      "Keep futures, tasks and asyncio primitives on the loop that made them. From another loop "
      "await "
      "asyncio.wrap_future(asyncio.run_coroutine_threadsafe(...)), change an event or queue by "
      "loop.call_soon_threadsafe, or hand things over by a queue.Queue and asyncio.to_thread.",
      { DEV, TASKS, SYNC, NULL } },
    { "LK303",
      "loop-driven-twice",
      LK_STALLED,
      lk_find_double_drives,
      "one loop is driven by two threads, or a loop is run inside a callback of another",
      "Inside of a running loop await, never run_until_complete; give each loop one thread, and "
      "reach it from others by "
      "run_coroutine_threadsafe. For synchronous callers of async code use asgiref's async_to_sync "
      "or Flask's ensure_sync.",
      { LOOP, ASGIREF, FLASK, NULL } },
    { "LK304",
      "mixed-loop-kinds",
      LK_HAZARD,
      lk_find_mixed_loops,
      "loops of several implementations run or have pending tasks in one process",
      "Leave the event loop policy alone in a WSGI process and use one implementation for all "
      "loops, or move to an ASGI server "
      "that runs the one loop.",
      { POLICIES, LOOP, FLASK, NULL } },
    { "LK305",
      "run-forever-in-request",
      LK_STALLED,
      NULL,
      "a request thread sits in run_forever: the request never returns",
      "Create the loop when the process starts and run it in a daemon thread; the request only "
      "submits to it with "
      "run_coroutine_threadsafe "
      "and a timeout.",
      { FLASK, LOOP, WERKZEUG, NULL } },
    { "LK401",
      "blocking-call-in-loop",
      LK_STALLED,
      lk_find_blocking_calls,
      "a callback or coroutine makes a blocking call on the loop's thread; everything else on that "
      "loop waits",
      "Move the call off the loop's thread (await asyncio.to_thread(...) or loop.run_in_executor), "
      "or use the async form: "
      "asyncio.sleep, an "
      "async driver, asyncio.create_subprocess_exec, asyncio.Lock.",
      { BLOCKING, FLASK, NULL } },
    { "LK402",
      "cpu-bound-callback",
      LK_STALLED,
      lk_find_busy_callbacks,
      "one callback keeps the loop's thread busy across all samples; everything else on that loop "
      "waits",
      "Move the computation to a process pool (loop.run_in_executor with a ProcessPoolExecutor), "
      "or cut it into steps with await "
      "asyncio.sleep(0) between them.",
      { BLOCKING, FLASK, NULL } },
    { "LK403",
      "workers-exhausted",
      LK_STALLED,
      NULL,
      "for --stalled-after no worker of the server finished a request while other requests wait in "
      "its pool's queue",
      "Find what the workers wait for and bound it with a timeout; give the server more threads or "
      "workers, or hand slow work to "
      "a "
      "task queue. An async view does not help: it ties up its worker too.",
      { FLASK, GUNICORN_DESIGN, NULL } },
    { "LK404",
      "self-request",
      LK_DEADLOCK,
      NULL, /* looked for with LK401, than which it is more specific */
      "a server waits for a request to itself, and no worker is left to serve it (at most stalled "
      "with a timeout, or where "
      "another "
      "process may share the listener)",
      "Do not call your own server over HTTP from a request: call the function behind the URL. "
      "Else serve with more threads or "
      "workers than such calls can occupy, and give the inner request a timeout.",
      { WERKZEUG, FLASK, GUNICORN, NULL } },
    { "LK405",
      "unbounded-future-wait",
      LK_HAZARD,
      lk_find_long_waits,
      "user code has waited long for a future without a timeout, and no other finding explains it",
      "Wait with result(timeout=...) and handle the TimeoutError, or await the future instead of "
      "blocking a thread on it.",
      { TASKS, FUTURES, NULL } },
    { "LK406",
      "external-wait",
      LK_STALLED,
      NULL,
      "a request, or a caller's wait for a result, is held up by an event from outside of the "
      "process, without a timeout; no "
      "deadlock here",
      "Give the call to the outside a timeout (socket, HTTP client, database driver, subprocess), "
      "and the waiter too: "
      "result(timeout=...) or "
      "asyncio.timeout.",
      { SOCKETS, SUBPROCESS, TIMEOUTS, GUNICORN_DESIGN, NULL } },
    { "LK501",
      "process-stopped",
      LK_STALLED,
      lk_find_stopped_process,
      "the process does not run: job control, another tracer, a frozen control group, CPU "
      "throttling, uninterruptible sleep, no "
      "main thread",
      "See what stopped it: SIGCONT for job control, the tracer's process, the container's pause "
      "or CPU limit, the device behind "
      "a thread in "
      "state D.",
      { PROC, PTRACE, CGROUPS, NULL } },
};
const size_t lk_n_rules = LK_ARRAY_LEN(lk_rules);

const struct lk_rule *lk_rule_by_id(const char *id)
{
    for (size_t i = 0; i < lk_n_rules; i++)
        if (strcmp(lk_rules[i].id, id) == 0)
            return &lk_rules[i];
    return NULL;
}

const char *lk_doc_title(const char *address)
{
    for (size_t i = 0; i < LK_ARRAY_LEN(titles); i++)
        if (strcmp(titles[i][0], address) == 0)
            return titles[i][1];
    return address;
}
