#include "diagnose/catalog/frames.h"

#include <stdlib.h>
#include <string.h>

#include "util/text.h"

/* Sorted, lower case. Servers and frameworks call the user's code; the others are called by it.
 * Neither is the user's. */
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
    { "run_forever", "asyncio/base_events.py", LK_MARK_DRIVES | LK_MARK_FOREVER, NULL },
    { "run_until_complete", "asyncio/base_events.py", LK_MARK_DRIVES | LK_MARK_UNTIL, NULL },
    { "_run_once", "asyncio/base_events.py", LK_MARK_DRIVES, NULL },
    { "run", "asyncio/runners.py", LK_MARK_DRIVES | LK_MARK_UNTIL, NULL },
    /* uvloop's own methods are compiled and leave no frame; its helper does */
    { "run", "uvloop/__init__.py", LK_MARK_DRIVES | LK_MARK_UNTIL, NULL },
    { "run_forever", "uvloop/loop.pyx", LK_MARK_DRIVES | LK_MARK_FOREVER, NULL },
    { "run_until_complete", "uvloop/loop.pyx", LK_MARK_DRIVES | LK_MARK_UNTIL, NULL },
    /* declared nesters */
    { "run_until_complete", "nest_asyncio.py", LK_MARK_DRIVES | LK_MARK_UNTIL | LK_MARK_NESTER,
      NULL },
    { "run_forever", "nest_asyncio.py", LK_MARK_DRIVES | LK_MARK_FOREVER | LK_MARK_NESTER, NULL },
    { "_run_once", "nest_asyncio.py", LK_MARK_DRIVES | LK_MARK_NESTER, NULL },
    { "run", "nest_asyncio.py", LK_MARK_DRIVES | LK_MARK_UNTIL | LK_MARK_NESTER, NULL },
    { NULL, "greenletio/patcher.py", LK_MARK_NESTER, NULL },
    { NULL, "qasync/__init__.py", LK_MARK_NESTER, NULL },
    { NULL, "quamash/__init__.py", LK_MARK_NESTER, NULL },
    { NULL, "asyncio_gevent/event_loop.py", LK_MARK_NESTER, NULL },
    /* prompts (Lib/pdb.py, code.py) and other debuggers */
    { "interaction", "pdb.py", LK_MARK_DEBUGGER, NULL },
    { "interact", "code.py", LK_MARK_DEBUGGER, NULL },
    { "interaction", "pudb/debugger.py", LK_MARK_DEBUGGER, NULL },
    { "interact", "IPython/terminal/interactiveshell.py", LK_MARK_DEBUGGER, NULL },
    { "do_wait_suspend", "pydevd.py", LK_MARK_DEBUGGER, NULL },
    { "_do_wait_suspend", "pydevd.py", LK_MARK_DEBUGGER, NULL },
    /* executors */
    { "_worker", "concurrent/futures/thread.py", LK_MARK_POOL, NULL },
    { "WorkerThread.run", "anyio/_backends/_asyncio.py", LK_MARK_POOL, NULL },
    /* servers: a worker thread, idle on a kept connection or not */
    { "process_request_thread", "socketserver.py", LK_MARK_WORKER, NULL },
    { "handle_one_request", "werkzeug/serving.py", LK_MARK_WORKER, NULL },
    { "handle", "gunicorn/workers/gthread.py", LK_MARK_WORKER, NULL },
    { "handle", "gunicorn/workers/sync.py", LK_MARK_WORKER, NULL },
    { "handle", "gunicorn/workers/base_async.py", LK_MARK_WORKER, NULL },
    { "handler_thread", "waitress/task.py", LK_MARK_WORKER, NULL },
    { "run", "cheroot/workers/threadpool.py", LK_MARK_WORKER, NULL },
    /* servers: a request under way (the request's line was read, the application was called) */
    { "run_wsgi", "werkzeug/serving.py", LK_MARK_REQUEST, NULL },
    { "handle_request", "gunicorn/workers/gthread.py", LK_MARK_REQUEST, NULL },
    { "handle_request", "gunicorn/workers/sync.py", LK_MARK_REQUEST, NULL },
    { "handle_request", "gunicorn/workers/base_async.py", LK_MARK_REQUEST, NULL },
    { "handle_request", "gunicorn/workers/ggevent.py", LK_MARK_REQUEST, NULL },
    { "execute", "waitress/task.py", LK_MARK_REQUEST, NULL },
    { "respond", "cheroot/wsgi.py", LK_MARK_REQUEST, NULL },
    { "respond", "cheroot/server.py", LK_MARK_REQUEST, NULL },
    { "run", "wsgiref/handlers.py", LK_MARK_REQUEST, NULL },
    { "run_wsgi_app", "asgiref/wsgi.py", LK_MARK_REQUEST, NULL },
    { "wsgi", "uvicorn/middleware/wsgi.py", LK_MARK_REQUEST, NULL },
    { "run_wsgi_app", "hypercorn/app_wrappers.py", LK_MARK_REQUEST, NULL },
    { "handle_one_response", "gevent/pywsgi.py", LK_MARK_REQUEST, NULL },
    { "handle_one_response", "eventlet/wsgi.py", LK_MARK_REQUEST, NULL },
    { "run_asgi", "uvicorn/protocols/http/h11_impl.py", LK_MARK_REQUEST, NULL },
    { "run_asgi", "uvicorn/protocols/http/httptools_impl.py", LK_MARK_REQUEST, NULL },
    { "_handle_request", "aiohttp/web_protocol.py", LK_MARK_REQUEST, NULL },
    { "_handle", "hypercorn/asyncio/task_group.py", LK_MARK_REQUEST, NULL },
    { "execute", "tornado/web.py", LK_MARK_REQUEST, NULL },
    { "_execute", "tornado/web.py", LK_MARK_REQUEST, NULL },
    /* applications, for servers that leave no Python frame (uWSGI, mod_wsgi) */
    { "wsgi_app", "flask/app.py", LK_MARK_REQUEST, NULL },
    { "full_dispatch_request", "flask/app.py", LK_MARK_REQUEST, NULL },
    { "full_dispatch_request", "quart/app.py", LK_MARK_REQUEST, NULL },
    { "__call__", "django/core/handlers/wsgi.py", LK_MARK_REQUEST, NULL },
    { "get_response", "django/core/handlers/base.py", LK_MARK_REQUEST, NULL },
    { "_get_response", "django/core/handlers/base.py", LK_MARK_REQUEST, NULL },
    { "wsgi", "bottle.py", LK_MARK_REQUEST, NULL },
    { "invoke_request", "pyramid/router.py", LK_MARK_REQUEST, NULL },
    { "__call__", "falcon/app.py", LK_MARK_REQUEST, NULL },
    /* consumers: the next message may come at any time, or never */
    { "start_consuming", "pika/adapters/blocking_connection.py", LK_MARK_CONSUMER, NULL },
    { "poll", "kafka/consumer/group.py", LK_MARK_CONSUMER, NULL },
    { "__next__", "kafka/consumer/group.py", LK_MARK_CONSUMER, NULL },
    { "PubSub.listen", "redis/client.py", LK_MARK_CONSUMER, NULL },
    { "PubSub.listen", "redis/asyncio/client.py", LK_MARK_CONSUMER, NULL },
    { "drain_events", "kombu/connection.py", LK_MARK_CONSUMER, NULL },
    { "receive", "simple_websocket/ws.py", LK_MARK_CONSUMER, NULL },
    { "recv", "websockets/sync/connection.py", LK_MARK_CONSUMER, NULL },
    { "WebSocketResponse.receive", "aiohttp/web_ws.py", LK_MARK_CONSUMER, NULL },
    { "ClientWebSocketResponse.receive", "aiohttp/client_ws.py", LK_MARK_CONSUMER, NULL },
    /* blocking calls: what the user's code called, where the wait itself is further in */
    { "request", "requests/api.py", LK_MARK_BLOCKING, "requests.request()" },
    { "Session.request", "requests/sessions.py", LK_MARK_BLOCKING, "requests.Session.request()" },
    { "urlopen", "urllib/request.py", LK_MARK_BLOCKING, "urllib.request.urlopen()" },
    { "urlopen", "urllib3/connectionpool.py", LK_MARK_BLOCKING,
      "urllib3.HTTPConnectionPool.urlopen()" },
    { "Client.send", "httpx/_client.py", LK_MARK_BLOCKING, "httpx.Client.send()" },
    { "request", "httplib2/__init__.py", LK_MARK_BLOCKING, "httplib2.Http.request()" },
    { "request", "http/client.py", LK_MARK_BLOCKING, "http.client.HTTPConnection.request()" },
    { "getresponse", "http/client.py", LK_MARK_BLOCKING,
      "http.client.HTTPConnection.getresponse()" },
    { "connect", "ftplib.py", LK_MARK_BLOCKING, "ftplib.FTP.connect()" },
    { "getresp", "ftplib.py", LK_MARK_BLOCKING, "an FTP command" },
    { "getreply", "smtplib.py", LK_MARK_BLOCKING, "an SMTP command" },
    { "_get_response", "imaplib.py", LK_MARK_BLOCKING, "an IMAP command" },
    { "getaddrinfo", "socket.py", LK_MARK_BLOCKING, "socket.getaddrinfo()" },
    { "create_connection", "socket.py", LK_MARK_BLOCKING, "socket.create_connection()" },
    { "Redis.execute_command", "redis/client.py", LK_MARK_BLOCKING,
      "redis.Redis.execute_command()" },
    { "Cursor.execute", "psycopg/cursor.py", LK_MARK_BLOCKING, "psycopg.Cursor.execute()" },
    { "Connection.connect", "psycopg/connection.py", LK_MARK_BLOCKING, "psycopg.connect()" },
    { "Cursor.execute", "pymysql/cursors.py", LK_MARK_BLOCKING, "pymysql.Cursor.execute()" },
    { "Connection.connect", "pymysql/connections.py", LK_MARK_BLOCKING, "pymysql.connect()" },
    { "execute", "MySQLdb/cursors.py", LK_MARK_BLOCKING, "MySQLdb.Cursor.execute()" },
    { "execute", "mysql/connector/cursor.py", LK_MARK_BLOCKING,
      "mysql.connector Cursor.execute()" },
    { "Connection.execute", "sqlalchemy/engine/base.py", LK_MARK_BLOCKING,
      "sqlalchemy Connection.execute()" },
    { "Session.execute", "sqlalchemy/orm/session.py", LK_MARK_BLOCKING,
      "sqlalchemy Session.execute()" },
    { "_api_call", "botocore/client.py", LK_MARK_BLOCKING, "a boto client's call" },
    { "run", "subprocess.py", LK_MARK_BLOCKING, "subprocess.run()" },
    { "call", "subprocess.py", LK_MARK_BLOCKING, "subprocess.call()" },
    { "check_output", "subprocess.py", LK_MARK_BLOCKING, "subprocess.check_output()" },
};

/* What drivers and the C library export: the call that a wait further in belongs to. */
static const struct lk_call_pattern natives[] = {
    /* libpq-fe.h; psycopg2 and psycopg's C and ctypes parts call these */
    { "PQexec*", "libpq", NULL },
    { "PQgetResult", "libpq", NULL },
    { "PQconnect*", "libpq", NULL },
    { "PQprepare", "libpq", NULL },
    /* sqlite3.h: busy handlers and locks of the file */
    { "sqlite3_step", NULL, NULL },
    { "sqlite3_prepare*", NULL, NULL }, /* reads the schema */
    { "sqlite3_exec", NULL, NULL },
    { "sqlite3_close*", NULL, NULL },
    /* mysql.h, of MySQL and MariaDB */
    { "mysql_real_query", NULL, NULL },
    { "mysql_query", NULL, NULL },
    { "mysql_real_connect", NULL, NULL },
    { "mysql_store_result", NULL, NULL },
    { "mysql_ping", NULL, NULL },
    /* ODBC, Oracle */
    { "SQLExec*", "libodbc", NULL },
    { "SQLDriverConnect*", "libodbc", NULL },
    { "OCIStmtExecute", NULL, NULL },
    { "OCIServerAttach", NULL, NULL },
    /* libcurl, OpenSSL, the resolver */
    { "curl_easy_perform", NULL, NULL },
    { "SSL_read*", "libssl", NULL },
    { "SSL_write*", "libssl", NULL },
    { "SSL_do_handshake", "libssl", NULL },
    { "getaddrinfo", "libc", NULL },
    { "gethostbyname*", "libc", NULL },
    { "gethostbyaddr*", "libc", NULL },
    { "getnameinfo", "libc", NULL },
    { "fsync", "libc", NULL },
    { "fdatasync", "libc", NULL },
    { "flock", "libc", NULL },
};

bool lk_path_ends_with(const char *path, const char *suffix)
{
    size_t n = strlen(path), m = strlen(suffix);
    return n >= m && memcmp(path + n - m, suffix, m) == 0 && (n == m || path[n - m - 1] == '/');
}

/* The name as given, or its last part where the target has no more. */
static bool is_named(const struct lk_pattern *p, const struct lk_code *c, bool qualnames)
{
    if (!p->function || strcmp(p->function, c->function) == 0 ||
        strcmp(p->function, c->qualname) == 0)
        return true;
    const char *dot = qualnames ? NULL : strrchr(p->function, '.');
    return dot && strcmp(dot + 1, c->function) == 0;
}

static void mark_by(const struct lk_pattern *rows, size_t n, struct lk_code *c, bool qualnames)
{
    for (size_t i = 0; i < n; i++) {
        const struct lk_pattern *p = &rows[i];
        if (!is_named(p, c, qualnames) || !lk_path_ends_with(c->file, p->file))
            continue;
        c->marks |= p->marks;
        if (p->call)
            c->call = p->call;
    }
}

void lk_pattern_mark(const struct lk_patterns *user, struct lk_code *c, bool qualnames)
{
    c->marks = 0;
    c->call = NULL;
    mark_by(patterns, LK_ARRAY_LEN(patterns), c, qualnames);
    if (user)
        mark_by(user->functions.v, user->functions.n, c, qualnames);
}

/* The pattern's name, a '*' at its end standing for any rest. */
static bool names_call(const struct lk_call_pattern *p, const char *name)
{
    size_t n = strlen(p->name);
    return n && p->name[n - 1] == '*' ? strncmp(p->name, name, n - 1) == 0
                                      : strcmp(p->name, name) == 0;
}

static const struct lk_call_pattern *find_call(const struct lk_call_pattern *rows, size_t n,
                                               const char *name, const char *module)
{
    for (size_t i = 0; name && i < n; i++)
        if (names_call(&rows[i], name) &&
            (!rows[i].module || (module && lk_starts_with(module, rows[i].module))))
            return &rows[i];
    return NULL;
}

const struct lk_call_pattern *lk_pattern_native(const struct lk_patterns *user,
                                                const struct lk_natframe *f, bool *by_user)
{
    const struct lk_call_pattern *p =
        user ? find_call(user->natives.v, user->natives.n, f->function, f->module) : NULL;
    if (by_user)
        *by_user = p != NULL;
    return p ? p : find_call(natives, LK_ARRAY_LEN(natives), f->function, f->module);
}

const struct lk_call_pattern *lk_pattern_callee(const struct lk_patterns *user, const char *callee)
{
    if (!user)
        return NULL;
    return strchr(callee, ':') ? find_call(user->builtins.v, user->builtins.n, callee, NULL)
                               : find_call(user->natives.v, user->natives.n, callee, "");
}

const struct lk_call_pattern *lk_pattern_syscall(const struct lk_patterns *user, const char *name)
{
    return user ? find_call(user->syscalls.v, user->syscalls.n, name, NULL) : NULL;
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

/* A folder of the path, or the module's file, is the package; a dotted name is a run of folders. */
static bool is_below_package(const char *path, const char *package)
{
    size_t n = strlen(package);
    for (const char *p = path; (p = strstr(p, package)); p++) {
        bool begins = p == path || p[-1] == '/';
        if (begins && (p[n] == '/' || strcmp(p + n, ".py") == 0 || strcmp(p + n, ".pyx") == 0))
            return true;
    }
    return false;
}

bool lk_pattern_is_users_framework(const struct lk_patterns *user, const char *path)
{
    for (size_t i = 0; user && i < user->packages.n; i++)
        if (is_below_package(path, user->packages.v[i]))
            return true;
    return false;
}
