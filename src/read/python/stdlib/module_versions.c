/*
 * PEP 396: a module's version is its __version__, a string. Some are of a submodule (gevent), or
 * gone in newer versions, which is no loss: they are for who reads the report.
 */
#include "read/python/stdlib/module_versions.h"

#include <string.h>

#include "read/python/interpreter/container.h"
#include "read/python/interpreter/interpreter.h"
#include "read/python/interpreter/scalar.h"

static const char *const modules[] = {
    "aiohttp",  "aiokafka", "aiomysql",  "aiopg",      "anyio",     "asgiref",    "asyncpg",
    "bottle",   "celery",   "curio",     "daphne",     "django",    "eventlet",   "falcon",
    "fastapi",  "flask",    "gevent",    "granian",    "greenlet",  "grpc",       "gunicorn",
    "httpcore", "httpx",    "hypercorn", "kombu",      "litestar",  "motor",      "pika",
    "psycopg",  "psycopg2", "pymongo",   "pymysql",    "pytest",    "quart",      "redis",
    "requests", "rq",       "sanic",     "sqlalchemy", "starlette", "tornado",    "trio",
    "twisted",  "urllib3",  "uvicorn",   "uvloop",     "waitress",  "websockets", "werkzeug",
    "xdist",    "zmq",
};

enum { LONGEST = 40 };

/* Such as "3.0.0rc1", "0.30.1.post1+local". */
static bool is_version(const char *s)
{
    static const char chars[] =
        "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.+-_!";
    return *s >= '0' && *s <= '9' && strlen(s) <= LONGEST && !s[strspn(s, chars)];
}

void lk_py_read_module_versions(struct lk_py *py, struct lk_snapshot *s)
{
    if (!py->readable || py->s != s || !py->frames_complete)
        return;
    struct lk_python *to = &s->python;
    to->modules = lk_arena_array(s->arena, LK_ARRAY_LEN(modules), sizeof *to->modules);
    for (size_t i = 0; i < LK_ARRAY_LEN(modules); i++) {
        const lk_addr value = lk_py_module_attr(py, modules[i], "__version__");
        char text[LONGEST + 1];
        if (value && lk_py_str_raw(py, value, text, sizeof text) && is_version(text))
            to->modules[to->n_modules++] =
                (struct lk_module_version){ modules[i], lk_arena_strdup(s->arena, text) };
    }
}
