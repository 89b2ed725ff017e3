/*
 * Databases and brokers: what each is asked, and what keeps its clients from waiting for ever.
 * Facts: PostgreSQL's pg_stat_activity, pg_blocking_pids() and client connection defaults
 * (monitoring.sgml, func.sgml, config.sgml); MySQL's and MariaDB's information_schema.processlist;
 * Redis' CLIENT LIST; MongoDB's currentOp.
 */
#include "diagnose/catalog/services.h"

#include <stdlib.h>
#include <string.h>

#include "util/text.h"

static const struct lk_service services[] = {
    { .name = "PostgreSQL",
      .port = 5432,
      .packages = { "asyncpg", "psycopg", "psycopg2", "aiopg", "psycopg_c", "psycopg_binary",
                    "pg8000" },
      .modules = { "libpq", "_psycopg" },
      .ask = "select pid, client_port, state, wait_event_type, pg_blocking_pids(pid), query from "
             "pg_stat_activity where client_port in (",
      .port_between = ", ",
      .ask_port = ")",
      .frees = "pg_cancel_backend(pid) ends a query, pg_terminate_backend(pid) a connection with "
               "the locks that it keeps",
      .timeouts = "Let no query wait for ever: statement_timeout and lock_timeout, and "
                  "idle_in_transaction_session_timeout against who keeps a transaction open (alter "
                  "role ... set, or of the connection); at the client asyncpg's command_timeout or "
                  "timeout=, asyncio.timeout, connect_timeout. Do what belongs together by one "
                  "connection in one transaction, and keep none open across other waits." },
    { .name = "MySQL",
      .port = 3306,
      .packages = { "pymysql", "MySQLdb", "aiomysql", "asyncmy", "mysql/connector", "mariadb" },
      .modules = { "libmysqlclient", "libmariadb", "_mysql" },
      .ask = "select id, host, state, time, info from information_schema.processlist where ",
      .port_before = "host like '%:",
      .port_between = "' or ",
      .ask_port = "'",
      .frees = "kill query ID ends a query, kill ID a connection with the locks that it keeps",
      .timeouts = "Let no query wait for ever: innodb_lock_wait_timeout, lock_wait_timeout and "
                  "max_execution_time at the server, read_timeout and connect_timeout at the "
                  "client. Do what belongs together by one connection in one transaction, and keep "
                  "none open across other waits." },
    { .name = "Redis",
      .port = 6379,
      .packages = { "redis", "aioredis", "valkey", "coredis" },
      .ask = "redis-cli client list | grep -E ':(",
      .port_between = "|",
      .ask_port = ") '",
      .frees = "redis-cli client kill id ID ends a connection",
      .timeouts = "Give the client socket_timeout and socket_connect_timeout, and a blocking "
                  "command (blpop, xread, wait) a timeout of its own." },
    { .name = "MongoDB",
      .port = 27017,
      .packages = { "pymongo", "motor" },
      .ask = "db.currentOp({client: /:(",
      .port_between = "|",
      .ask_port = ")$/})",
      .frees = "db.killOp(opid) ends an operation",
      .timeouts = "Give the client timeoutMS, or socketTimeoutMS, connectTimeoutMS and "
                  "serverSelectionTimeoutMS, and an operation maxTimeMS." },
};

/* A folder of the path. */
static bool is_of(const char *path, const char *package)
{
    size_t n = strlen(package);
    for (const char *p = path; (p = strstr(p, package)); p++)
        if (p > path && p[-1] == '/' && p[n] == '/')
            return true;
    return false;
}

static const struct lk_service *by_file(const char *path)
{
    for (size_t i = 0; path && i < LK_ARRAY_LEN(services); i++)
        for (size_t k = 0; k < LK_ARRAY_LEN(services[i].packages) && services[i].packages[k]; k++)
            if (is_of(path, services[i].packages[k]))
                return &services[i];
    return NULL;
}

static const struct lk_service *by_module(const char *module)
{
    for (size_t i = 0; module && i < LK_ARRAY_LEN(services); i++)
        for (size_t k = 0; k < LK_ARRAY_LEN(services[i].modules) && services[i].modules[k]; k++)
            if (lk_starts_with(module, services[i].modules[k]))
                return &services[i];
    return NULL;
}

static const struct lk_service *by_port(const char *peer)
{
    const char *colon = peer ? strrchr(peer, ':') : NULL;
    for (size_t i = 0; colon && i < LK_ARRAY_LEN(services); i++)
        if (atoi(colon + 1) == services[i].port)
            return &services[i];
    return NULL;
}

const struct lk_service *lk_service_of(const struct lk_pystack *stack,
                                       const struct lk_natstack *native, const char *peer)
{
    const struct lk_service *s = NULL;
    for (uint32_t i = 0; stack && i < stack->n && !s; i++) {
        const struct lk_code *c = stack->frames[i].code;
        if (c && c->cls == LK_CODE_USER && !c->site)
            break; /* who asks; what is further out is not what is asked */
        s = c ? by_file(c->file) : NULL;
    }
    for (uint32_t i = 0; native && i < native->n && !s; i++)
        s = by_module(native->frames[i].module);
    return s ? s : by_port(peer);
}

const char *lk_service_question(struct lk_arena *a, const struct lk_service *s,
                                const unsigned *ports, size_t n)
{
    const char *text = s->ask, *before = s->port_before ? s->port_before : "";
    for (size_t i = 0; i < n; i++)
        text = lk_arena_printf(a, "%s%s%s%u", text, i ? s->port_between : "", before, ports[i]);
    return lk_arena_printf(a, "%s%s", text, s->ask_port);
}
