/*
 * Titles of the documents that rules name, as those have them.
 */
#include "diagnose/rules/documents.h"

#include <string.h>

#include "util/base.h"

/* clang-format off */

/* What is to be read at each address. */
static const char *const titles[][2] = {
    { LK_DOC_FLASK, "Flask: Using async and await" },
    { LK_DOC_LOOP, "Python: asyncio, Event Loop" },
    { LK_DOC_RUNNERS, "Python: asyncio, Runners" },
    { LK_DOC_POLICIES, "Python: asyncio, Policies" },
    { LK_DOC_DEV, "Python: Developing with asyncio, Concurrency and Multithreading" },
    { LK_DOC_BLOCKING, "Python: Developing with asyncio, Running Blocking Code" },
    { LK_DOC_TASKS, "Python: asyncio, Coroutines and Tasks, Scheduling From Other Threads" },
    { LK_DOC_BACKGROUND, "Python: asyncio, Coroutines and Tasks, Creating Tasks" },
    { LK_DOC_TIMEOUTS, "Python: asyncio, Coroutines and Tasks, Timeouts" },
    { LK_DOC_SYNC, "Python: asyncio, Synchronization Primitives" },
    { LK_DOC_FUTURES, "Python: concurrent.futures, ThreadPoolExecutor (with its deadlock examples)" },
    { LK_DOC_THREADING, "Python: threading, Lock Objects" },
    { LK_DOC_ASGIREF, "asgiref: README" },
    { LK_DOC_GUNICORN, "gunicorn: Settings" },
    { LK_DOC_GUNICORN_DESIGN, "gunicorn: Design" },
    { LK_DOC_WERKZEUG, "Werkzeug: Serving WSGI Applications" },
    { LK_DOC_FORK, "Python: os.fork, and its warning on threads" },
    { LK_DOC_GIL, "Python/C API: Thread State and the Global Interpreter Lock" },
    { LK_DOC_SOCKETS, "Python: socket, Notes on socket timeouts" },
    { LK_DOC_SUBPROCESS, "Python: subprocess, Popen.communicate and its timeout" },
    { LK_DOC_PROC, "Linux: proc_pid_status(5)" },
    { LK_DOC_PTRACE, "Linux: ptrace(2)" },
    { LK_DOC_CGROUPS, "Linux: cgroups(7)" },
};

/* clang-format on */

const char *lk_doc_title(const char *address)
{
    for (size_t i = 0; i < LK_ARRAY_LEN(titles); i++)
        if (strcmp(titles[i][0], address) == 0)
            return titles[i][1];
    return address;
}
