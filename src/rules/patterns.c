#include "rules/patterns.h"

#include <stdlib.h>
#include <string.h>

/* Sorted, lower case. Servers and frameworks call the user's code; the others are called by it. Neither is the user's. */
static const char *const frameworks[] = {
    "_pytest",
    "a2wsgi",
    "aiobotocore",
    "aiodns",
    "aiofiles",
    "aiohttp",
    "aiokafka",
    "aiomysql",
    "aioodbc",
    "aiopg",
    "aioredis",
    "aiosignal",
    "aiosmtplib",
    "aiosqlite",
    "alembic",
    "amqp",
    "anyio",
    "apscheduler",
    "asgiref",
    "async_timeout",
    "asyncpg",
    "attr",
    "attrs",
    "azure",
    "backoff",
    "billiard",
    "blinker",
    "boto3",
    "botocore",
    "bottle",
    "cassandra",
    "celery",
    "channels",
    "cheroot",
    "cherrypy",
    "click",
    "clickhouse_driver",
    "coverage",
    "curio",
    "daphne",
    "dateutil",
    "ddtrace",
    "debugpy",
    "django",
    "dns",
    "docker",
    "dramatiq",
    "elastic_transport",
    "elasticsearch",
    "engineio",
    "eventlet",
    "falcon",
    "fastapi",
    "flask",
    "flask_cors",
    "flask_login",
    "flask_restful",
    "flask_restx",
    "flask_socketio",
    "flask_sqlalchemy",
    "frozenlist",
    "gevent",
    "geventwebsocket",
    "google",
    "graphene",
    "graphql",
    "greenlet",
    "grpc",
    "grpclib",
    "gunicorn",
    "h11",
    "h2",
    "httpcore",
    "httplib2",
    "httptools",
    "httpx",
    "huey",
    "hypercorn",
    "ipykernel",
    "itsdangerous",
    "jinja2",
    "kafka",
    "kazoo",
    "kombu",
    "lazy_object_proxy",
    "ldap3",
    "limits",
    "litestar",
    "marshmallow",
    "meinheld",
    "motor",
    "multidict",
    "mysql",
    "mysqldb",
    "nats",
    "nest_asyncio",
    "newrelic",
    "oauthlib",
    "opentelemetry",
    "paho",
    "paramiko",
    "paste",
    "peewee",
    "pika",
    "pluggy",
    "prometheus_client",
    "psycopg",
    "psycopg2",
    "psycopg_pool",
    "pydantic",
    "pymongo",
    "pymysql",
    "pyramid",
    "pytest",
    "pytest_asyncio",
    "quart",
    "redis",
    "requests",
    "rq",
    "s3transfer",
    "sanic",
    "sentry_sdk",
    "simple_websocket",
    "six",
    "sniffio",
    "socketio",
    "sqlalchemy",
    "sqlmodel",
    "starlette",
    "statsd",
    "strawberry",
    "stripe",
    "structlog",
    "tenacity",
    "tornado",
    "trio",
    "trio_asyncio",
    "twisted",
    "urllib3",
    "uvicorn",
    "uvloop",
    "vine",
    "waitress",
    "watchdog",
    "watchfiles",
    "webob",
    "websocket",
    "websockets",
    "werkzeug",
    "whitenoise",
    "wrapt",
    "wsproto",
    "yarl",
    "zmq",
    "zope",
};

static const struct lk_pattern patterns[] = {
    /* asyncio itself (Lib/asyncio/base_events.py, runners.py; same names in CPython 3.8 to 3.15) */
    { "run_forever", "asyncio/base_events.py", LK_MARK_DRIVES | LK_MARK_FOREVER },
    { "run_until_complete", "asyncio/base_events.py", LK_MARK_DRIVES | LK_MARK_UNTIL },
    { "_run_once", "asyncio/base_events.py", LK_MARK_DRIVES },
    { "run", "asyncio/runners.py", LK_MARK_DRIVES | LK_MARK_UNTIL },
    /* uvloop's own methods are compiled and leave no frame; its helper does */
    { "run", "uvloop/__init__.py", LK_MARK_DRIVES | LK_MARK_UNTIL },
    { "run_forever", "uvloop/loop.pyx", LK_MARK_DRIVES | LK_MARK_FOREVER },
    { "run_until_complete", "uvloop/loop.pyx", LK_MARK_DRIVES | LK_MARK_UNTIL },
    /* declared nesters */
    { "run_until_complete", "nest_asyncio.py", LK_MARK_DRIVES | LK_MARK_UNTIL | LK_MARK_NESTER },
    { "run_forever", "nest_asyncio.py", LK_MARK_DRIVES | LK_MARK_FOREVER | LK_MARK_NESTER },
    { "_run_once", "nest_asyncio.py", LK_MARK_DRIVES | LK_MARK_NESTER },
    { "run", "nest_asyncio.py", LK_MARK_DRIVES | LK_MARK_UNTIL | LK_MARK_NESTER },
    { NULL, "greenletio/patcher.py", LK_MARK_NESTER },
    { NULL, "qasync/__init__.py", LK_MARK_NESTER },
    { NULL, "quamash/__init__.py", LK_MARK_NESTER },
    { NULL, "asyncio_gevent/event_loop.py", LK_MARK_NESTER },
    /* executors */
    { "_worker", "concurrent/futures/thread.py", LK_MARK_POOL },
    { "WorkerThread.run", "anyio/_backends/_asyncio.py", LK_MARK_POOL },
    /* servers: a worker thread, idle on a kept connection or not */
    { "process_request_thread", "socketserver.py", LK_MARK_WORKER },
    { "handle_one_request", "werkzeug/serving.py", LK_MARK_WORKER },
    { "handle", "gunicorn/workers/gthread.py", LK_MARK_WORKER },
    { "handle", "gunicorn/workers/sync.py", LK_MARK_WORKER },
    { "handle", "gunicorn/workers/base_async.py", LK_MARK_WORKER },
    { "handler_thread", "waitress/task.py", LK_MARK_WORKER },
    { "run", "cheroot/workers/threadpool.py", LK_MARK_WORKER },
    /* servers: a request under way (the request's line was read, the application was called) */
    { "run_wsgi", "werkzeug/serving.py", LK_MARK_REQUEST },
    { "handle_request", "gunicorn/workers/gthread.py", LK_MARK_REQUEST },
    { "handle_request", "gunicorn/workers/sync.py", LK_MARK_REQUEST },
    { "handle_request", "gunicorn/workers/base_async.py", LK_MARK_REQUEST },
    { "handle_request", "gunicorn/workers/ggevent.py", LK_MARK_REQUEST },
    { "execute", "waitress/task.py", LK_MARK_REQUEST },
    { "respond", "cheroot/wsgi.py", LK_MARK_REQUEST },
    { "respond", "cheroot/server.py", LK_MARK_REQUEST },
    { "run", "wsgiref/handlers.py", LK_MARK_REQUEST },
    { "run_wsgi_app", "asgiref/wsgi.py", LK_MARK_REQUEST },
    { "wsgi", "uvicorn/middleware/wsgi.py", LK_MARK_REQUEST },
    { "run_wsgi_app", "hypercorn/app_wrappers.py", LK_MARK_REQUEST },
    { "handle_one_response", "gevent/pywsgi.py", LK_MARK_REQUEST },
    { "handle_one_response", "eventlet/wsgi.py", LK_MARK_REQUEST },
    { "run_asgi", "uvicorn/protocols/http/h11_impl.py", LK_MARK_REQUEST },
    { "run_asgi", "uvicorn/protocols/http/httptools_impl.py", LK_MARK_REQUEST },
    { "_handle_request", "aiohttp/web_protocol.py", LK_MARK_REQUEST },
    { "_handle", "hypercorn/asyncio/task_group.py", LK_MARK_REQUEST },
    { "execute", "tornado/web.py", LK_MARK_REQUEST },
    { "_execute", "tornado/web.py", LK_MARK_REQUEST },
    /* applications, for servers that leave no Python frame (uWSGI, mod_wsgi) */
    { "wsgi_app", "flask/app.py", LK_MARK_REQUEST },
    { "full_dispatch_request", "flask/app.py", LK_MARK_REQUEST },
    { "full_dispatch_request", "quart/app.py", LK_MARK_REQUEST },
    { "__call__", "django/core/handlers/wsgi.py", LK_MARK_REQUEST },
    { "get_response", "django/core/handlers/base.py", LK_MARK_REQUEST },
    { "_get_response", "django/core/handlers/base.py", LK_MARK_REQUEST },
    { "wsgi", "bottle.py", LK_MARK_REQUEST },
    { "invoke_request", "pyramid/router.py", LK_MARK_REQUEST },
    { "__call__", "falcon/app.py", LK_MARK_REQUEST },
};

bool lk_path_ends_with(const char *path, const char *suffix)
{
    size_t n = strlen(path), m = strlen(suffix);
    return n >= m && memcmp(path + n - m, suffix, m) == 0 && (n == m || path[n - m - 1] == '/');
}

unsigned lk_pattern_marks(const struct lk_code *c)
{
    unsigned marks = 0;
    for (size_t i = 0; i < LK_ARRAY_LEN(patterns); i++) {
        const struct lk_pattern *p = &patterns[i];
        bool named = !p->function || strcmp(p->function, c->function) == 0 || strcmp(p->function, c->qualname) == 0;
        if (named && lk_path_ends_with(c->file, p->file))
            marks |= p->marks;
    }
    return marks;
}

bool lk_pattern_is_listening(const char *call)
{
    static const char *const calls[] = { "Server.serve_forever()", "serve_forever()", "loop.sock_accept()", "socket.accept()" };
    for (size_t i = 0; call && i < LK_ARRAY_LEN(calls); i++)
        if (strcmp(call, calls[i]) == 0)
            return true;
    return false;
}

struct name {
    const char *s;
    size_t n;
};

static int compare(const void *key, const void *row)
{
    const struct name *name = key;
    const char *s = *(const char *const *)row;
    for (size_t i = 0; i < name->n; i++) {
        unsigned char a = (unsigned char)name->s[i], b = (unsigned char)s[i];
        if (a >= 'A' && a <= 'Z')
            a += 'a' - 'A';
        if (a != b)
            return a < b ? -1 : 1;
    }
    return s[name->n] ? -1 : 0;
}

bool lk_pattern_is_framework(const char *name, size_t length)
{
    struct name key = { name, length };
    return bsearch(&key, frameworks, LK_ARRAY_LEN(frameworks), sizeof *frameworks, compare) != NULL;
}
