/*
 * Supervisors by names and command lines, with the tables of what is known: servers' masters,
 * reloaders by the variable that they give their child (werkzeug/_reloader.py,
 * django/utils/autoreload.py), programs that only wait. gunicorn's --timeout as gunicorn/config.py
 * and arbiter.py (murder_workers) have it.
 */
#include "read/servers/supervisor.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "read/servers/program.h"
#include "snapshot/snapshot.h"
#include "util/text.h"

enum { MAX_CHILDREN_ASKED = 64, MAX_CHILDREN = 4096 };

/* Programs that start another one and wait for it, by executable or script name. */
static const struct {
    const char *program;
    struct lk_supervisor is;
} waiters[] = {
    { "sh", { LK_SUPERVISOR_SHELL, "shell", NULL } },
    { "bash", { LK_SUPERVISOR_SHELL, "shell", NULL } },
    { "dash", { LK_SUPERVISOR_SHELL, "shell", NULL } },
    { "zsh", { LK_SUPERVISOR_SHELL, "shell", NULL } },
    { "fish", { LK_SUPERVISOR_SHELL, "shell", NULL } },
    { "ksh", { LK_SUPERVISOR_SHELL, "shell", NULL } },
    { "sudo", { LK_SUPERVISOR_PROGRAM, "sudo", NULL } },
    { "su", { LK_SUPERVISOR_PROGRAM, "su", NULL } },
    { "runuser", { LK_SUPERVISOR_PROGRAM, "runuser", NULL } },
    { "doas", { LK_SUPERVISOR_PROGRAM, "doas", NULL } },
    { "timeout", { LK_SUPERVISOR_PROGRAM, "timeout", NULL } },
    { "docker-init", { LK_SUPERVISOR_PROGRAM, "docker-init", NULL } },
    { "tini", { LK_SUPERVISOR_PROGRAM, "tini", NULL } },
    { "dumb-init", { LK_SUPERVISOR_PROGRAM, "dumb-init", NULL } },
    { "catatonit", { LK_SUPERVISOR_PROGRAM, "catatonit", NULL } },
    { "supervisord", { LK_SUPERVISOR_PROGRAM, "supervisord", NULL } },
};
/* Programs whose first process forks workers, which have its command line. */
static const struct {
    const char *program;
    struct lk_supervisor is;
} masters[] = {
    { "gunicorn", { LK_SUPERVISOR_MASTER, "gunicorn master", "gunicorn worker" } },
    { "uwsgi", { LK_SUPERVISOR_MASTER, "uwsgi master", "uwsgi worker" } },
    { "celery", { LK_SUPERVISOR_MASTER, "celery master", "celery worker" } },
    { "rq", { LK_SUPERVISOR_MASTER, "rq worker", "rq work-horse" } },
    { "rqworker", { LK_SUPERVISOR_MASTER, "rq worker", "rq work-horse" } },
};
/* Development servers that start themselves again and tell the child by a variable. */
static const struct {
    const char *variable;
    struct lk_supervisor is;
} reloaders[] = {
    { "WERKZEUG_RUN_MAIN=true",
      { LK_SUPERVISOR_OF_SERVERS, "flask --debug reloader", "flask --debug server" } },
    { "RUN_MAIN=true", { LK_SUPERVISOR_OF_SERVERS, "django reloader", "django server" } },
};
/* Programs that start workers with multiprocessing, of which the workers' command lines tell
 * nothing else. Some serve themselves unless they are told to start several (uvicorn/main.py). */
static const struct {
    const char *program;
    bool serves_itself;
    struct lk_supervisor is;
} spawners[] = {
    { "uvicorn", true, { LK_SUPERVISOR_OF_SERVERS, "uvicorn supervisor", "uvicorn server" } },
    { "fastapi", true, { LK_SUPERVISOR_OF_SERVERS, "uvicorn supervisor", "uvicorn server" } },
    { "hypercorn", false, { LK_SUPERVISOR_MASTER, "hypercorn master", "hypercorn worker" } },
    { "granian", false, { LK_SUPERVISOR_MASTER, "granian master", "granian worker" } },
    { "dramatiq", false, { LK_SUPERVISOR_MASTER, "dramatiq master", "dramatiq worker" } },
    { "taskiq", false, { LK_SUPERVISOR_MASTER, "taskiq master", "taskiq worker" } },
    { "rq", false, { LK_SUPERVISOR_MASTER, "rq worker pool", "rq worker" } },
};
/* A server of another language that forks its workers: it sleeps, alone, above copies of itself. */
static const struct lk_supervisor of_own_kind = { LK_SUPERVISOR_MASTER, "master process",
                                                  "worker process" };
/* ... and programs above copies of themselves that keep sessions and services of all kinds. */
static const char *const session_managers[] = { "systemd", "init", "sshd", "cron", "crond" };

/* ---- supervisors --------------------------------------------------------------------- */

/* sh(1): a script's name, or -c among the options. */
static bool runs_command(const struct lk_procfs_args *args)
{
    for (size_t i = 1; i < args->argc; i++)
        if (args->argv[i][0] != '-' || (args->argv[i][1] != '-' && strchr(args->argv[i], 'c')))
            return true;
    return false;
}

static const struct lk_supervisor *find_waiter(const struct lk_program *p)
{
    static const struct lk_supervisor session = { LK_SUPERVISOR_SESSION, "interactive shell",
                                                  NULL };
    for (size_t i = 0; i < LK_ARRAY_LEN(waiters); i++)
        if (strcmp(p->exe, waiters[i].program) == 0 || strcmp(p->name, waiters[i].program) == 0 ||
            /* one executable with many names: busybox, coreutils */
            (strcmp(p->comm, waiters[i].program) == 0 && !lk_program_is_interpreter(p->exe)))
            return waiters[i].is.kind == LK_SUPERVISOR_SHELL && !runs_command(&p->args)
                       ? &session
                       : &waiters[i].is;
    return NULL;
}

static const struct lk_supervisor *find_master(const struct lk_program *p, pid_t ppid,
                                               const int64_t *children, size_t n)
{
    for (size_t i = 0; i < LK_ARRAY_LEN(masters); i++) {
        if (strcmp(p->name, masters[i].program) != 0)
            continue;
        for (size_t k = 0; k < n; k++)
            if (lk_program_runs(children[k], p->name))
                return lk_program_runs(ppid, p->name) ? NULL : &masters[i].is;
    }
    return NULL;
}

static const struct lk_supervisor *find_reloader(const char *base, const int64_t *children,
                                                 size_t n)
{
    for (size_t i = 0; i < LK_ARRAY_LEN(reloaders); i++) {
        if (lk_program_has_variable(base, reloaders[i].variable))
            continue;
        for (size_t k = 0; k < n; k++) {
            char child[LK_PROCFS_BASE];
            snprintf(child, sizeof(child), "/proc/%lld", (long long)children[k]);
            if (lk_program_has_variable(child, reloaders[i].variable))
                return &reloaders[i].is;
        }
    }
    return NULL;
}

static bool flag_given(const struct lk_procfs_args *args, const char *flag)
{
    for (size_t i = 1; i < args->argc; i++)
        if (strcmp(args->argv[i], flag) == 0)
            return true;
    return false;
}

/* A child that multiprocessing started (Lib/multiprocessing/spawn.py get_command_line), or a fork.
 */
static bool is_spawned(int64_t pid, const char *name)
{
    char base[LK_PROCFS_BASE];
    struct lk_procfs_args args;
    snprintf(base, sizeof(base), "/proc/%lld", (long long)pid);
    if (!lk_procfs_args_read(base, &args))
        return false;
    bool spawned = flag_given(&args, "--multiprocessing-fork");
    lk_procfs_args_deinit(&args);
    return spawned || lk_program_runs(pid, name);
}

static bool starts_several(const struct lk_procfs_args *args)
{
    const char *workers = lk_program_option(args, "--workers", NULL);
    return flag_given(args, "--reload") || (workers && atoi(workers) > 1);
}

static const struct lk_supervisor *find_spawner(const struct lk_program *p, const int64_t *children,
                                                size_t n)
{
    for (size_t i = 0; i < LK_ARRAY_LEN(spawners); i++) {
        if (strcmp(p->name, spawners[i].program) != 0 ||
            (spawners[i].serves_itself && !starts_several(&p->args)))
            continue;
        for (size_t k = 0; k < n; k++)
            if (is_spawned(children[k], p->name))
                return &spawners[i].is;
    }
    return NULL;
}

static bool same_program(const char *exe, int64_t pid)
{
    char other[PATH_MAX];
    return lk_procfs_link(other, sizeof(other), "/proc/%lld/exe", (long long)pid) > 0 &&
           strcmp(exe, other) == 0;
}

static const struct lk_supervisor *find_own_kind(const char *base, const struct lk_program *p,
                                                 const int64_t *children, size_t n)
{
    char exe[PATH_MAX];
    struct lk_procfs_stat st;
    if (lk_program_is_interpreter(p->exe) || !lk_procfs_stat_read(&st, "%s/stat", base) ||
        st.state != 'S' || st.threads != 1 || lk_procfs_link(exe, sizeof(exe), "%s/exe", base) <= 0)
        return NULL;
    for (size_t i = 0; i < LK_ARRAY_LEN(session_managers); i++)
        if (strcmp(p->exe, session_managers[i]) == 0)
            return NULL;
    for (size_t k = 0; k < n; k++)
        if (!same_program(exe, children[k]))
            return NULL;
    return &of_own_kind;
}

static const struct lk_supervisor *find_supervisor(const char *base, pid_t ppid,
                                                   const int64_t *children, size_t n)
{
    if (n == 0)
        return NULL;
    n = LK_MIN(n, (size_t)MAX_CHILDREN_ASKED);
    struct lk_program p;
    lk_program_read(base, &p);
    const struct lk_supervisor *found = find_waiter(&p);
    if (!found)
        found = find_master(&p, ppid, children, n);
    if (!found)
        found = find_spawner(&p, children, n);
    if (!found && lk_program_is_interpreter(p.exe))
        found = find_reloader(base, children, n);
    if (!found)
        found = find_own_kind(base, &p, children, n);
    lk_program_deinit(&p);
    return found;
}

/* ---- gunicorn's timeout -------------------------------------------------------------- */

/* gunicorn also takes settings from a file and from a variable, neither of which we interpret. */
static bool configured_elsewhere(const char *base, const struct lk_procfs_args *args)
{
    char path[LK_PROCFS_PATH];
    snprintf(path, sizeof(path), "%s/cwd/gunicorn.conf.py", base);
    return lk_program_option(args, "--config", "-c") || access(path, F_OK) == 0 ||
           lk_program_has_variable(base, "GUNICORN_CMD_ARGS=");
}

int64_t lk_supervisor_timeout(const char *base, pid_t ppid)
{
    enum { DEFAULT_SECONDS = 30, MAX_SECONDS = 1000000 };
    struct lk_program p;
    int64_t ret = LK_UNKNOWN;
    lk_program_read(base, &p);
    bool worker = strcmp(p.name, "gunicorn") == 0 && lk_program_runs(ppid, "gunicorn");
    /* hides the options */
    bool title = p.args.argc > 0 && strncmp(p.args.argv[0], "gunicorn: ", 10) == 0;
    if (worker && !title) {
        const char *class = lk_program_option(&p.args, "--worker-class", "-k"),
                   *threads = lk_program_option(&p.args, "--threads", NULL);
        const char *timeout = lk_program_option(&p.args, "--timeout", "-t");
        bool elsewhere = configured_elsewhere(base, &p.args);
        /* With threads, sync becomes gthread, whose main thread reports in whatever its requests
         * do. */
        bool sync = class ? strcmp(class, "sync") == 0 : !elsewhere;
        sync = sync && (threads ? atoi(threads) <= 1 : !elsewhere);
        int64_t seconds = timeout ? atoi(timeout) : elsewhere ? 0 : DEFAULT_SECONDS;
        if (sync && seconds > 0 && seconds <= MAX_SECONDS) /* 0: never */
            ret = seconds * 1000;
    }
    lk_program_deinit(&p);
    return ret;
}

struct children {
    int64_t *v;
    size_t n, cap;
};

static bool add_child(int64_t pid, void *arg)
{
    struct children *c = arg;
    lk_vec_add(c, pid);
    return c->n < MAX_CHILDREN;
}

const struct lk_supervisor *lk_supervisor_of(pid_t pid)
{
    char base[LK_PROCFS_BASE];
    struct lk_procfs_stat st;
    struct children c = { 0 };
    if (!lk_procfs_base(pid, base) || !lk_procfs_stat_read(&st, "%s/stat", base))
        return NULL;
    lk_procfs_children(pid, add_child, &c);
    const struct lk_supervisor *found = find_supervisor(base, st.ppid, c.v, c.n);
    lk_free(c.v);
    return found;
}

void lk_supervisor_read(struct lk_snapshot *s)
{
    char base[LK_PROCFS_BASE];
    if (!lk_procfs_base((pid_t)s->pid, base))
        return;
    s->supervisor = lk_supervisor_of((pid_t)s->pid);
    s->supervisor_timeout_ms = lk_supervisor_timeout(base, (pid_t)s->ppid);
}
