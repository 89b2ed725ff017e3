/*
 * Supervisors by names and command lines, with the tables of what is known: servers' masters,
 * reloaders by the variable that they give their child (werkzeug/_reloader.py,
 * django/utils/autoreload.py), programs that only wait. gunicorn's --timeout as gunicorn/config.py
 * and arbiter.py (murder_workers) have it.
 */
#include "read/servers/supervisor.h"

#include <stdlib.h>
#include <string.h>

#include "read/servers/program.h"
#include "util/arena.h"
#include "util/text.h"

enum { MAX_CHILDREN_ASKED = 64 };

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
static bool runs_command(const struct lk_program_facts *args)
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

/* A process that may be a supervisor, and its children. */
struct candidate {
    const struct lk_machine *machine;
    int64_t pid;
    struct lk_program program;
    struct lk_pids children;
};

static const struct lk_supervisor *find_master(const struct candidate *c)
{
    const char *name = c->program.name;
    struct lk_stat_facts st;
    for (size_t i = 0; i < LK_ARRAY_LEN(masters); i++) {
        if (strcmp(name, masters[i].program) != 0)
            continue;
        for (size_t k = 0; k < c->children.n; k++)
            if (lk_program_runs(c->machine, c->children.v[k], name))
                return lk_machine_stat(c->machine, c->pid, 0, &st) &&
                               lk_program_runs(c->machine, st.ppid, name)
                           ? NULL
                           : &masters[i].is;
    }
    return NULL;
}

static const struct lk_supervisor *find_reloader(const struct candidate *c)
{
    for (size_t i = 0; i < LK_ARRAY_LEN(reloaders); i++) {
        if (lk_machine_has_variable(c->machine, c->pid, reloaders[i].variable))
            continue;
        for (size_t k = 0; k < c->children.n; k++)
            if (lk_machine_has_variable(c->machine, c->children.v[k], reloaders[i].variable))
                return &reloaders[i].is;
    }
    return NULL;
}

static bool flag_given(const struct lk_program_facts *args, const char *flag)
{
    for (size_t i = 1; i < args->argc; i++)
        if (strcmp(args->argv[i], flag) == 0)
            return true;
    return false;
}

/* A child that multiprocessing started (Lib/multiprocessing/spawn.py get_command_line), or a fork.
 */
static bool is_spawned(const struct candidate *c, int64_t pid)
{
    struct lk_arena *a = lk_arena_create();
    struct lk_program_facts args;
    lk_machine_program(c->machine, pid, a, &args);
    const bool spawned = flag_given(&args, "--multiprocessing-fork");
    lk_arena_destroy(a);
    return spawned || lk_program_runs(c->machine, pid, c->program.name);
}

static bool starts_several(const struct lk_program_facts *args)
{
    const char *workers = lk_program_option(args, "--workers", NULL);
    return flag_given(args, "--reload") || (workers && atoi(workers) > 1);
}

static const struct lk_supervisor *find_spawner(const struct candidate *c)
{
    for (size_t i = 0; i < LK_ARRAY_LEN(spawners); i++) {
        if (strcmp(c->program.name, spawners[i].program) != 0 ||
            (spawners[i].serves_itself && !starts_several(&c->program.args)))
            continue;
        for (size_t k = 0; k < c->children.n; k++)
            if (is_spawned(c, c->children.v[k]))
                return &spawners[i].is;
    }
    return NULL;
}

static bool same_program(const struct candidate *c, int64_t pid)
{
    struct lk_arena *a = lk_arena_create();
    struct lk_program_facts other;
    lk_machine_program(c->machine, pid, a, &other);
    const bool same = other.exe && strcmp(c->program.args.exe, other.exe) == 0;
    lk_arena_destroy(a);
    return same;
}

static const struct lk_supervisor *find_own_kind(const struct candidate *c)
{
    const struct lk_program *p = &c->program;
    struct lk_stat_facts st;
    if (lk_program_is_interpreter(p->exe) || !lk_machine_stat(c->machine, c->pid, 0, &st) ||
        st.state != 'S' || st.threads != 1 || !p->args.exe)
        return NULL;
    for (size_t i = 0; i < LK_ARRAY_LEN(session_managers); i++)
        if (strcmp(p->exe, session_managers[i]) == 0)
            return NULL;
    for (size_t k = 0; k < c->children.n; k++)
        if (!same_program(c, c->children.v[k]))
            return NULL;
    return &of_own_kind;
}

const struct lk_supervisor *lk_supervisor_of(const struct lk_machine *m, int64_t pid)
{
    struct lk_arena *a = lk_arena_create();
    struct candidate c = { .machine = m, .pid = pid };
    const struct lk_supervisor *found = NULL;
    if (!lk_machine_children(m, pid, a, &c.children))
        c.children.n = 0;
    c.children.n = LK_MIN(c.children.n, (size_t)MAX_CHILDREN_ASKED);
    if (c.children.n) {
        lk_program_read(m, pid, a, &c.program);
        found = find_waiter(&c.program);
        if (!found)
            found = find_master(&c);
        if (!found)
            found = find_spawner(&c);
        if (!found && lk_program_is_interpreter(c.program.exe))
            found = find_reloader(&c);
        if (!found)
            found = find_own_kind(&c);
    }
    lk_arena_destroy(a);
    return found;
}

/* ---- gunicorn's timeout -------------------------------------------------------------- */

/* gunicorn also takes settings from a file and from a variable, neither of which we interpret. */
static bool configured_elsewhere(struct lk_process *t, const struct lk_program_facts *args)
{
    return lk_program_option(args, "--config", "-c") ||
           lk_process_has_file(t, "gunicorn.conf.py") ||
           lk_machine_has_variable(lk_process_machine(t), lk_process_pid(t), "GUNICORN_CMD_ARGS=");
}

static int64_t timeout_of(struct lk_process *t, const struct lk_program_facts *args)
{
    enum { DEFAULT_SECONDS = 30, MAX_SECONDS = 1000000 };
    const char *class = lk_program_option(args, "--worker-class", "-k"),
               *threads = lk_program_option(args, "--threads", NULL);
    const char *timeout = lk_program_option(args, "--timeout", "-t");
    bool elsewhere = configured_elsewhere(t, args);
    /* With threads, sync becomes gthread, whose main thread reports in whatever its requests do. */
    bool sync = class ? strcmp(class, "sync") == 0 : !elsewhere;
    sync = sync && (threads ? atoi(threads) <= 1 : !elsewhere);
    int64_t seconds = timeout ? atoi(timeout) : elsewhere ? 0 : DEFAULT_SECONDS;
    return sync && seconds > 0 && seconds <= MAX_SECONDS /* 0: never */
               ? seconds * 1000
               : LK_UNKNOWN;
}

int64_t lk_supervisor_timeout(struct lk_process *t, int64_t ppid)
{
    const struct lk_machine *m = lk_process_machine(t);
    struct lk_arena *a = lk_arena_create();
    struct lk_program p;
    lk_program_read(m, lk_process_pid(t), a, &p);
    const bool worker = strcmp(p.name, "gunicorn") == 0 && lk_program_runs(m, ppid, "gunicorn");
    /* hides the options */
    const bool title = p.args.argc > 0 && strncmp(p.args.argv[0], "gunicorn: ", 10) == 0;
    const int64_t ret = worker && !title ? timeout_of(t, &p.args) : LK_UNKNOWN;
    lk_arena_destroy(a);
    return ret;
}

/* Masters that start another worker for one that has ended, however it did: gunicorn's arbiter.py
 * (reap_workers, manage_workers), uWSGI's master, billiard's pool.py (_maintain_pool), hypercorn's
 * run.py, taskiq's process_manager.py. granian's and dramatiq's do not. */
static const char *respawner(const struct lk_machine *m, int64_t ppid)
{
    static const char *const names[] = { "gunicorn master", "uwsgi master", "celery master",
                                         "hypercorn master", "taskiq master" };
    const struct lk_supervisor *is = ppid > 0 ? lk_supervisor_of(m, ppid) : NULL;
    return is && lk_is_one_of(is->name, names, LK_ARRAY_LEN(names)) ? is->name : NULL;
}

void lk_supervisor_read(struct lk_process *t, struct lk_snapshot *s)
{
    lk_process_extra(t);
    s->respawned_by = respawner(lk_process_machine(t), s->ppid);
    lk_process_extra_end(t);
    s->supervisor = lk_supervisor_of(lk_process_machine(t), s->pid);
    s->supervisor_timeout_ms = lk_supervisor_timeout(t, s->ppid);
}
