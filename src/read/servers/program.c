/* Programs by their executable, their name and their command line, as python(1) reads one. */
#include "read/servers/program.h"

#include <stdlib.h>
#include <string.h>

#include "util/arena.h"
#include "util/text.h"

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
static void script_name(const struct lk_program_facts *args, char ret[64])
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

void lk_program_read(const struct lk_machine *m, int64_t pid, struct lk_arena *a,
                     struct lk_program *ret)
{
    memset(ret, 0, sizeof(*ret));
    lk_machine_program(m, pid, a, &ret->args);
    if (ret->args.exe)
        set_name(ret->exe, lk_base_name(ret->args.exe), strcspn(lk_base_name(ret->args.exe), " "));
    if (ret->args.comm)
        set_name(ret->comm, ret->args.comm, strlen(ret->args.comm));
    if (ret->args.argc == 0)
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

bool lk_program_runs(const struct lk_machine *m, int64_t pid, const char *name)
{
    struct lk_arena *a = lk_arena_create();
    struct lk_program p;
    lk_program_read(m, pid, a, &p);
    bool same = strcmp(p.name, name) == 0;
    lk_arena_destroy(a);
    return same;
}

const char *lk_program_option(const struct lk_program_facts *args, const char *longer,
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
