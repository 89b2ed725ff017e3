/*
 * Links "socket:[INODE]" and "pipe:[INODE]" in /proc/PID/fd (proc_pid_fd(5)) of the process and of
 * its tree, indexed by inode when first asked for. Which end of a pipe a descriptor is, the flags
 * in its fdinfo say (fs/proc/fd.c seq_show).
 */
#include "process/linux/fd_holders.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "process/linux/procfs.h"
#include "util/map.h"
#include "util/vec.h"

#define MAX_LINKS     65536u /* descriptors looked at, per scan */
#define MAX_PROCESSES 128u   /* of the tree */
#define MAX_DEPTH     3      /* generations below the examined process */

/* One descriptor of one process; next chains those of the same inode (index + 1). */
struct holder {
    pid_t pid;
    int fd;
    uint32_t next;
};

struct scan {
    bool done, incomplete;
    size_t links;
    LK_VEC(struct holder) v;
    struct lk_map by_inode; /* key() -> index + 1 of the first */
};

struct lk_fd_holders {
    pid_t pid;
    int dir;
    struct scan self, tree;
};

struct lk_fd_holders *lk_fd_holders_create(pid_t pid, int dir)
{
    struct lk_fd_holders *h = lk_xcalloc(1, sizeof(*h));
    h->pid = pid;
    h->dir = dir;
    return h;
}

static void scan_deinit(struct scan *s)
{
    lk_free(s->v.v);
    lk_map_deinit(&s->by_inode);
}

void lk_fd_holders_destroy(struct lk_fd_holders *h)
{
    if (!h)
        return;
    scan_deinit(&h->self);
    scan_deinit(&h->tree);
    lk_free(h);
}

static uint64_t key(enum lk_holder_of what, uint64_t inode)
{
    return inode << 1 | (what == LK_HOLDER_PIPE);
}

struct visit {
    struct scan *scan;
    int dir;
    pid_t pid;
};

static bool visit_link(int64_t fd, void *arg)
{
    struct visit *v = arg;
    struct scan *s = v->scan;
    if (s->links++ >= MAX_LINKS) {
        s->incomplete = true;
        return false;
    }
    char link[64];
    unsigned long long inode;
    enum lk_holder_of what;
    if (lk_procfs_link(link, sizeof(link), v->dir, "fd/%lld", (long long)fd) < 0)
        return true;
    if (sscanf(link, "socket:[%llu]", &inode) == 1)
        what = LK_HOLDER_SOCKET;
    else if (sscanf(link, "pipe:[%llu]", &inode) == 1)
        what = LK_HOLDER_PIPE;
    else
        return true;
    uint64_t first = 0;
    lk_map_get(&s->by_inode, key(what, inode), &first);
    *lk_vec_push(&s->v) = (struct holder){ .pid = v->pid, .fd = (int)fd, .next = (uint32_t)first };
    lk_map_put(&s->by_inode, key(what, inode), s->v.n);
    return true;
}

static void scan_process(struct scan *s, pid_t pid, int dir)
{
    struct visit v = { .scan = s, .dir = dir, .pid = pid };
    if (!lk_procfs_each_id(visit_link, &v, dir, "fd"))
        s->incomplete = true;
}

static const struct scan *self_scan(struct lk_fd_holders *h)
{
    if (!h->self.done) {
        h->self.done = true;
        scan_process(&h->self, h->pid, h->dir);
    }
    return &h->self;
}

struct pids {
    pid_t v[MAX_PROCESSES];
    size_t n;
    pid_t except;
    uint64_t image; /* only processes that run this image; 0 any */
};

/*
 * execve places the stack at random (ASLR) and fork keeps it: an equal bottom of the stack means
 * forked without another execve in between. Python's multiprocessing starts its workers anew, but
 * says so in their command line.
 */
static bool runs_image(int64_t pid, uint64_t image)
{
    struct lk_procfs_stat st;
    struct lk_procfs_args args;
    struct lk_procfs_folder f;
    if (!lk_procfs_enter((pid_t)pid, &f))
        return false;
    const bool same = lk_procfs_stat_read(&st, f.whole, "stat") && st.start_stack == image;
    const bool asked = !same && lk_procfs_args_read(f.whole, &args);
    lk_procfs_leave(&f);
    if (!asked)
        return same;
    bool spawned = false;
    for (size_t i = 1; i < args.argc && !spawned; i++)
        spawned = strstr(args.argv[i], "from multiprocessing.spawn import") ||
                  strstr(args.argv[i], "from multiprocessing.forkserver import");
    lk_procfs_args_deinit(&args);
    return spawned;
}

static bool add_pid(int64_t pid, void *arg)
{
    struct pids *p = arg;
    if (p->n == MAX_PROCESSES)
        return false;
    if (pid != p->except && (!p->image || runs_image(pid, p->image)))
        p->v[p->n++] = (pid_t)pid;
    return true;
}

static const struct scan *tree_scan(struct lk_fd_holders *h)
{
    if (h->tree.done)
        return &h->tree;
    h->tree.done = true;
    struct pids p = { .except = h->pid };
    lk_procfs_children(h->pid, add_pid, &p);
    size_t level = 0;
    for (int depth = 1; depth < MAX_DEPTH; depth++) {
        size_t end = p.n;
        for (; level < end; level++)
            lk_procfs_children(p.v[level], add_pid, &p);
    }
    struct lk_procfs_stat st, parent;
    if (lk_procfs_stat_of(h->pid, &st) && st.start_stack && st.ppid > 0 &&
        lk_procfs_stat_of(st.ppid, &parent) && parent.start_stack &&
        runs_image(h->pid, parent.start_stack)) {
        add_pid(st.ppid, &p);
        p.image = parent.start_stack;
        lk_procfs_children(st.ppid, add_pid, &p);
    }
    h->tree.incomplete = p.n == MAX_PROCESSES;
    for (size_t i = 0; i < p.n; i++) {
        struct lk_procfs_folder f;
        lk_procfs_enter(p.v[i], &f);
        scan_process(&h->tree, p.v[i], f.whole);
        lk_procfs_leave(&f);
    }
    return &h->tree;
}

enum lk_held lk_fd_holders_find(struct lk_fd_holders *h, enum lk_holder_of what, uint64_t inode)
{
    if (lk_map_get(&self_scan(h)->by_inode, key(what, inode), NULL))
        return LK_HELD_SELF;
    if (lk_map_get(&tree_scan(h)->by_inode, key(what, inode), NULL))
        return LK_HELD_TREE;
    return h->self.incomplete || h->tree.incomplete ? LK_HELD_UNKNOWN : LK_HELD_OUTSIDE;
}

/* The newest entry stands first in its chain, the first one last. */
static const struct holder *first_holder(const struct scan *s, enum lk_holder_of what,
                                         uint64_t inode)
{
    const struct holder *found = NULL;
    uint64_t i = 0;
    lk_map_get(&s->by_inode, key(what, inode), &i);
    for (size_t steps = 0; i && steps < s->v.n; i = s->v.v[i - 1].next, steps++)
        found = &s->v.v[i - 1];
    return found;
}

int lk_fd_holders_fd(struct lk_fd_holders *h, enum lk_holder_of what, uint64_t inode)
{
    const struct holder *f = first_holder(self_scan(h), what, inode);
    return f ? f->fd : -1;
}

pid_t lk_fd_holders_pid(struct lk_fd_holders *h, uint64_t socket_inode)
{
    const struct holder *f = first_holder(tree_scan(h), LK_HOLDER_SOCKET, socket_inode);
    return f ? f->pid : 0;
}

/* dir: of the one process that was scanned; -1: of several. */
static pid_t holds_end(const struct scan *s, int dir, uint64_t inode, bool end_reads)
{
    uint64_t i = 0;
    lk_map_get(&s->by_inode, key(LK_HOLDER_PIPE, inode), &i);
    for (size_t steps = 0; i && steps < s->v.n; i = s->v.v[i - 1].next, steps++) {
        const struct holder *f = &s->v.v[i - 1];
        char info[512], name[32];
        uint64_t flags;
        snprintf(name, sizeof(name), "fdinfo/%d", f->fd);
        if ((dir >= 0 ? lk_procfs_read(info, sizeof(info), dir, "%s", name)
                      : lk_procfs_read_of(f->pid, name, info, sizeof(info))) < 0 ||
            !lk_procfs_field(info, "flags:", 8, &flags))
            continue;
        int mode = (int)(flags & O_ACCMODE);
        if (mode == O_RDWR || mode == (end_reads ? O_RDONLY : O_WRONLY))
            return f->pid;
    }
    return 0;
}

pid_t lk_fd_holders_pipe_pid(struct lk_fd_holders *h, uint64_t inode, bool we_read)
{
    return holds_end(tree_scan(h), -1, inode, !we_read);
}

enum lk_held lk_fd_holders_pipe_other_end(struct lk_fd_holders *h, uint64_t inode, bool we_read)
{
    if (holds_end(tree_scan(h), -1, inode, !we_read))
        return LK_HELD_TREE;
    if (holds_end(self_scan(h), h->dir, inode, !we_read))
        return LK_HELD_SELF;
    return h->self.incomplete || h->tree.incomplete ? LK_HELD_UNKNOWN : LK_HELD_OUTSIDE;
}
