/*
 * Addresses of the documents that rules name (rule_table.c), and their titles.
 */
#ifndef LK_DIAGNOSE_RULES_DOCUMENTS_H
#define LK_DIAGNOSE_RULES_DOCUMENTS_H

#define LK_DOC_FLASK    "https://flask.palletsprojects.com/en/stable/async-await/"
#define LK_DOC_LOOP     "https://docs.python.org/3/library/asyncio-eventloop.html"
#define LK_DOC_RUNNERS  "https://docs.python.org/3/library/asyncio-runner.html"
#define LK_DOC_POLICIES "https://docs.python.org/3/library/asyncio-policy.html"
#define LK_DOC_DEV      "https://docs.python.org/3/library/asyncio-dev.html#asyncio-multithreading"
#define LK_DOC_BLOCKING "https://docs.python.org/3/library/asyncio-dev.html#asyncio-handle-blocking"
#define LK_DOC_TASKS                                                                               \
    "https://docs.python.org/3/library/asyncio-task.html#asyncio.run_coroutine_threadsafe"
#define LK_DOC_BACKGROUND "https://docs.python.org/3/library/asyncio-task.html#creating-tasks"
#define LK_DOC_TIMEOUTS   "https://docs.python.org/3/library/asyncio-task.html#timeouts"
#define LK_DOC_SYNC       "https://docs.python.org/3/library/asyncio-sync.html"
#define LK_DOC_FUTURES                                                                             \
    "https://docs.python.org/3/library/concurrent.futures.html#threadpoolexecutor"
#define LK_DOC_THREADING       "https://docs.python.org/3/library/threading.html#lock-objects"
#define LK_DOC_ASGIREF         "https://github.com/django/asgiref#readme"
#define LK_DOC_GUNICORN        "https://docs.gunicorn.org/en/stable/settings.html"
#define LK_DOC_GUNICORN_DESIGN "https://docs.gunicorn.org/en/stable/design.html"
#define LK_DOC_WERKZEUG        "https://werkzeug.palletsprojects.com/en/stable/serving/"
#define LK_DOC_FORK            "https://docs.python.org/3/library/os.html#os.fork"
#define LK_DOC_GIL                                                                                 \
    "https://docs.python.org/3.13/c-api/init.html#thread-state-and-the-global-interpreter-lock"
#define LK_DOC_SOCKETS "https://docs.python.org/3/library/socket.html#notes-on-socket-timeouts"
#define LK_DOC_SUBPROCESS                                                                          \
    "https://docs.python.org/3/library/subprocess.html#subprocess.Popen.communicate"
#define LK_DOC_PROC    "https://man7.org/linux/man-pages/man5/proc_pid_status.5.html"
#define LK_DOC_PTRACE  "https://man7.org/linux/man-pages/man2/ptrace.2.html"
#define LK_DOC_CGROUPS "https://man7.org/linux/man-pages/man7/cgroups.7.html"

/** The title of a document that a rule names; the address itself when it is none of theirs. */
const char *lk_doc_title(const char *address);

#endif
