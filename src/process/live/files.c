/*
 * Files that a target names. The target may be hostile: a path may lead through symbolic links to a
 * file that only root may read, to a FIFO that never opens, to a device that acts when opened. So
 * paths are resolved below the target's root, with the target's own rights, as O_PATH first (opens
 * nothing), and only regular files are then opened.
 */
#include "process/live/files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "process/linux/procfs.h"
#include "process/live/live.h"
#include "process/regular_file.h"
#include "util/arena.h"

enum { MAX_GROUPS = 1024 };

/* --- the target's rights ------------------------------------------------------------ */

/*
 * Rights of this thread alone: the raw system calls are used, since glibc's setgroups changes all
 * threads of the process, and this is a library. setfsuid(2) from 0 to another id also takes the
 * file capabilities away.
 */
struct rights {
    uid_t fsuid;
    gid_t fsgid;
    gid_t groups[MAX_GROUPS];
    int n_groups; /* -1: leave them alone */
    bool caps_known;
    struct __user_cap_data_struct caps[2];
};

#define FILE_CAPS (1u << CAP_DAC_OVERRIDE | 1u << CAP_DAC_READ_SEARCH)

static int sys_capget(struct __user_cap_data_struct data[2])
{
    struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };

    return (int)syscall(SYS_capget, &head, data);
}

static int sys_capset(const struct __user_cap_data_struct data[2])
{
    struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };

    return (int)syscall(SYS_capset, &head, data);
}

/* Id -1 is never set, so it only asks. */
static uid_t fsuid_now(void)
{
    return (uid_t)setfsuid((uid_t)-1);
}

static gid_t fsgid_now(void)
{
    return (gid_t)setfsgid((gid_t)-1);
}

static const char *line_of(const char *text, const char *key)
{
    const char *p = strstr(text, key);

    return p ? p + strlen(key) : NULL;
}

/* Real, effective, saved, file system: the fourth. */
static bool fourth_id(const char *p, uint32_t *ret)
{
    char *end;

    for (int i = 0; p && i < 4; i++) {
        *ret = (uint32_t)strtoul(p, &end, 10);
        if (end == p)
            return false;
        p = end;
    }
    return p != NULL;
}

static bool target_rights(const struct lk_live *l, struct rights *ret)
{
    char *text = lk_xmalloc(32768), *end;
    const char *p;
    bool ok = lk_procfs_read_at(l->proc_fd, "status", text, 32768) > 0 &&
              fourth_id(line_of(text, "\nUid:"), &ret->fsuid) &&
              fourth_id(line_of(text, "\nGid:"), &ret->fsgid) && (p = line_of(text, "\nGroups:"));

    if (ok) {
        for (ret->n_groups = 0; ret->n_groups < MAX_GROUPS; p = end) {
            while (*p == ' ' || *p == '\t')
                p++;
            unsigned long group = strtoul(p, &end, 10);
            if (end == p)
                break;
            ret->groups[ret->n_groups++] = (gid_t)group;
        }
        p = line_of(text, "\nCapEff:");
        ret->caps_known = p != NULL;
        /* file capabilities are among the low 32 */
        ret->caps[0].effective = p ? (uint32_t)strtoull(p, NULL, 16) : 0;
    }
    lk_free(text);
    return ok;
}

static void my_rights(struct rights *ret)
{
    ret->fsuid = fsuid_now();
    ret->fsgid = fsgid_now();
    ret->n_groups = (int)syscall(SYS_getgroups, MAX_GROUPS, ret->groups);
    ret->caps_known = sys_capget(ret->caps) == 0;
}

static void restore_rights(const struct rights *mine)
{
    setfsuid(mine->fsuid);
    setfsgid(mine->fsgid);
    if (mine->n_groups >= 0)
        (void)syscall(SYS_setgroups, (size_t)mine->n_groups, mine->groups);
    if (mine->caps_known)
        (void)sys_capset(mine->caps);
}

/*
 * Takes on the target's file rights. False (nothing changed) when this would need privileges that
 * we do not have and the ids differ: then we must not open what the target points at. Groups that
 * cannot be changed are our own.
 */
static bool take_rights(const struct rights *theirs, const struct rights *mine)
{
    struct __user_cap_data_struct caps[2];

    if (mine->n_groups < 0 && geteuid() == 0)
        return false; /* more groups than we can put back */
    setfsgid(theirs->fsgid);
    if (mine->n_groups >= 0)
        (void)syscall(SYS_setgroups, (size_t)theirs->n_groups, theirs->groups);
    setfsuid(theirs->fsuid);
    if (fsuid_now() != theirs->fsuid || fsgid_now() != theirs->fsgid) {
        restore_rights(mine);
        return false;
    }
    /* Same id and yet fewer capabilities: root in a container, or we are a program with file
     * capabilities. */
    if (mine->caps_known && sys_capget(caps) == 0) {
        caps[0].effective &= theirs->caps[0].effective | ~FILE_CAPS;
        (void)sys_capset(caps);
    }
    return true;
}

/* --- opening -------------------------------------------------------------------------- */

static int open_root(const struct lk_live *l)
{
    char name[40] = "root";

    if (l->mem_tid != l->pid)
        snprintf(name, sizeof(name), "task/%d/root", l->mem_tid);
    return openat(l->proc_fd, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static bool read_link(const struct lk_live *l, const char *which, char *ret, size_t size)
{
    char name[40];
    ssize_t n;

    snprintf(name, sizeof(name), "task/%d/%s", l->mem_tid, which);
    n = readlinkat(l->proc_fd, name, ret, size - 1);
    if (n <= 0 || (size_t)n >= size - 1)
        return false;
    ret[n] = '\0';
    return true;
}

/*
 * An absolute path as the target sees it. The links of /proc show paths as seen from our root, so
 * for a target in a chroot of our own file system the path of its root is cut off.
 */
static bool absolute_path(const struct lk_live *l, const char *path, char *ret, size_t size)
{
    char cwd[PATH_MAX], root[PATH_MAX];
    const char *base = cwd;
    size_t n;

    if (path[0] == '/')
        return (size_t)snprintf(ret, size, "%s", path) < size;
    if (!read_link(l, "cwd", cwd, sizeof(cwd)) || cwd[0] != '/')
        return false;
    if (read_link(l, "root", root, sizeof(root)) && strcmp(root, "/") != 0) {
        n = strlen(root);
        if (strncmp(cwd, root, n) == 0 && (cwd[n] == '/' || cwd[n] == '\0'))
            base = cwd + n;
    }
    return (size_t)snprintf(ret, size, "%s/%s", base, path) < size;
}

int lk_live_open_path(void *impl, const char *path, struct lk_error *err)
{
    struct lk_live *l = impl;
    struct rights theirs = { 0 }, mine;
    char absolute[2 * PATH_MAX];
    struct stat st;
    int root, fd, saved;

    if (l->gone || !target_rights(l, &theirs)) {
        lk_error_set(err, LK_ERR_NO_PROCESS, "process %d is gone", l->pid);
        return -1;
    }
    if (path[0] == '\0' || !absolute_path(l, path, absolute, sizeof(absolute))) {
        lk_error_set(err, LK_ERR_BAD_DATA, "no usable path");
        return -1;
    }
    root = open_root(l);
    if (root < 0) {
        lk_error_os(err, errno, "cannot open the root of process %d", l->pid);
        return -1;
    }
    my_rights(&mine);
    if (!take_rights(&theirs, &mine)) {
        close(root);
        lk_error_set(err, LK_ERR_PERMISSION,
                     "files of another user's process are opened by root only");
        return -1;
    }
    fd = lk_reopen_regular(lk_open_in_root(root, absolute), &st);
    saved = errno;
    restore_rights(&mine);
    close(root);
    if (fd < 0)
        lk_error_os(err, saved, "cannot open a file that process %d names", l->pid);
    return fd;
}

/*
 * The device in maps is that of the super block; file systems with subvolumes or layers (btrfs,
 * overlayfs) answer fstat with another one, of major number 0.
 */
static bool is_file_of(const struct lk_mapping *m, const struct stat *st)
{
    return st->st_ino == m->inode &&
           (st->st_dev == makedev(m->dev_major, m->dev_minor) || major(st->st_dev) == 0);
}

/*
 * The very file, even when deleted or replaced since; needs CAP_CHECKPOINT_RESTORE or
 * CAP_SYS_ADMIN, proc(5). The mapping may have changed after maps was read: then neither the inode
 * nor the path is the same.
 */
static int open_map_file(const struct lk_live *l, const struct lk_mapping *m)
{
    char name[64], path[PATH_MAX];
    struct stat st;
    ssize_t n;
    int fd;

    snprintf(name, sizeof(name), "map_files/%llx-%llx", (unsigned long long)m->start,
             (unsigned long long)m->end);
    fd = lk_reopen_regular(openat(l->proc_fd, name, O_PATH | O_CLOEXEC), &st);
    if (fd < 0 || is_file_of(m, &st))
        return fd;
    /* layered file systems may number inodes anew */
    n = readlinkat(l->proc_fd, name, path, sizeof(path));
    if (n > 0 && strlen(m->path) == (size_t)n && memcmp(path, m->path, (size_t)n) == 0)
        return fd;
    close(fd);
    return -1;
}

int lk_live_open_mapping(void *impl, const struct lk_mapping *m, struct lk_error *err)
{
    struct lk_live *l = impl;
    struct stat st;
    int fd, root, saved;

    if (l->gone || m->inode == 0 || m->path[0] != '/') {
        lk_error_set(err, LK_ERR_BAD_DATA, "the mapping has no file");
        return -1;
    }
    fd = open_map_file(l, m);
    if (fd >= 0)
        return fd;
    root = open_root(l);
    fd = root < 0 ? -1 : lk_reopen_regular(lk_open_in_root(root, m->path), &st);
    saved = errno;
    if (root >= 0)
        close(root);
    if (fd < 0) {
        lk_error_os(err, saved, "cannot open the file of a mapping of process %d", l->pid);
        return -1;
    }
    if (is_file_of(m, &st))
        return fd;
    close(fd);
    lk_error_set(err, LK_ERR_BAD_DATA,
                 "the file of a mapping of process %d was replaced or deleted", l->pid);
    return -1;
}
