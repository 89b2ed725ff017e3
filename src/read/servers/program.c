/*
 * Programs by /proc/PID/exe, comm and cmdline, as python(1) reads a command line; the environment
 * is looked at for one variable and dropped.
 */
#include "read/servers/program.h"

#include <stdlib.h>
#include <string.h>

#include "util/text.h"

#define MAX_ENVIRON (512u * 1024)

bool lk_program_is_interpreter(const char *path)
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
    if (lk_program_is_interpreter(first))
        script_name(&ret->args, ret->name);
    else
        set_name(ret->name, lk_base_name(first), strlen(lk_base_name(first)));
}

void lk_program_deinit(struct lk_program *p)
{
    lk_procfs_args_deinit(&p->args);
}

bool lk_program_runs(int64_t pid, const char *name)
{
    char base[LK_PROCFS_BASE];
    struct lk_program p;
    snprintf(base, sizeof(base), "/proc/%lld", (long long)pid);
    lk_program_read(base, &p);
    bool same = strcmp(p.name, name) == 0;
    lk_program_deinit(&p);
    return same;
}

bool lk_program_has_variable(const char *base, const char *variable)
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

const char *lk_program_option(const struct lk_procfs_args *args, const char *longer,
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
