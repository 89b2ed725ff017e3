/*
 * What a person is told about each rule beside its row in the table; text only, no rule uses it.
 */
#include "diagnose/rules/rule_texts.h"

#include <string.h>

/* clang-format off */

static const struct lk_explanation explanations[] = {
    { .id = "LK101", .language = "python",
      .brief = "a loop's thread waits for its own loop",
      .cause = "Code that runs on a loop's thread (a coroutine, a callback) makes a call that blocks the thread until something "
               "happens, and that something needs the same loop: result() of a coroutine submitted to it, a lock whose holder "
               "waits for the loop, join() of a thread that waits for it. The loop cannot go on while its thread blocks, so the "
               "wait never ends, and everything else on that loop stands still too.",
      .evidence = "Read from the process: what the loop's thread blocks in, who completes that (the task behind the future, the "
                  "worker of the work item, the holder of the lock, the joined thread), on which loop that task is, and which "
                  "thread runs that loop. The links lead back to where they began; each was the same in the first and the last "
                  "sample, none has a timeout or another known way out.",
      .refuted = "Another thread that sets the same future or releases the same lock, or a timeout further out that loopknot did "
                 "not see. Run it again: if the thread stands at another line or its times start anew, it was not stuck.",
      .wrong = "async def report():\n"
               "    future = asyncio.run_coroutine_threadsafe(query(), loop)\n"
               "    return future.result()      # blocks the very thread that runs loop\n",
      .right = "async def report():\n"
               "    return await query()        # on the loop: await\n"
               "\n"
               "def report_view():              # in a request thread: wait, with a timeout\n"
               "    future = asyncio.run_coroutine_threadsafe(query(), loop)\n"
               "    return future.result(timeout=10)\n" },
    { .id = "LK102", .language = "python",
      .brief = "loops' threads block on one another",
      .cause = "A coroutine on one loop blocks its thread on a future of a second loop, while a coroutine on the second loop "
               "blocks on something that only the first can bring about. Each loop's thread waits for the other.",
      .evidence = "As for LK101; the way back passes through two or more loops, and the thread of each was read blocked, not in "
                  "its selector.",
      .refuted = "One of the loops' threads moves, or another thread completes one of the futures. Run loopknot again: the "
                 "places must be the same.",
      .wrong = "async def order():                       # on loop A; price() asks loop A in turn\n"
               "    future = asyncio.run_coroutine_threadsafe(price(), loop_b)\n"
               "    return future.result()               # loop A stands still until B answers\n",
      .right = "async def order():\n"
               "    future = asyncio.run_coroutine_threadsafe(price(), loop_b)\n"
               "    return await asyncio.wrap_future(future)    # loop A goes on meanwhile\n" },
    { .id = "LK103", .language = "python",
      .brief = "threads hold each other's locks",
      .cause = "Threads take the same locks in different orders: each holds one and waits for the next one's. Or one thread "
               "takes a lock again that it holds already and that is not reentrant.",
      .evidence = "Which lock a thread waits for is read from its frames and from what the kernel says it sleeps on. Who holds "
                  "it comes from the lock's own owner field (RLock, import lock, pthread mutex, the writer of an rwlock); a threading.Lock records no "
                  "owner, so there it is the one thread that stands inside of `with lock`.",
      .refuted = "A plain Lock that its `with` block gave up by hand, or that another thread releases. Where such code is in "
                 "reach the finding is not proven. Who took a lock by a bare acquire() is inferred "
                 "from the code at work, or not known.",
      .wrong = "def transfer(source, target):\n"
               "    with source.lock:\n"
               "        with target.lock:       # another thread transfers the other way round\n"
               "            move(source, target)\n",
      .right = "def transfer(source, target):               # two different accounts\n"
               "    first, second = sorted((source, target), key=lambda account: account.number)\n"
               "    with first.lock, second.lock:           # one order for all\n"
               "        move(source, target)\n" },
    { .id = "LK104", .language = "python",
      .brief = "a pool's workers wait for their queue",
      .cause = "Work items submit further items to their own pool and wait for them. Once every worker is such a waiter, the "
               "inner items stay in the queue: no worker is left to take them.",
      .evidence = "The pool's maximum, its threads and its queue are read, and for each worker what it waits for: directly or "
                  "through tasks, futures and joins, an item that still stands in this queue. No wait has a timeout.",
      .refuted = "A pool that can still start a thread, a worker that does something else, an item that was cancelled: with any "
                 "of these nothing is claimed. A subclass that adds threads in a way of its own would make it wrong.",
      .wrong = "pool = ThreadPoolExecutor(4)\n"
               "\n"
               "def page(n):                                # runs in pool\n"
               "    parts = [pool.submit(part, n, i) for i in range(3)]\n"
               "    return [p.result() for p in parts]      # waits for pool\n",
      .right = "pages = ThreadPoolExecutor(4)\n"
               "parts = ThreadPoolExecutor(8)               # inner work has a pool of its own\n"
               "\n"
               "def page(n):                                # runs in pages\n"
               "    return list(parts.map(part, [n] * 3, range(3), timeout=10))\n" },
    { .id = "LK105", .language = "python",
      .brief = "tasks await each other in a ring",
      .cause = "Two or more tasks await each other, directly or through gather, wait, shield, a nursery or a lock that names the "
               "task which has it (trio.Lock). Their loop is idle and healthy; these tasks just never get their turn.",
      .evidence = "For each suspended task the future it awaits is read, and from the callbacks of tasks and futures who will "
                  "complete that. Following this leads back to the first task, and nothing but tasks, futures and such locks is in the ring.",
      .refuted = "Code elsewhere that sets one of these futures. A bare future that anyone may set opens the ring: then nothing "
                 "is claimed. A task that is being cancelled is not stuck. A timer, thread or task that does not wait for the ring "
                 "and has a member at hand may cancel it.",
      .wrong = "async def consume(producer):\n"
               "    await producer              # waits until all is produced ...\n"
               "\n"
               "async def produce(consumer):\n"
               "    await consumer              # ... which waits until all is consumed\n",
      .right = "async def produce(queue, items):\n"
               "    for item in items:\n"
               "        await queue.put(item)\n"
               "    await queue.put(None)       # says that nothing follows\n"
               "\n"
               "async def consume(queue):\n"
               "    while (item := await queue.get()) is not None:\n"
               "        await handle(item)\n" },
    { .id = "LK106", .language = "python",
      .brief = "a coroutine sleeps with a lock in hand",
      .cause = "A coroutine takes a threading lock and awaits while it holds it: suspended, it leaves the lock taken. Another "
               "callback on the same loop takes that lock the blocking way, so that the loop's thread sleeps, and the coroutine "
               "that would release the lock is never resumed.",
      .evidence = "The loop's thread blocks on the lock; a suspended task of that loop stands inside of `with lock` in its chain "
                  "of awaits; nobody else does.",
      .refuted = "The coroutine gave the lock up by hand before it awaited, or another thread releases it. Where such code is in "
                 "reach the finding is not proven.",
      .wrong = "lock = threading.Lock()\n"
               "\n"
               "async def update():\n"
               "    with lock:\n"
               "        await save()            # suspended with the lock held\n",
      .right = "lock = asyncio.Lock()\n"
               "\n"
               "async def update():\n"
               "    async with lock:            # who waits for it is suspended, the loop goes on\n"
               "        await save()\n" },
    { .id = "LK107", .language = "c",
      .brief = "GIL and native lock in opposite order",
      .cause = "Native code (a C extension, a ctypes callback) waits for a lock of its own without giving up the GIL, while the "
               "thread that holds that lock wants the GIL: to call into Python, or to come back from a call. All other Python "
               "threads queue up for the GIL behind the two.",
      .evidence = "The runtime's own record says which thread holds the GIL; that thread sleeps on a pthread mutex whose owner "
                  "field names another thread (or an rwlock that one has for writing), and that one waits for the GIL. Seen the "
                  "same in all samples.",
      .refuted = "A holder that was about to give the GIL up when it was read: it would have moved in the next sample. A lock "
                 "without an owner field (a semaphore, a spin lock) is not seen.",
      .wrong = "static PyObject *flush(PyObject *self, PyObject *args)\n"
               "{\n"
               "    pthread_mutex_lock(&queue_lock);    /* waits with the GIL in its hands */\n"
               "    int n = queue_flush();\n"
               "    pthread_mutex_unlock(&queue_lock);\n"
               "    return PyLong_FromLong(n);\n"
               "}\n",
      .right = "static PyObject *flush(PyObject *self, PyObject *args)\n"
               "{\n"
               "    int n;\n"
               "    Py_BEGIN_ALLOW_THREADS              /* gives the GIL up */\n"
               "    pthread_mutex_lock(&queue_lock);\n"
               "    n = queue_flush();                  /* touches no Python object */\n"
               "    pthread_mutex_unlock(&queue_lock);\n"
               "    Py_END_ALLOW_THREADS\n"
               "    return PyLong_FromLong(n);\n"
               "}\n" },
    { .id = "LK108", .language = "python",
      .brief = "any other proven ring of waits",
      .cause = "Waits of different kinds close a ring: a thread holds a lock and waits for a future whose worker needs that "
               "lock; a thread joins another that waits for what the first one holds.",
      .evidence = "As for LK101, without a loop in the ring. The summary spells the whole chain out, link by link.",
      .refuted = "As for LK101: another party that completes one of the waits, or a thread of the chain that moves.",
      .wrong = "def reload():\n"
               "    with lock:\n"
               "        return pool.submit(rebuild).result()    # rebuild() takes lock\n",
      .right = "def reload():\n"
               "    with lock:\n"
               "        work = list(pending)\n"
               "    return pool.submit(rebuild, work).result(timeout=30)    # lock is free again\n" },
    { .id = "LK201", .language = "python",
      .brief = "waits for a loop that nobody runs",
      .cause = "A thread submits a coroutine to a background loop and waits for its result, but that loop is closed, was "
               "stopped, lost its thread to an exception, or was never started, often because app.run() blocks and the "
               "loop.run_forever() after it is never reached. The coroutine stays where it is, the future stays pending.",
      .evidence = "The thread waits in result(); the future's task, or the callback that would create it, belongs to a loop "
                  "whose fields and threads say that it is closed, or that no thread runs it, the same in all samples.",
      .refuted = "Code that completes the future without the loop, or that runs the loop again. Since a stopped loop can be run "
                 "again it is at most `stalled`; only a closed one is a deadlock.",
      .wrong = "@app.get('/job')\n"
               "def job():\n"
               "    return asyncio.run_coroutine_threadsafe(work(), loop).result()\n"
               "\n"
               "app.run()\n"
               "loop.run_forever()          # never reached: app.run() blocks\n",
      .right = "loop = asyncio.new_event_loop()\n"
               "threading.Thread(target=loop.run_forever, daemon=True).start()\n"
               "\n"
               "@app.get('/job')\n"
               "def job():\n"
               "    return asyncio.run_coroutine_threadsafe(work(), loop).result(timeout=10)\n"
               "\n"
               "app.run()\n" },
    { .id = "LK202", .language = "python",
      .brief = "pending tasks that nobody will resume",
      .cause = "Tasks were created on a loop that ran only as long as one request, or that was stopped before they were done. "
               "They are suspended in the middle and keep what they hold.",
      .evidence = "The loop is closed, stopped or was never run, and the tasks on it are pending, the same in all samples.",
      .refuted = "A thread that is about to run the loop again. Tasks that a framework cancelled when its view returned leave "
                 "nothing to be seen: they are not reported at all.",
      .wrong = "@app.post('/register')\n"
               "def register():\n"
               "    loop = asyncio.new_event_loop()\n"
               "    loop.create_task(send_mail())               # still pending when ...\n"
               "    return loop.run_until_complete(save())      # ... the loop stops here\n",
      .right = "@app.post('/register')\n"
               "async def register():\n"
               "    asyncio.run_coroutine_threadsafe(send_mail(), process_loop)    # started before serving\n"
               "    return await save()\n" },
    { .id = "LK203", .language = "python",
      .brief = "a loop sleeps although it has work",
      .cause = "Another thread put a callback or a task on the loop with call_soon(), create_task() or Future.set_result(). "
               "These do not wake a sleeping loop, only call_soon_threadsafe() does. The callback runs when something else "
               "wakes the loop: its next timer, the next connection, or never.",
      .evidence = "In all samples the loop's thread sleeps in the loop's selector and was not given the CPU, the loop's ready "
                  "queue begins with the same callback, which is not cancelled, its self-pipe holds no unread byte, and no "
                  "thread is inside of call_soon_threadsafe() of this loop.",
      .refuted = "The loop went on between the samples, or a wake-up was on its way. Should any of the conditions be unknown, "
                 "nothing is claimed.",
      .wrong = "def deliver(future, value):             # in another thread\n"
               "    future.set_result(value)            # the loop sleeps on\n",
      .right = "def deliver(loop, future, value):       # in another thread\n"
               "    loop.call_soon_threadsafe(future.set_result, value)\n" },
    { .id = "LK204", .language = "python",
      .brief = "waits for a thread the fork left behind",
      .cause = "fork() copies the memory, but only the thread that calls it. A loop, a pool or a lock that another thread was "
               "running, serving or holding then exists in the child as well, with nobody behind it.",
      .evidence = "A thread of this process waits for a loop, a lock or a pool whose thread is known by its identifier to be "
                  "none of this process: it did not end here, it was never copied. A plain Lock names no holder: it counts "
                  "as lost when each thread of a forked process waits for it, the parent has it too, and no signal handler "
                  "may release it.",
      .refuted = "An at-fork handler that starts the loop or the pool again later.",
      .wrong = "# myapp.py, loaded with gunicorn --preload: the threads stay in the master\n"
               "pool = ThreadPoolExecutor(4)\n"
               "pool.submit(warm_up)\n",
      .right = "# gunicorn.conf.py; uWSGI: --lazy-apps, or uwsgidecorators.postfork;\n"
               "# Celery: signals.worker_process_init\n"
               "def post_fork(server, worker):\n"
               "    import myapp\n"
               "    myapp.pool = ThreadPoolExecutor(4)      # each worker has its own\n" },
    { .id = "LK205", .language = "python",
      .brief = "loops are made and never closed",
      .cause = "A loop is made for each request or job with new_event_loop() and not closed. Each keeps an epoll descriptor and "
               "a socket pair, until the process runs out of descriptors.",
      .evidence = "All loops of the process are listed, by frames, tasks, modules and, where epoll descriptors remain "
                  "unaccounted for, the garbage collector's lists. Two or more of the same class and origin are neither running "
                  "nor closed, in the hands of no live frame, the same in all samples.",
      .refuted = "A set of loops that the program keeps on purpose and runs again later.",
      .wrong = "def fetch():\n"
               "    loop = asyncio.new_event_loop()\n"
               "    return loop.run_until_complete(load())      # never closed\n",
      .right = "@app.get('/fetch')\n"
               "async def fetch():          # Flask makes the loop and closes it\n"
               "    return await load()\n"
               "\n"
               "def fetch_job():            # outside of requests: asyncio.run closes it\n"
               "    return asyncio.run(load())\n" },
    { .id = "LK301", .language = "python",
      .brief = "a request runs a loop of its own",
      .cause = "Each request thread makes an event loop and runs it. Connections, locks and pools that belong to one such loop "
               "must not be used from another, tasks that are left die with it, and each costs descriptors. It works until one "
               "of them waits for another.",
      .evidence = "run_until_complete() or asyncio.run() stands on the stack of a request, and user code called it, not a "
                  "framework's bridge.",
      .refuted = "A bridge of a framework that loopknot does not know, which looks like user code.",
      .wrong = "@app.get('/fetch')\n"
               "def fetch():\n"
               "    loop = asyncio.new_event_loop()\n"
               "    return loop.run_until_complete(load())\n",
      .right = "@app.get('/fetch')\n"
               "async def fetch():\n"
               "    return await load()\n" },
    { .id = "LK302", .language = "python",
      .brief = "one loop's object awaited on another",
      .cause = "A task waits for something that code on another loop completes: asyncio.wait() of another loop's tasks, or an "
               "event, queue or lock that another loop's code sets, fills or releases. (To await another loop's future itself "
               "is refused by asyncio.) That completion runs on the other loop's thread and does not wake the waiter's loop, "
               "so the waiter sleeps on although what it waits for is done.",
      .evidence = "The loop of the waiting task and the loop of what it awaits, of the code that has the object at hand, or of "
                  "the task that holds the lock are two. It hangs when what is awaited is done and the waiter's loop sleeps in "
                  "its selector all the same, in all samples.",
      .refuted = "Something that wakes the waiter's loop in time: a busy loop comes round anyhow. Then it is a hazard only.",
      .wrong = "events = asyncio.Queue()        # awaited on loop A\n"
               "\n"
               "def on_message(message):        # a callback on loop B\n"
               "    events.put_nowait(message)  # does not wake loop A\n",
      .right = "def on_message(message):        # a callback on loop B\n"
               "    loop_a.call_soon_threadsafe(events.put_nowait, message)\n"
               "\n"
               "async def report():             # on loop A, with work for loop B\n"
               "    future = asyncio.run_coroutine_threadsafe(prices(), loop_b)\n"
               "    return await asyncio.wrap_future(future)\n" },
    { .id = "LK303", .language = "python",
      .brief = "one loop run by two, or inside another",
      .cause = "A loop object is shared and two threads run it at once, or a callback of a running loop runs a second loop (or "
               "the same one again). Callbacks then run in the wrong thread, or the outer loop stands still until the inner "
               "call returns.",
      .evidence = "The run calls of one loop stand on the stacks of two threads, or two run calls stand on one stack, read "
                  "while the threads slept or were stopped, and unchanged.",
      .refuted = "A nester that declares itself (nest_asyncio and the like) is known and not reported; one that loopknot does "
                 "not know would be.",
      .wrong = "loop = asyncio.get_event_loop()         # the main thread's\n"
               "\n"
               "@app.get('/toy')\n"
               "def toy():                              # in any request thread\n"
               "    return loop.run_until_complete(hello())\n",
      .right = "@app.get('/toy')\n"
               "async def toy():                        # Flask gives it a loop\n"
               "    return await hello()\n"
               "\n"
               "def sync_helper():                      # synchronous code that needs async code\n"
               "    return current_app.ensure_sync(hello)()\n" },
    { .id = "LK304", .language = "python",
      .brief = "loops of different kinds in use",
      .cause = "The event loop policy was replaced, or a library brought its own loop, and now loops of several implementations "
               "(asyncio's own and uvloop, say) work side by side. Objects of one do not work with the other, and frameworks "
               "that wrap async code expect the standard one.",
      .evidence = "Loops of at least two implementations run or have pending tasks, the same in all samples. An idle leftover "
                  "does not count.",
      .refuted = "Two loops that never share an object: then it is a matter of taste.",
      .wrong = "asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())     # for all loops from here on\n"
               "app.run()                                                   # a WSGI process\n",
      .right = "app.run()                       # WSGI: leave the policy alone\n"
               "\n"
               "async def main():               # or an ASGI server that runs the one loop\n"
               "    await serve(asgi_app)\n" },
    { .id = "LK305", .language = "python",
      .brief = "a request sits in run_forever()",
      .cause = "A request handler starts loop.run_forever(). It returns only when somebody stops the loop: the request never "
               "ends, its worker is lost, and the loop lives as long as the request does.",
      .evidence = "run_forever() stands on the stack of a request, called by user code and not from run_until_complete(), and "
                  "the frames below it stay the same.",
      .refuted = "A handler that runs the loop for a moment only, with a stop() already scheduled.",
      .wrong = "@app.get('/listen')\n"
               "def listen():\n"
               "    loop.create_task(receive())\n"
               "    loop.run_forever()          # the request never returns\n",
      .right = "threading.Thread(target=loop.run_forever, daemon=True).start()      # at process start\n"
               "\n"
               "@app.get('/listen')\n"
               "def listen():\n"
               "    asyncio.run_coroutine_threadsafe(receive(), loop)\n"
               "    return '', 202\n" },
    { .id = "LK401", .language = "python",
      .brief = "a blocking call on a loop's thread",
      .cause = "A coroutine or callback calls something that blocks: time.sleep, a synchronous HTTP client or database driver, "
               "subprocess.run, a lock. While it blocks, nothing else on that loop runs. So it is when another thread sleeps "
               "with the GIL in its hands: uWSGI without --enable-threads does between requests.",
      .evidence = "The thread of a running loop is in a callback, not in the loop's selector, and blocks in a sleep, a socket, a "
                  "child, a lock or a wait for a result. It has not moved meanwhile, or it is still the same callback that "
                  "blocks there again and again.",
      .refuted = "A loop whose selector loopknot does not know and takes for I/O; many short callbacks that look like one long "
                 "call: then the loop's own record of its turns changes between samples.",
      .wrong = "async def device():\n"
               "    return requests.get(URL).json()         # the whole loop waits\n",
      .right = "async def device():\n"
               "    answer = await asyncio.to_thread(requests.get, URL, timeout=5)\n"
               "    return answer.json()\n" },
    { .id = "LK402", .language = "python",
      .brief = "one callback computes and computes",
      .cause = "A coroutine or callback computes for long without an await. While it does, nothing else on that loop runs.",
      .evidence = "The loop's thread used most of the CPU time there was while it was watched, inside of one callback: the loop's "
                  "own record of the turn it is in, and of the callback in that turn, was the same in all samples.",
      .refuted = "Many short callbacks, one after the other: then that record changes. A slow machine: look at the CPU time that "
                 "the evidence names.",
      .wrong = "async def thumbnail(image):\n"
               "    return scale(image)         # seconds of computing on the loop's thread\n",
      .right = "async def thumbnail(image):\n"
               "    loop = asyncio.get_running_loop()\n"
               "    return await loop.run_in_executor(process_pool, scale, image)\n" },
    { .id = "LK403", .language = "python",
      .brief = "all workers busy, none finishes",
      .cause = "Every worker of the server is in a request that does not finish, and further requests wait. An async view helps "
               "nothing: it ties up its worker as well.",
      .evidence = "All workers of the server are in a request, none has made progress for --stalled-after, and work waits that "
                  "none of them takes: in the queue of their pool, behind the limit of worker threads, or connections that nobody "
                  "accepts.",
      .refuted = "A worker that finished a request between two looks and stands at the same line again. Where it sleeps or "
                 "waits with a timeout, only the scheduler's own record counts.",
      .wrong = "# gunicorn.conf.py: 4 requests at a time, each of which may wait for ever\n"
               "workers, threads, timeout = 1, 4, 0\n",
      .right = "# gunicorn.conf.py\n"
               "workers, threads, timeout = 4, 8, 60\n"
               "\n"
               "def quote():                    # and no wait without an end\n"
               "    return requests.get(URL, timeout=5)\n" },
    { .id = "LK404", .language = "python",
      .brief = "a server calls itself, nobody answers",
      .cause = "A request makes an HTTP request to its own server and waits for the answer. When every worker is such a caller, "
               "as with one worker always, no worker is left to answer. So it is when a coroutine blocks the loop that would "
               "have to accept the connection.",
      .evidence = "The other end of the connection that the request waits on is a listener of this very process, by the kernel's "
                  "socket tables. Nobody has accepted it, or its request is queued for workers that all wait like this; no other "
                  "thread has the listener at hand, and no other process that holds it accepts.",
      .refuted = "Another process that shares the listener and accepts, or a server that can still start threads: then nothing "
                 "is claimed. Where it is not known whether there is one, it is at most `stalled`.",
      .wrong = "@app.get('/summary')\n"
               "def summary():\n"
               "    return requests.get(url_for('report', _external=True)).json()\n",
      .right = "@app.get('/summary')\n"
               "def summary():\n"
               "    return build_report()       # the function behind the URL\n" },
    { .id = "LK405", .language = "python",
      .brief = "untimed wait, nobody found to end it",
      .cause = "User code waits with result() and no timeout; or a request for an event, a semaphore, a queue or a pooled "
               "connection. If whoever should complete or give back that fails to, an exception having ended its thread, "
               "say, the request waits for ever, and nobody notices.",
      .evidence = "The thread has waited longer than --stalled-after in result() called by user code, without a timeout, and "
                  "nothing that is known explains it: no cycle, no dead loop, no slow worker. Of an event, a semaphore, a "
                  "barrier, a queue that is full or unfinished, or one that lends what it holds: no other thread or task "
                  "has it at hand, no timer or signal handler leads to it, and no function of the program that may still "
                  "be called names it and what would end the wait; or all references to it, also to a future or to a "
                  "queue's next item, are those of who waits.",
      .refuted = "A wait that is meant to last: it says that there is no timeout, and who was not found, not that nobody will "
                 "answer.",
      .wrong = "def pay(order):\n"
               "    return confirmations[order].result()\n",
      .right = "def pay(order):\n"
               "    try:\n"
               "        return confirmations[order].result(timeout=30)\n"
               "    except concurrent.futures.TimeoutError:\n"
               "        return 'still open', 202\n" },
    { .id = "LK406", .language = "python",
      .brief = "held up by something outside",
      .cause = "A request (a thread or a task), a job, a test, or a caller that waits for a result, waits for something outside "
               "of the process: a database, another service, a child process, a file. It does not answer, and no timeout ends "
               "the wait. This process is not deadlocked; it waits for somebody else.",
      .evidence = "The chain of waits ends at a socket, pipe, file or child whose other end is not in this process. The peer, "
                  "descriptor, path or child is named. No wait of the chain has a timeout, and none moved for --stalled-after.",
      .refuted = "A wait that is meant to last: for the next message, for a client. Accepted connections, listeners and "
                 "terminals are known and not reported.",
      .wrong = "def quote():\n"
               "    return requests.get(URL).json()                 # waits as long as the peer likes\n",
      .right = "def quote():\n"
               "    return requests.get(URL, timeout=(3, 10)).json()    # to connect, between bytes\n" },
    { .id = "LK407", .language = "python",
      .brief = "holders wait for what they hold",
      .cause = "A request takes a unit of a semaphore (or a connection of a pool) and, before it gives it back, needs another one: "
               "itself, or through a child task, a job or a future that it waits for. One request alone is served. As soon as as "
               "many of them are in as there are units, each holds one and waits for one more, and none is ever given back.",
      .evidence = "The value is 0, and each thread or task that was found inside of `with` or `async with` of the semaphore, or in "
                  "code that is still to release it, waits for the semaphore too, directly or through what it waits for. It is proven "
                  "where a BoundedSemaphore says how many units there are and each of them was found. Of a pool: the waiter stands "
                  "in one of its methods, or gets from its queue, and those that were found inside of a `with` that the waiter is "
                  "entering, or in code that will give back what it took, all wait for the pool as well.",
      .refuted = "A holder that moves, or waits for a timer, a peer or anything else that comes without the semaphore; code that "
                 "gives a unit back and was not found, where the semaphore does not say how many there are; a timeout of one of the "
                 "waits.",
      .wrong = "async def fetch(url):\n"
               "    async with limit:\n"
               "        return await session.get(url)\n"
               "\n"
               "async def batch(urls):\n"
               "    async with limit:                       # holds one unit and waits for more\n"
               "        return await asyncio.gather(*map(fetch, urls))\n",
      .right = "async def batch(urls):                      # only the innermost call takes a unit\n"
               "    return await asyncio.gather(*map(fetch, urls))\n" },
    { .id = "LK408", .language = "python",
      .brief = "a program that cannot end",
      .cause = "The main program is over, and Python waits for what is not: for each thread that is no daemon, for the threads of "
               "pools (asyncio.run() for those of the default executor), for children. One of them waits for something that nobody "
               "is left to bring about. That its future was cancelled does not matter: a call that a thread runs cannot be "
               "cancelled.",
      .evidence = "The frames of the thread that ends: threading._shutdown, _python_exit, _exit_function, "
                  "shutdown_default_executor, or a callback of atexit below Py_FinalizeEx. What it waits for has stood still for "
                  "--stalled-after in a wait without a timeout, and nobody is known to be about to end it.",
      .refuted = "A service whose threads are all of it: one that listens, reads input or consumes is not reported when the "
                 "interpreter itself waits for it, nor one that something from outside, another thread or a handler may "
                 "still reach.",
      .wrong = "async def main():\n"
               "    line = loop.run_in_executor(None, keys.get)\n"
               "    await stop.wait()\n"
               "    line.cancel()           # keys.get() goes on, and asyncio.run() waits for it\n",
      .right = "async def main():\n"
               "    line = loop.run_in_executor(None, keys.get)\n"
               "    await stop.wait()\n"
               "    keys.put(None)          # the call returns\n" },
    { .id = "LK409", .language = "python",
      .brief = "where a command stood that was ended",
      .cause = "`loopknot run` was told to end what stands still (--stall-kill) or what runs too long (--timeout), and ended it. "
               "No deadlock was proven and no other rule says what holds it up: it may wait for something that would have come, "
               "or compute.",
      .evidence = "Neither output nor processor time of the whole tree for --stall, or the main thread at the same place for as "
                  "long; or the time limit. The place is the main thread's, or the task's that it runs its loop for, of the "
                  "process that runs a test, else of the last one on the way from the command.",
      .refuted = "The call would have returned a moment later: the limit was too short.",
      .wrong = "def test_reply(queue):\n"
               "    assert queue.get() == 1             # nobody puts anything\n",
      .right = "def test_reply(queue):\n"
               "    assert queue.get(timeout=5) == 1    # says so itself, by a traceback\n" },
    { .id = "LK410", .language = "python",
      .brief = "nobody is left who could end the wait",
      .cause = "A thread took an RLock by a bare acquire() and an exception ended it before its release(): nobody else may "
               "release an RLock, so whoever waits for it waits for ever. Or the exception ended a request or an item of a pool "
               "only, and its worker goes on with the lock in its hands. A worker process of a multiprocessing.Pool was killed, "
               "and with it went the job that it had. Or the thread that feeds the others has ended, and "
               "all that are left wait for one another, or for the next item that nobody will put.",
      .evidence = "An RLock records its owner: the thread is not among the process's threads any more, and glibc's record of it "
                  "says that it ended, or is one of several workers and waits for its next item or request. Of a pool each worker waits for the next job, and nothing is on its way to them or from "
                  "them, though a result is owed. Or each thread of the process, all of them Python's, has waited for --stalled-after "
                  "without a timeout for a lock, event, condition, semaphore, barrier, queue, future or join of this process, "
                  "while no loop has anything to wake for, no child is left, and no signal handler of the program's own could act.",
      .refuted = "A new thread that gets the dead one's identity (the address of its stack) owns the lock in Python's eyes, and "
                 "may release it. A debugger, or code that a tool injects, may end any wait.",
      .wrong = "def post(entry):\n"
               "    ledger.acquire()\n"
               "    write(entry)                # an exception here ends the thread, and ledger stays locked\n"
               "    ledger.release()\n",
      .right = "def post(entry):\n"
               "    with ledger:                # released, whatever happens\n"
               "        write(entry)\n" },
    { .id = "LK501", .language = "sh",
      .brief = "the process itself does not run",
      .cause = "Not the program but the system holds it up: it was stopped by a signal, another program traces it, its "
               "container is paused or has used up its CPU limit, the kernel waits for a device, or its main thread has ended.",
      .evidence = "Read from /proc and the control group before anything is attached: the state of the process and its threads, "
                  "the tracer's pid, the freezer, the throttling counters.",
      .refuted = "Nothing but a change of state: look again.",
      .wrong = NULL,
      .right = "grep -E '^(State|TracerPid)' /proc/$PID/status      # T: stopped; t: held by a tracer\n"
               "kill -CONT $PID                                     # ends a job-control stop\n"
               "cat /sys/fs/cgroup$(cut -d: -f3 /proc/$PID/cgroup)/cgroup.events        # frozen 1: paused\n" },
};

/* clang-format on */

const struct lk_explanation *lk_rule_explanation(const struct lk_rule *r)
{
    for (size_t i = 0; i < LK_ARRAY_LEN(explanations); i++)
        if (strcmp(explanations[i].id, r->id) == 0)
            return &explanations[i];
    return NULL;
}
