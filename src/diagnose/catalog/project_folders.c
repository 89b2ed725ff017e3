/*
 * Which folders hold the project's own code: those that the user named, else where the target runs
 * and what it was told to import from without installing it. A virtual environment may lie in the
 * middle of a project, and a project in the middle of a prefix (/usr/local/app).
 */
#include "diagnose/catalog/project_folders.h"

#include <string.h>

#include "util/text.h"

bool lk_path_is_below(const char *path, const char *folder, size_t n)
{
    while (n > 1 && folder[n - 1] == '/')
        n--;
    return n > 0 && strncmp(path, folder, n) == 0 && (path[n] == '/' || path[n] == '\0');
}

/* "./a/", "a/." and "/srv//" as others would write them; relative to the target's folder. */
static const char *clean(struct lk_snapshot *s, const char *text, size_t len)
{
    char *given = lk_arena_strndup(s->arena, text, len), *p = given;
    while (lk_starts_with(p, "./"))
        p += 2;
    if (p[0] != '/' && s->cwd)
        p = lk_arena_printf(s->arena, "%s/%s", s->cwd, p);
    size_t n = strlen(p);
    if (n > 2 && strcmp(p + n - 2, "/.") == 0)
        p[n -= 2] = '\0';
    while (n > 1 && p[n - 1] == '/')
        p[--n] = '\0';
    return p;
}

/* Adds the folders of a list separated by ':'. */
static void add_list(struct lk_snapshot *s, struct lk_folders *f, const char *list)
{
    size_t most = 1;
    for (const char *p = list; *p; p++)
        most += *p == ':';
    const char **v = lk_arena_alloc(s->arena, (f->n + most) * sizeof *v);
    if (f->n)
        memcpy(v, f->v, f->n * sizeof *v);
    f->v = v;
    for (const char *p = list; *p; p += *p == ':') {
        const size_t n = strcspn(p, ":");
        if (n)
            v[f->n++] = clean(s, p, n);
        p += n;
    }
}

struct lk_folders lk_project_given(struct lk_snapshot *s, const char *given)
{
    struct lk_folders ret = { 0 };
    if (given)
        add_list(s, &ret, given);
    return ret;
}

/* A service that runs in "/" runs nowhere in particular. */
static void drop_root(struct lk_folders *f)
{
    size_t n = 0;
    for (size_t i = 0; i < f->n; i++)
        if (strcmp(f->v[i], "/") != 0)
            f->v[n++] = f->v[i];
    f->n = n;
}

struct lk_folders lk_project_home(struct lk_snapshot *s)
{
    struct lk_folders ret = { 0 };
    if (s->cwd)
        add_list(s, &ret, s->cwd);
    if (s->python.own_folders)
        add_list(s, &ret, s->python.own_folders);
    drop_root(&ret);
    return ret;
}

/* The longest of the folders that hold it; 0: none does. */
static size_t held_by(const struct lk_folders *f, const struct lk_snapshot *s, const char *file)
{
    size_t longest = 0;
    const size_t cwd = s->cwd ? strlen(s->cwd) : 0;
    for (size_t i = 0; i < f->n; i++) {
        const char *folder = f->v[i];
        const size_t n = strlen(folder);
        /* relative: folder = cwd, or cwd + "/" + a beginning of file */
        const bool further = cwd && n > cwd && lk_path_is_below(folder, s->cwd, cwd);
        const bool in =
            file[0] == '/'
                ? lk_path_is_below(file, folder, n)
                : cwd && (lk_path_is_below(s->cwd, folder, n) ||
                          (further && lk_path_is_below(file, folder + cwd + 1, n - cwd - 1)));
        if (in && file[0] != '<')
            longest = LK_MAX(longest, n);
    }
    return longest;
}

bool lk_folders_hold(const struct lk_folders *f, const struct lk_snapshot *s, const char *file)
{
    return held_by(f, s, file) > 0;
}

bool lk_folders_are_home(const struct lk_folders *f, const struct lk_snapshot *s, const char *file)
{
    const size_t n = held_by(f, s, file);
    const char *prefix = s->python.prefix;
    const size_t inside =
        prefix && lk_path_is_below(file, prefix, strlen(prefix)) ? strlen(prefix) : 0;
    return n > 0 && n >= inside;
}
