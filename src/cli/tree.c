#include "cli/tree.h"

#include <ctype.h>
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_PROCESSES = 65536 };

struct process {
    pid_t pid, parent;
};

static pid_t parent_of(const char *pid)
{
    char path[64], line[512];
    snprintf(path, sizeof path, "/proc/%.20s/stat", pid);
    FILE *f = fopen(path, "re");
    if (!f)
        return -1;
    size_t n = fread(line, 1, sizeof line - 1, f);
    fclose(f);
    line[n] = '\0';
    /* Last ')': a process chooses its comm, which may hold ')'; proc(5). */
    const char *end = strrchr(line, ')');
    int parent;
    return end && sscanf(end + 1, " %*c %d", &parent) == 1 ? parent : -1;
}

static size_t list_processes(struct process *v, size_t max)
{
    DIR *d = opendir("/proc");
    if (!d)
        return 0;
    size_t n = 0;
    for (struct dirent *e; n < max && (e = readdir(d));) {
        if (!isdigit((unsigned char)e->d_name[0]))
            continue;
        v[n].pid = atoi(e->d_name);
        v[n].parent = parent_of(e->d_name);
        n++;
    }
    closedir(d);
    return n;
}

static bool holds(const pid_t *pids, size_t n, pid_t pid)
{
    for (size_t i = 0; i < n; i++)
        if (pids[i] == pid)
            return true;
    return false;
}

size_t tree_descendants(pid_t root, pid_t *pids, size_t n, size_t max)
{
    struct process *all = calloc(MAX_PROCESSES, sizeof *all);
    size_t n_all = all ? list_processes(all, MAX_PROCESSES) : 0;
    /* Breadth first: every pid added is looked at once for children of its own. */
    size_t begin = n;
    pid_t parent = root;
    for (size_t at = begin;; at++) {
        for (size_t i = 0; i < n_all && n < max; i++)
            if (all[i].parent == parent && !holds(pids, n, all[i].pid))
                pids[n++] = all[i].pid;
        if (at >= n)
            break;
        parent = pids[at];
    }
    free(all);
    return n;
}
