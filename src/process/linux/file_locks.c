/*
 * Lines of /proc/locks and fdinfo (fs/locks.c lock_get_status). In the table those who wait stand
 * behind the lock they wait for, with its number (locks_show); which descriptor has a lock is found
 * by the same line in its fdinfo (show_fd_locks).
 */
#include "process/linux/file_locks.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "process/linux/procfs.h"

enum {
    MAX_TABLE = 4 << 20, /* bytes of /proc/locks looked at */
    MAX_LINKS = 200000,  /* descriptors of other processes looked at */
};

/* ---- lines --------------------------------------------------------------------------- */

static const char *skip_blanks(const char *p)
{
    while (*p == ' ' || *p == '\t')
        p++;
    return p;
}

static bool word_is(const char **p, const char *word)
{
    size_t n = strlen(word);
    if (strncmp(*p, word, n) != 0 || ((*p)[n] != ' ' && (*p)[n] != '\t'))
        return false;
    *p = skip_blanks(*p + n);
    return true;
}

static bool number(const char **p, int base, char behind, uint64_t *ret)
{
    char *end;
    if (!(base == 16 ? isxdigit((unsigned char)**p) : isdigit((unsigned char)**p)))
        return false;
    *ret = strtoull(*p, &end, base);
    if (*end != behind)
        return false;
    *p = end + 1;
    return true;
}

static enum lk_lock_family family(const char **p)
{
    static const char *const names[] = {
        [LK_LOCK_POSIX] = "POSIX", [LK_LOCK_FLOCK] = "FLOCK", [LK_LOCK_OFD] = "OFDLCK"
    };
    for (size_t i = 0; i < LK_ARRAY_LEN(names); i++)
        if (word_is(p, names[i]))
            return (enum lk_lock_family)i;
    return LK_LOCK_OTHER; /* leases, delegations, access locks */
}

/* "7: -> FLOCK  ADVISORY  WRITE 4711 fe:00:9978012 0 EOF" (fs/locks.c lock_get_status) */
static bool parse(const char *p, struct lk_lock_line *ret)
{
    uint64_t major, minor;
    p = skip_blanks(p);
    if (!number(&p, 10, ':', &ret->id))
        return false;
    p = skip_blanks(p);
    ret->waits = word_is(&p, "->");
    ret->family = family(&p);
    if (ret->family == LK_LOCK_OTHER || !(word_is(&p, "ADVISORY") || word_is(&p, "MANDATORY")) ||
        !(word_is(&p, "READ") || word_is(&p, "WRITE") || word_is(&p, "RW")))
        return false;
    bool negative = *p == '-';
    p += negative;
    uint64_t pid;
    if (!number(&p, 10, ' ', &pid) || pid > INT32_MAX || !number(&p, 16, ':', &major) ||
        !number(&p, 16, ':', &minor) || !number(&p, 10, ' ', &ret->inode))
        return false;
    ret->pid = negative ? -(int64_t)pid : (int64_t)pid;
    ret->device = major << 32 | (minor & UINT32_MAX);
    return true;
}

bool lk_lock_line_parse(const char *text, struct lk_lock_line *ret, const char **end)
{
    *ret = (struct lk_lock_line){ 0 };
    if (end) {
        const char *newline = strchr(text, '\n');
        *end = newline ? newline + 1 : text + strlen(text);
    }
    return parse(text, ret);
}

/* ---- the table ----------------------------------------------------------------------- */

/* What the thread asked for. */
struct asked {
    pid_t pid;
    bool by_flock;
    uint64_t inode;
};

static bool is_asked(const struct asked *a, const struct lk_lock_line *l)
{
    if (l->inode != a->inode || !l->waits)
        return false;
    if (a->by_flock)
        return l->family == LK_LOCK_FLOCK && l->pid == a->pid;
    return (l->family == LK_LOCK_POSIX && l->pid == a->pid) || l->family == LK_LOCK_OFD;
}

/* The lock that the waiter stands behind in the table. False: there is none, or there are several.
 */
static bool find_held(const char *table, const struct asked *a, struct lk_lock_line *ret)
{
    struct lk_lock_line held = { 0 }, l;
    bool found = false;
    for (const char *p = table; *p;) {
        bool valid = lk_lock_line_parse(p, &l, &p);
        if (valid && !l.waits)
            held = l;
        if (!valid || !held.id || l.id != held.id || !is_asked(a, &l))
            continue;
        if (found && ret->id != held.id)
            return false;
        *ret = held;
        found = true;
    }
    return found;
}

/* ---- descriptors --------------------------------------------------------------------- */

/* Which descriptor of a process has this very lock on its description. */
struct search {
    const struct lk_lock_line *held;
    int dir;
    int64_t fd; /* -1 */
    size_t *left;
    bool unread;
};

static bool shows_lock(const char *info, const struct lk_lock_line *held)
{
    struct lk_lock_line l;
    for (const char *p = strstr(info, "lock:"); p; p = strstr(p + 1, "lock:"))
        if (lk_lock_line_parse(p + 5, &l, NULL) && l.family == held->family &&
            l.inode == held->inode && l.pid == held->pid && l.device == held->device)
            return true;
    return false;
}

static bool visit_fd(int64_t fd, void *arg)
{
    struct search *x = arg;
    char link[1024], info[4096];
    if (!*x->left) {
        x->unread = true;
        return false;
    }
    --*x->left;
    if (lk_procfs_link(link, sizeof(link), x->dir, "fd/%lld", (long long)fd) < 0 || link[0] != '/')
        return true; /* closed meanwhile, or no file */
    if (lk_procfs_read(info, sizeof(info), x->dir, "fdinfo/%lld", (long long)fd) < 0)
        return true;
    if (shows_lock(info, x->held))
        x->fd = fd;
    return x->fd < 0;
}

static int64_t fd_with_lock(int dir, const struct lk_lock_line *held, size_t *left, bool *unread)
{
    struct search x = { .held = held, .dir = dir, .fd = -1, .left = left };
    if (!lk_procfs_each_id(visit_fd, &x, dir, "fd"))
        /* ended meanwhile: it holds nothing any more */
        x.unread = errno != ENOENT && errno != ESRCH;
    *unread |= x.unread;
    return x.fd;
}

struct others {
    pid_t except;
    const struct lk_lock_line *held;
    size_t left;
    bool found, unread;
};

static bool visit_process(int64_t pid, void *arg)
{
    struct others *o = arg;
    struct lk_procfs_folder f;
    if (pid == o->except || !lk_procfs_enter((pid_t)pid, &f))
        return true;
    o->found = fd_with_lock(f.whole, o->held, &o->left, &o->unread) >= 0;
    lk_procfs_leave(&f);
    return !o->found && o->left;
}

/* Descriptions go to other processes by fork and by unix sockets: all of them are asked. */
static bool may_be_shared(pid_t pid, const struct lk_lock_line *held)
{
    struct others o = { .except = pid, .held = held, .left = MAX_LINKS };
    bool listed = lk_procfs_each_id(visit_process, &o, AT_FDCWD, "/proc");
    return !listed || o.found || o.unread;
}

/* fs/proc/fd.c seq_show: "ino:" is the inode that /proc/locks names (Linux 5.14); before that the
 * file's own number must do. */
static bool inode_of(int dir, int64_t fd, uint64_t *ret)
{
    char info[4096], path[32];
    struct statx st;
    if (lk_procfs_read(info, sizeof(info), dir, "fdinfo/%lld", (long long)fd) > 0 &&
        lk_procfs_field(info, "ino:", 10, ret))
        return true;
    snprintf(path, sizeof(path), "fd/%lld", (long long)fd);
    if (statx(dir, path, AT_STATX_DONT_SYNC, STATX_INO, &st) != 0)
        return false;
    *ret = st.stx_ino;
    return true;
}

static void name_process(int64_t pid, struct lk_file_lock *ret)
{
    struct lk_procfs_stat st;
    ret->by = LK_LOCKED_OTHER;
    ret->pid = pid;
    if (lk_procfs_stat_of((pid_t)pid, &st))
        snprintf(ret->comm, sizeof(ret->comm), "%s", st.comm);
}

static bool find_lock(pid_t pid, int dir, int64_t fd, bool by_flock, struct lk_lock_line *held)
{
    struct asked a = { .pid = pid, .by_flock = by_flock };
    size_t len;
    if (fd < 0 || dir < 0 || !inode_of(dir, fd, &a.inode))
        return false;
    char *table = lk_procfs_read_all(MAX_TABLE, &len, AT_FDCWD, "/proc/locks");
    bool found = table && find_held(table, &a, held);
    lk_free(table);
    return found;
}

void lk_file_lock_find(pid_t pid, int dir, int64_t fd, bool by_flock, struct lk_file_lock *ret)
{
    struct lk_lock_line held;
    size_t left = MAX_LINKS;
    bool unread = false;
    *ret = (struct lk_file_lock){ .fd = -1 };
    if (!find_lock(pid, dir, fd, by_flock, &held))
        return;
    ret->inode = held.inode;
    if (held.family == LK_LOCK_POSIX && held.pid == pid) { /* asked for by F_OFD_SETLKW */
        ret->by = LK_LOCKED_SELF;
        return;
    }
    int64_t own = held.family == LK_LOCK_POSIX ? -1 : fd_with_lock(dir, &held, &left, &unread);
    if (own >= 0) {
        ret->fd = own;
        ret->by = may_be_shared(pid, &held) ? LK_LOCKED_SHARED : LK_LOCKED_SELF;
    } else if (held.pid > 0 && held.pid != pid) {
        name_process(held.pid, ret);
    }
}

bool lk_file_lock_owner(pid_t pid, int dir, int64_t fd, bool by_flock, int64_t *owner)
{
    struct lk_lock_line held;
    struct lk_procfs_folder other;
    size_t left = MAX_LINKS;
    bool unread = false;
    if (!find_lock(pid, dir, fd, by_flock, &held) || held.pid <= 0 || held.pid == pid)
        return false;
    *owner = held.pid;
    if (held.family == LK_LOCK_POSIX)
        return true;
    lk_procfs_enter((pid_t)held.pid, &other);
    const bool has_it = fd_with_lock(other.whole, &held, &left, &unread) >= 0;
    lk_procfs_leave(&other);
    return has_it && !unread && !may_be_shared((pid_t)held.pid, &held);
}
