/*
 * systemd-coredump(8) names its files core.NAME.UID.BOOTID.PID.TIME, TIME in microseconds, with the
 * suffix of the compression behind it; a dot in NAME is escaped as \x2e (systemd's
 * src/coredump/coredump.c, make_filename).
 */
#include "cli/core_storage.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

/* coredump.conf(5) */
static const char *storage(void)
{
    const char *given = getenv("LOOPKNOT_COREDUMP_STORAGE");
    return given && *given ? given : "/var/lib/systemd/coredump";
}

/* Parts of a name, between its dots. */
struct parts {
    char text[NAME_MAX + 1];
    char *v[8];
    size_t n;
};

static bool split(const char *name, struct parts *ret)
{
    size_t n = strlen(name);
    if (n >= sizeof ret->text || strncmp(name, "core.", 5) != 0)
        return false;
    memcpy(ret->text, name, n + 1);
    char *rest = ret->text, *part;
    for (ret->n = 0; ret->n < sizeof ret->v / sizeof ret->v[0] && (part = strsep(&rest, "."));)
        ret->v[ret->n++] = part;
    return ret->n >= 6;
}

/* "\x2e" and the like. */
static void unescape(char *s)
{
    unsigned c;
    char *to = s;
    while (*s)
        if (sscanf(s, "\\x%2x", &c) == 1 && s[3]) {
            *to++ = (char)c;
            s += 4;
        } else {
            *to++ = *s++;
        }
    *to = '\0';
}

static bool is_wanted(struct parts *p, const char *which)
{
    if (!which)
        return true;
    unescape(p->v[1]);
    return strcmp(p->v[4], which) == 0 || strcmp(p->v[1], which) == 0;
}

int core_storage_last(const char *which, char *path, size_t size)
{
    const char *folder = storage();
    DIR *dir = opendir(folder);
    if (!dir)
        return complain(EXIT_NO_REPORT, "%s, where systemd-coredump keeps cores: %s", folder,
                        strerror(errno));
    unsigned long long newest = 0;
    for (const struct dirent *e; (e = readdir(dir));) {
        struct parts p;
        if (!split(e->d_name, &p) || !is_wanted(&p, which))
            continue;
        const unsigned long long time = strtoull(p.v[5], NULL, 10);
        if (time < newest)
            continue;
        newest = time;
        snprintf(path, size, "%s/%s", folder, e->d_name);
    }
    closedir(dir);
    if (newest)
        return 0;
    return complain(EXIT_NO_REPORT, "%s has no core%s%s (coredumpctl list shows what was dumped)",
                    folder, which ? " of " : "", which ? which : "");
}
