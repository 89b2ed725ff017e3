/*
 * Supervisors by names and command lines, with the tables of what is known: servers' masters,
 * reloaders by the variable that they give their child (werkzeug/_reloader.py,
 * django/utils/autoreload.py), programs that only wait. gunicorn's --timeout as gunicorn/config.py
 * and arbiter.py (murder_workers) have it.
 */
#include "read/servers/supervisor.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "snapshot/snapshot.h"
#include "util/text.h"

#define MAX_CHILDREN_ASKED 64
#define MAX_ENVIRON        (512u * 1024)

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
/* Servers whose first process forks workers that run the same program. */
static const struct {
    const char *program;
    struct lk_supervisor is;
} masters[] = {
    { "gunicorn", { LK_SUPERVISOR_MASTER, "gunicorn master", "gunicorn worker" } },
    { "uwsgi", { LK_SUPERVISOR_MASTER, "uwsgi master", "uwsgi worker" } },
    { "celery", { LK_SUPERVISOR_MASTER, "celery master", "celery worker" } },
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
static const struct lk_supervisor of_uvicorn = { LK_SUPERVISOR_OF_SERVERS, "uvicorn supervisor",
                                                 "uvicorn server" };

/* ---- programs ------------------------------------------------------------------------ */

static bool is_interpreter(const char *path)
{
    const char *name = lk_base_name(path);
    return strncmp(name, "python", 6) == 0 || strncmp(name, "pypy", 4) == 0;
}

static void set_name(char ret[64], const char *name, size_t n)
{
    n = LK_MIN(n, (size_t)63);
    memcpy(ret, name, n);
    ret[n] = '\0';
}

/* python [options] script | -m module | -c code; see python(1). A module counts by its first part.
 */
static void script_name(const struct lk_procfs_args *args, char ret[64])
{
    for (size_t i = 1; i < args->argc; i++) {
        const char *a = args->argv[i];
        if (a[0] != '-') {
            set_name(ret, lk_base_name(a), strlen(lk_base_name(a)));
            return;
        }
        if (a[1] == '-') {
            i += strcmp(a, "--check-hash-based-pycs") == 0;
            continue;
        }
        size_t flag = 1 + strcspn(a + 1, "mcXW");
        const char *value = a[flag] && a[flag + 1]          ? a + flag + 1
                            : a[flag] && i + 1 < args->argc ? args->argv[++i]
                                                            : "";
        if (a[flag] == 'm')
            set_name(ret, value, strcspn(value, "."));
        if (a[flag] == 'm' || a[flag] == 'c')
            return;
    }
}

/* Names that programs give themselves in ps (setproctitle). */
static const struct {
    const char *prefix, *name;
} titles[] = {
    { "gunicorn: ", "gunicorn" }, { "uWSGI", "uwsgi" },     { "uwsgi", "uwsgi" },
    { "[celeryd", "celery" },     { "celeryd:", "celery" },
};

void lk_program_read(const char *base, struct lk_program *ret)
{
    char exe[4096], comm[64];
    memset(ret, 0, sizeof(*ret));
    if (lk_procfs_link(exe, sizeof(exe), "%s/exe", base) > 0)
        set_name(ret->exe, lk_base_name(exe), strcspn(lk_base_name(exe), " "));
    if (lk_procfs_read(comm, sizeof(comm), "%s/comm", base) > 0)
        set_name(ret->comm, comm, strcspn(comm, "\n"));
    if (!lk_procfs_args_read(base, &ret->args) || ret->args.argc == 0)
        return;
    const char *first = ret->args.argv[0];
    for (size_t i = 0; i < LK_ARRAY_LEN(titles); i++)
        if (strncmp(first, titles[i].prefix, strlen(titles[i].prefix)) == 0) {
            set_name(ret->name, titles[i].name, strlen(titles[i].name));
            return;
        }
    if (is_interpreter(first))
        script_name(&ret->args, ret->name);
    else
        set_name(ret->name, lk_base_name(first), strlen(lk_base_name(first)));
}

void lk_program_deinit(struct lk_program *p)
{
    lk_procfs_args_deinit(&p->args);
}

static bool runs(int64_t pid, const char *name)
{
    char base[LK_PROCFS_BASE];
    struct lk_program p;
    snprintf(base, sizeof(base), "/proc/%lld", (long long)pid);
    lk_program_read(base, &p);
    bool same = strcmp(p.name, name) == 0;
    lk_program_deinit(&p);
    return same;
}

static bool has_variable(const char *base, const char *variable)
{
    size_t len;
    char *text = lk_procfs_read_all(MAX_ENVIRON, &len, "%s/environ", base);
    if (!text)
        return false;
    bool found = false;
    size_t n = strlen(variable);
    for (size_t i = 0; i < len && !found; i += strlen(text + i) + 1)
        found =
            strncmp(text + i, variable, n) == 0 && (variable[n - 1] == '=' || text[i + n] == '\0');
    lk_free(text);
    return found;
}

/* The value of an option in any of its forms: "--long V", "--long=V", "-s V", "-sV". NULL when it
 * is not given. */
static const char *option(const struct lk_procfs_args *args, const char *longer,
                          const char *shorter)
{
    const char *found = NULL;
    size_t n = strlen(longer);
    for (size_t i = 1; i < args->argc; i++) {
        const char *a = args->argv[i], *next = i + 1 < args->argc ? args->argv[i + 1] : "";
        if (strcmp(a, longer) == 0 || (shorter && strcmp(a, shorter) == 0))
            found = next;
        else if (strncmp(a, longer, n) == 0 && a[n] == '=')
            found = a + n + 1;
        else if (shorter && a[1] != '-' && strncmp(a, shorter, 2) == 0)
            found = a + 2;
    }
    return found;
}

/* ---- supervisors --------------------------------------------------------------------- */

static const struct lk_supervisor *find_waiter(const struct lk_program *p)
{
    for (size_t i = 0; i < LK_ARRAY_LEN(waiters); i++)
        if (strcmp(p->exe, waiters[i].program) == 0 || strcmp(p->name, waiters[i].program) == 0 ||
            /* one executable with many names: busybox, coreutils */
            (strcmp(p->comm, waiters[i].program) == 0 && !is_interpreter(p->exe)))
            return &waiters[i].is;
    return NULL;
}

static const struct lk_supervisor *find_master(const struct lk_program *p, pid_t ppid,
                                               const int64_t *children, size_t n)
{
    for (size_t i = 0; i < LK_ARRAY_LEN(masters); i++) {
        if (strcmp(p->name, masters[i].program) != 0)
            continue;
        for (size_t k = 0; k < n; k++)
            if (runs(children[k], p->name))
                return runs(ppid, p->name) ? NULL : &masters[i].is;
    }
    return NULL;
}

static const struct lk_supervisor *find_reloader(const char *base, const int64_t *children,
                                                 size_t n)
{
    for (size_t i = 0; i < LK_ARRAY_LEN(reloaders); i++) {
        if (has_variable(base, reloaders[i].variable))
            continue;
        for (size_t k = 0; k < n; k++) {
            char child[LK_PROCFS_BASE];
            snprintf(child, sizeof(child), "/proc/%lld", (long long)children[k]);
            if (has_variable(child, reloaders[i].variable))
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

/* uvicorn with --reload or several workers spawns servers (uvicorn/main.py) and only waits for
 * them. */
static const struct lk_supervisor *find_uvicorn(const struct lk_program *p)
{
    if (strcmp(p->name, "uvicorn") != 0)
        return NULL;
    const char *workers = option(&p->args, "--workers", NULL);
    return flag_given(&p->args, "--reload") || (workers && atoi(workers) > 1) ? &of_uvicorn : NULL;
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
        found = find_uvicorn(&p);
    if (!found && is_interpreter(p.exe))
        found = find_reloader(base, children, n);
    lk_program_deinit(&p);
    return found;
}

/* ---- gunicorn's timeout -------------------------------------------------------------- */

/* gunicorn also takes settings from a file and from a variable, neither of which we interpret. */
static bool configured_elsewhere(const char *base, const struct lk_procfs_args *args)
{
    char path[LK_PROCFS_PATH];
    snprintf(path, sizeof(path), "%s/cwd/gunicorn.conf.py", base);
    return option(args, "--config", "-c") || access(path, F_OK) == 0 ||
           has_variable(base, "GUNICORN_CMD_ARGS=");
}

int64_t lk_supervisor_timeout(const char *base, pid_t ppid)
{
    enum { DEFAULT_SECONDS = 30, MAX_SECONDS = 1000000 };
    struct lk_program p;
    int64_t ret = LK_UNKNOWN;
    lk_program_read(base, &p);
    bool worker = strcmp(p.name, "gunicorn") == 0 && runs(ppid, "gunicorn");
    /* hides the options */
    bool title = p.args.argc > 0 && strncmp(p.args.argv[0], "gunicorn: ", 10) == 0;
    if (worker && !title) {
        const char *class = option(&p.args, "--worker-class", "-k"),
                   *threads = option(&p.args, "--threads", NULL);
        const char *timeout = option(&p.args, "--timeout", "-t");
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

void lk_supervisor_read(struct lk_snapshot *s)
{
    char base[LK_PROCFS_BASE];
    if (!lk_procfs_base((pid_t)s->pid, base))
        return;
    int64_t *pids = lk_xcalloc(s->children.n, sizeof(*pids));
    for (size_t i = 0; i < s->children.n; i++)
        pids[i] = s->children.v[i].pid;
    s->supervisor = find_supervisor(base, (pid_t)s->ppid, pids, s->children.n);
    s->supervisor_timeout_ms = lk_supervisor_timeout(base, (pid_t)s->ppid);
    lk_free(pids);
}
