/*
 * A cgroup v2 control group for the command, below our own: where it is found
 * (proc_pid_mountinfo(5), cgroups(7)), the child that is born into it (clone3(2) with
 * CLONE_INTO_CGROUP, Linux 5.7), the end of all its members (cgroup.kill, Linux 5.14).
 */
#include "cli/run/command_cgroup.h"

#include <fcntl.h>
#include <ftw.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "process/linux/procfs.h"
#include "util/text.h"

enum { MOUNTS = 1 << 20, MEMBERS = 1 << 20, AT_ONCE = 3, WAITS = 1500, WAIT_US = 2000, DEPTH = 16 };

/*
 * Mount point and root of the first cgroup2 line of mountinfo, proc_pid_mountinfo(5):
 *   36 35 98:0 ROOT MOUNTPOINT options - cgroup2 source superoptions
 */
static bool find_mount(char root[PATH_MAX], char point[PATH_MAX])
{
    size_t len;
    char *text = lk_procfs_read_all(MOUNTS, &len, AT_FDCWD, "/proc/self/mountinfo"), *rest = NULL;
    bool found = false;
    for (char *line = text ? strtok_r(text, "\n", &rest) : NULL; line && !found;
         line = strtok_r(NULL, "\n", &rest)) {
        const char *type = strstr(line, " - cgroup2 ");
        found = type && sscanf(line, "%*d %*d %*s %4095s %4095s", root, point) == 2 &&
                !strchr(point, '\\');
    }
    lk_free(text);
    return found;
}

/* Our own group as a path below the mount; the line of cgroup v2 is "0::PATH", cgroups(7). */
static bool find_own(const char *root, char ret[PATH_MAX])
{
    char text[8192];
    if (lk_procfs_read(text, sizeof text, AT_FDCWD, "/proc/self/cgroup") <= 0)
        return false;
    char *line = lk_starts_with(text, "0::") ? text : strstr(text, "\n0::");
    if (!line)
        return false;
    line = strchr(line, '0') + 3;
    line[strcspn(line, "\n")] = '\0';
    const size_t skip = strcmp(root, "/") == 0 ? 0 : strlen(root);
    if (strncmp(line, root, skip) != 0 || strstr(line, "/.."))
        return false;
    line += skip;
    return snprintf(ret, PATH_MAX, "%s", strcmp(line, "/") == 0 ? "" : line) < PATH_MAX;
}

static bool write_file(const char *dir, const char *name, const char *text)
{
    char path[PATH_MAX + 64];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    const int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    const bool ok = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    close(fd);
    return ok;
}

/* Where a process with our control group puts its cage. False without cgroup v2. */
static bool find_place(struct lk_command_cgroup *ret, pid_t maker)
{
    char root[PATH_MAX], point[PATH_MAX], own[PATH_MAX];
    ret->dir[0] = '\0';
    return find_mount(root, point) && find_own(root, own) &&
           snprintf(ret->parent, sizeof ret->parent, "%s%s", point, own) <
               (int)sizeof ret->parent &&
           snprintf(ret->dir, sizeof ret->dir, "%s/loopknot-%d", ret->parent, (int)maker) <
               (int)sizeof ret->dir;
}

static bool can_kill(const struct lk_command_cgroup *c)
{
    char killer[PATH_MAX + 64];
    snprintf(killer, sizeof killer, "%s/cgroup.kill", c->dir);
    return access(killer, W_OK) == 0;
}

void lk_command_cgroup_create(struct lk_command_cgroup *ret)
{
    if (find_place(ret, getpid()) && mkdir(ret->dir, 0755) == 0) {
        if (can_kill(ret))
            return;
        rmdir(ret->dir);
    }
    ret->dir[0] = '\0';
}

void lk_command_cgroup_inherit(struct lk_command_cgroup *ret, pid_t maker)
{
    if (!find_place(ret, maker) || !can_kill(ret))
        ret->dir[0] = '\0';
}

pid_t lk_command_cgroup_fork(struct lk_command_cgroup *c)
{
    const int fd = c->dir[0] ? open(c->dir, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
    if (fd < 0)
        return fork();
    struct clone_args args = { .flags = CLONE_INTO_CGROUP,
                               .exit_signal = SIGCHLD,
                               .cgroup = (uint64_t)fd };
    const pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof args);
    if (pid != 0)
        close(fd);
    if (pid >= 0)
        return pid;
    lk_command_cgroup_destroy(c);
    return fork();
}

void lk_command_cgroup_kill(const struct lk_command_cgroup *c)
{
    if (c->dir[0])
        write_file(c->dir, "cgroup.kill", "1");
}

static void release_members(const struct lk_command_cgroup *c)
{
    size_t len;
    char *text = lk_procfs_read_all(MEMBERS, &len, AT_FDCWD, "%s/cgroup.procs", c->dir),
         *rest = NULL;
    for (char *pid = text ? strtok_r(text, "\n", &rest) : NULL; pid;
         pid = strtok_r(NULL, "\n", &rest))
        write_file(c->parent, "cgroup.procs", pid);
    lk_free(text);
}

/* The files of a control group go with its folder; groups made inside (a nested run) stand in its
 * way. */
static int remove_group(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    (void)at;
    if (type == FTW_DP)
        rmdir(path);
    return 0;
}

void lk_command_cgroup_destroy(struct lk_command_cgroup *c)
{
    /*
     * A member may fork while it is moved out. A dead one that was waited for counts, and may be
     * listed, until its last switch away from the processor, which a busy machine delays (seen on
     * Linux 6.18), by two seconds where a host takes the processor away.
     */
    for (int i = 0; c->dir[0] && i < WAITS && rmdir(c->dir) != 0; i++) {
        release_members(c);
        if (i < AT_ONCE)
            continue;
        nftw(c->dir, remove_group, DEPTH, FTW_DEPTH | FTW_PHYS);
        usleep(WAIT_US);
    }
    c->dir[0] = '\0';
}
