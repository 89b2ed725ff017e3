/* The classes that matter, by module and name as CPython 3.8 - 3.15 and the bridges everyone uses
 * have them. */
#include "read/python/reader/class_table.h"

#include "read/python/reader/known_class.h"

/* clang-format off */

const struct lk_class_row lk_class_rows[] = {
    { "asyncio.events", "AbstractEventLoop", LK_CLASS_LOOP, NULL },
    { "_asyncio", "Task", LK_CLASS_TASK, NULL },
    { "asyncio.tasks", "Task", LK_CLASS_PYTASK, NULL },
    { "asyncio.tasks", "_GatheringFuture", LK_CLASS_GATHER, NULL },
    { "_asyncio", "Future", LK_CLASS_FUTURE, NULL },
    { "asyncio.futures", "Future", LK_CLASS_PYFUTURE, NULL },
    { "asyncio.taskgroups", "TaskGroup", LK_CLASS_TASK_GROUP, NULL },
    { "asyncio.timeouts", "Timeout", LK_CLASS_TIMEOUT, NULL },
    { "async_timeout", "Timeout", LK_CLASS_TIMEOUT, NULL },
    { "anyio._backends._asyncio", "TaskGroup", LK_CLASS_TASK_GROUP, NULL },
    { "asyncio.tasks", "_AsCompletedIterator", LK_CLASS_AS_COMPLETED, NULL },
    { "concurrent.futures._base", "Future", LK_CLASS_CFUTURE, NULL },
    { "concurrent.futures.thread", "ThreadPoolExecutor", LK_CLASS_POOL, "ThreadPoolExecutor" },
    { "concurrent.futures.process", "ProcessPoolExecutor", LK_CLASS_PROCESS_POOL, "ProcessPoolExecutor" },
    { "asgiref.current_thread_executor", "CurrentThreadExecutor", LK_CLASS_CURRENT_THREAD_EXECUTOR, "CurrentThreadExecutor" },
    { "concurrent.futures.thread", "_WorkItem", LK_CLASS_WORK_ITEM, NULL },
    { "asgiref.current_thread_executor", "_WorkItem", LK_CLASS_WORK_ITEM, NULL },
    { "multiprocessing.pool", "ApplyResult", LK_CLASS_POOL_RESULT, NULL },
    { "threading", "Thread", LK_CLASS_THREAD, NULL },
    { "_thread", "lock", LK_CLASS_LOCK, "threading.Lock" },
    { "_thread", "RLock", LK_CLASS_RLOCK, "threading.RLock" },
    { "threading", "_RLock", LK_CLASS_PYRLOCK, "threading.RLock" },
    { "importlib._bootstrap", "_ModuleLock", LK_CLASS_MODULE_LOCK, "import lock" },
    { "_frozen_importlib", "_ModuleLock", LK_CLASS_MODULE_LOCK, "import lock" },
    { "_multiprocessing", "SemLock", LK_CLASS_SEMLOCK, "multiprocessing semaphore" },
    { "threading", "Condition", LK_CLASS_CONDITION, "threading.Condition" },
    { "threading", "Event", LK_CLASS_EVENT, "threading.Event" },
    { "threading", "BoundedSemaphore", LK_CLASS_SEMAPHORE, "threading.BoundedSemaphore" },
    { "threading", "Semaphore", LK_CLASS_SEMAPHORE, "threading.Semaphore" },
    { "threading", "Barrier", LK_CLASS_BARRIER, "threading.Barrier" },
    { "queue", "Queue", LK_CLASS_QUEUE, "queue.Queue" },
    { "_queue", "SimpleQueue", LK_CLASS_SIMPLE_QUEUE, "queue.SimpleQueue" },
    { "queue", "_PySimpleQueue", LK_CLASS_PY_SIMPLE_QUEUE, "queue.SimpleQueue" },
    { "asyncio.locks", "Lock", LK_CLASS_AIO_LOCK, "asyncio.Lock" },
    { "asyncio.locks", "Condition", LK_CLASS_AIO_CONDITION, "asyncio.Condition" },
    { "asyncio.locks", "Event", LK_CLASS_AIO_EVENT, "asyncio.Event" },
    { "asyncio.locks", "BoundedSemaphore", LK_CLASS_AIO_SEMAPHORE, "asyncio.BoundedSemaphore" },
    { "asyncio.locks", "Semaphore", LK_CLASS_AIO_SEMAPHORE, "asyncio.Semaphore" },
    { "anyio._backends._asyncio", "Semaphore", LK_CLASS_AIO_SEMAPHORE, "anyio.Semaphore" },
    { "anyio._backends._asyncio", "CapacityLimiter", LK_CLASS_LIMITER, "anyio.CapacityLimiter" },
    { "asyncio.locks", "Barrier", LK_CLASS_AIO_BARRIER, "asyncio.Barrier" },
    { "asyncio.queues", "Queue", LK_CLASS_AIO_QUEUE, "asyncio.Queue" },
    { "contextlib", "_GeneratorContextManager", LK_CLASS_GENERATOR_CM, NULL },
    { "contextlib", "_AsyncGeneratorContextManager", LK_CLASS_GENERATOR_CM, NULL },
    { "sqlalchemy.orm.scoping", "scoped_session", LK_CLASS_SCOPED_SESSION, NULL },
    { "contextlib", "ExitStack", LK_CLASS_EXIT_STACK, NULL },
    { "contextlib", "AsyncExitStack", LK_CLASS_EXIT_STACK, NULL },
};
const size_t lk_n_class_rows = LK_ARRAY_LEN(lk_class_rows);
