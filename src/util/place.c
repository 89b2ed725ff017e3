/* Paths as path_resolution(7) has them; magic links: proc_pid_fd(5). */
#include "util/place.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

enum { MOST_LINKS = 40 }; /* as in the kernel: MAXSYMLINKS */

struct walk {
    int folder;
    unsigned links;
    char rest[PATH_MAX]; /* yet to be walked */
};

/* Takes the first component of the rest. False: it is too long. */
static bool next_name(struct walk *w, char *name, bool *last)
{
    const size_t slashes = strspn(w->rest, "/");
    const size_t n = strcspn(w->rest + slashes, "/");
    const char *after = w->rest + slashes + n;
    if (n > NAME_MAX)
        return false;
    memcpy(name, w->rest + slashes, n);
    name[n] = '\0';
    *last = after[strspn(after, "/")] == '\0';
    memmove(w->rest, after, strlen(after) + 1);
    return true;
}

static int move_to(struct walk *w, int folder)
{
    close(w->folder);
    w->folder = folder;
    return folder < 0 ? errno : 0;
}

static bool may_follow(const struct stat *folder, const struct stat *link)
{
    return !(folder->st_mode & S_IWOTH) || link->st_uid == geteuid() || link->st_uid == 0 ||
           link->st_uid == folder->st_uid;
}

/* The link's text takes its place in the rest. */
static int follow(struct walk *w, int link, const struct stat *st)
{
    char text[PATH_MAX];
    struct stat folder;
    if (++w->links > MOST_LINKS)
        return ELOOP;
    if (fstat(w->folder, &folder) != 0)
        return errno;
    if (!may_follow(&folder, st))
        return EACCES;
    const ssize_t n = readlinkat(link, "", text, sizeof text);
    if (n <= 0)
        return n ? errno : ENOENT;
    if ((size_t)n + strlen(w->rest) >= sizeof w->rest)
        return ENAMETOOLONG;
    memmove(w->rest + n, w->rest, strlen(w->rest) + 1);
    memcpy(w->rest, text, (size_t)n);
    return text[0] == '/' ? move_to(w, open("/", O_PATH | O_DIRECTORY | O_CLOEXEC)) : 0;
}

static bool in_proc(int folder)
{
    struct statfs fs;
    return fstatfs(folder, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC;
}

/* One component. *found: it is the last one, and none to be followed. */
static int step(struct walk *w, struct lk_place *p, bool *found)
{
    bool last;
    struct stat st;
    int why = 0;
    p->magic = false;
    if (!next_name(w, p->name, &last))
        return ENAMETOOLONG;
    const char *name = p->name[0] ? p->name : ".";
    const int fd = openat(w->folder, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        *found = last && errno == ENOENT;
        return *found ? 0 : errno;
    }
    const bool link = fstat(fd, &st) == 0 && S_ISLNK(st.st_mode);
    p->magic = link && in_proc(w->folder);
    *found = last && (!link || p->magic);
    if (!*found && (!link || p->magic))
        why = move_to(w, openat(w->folder, name, O_PATH | O_DIRECTORY | O_CLOEXEC));
    else if (!*found)
        why = follow(w, fd, &st);
    close(fd);
    return why;
}

int lk_place_find(struct lk_place *p, const char *path)
{
    struct walk w = { .folder = -1 };
    bool found = false;
    int why = 0;
    *p = (struct lk_place){ .folder = -1 };
    if (!*path || strlen(path) >= sizeof w.rest)
        return *path ? ENAMETOOLONG : ENOENT;
    memcpy(w.rest, path, strlen(path) + 1);
    w.folder = open(*path == '/' ? "/" : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (w.folder < 0)
        return errno;
    while (!found && !why)
        why = step(&w, p, &found);
    if (why && w.folder >= 0)
        close(w.folder);
    else
        p->folder = w.folder;
    if (!why && !p->name[0])
        memcpy(p->name, ".", 2);
    return why;
}

void lk_place_close(struct lk_place *p)
{
    if (p->folder >= 0)
        close(p->folder);
    p->folder = -1;
}

int lk_place_stat(const struct lk_place *p, struct stat *st)
{
    return fstatat(p->folder, p->name, st, p->magic ? 0 : AT_SYMLINK_NOFOLLOW);
}

static bool is_ours(const struct stat *st)
{
    return st->st_uid == geteuid() || st->st_uid == 0;
}

int lk_place_access(const struct lk_place *p)
{
    struct stat st;
    if (lk_place_stat(p, &st) != 0)
        return errno;
    if (!p->magic && !is_ours(&st))
        return EACCES;
    return faccessat(p->folder, p->name, W_OK, AT_EACCESS | (p->magic ? 0 : AT_SYMLINK_NOFOLLOW))
               ? errno
               : 0;
}

int lk_place_open(const struct lk_place *p)
{
    const int why = lk_place_access(p);
    if (why) {
        errno = why;
        return -1;
    }
    return openat(p->folder, p->name,
                  O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY | O_CLOEXEC |
                      (p->magic ? 0 : O_NOFOLLOW));
}

/* Whether what was opened may be appended to. */
static int refuse_to_append(int folder, int fd)
{
    struct stat in, st;
    if (fstat(folder, &in) != 0 || fstat(fd, &st) != 0)
        return errno;
    if (!S_ISREG(st.st_mode))
        return EINVAL;
    return (in.st_mode & S_IWOTH) && !is_ours(&st) && st.st_uid != in.st_uid ? EACCES : 0;
}

int lk_open_to_append(const char *path)
{
    struct lk_place p;
    int why = lk_place_find(&p, path), fd = -1;
    if (!why) {
        fd = openat(p.folder, p.name,
                    O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
                    0644);
        why = fd < 0 ? errno : refuse_to_append(p.folder, fd);
    }
    lk_place_close(&p);
    if (why && fd >= 0)
        close(fd);
    errno = why;
    return why ? -1 : fd;
}

int lk_open_private_folder(const char *path, bool *made)
{
    struct lk_place p;
    struct stat st;
    int why = lk_place_find(&p, path), fd = -1;
    if (!why) {
        *made = mkdirat(p.folder, p.name, 0700) == 0;
        fd = openat(p.folder, p.name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0 || fstat(fd, &st) != 0)
            why = errno;
        else if (st.st_uid != geteuid() || (st.st_mode & 077))
            why = EPERM;
    }
    lk_place_close(&p);
    if (why && fd >= 0)
        close(fd);
    errno = why;
    return why ? -1 : fd;
}
