/*
 * Paths as reports show them: absolute where the target's working directory is known, without "."
 * and empty parts. Only text is looked at, never a file system: the target may have another root.
 */
#include "report/paths.h"

#include <string.h>

#include "diagnose/wording/text.h"
#include "util/text.h"

const char *lk_ci_path(struct lk_arena *a, const struct lk_snapshot *s, const char *file)
{
    const char *safe = lk_words_safe(a, file);
    const char *from = *safe != '/' && s->cwd && *s->cwd == '/'
                           ? lk_arena_printf(a, "%s/%s", lk_words_safe(a, s->cwd), safe)
                           : safe;
    char *path = lk_arena_alloc(a, strlen(from) + 1), *to = path;
    while (*from) {
        const size_t part = strcspn(from, "/");
        const bool nothing = part == 1 && *from == '.';
        if (part && !nothing) {
            memcpy(to, from, part);
            to += part;
        }
        from += part;
        if (*from == '/' && (to == path || to[-1] != '/') && (!nothing || to == path))
            *to++ = '/';
        from += strspn(from, "/");
    }
    *to = '\0';
    return *path ? path : safe;
}

const char *lk_ci_below(const char *folder, const char *path)
{
    size_t n = folder ? strlen(folder) : 0;
    while (n > 1 && folder[n - 1] == '/')
        n--;
    /* Everything lies below "/": that would say nothing. */
    if (n < 2 || *folder != '/' || strncmp(folder, path, n) != 0 || path[n] != '/' || !path[n + 1])
        return NULL;
    return strstr(path, "/../") || lk_ends_with(path, "/..") ? NULL : path + n + 1;
}
