/*
 * proc_pid_status(5), and what else the kernel weighs in __ptrace_may_access (kernel/ptrace.c):
 * Yama's scope, user namespaces, whether a process is dumpable.
 */
#include "process/live/credentials.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "process/linux/procfs.h"

static const char *status_line(const char *text, const char *key)
{
    size_t n = strlen(key);

    for (const char *p = text; p; p = strchr(p, '\n'), p = p ? p + 1 : NULL)
        if (strncmp(p, key, n) == 0 && p[n] == ':')
            return p + n + 1;
    return NULL;
}

static int64_t status_number(const char *text, const char *key, int base)
{
    const char *p = status_line(text, key);

    return p ? (int64_t)strtoull(p, NULL, base) : 0;
}

/* -1: a line that is cut short is nobody's, not root's. */
static void status_ids(const char *text, const char *key, int64_t ids[4])
{
    const char *p = status_line(text, key);
    char *end = NULL;

    for (int i = 0; i < 4; i++) {
        const int64_t id = p ? strtoll(p, &end, 10) : -1;
        p = p && end != p ? end : NULL;
        ids[i] = p ? id : -1;
    }
}

bool lk_credentials_read(int dir, struct lk_credentials *ret)
{
    char text[16384]; /* the list of groups may be long */
    const char *p;

    memset(ret, 0, sizeof(*ret));
    if (lk_procfs_read_at(dir, "status", text, sizeof(text)) <= 0)
        return false;
    p = status_line(text, "State");
    ret->state = p ? p[strspn(p, " \t")] : '?';
    ret->tgid = status_number(text, "Tgid", 10);
    ret->threads = status_number(text, "Threads", 10);
    ret->seccomp = status_number(text, "Seccomp", 10);
    ret->cap_permitted = (uint64_t)status_number(text, "CapPrm", 16);
    ret->cap_effective = (uint64_t)status_number(text, "CapEff", 16);
    status_ids(text, "Uid", ret->uid);
    status_ids(text, "Gid", ret->gid);
    if ((p = status_line(text, "Name"))) {
        p += strspn(p, " \t");
        snprintf(ret->comm, sizeof(ret->comm), "%.*s", (int)strcspn(p, "\n"), p);
        lk_comm_clean(ret->comm, sizeof(ret->comm));
    }
    return true;
}

bool lk_holds(const struct lk_credentials *c, enum lk_cap cap)
{
    return c->cap_effective >> cap & 1;
}

int lk_yama_scope(void)
{
    char text[16];

    if (lk_procfs_read_at(AT_FDCWD, "/proc/sys/kernel/yama/ptrace_scope", text, sizeof(text)) <= 0)
        return 0;
    return atoi(text);
}

bool lk_credentials_same(const int64_t theirs[4], int64_t mine)
{
    return theirs[0] == mine && theirs[1] == mine && theirs[2] == mine;
}

/* The link ns/user needs the very access that was refused, the map of ids does not; it is shown as
 * seen from our namespace. */
bool lk_other_user_namespace(int dir)
{
    char mine[1024], theirs[1024];

    return lk_procfs_read_at(AT_FDCWD, "/proc/self/uid_map", mine, sizeof(mine)) > 0 &&
           lk_procfs_read_at(dir, "uid_map", theirs, sizeof(theirs)) >= 0 &&
           strcmp(mine, theirs) != 0;
}

/* The files (not the folder) of a process belong to root when it is not dumpable; fs/proc/base.c:
 * task_dump_owner. */
bool lk_not_dumpable(int dir, const struct lk_credentials *s)
{
    struct stat st;

    return fstatat(dir, "status", &st, 0) == 0 && (int64_t)st.st_uid != s->uid[1];
}
