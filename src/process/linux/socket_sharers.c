/*
 * Who else holds a socket: the links of /proc/PID/fd of every process, then a look at each holder's
 * threads and connections. Relation by birth is told by parents (proc_pid_stat(5)) and sessions
 * (getsid(2)), sockets passed on by init by LISTEN_FDS in the environment (sd_listen_fds(3)).
 */
#include "process/linux/socket_sharers.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "process/linux/descriptor.h"
#include "util/text.h"

enum {
    MAX_LINKS = 400000, /* descriptors of all processes together */
    MAX_WANTED = 16,    /* sockets asked about at once */
    MAX_ANCESTORS = 32,
    MAX_THREADS = 256,     /* of a sharer; more are not looked at */
    MAX_CONNECTIONS = 256, /* sockets of a sharer that are looked at */
    MAX_FDS = 16,          /* descriptors of the shared socket in the sharer */
    MAX_ENVIRON = 512 * 1024,
};

/* ---- who holds it -------------------------------------------------------------------- */

struct search {
    struct lk_process *target; /* whose sockets they are */
    pid_t pid;
    struct lk_listener *v;
    size_t n, links;
    struct lk_arena *arena;
    pid_t ancestors[MAX_ANCESTORS];
    size_t n_ancestors;
    bool incomplete;
    pid_t at;       /* the process being looked at */
    int dir;        /* of the process being looked at */
    size_t entries; /* of its descriptors */
    bool denied;    /* some of them could not be read */
    bool seen[MAX_WANTED];
};

static pid_t parent_of(pid_t pid)
{
    struct lk_procfs_stat st;
    return lk_procfs_stat_of(pid, &st) ? st.ppid : 0;
}

static bool gets_sockets_from_init(pid_t pid)
{
    size_t len;
    struct lk_procfs_folder f;
    lk_procfs_enter(pid, &f);
    char *text = f.whole >= 0 ? lk_procfs_read_all(MAX_ENVIRON, &len, f.whole, "environ") : NULL;
    lk_procfs_leave(&f);
    bool found = !text;
    for (size_t i = 0; text && i < len && !found; i += strlen(text + i) + 1)
        found = lk_starts_with(text + i, "LISTEN_FDS=");
    lk_free(text);
    return found;
}

static void find_ancestors(struct search *x)
{
    for (pid_t p = parent_of(x->pid); p > 0 && x->n_ancestors < MAX_ANCESTORS; p = parent_of(p))
        if (p != 1 || gets_sockets_from_init(x->pid))
            x->ancestors[x->n_ancestors++] = p;
}

static bool is_ancestor(const struct search *x, pid_t pid)
{
    for (size_t i = 0; i < x->n_ancestors; i++)
        if (x->ancestors[i] == pid)
            return true;
    return false;
}

/* By birth; see the header. */
static bool is_related(const struct search *x, pid_t pid)
{
    pid_t session = getsid(x->pid);
    if (session > 0 && getsid(pid) == session)
        return true;
    if (is_ancestor(x, pid))
        return true;
    for (int depth = 0; pid > 1 && depth < MAX_ANCESTORS; depth++, pid = parent_of(pid))
        if (pid == x->pid)
            return true;
    return false;
}

static void add_sharer(struct search *x, size_t i)
{
    struct lk_listener *l = &x->v[i];
    char comm[64];
    if (!l->sharers.v) {
        l->sharers.v = lk_arena_array(x->arena, LK_SHARERS_MAX, sizeof(*l->sharers.v));
        l->sharers.cap = LK_SHARERS_MAX;
    }
    if (l->sharers.n == l->sharers.cap) {
        x->incomplete = true;
        return;
    }
    struct lk_sharer *s = &l->sharers.v[l->sharers.n++];
    *s = (struct lk_sharer){ .pid = x->at, .comm = "" };
    if (lk_procfs_read_of(x->at, "comm", comm, sizeof(comm)) > 0)
        s->comm = lk_text_clean(x->arena, comm, strcspn(comm, "\n"), sizeof(comm));
}

static bool visit_fd(int64_t fd, void *arg)
{
    struct search *x = arg;
    char link[64];
    unsigned long long inode;
    if (x->links++ >= MAX_LINKS) {
        x->incomplete = true;
        return false;
    }
    x->entries++;
    if (lk_procfs_link(link, sizeof(link), x->dir, "fd/%lld", (long long)fd) < 0) {
        x->denied |= errno != ENOENT && errno != ESRCH;
        return true;
    }
    if (sscanf(link, "socket:[%llu]", &inode) != 1)
        return true;
    for (size_t i = 0; i < x->n; i++)
        if (x->v[i].inode == inode && !x->seen[i]) {
            x->seen[i] = true;
            add_sharer(x, i);
        }
    return true;
}

static bool visit_process(int64_t pid, void *arg)
{
    struct search *x = arg;
    if (pid == x->pid || pid == getpid())
        return true;
    x->at = (pid_t)pid;
    x->entries = 0;
    x->denied = false;
    memset(x->seen, 0, sizeof(x->seen));
    struct lk_procfs_folder f;
    lk_procfs_enter(x->at, &f);
    x->dir = f.dir;
    if (f.dir < 0 || !lk_procfs_each_id(visit_fd, x, f.dir, "fd"))
        x->denied = errno != ENOENT && errno != ESRCH;
    lk_procfs_leave(&f);
    x->incomplete |= x->denied && is_related(x, x->at);
    return x->links < MAX_LINKS;
}

/* ---- what it does -------------------------------------------------------------------- */

/* One process that holds the socket. */
struct look {
    struct lk_process *t;
    const struct lk_listener *shared;
    struct lk_procfs_folder folder;
    struct lk_arena *arena;
    int64_t fds[MAX_FDS]; /* of the shared socket */
    size_t n_fds;
    bool ancestor;               /* of the examined process */
    size_t sockets, connections; /* its sockets; how many of them it accepted */
    bool unclear;
};

static bool visit_own(int64_t fd, void *arg)
{
    struct look *x = arg;
    char link[64];
    unsigned long long inode;
    if (lk_procfs_link(link, sizeof(link), x->folder.whole, "fd/%lld", (long long)fd) < 0 ||
        sscanf(link, "socket:[%llu]", &inode) != 1)
        return true;
    if (inode == x->shared->inode) {
        if (x->n_fds < MAX_FDS)
            x->fds[x->n_fds++] = fd;
        else
            x->unclear = true;
        return true;
    }
    if (x->sockets++ >= MAX_CONNECTIONS) {
        x->unclear = true;
        return false;
    }
    struct lk_syscall_wait about;
    x->connections += lk_process_fd(x->t, fd, x->arena, &about) && about.accepted;
    return true;
}

static bool stands_at(const struct look *x, const struct lk_syscall_wait *os)
{
    for (size_t i = 0; i < x->n_fds; i++) {
        if (os->fd == x->fds[i])
            return true;
        for (size_t k = 0; k < os->fds.n; k++)
            if (os->fds.v[k] == x->fds[i])
                return true;
    }
    return false;
}

static bool waits_for_it(const struct look *x, const struct lk_syscall_wait *os)
{
    for (size_t i = 0; i < os->ends_at.n; i++)
        if (os->ends_at.v[i] == x->shared->inode)
            return os->timeout_ms == LK_FOREVER && os->far_fd == LK_UNKNOWN;
    return false;
}

/* Waits for events of its own: at descriptors that were listed, for any child, for a signal; or
 * looks for them again and again, as gunicorn's master does from 24 on (arbiter.py
 * wait_for_signals, a queue with a timeout). Who waits for his turn to accept has no timeout. */
static bool is_parked(const struct lk_syscall_wait *os)
{
    if (os->on == LK_OS_FUTEX)
        return os->timeout_ms != LK_FOREVER && os->timeout_ms != LK_UNKNOWN;
    if (os->on == LK_OS_CHILD)
        return os->child_pid == -1;
    return os->on == LK_OS_SIGNAL ||
           (os->on == LK_OS_SELECTOR && os->fds.n > 0 && os->fds.n < LK_OSFD_MAX_FDS);
}

/*
 * Each accepted connection must be accounted for by a thread that waits in the same way: who holds
 * one more may be serving it, and accept the next one afterwards. Who has none is idle only if the
 * examined process descends from it and all its threads wait for events, as a server's master does;
 * a sibling may be a worker that only just starts.
 */
static enum lk_share judge(struct look *x, const struct lk_thread_list *list)
{
    size_t waiting = 0, parked = 0, others = 0;
    for (size_t i = 0; i < list->n; i++) {
        struct lk_syscall_wait os;
        if (list->v[i].state == 'Z' || list->v[i].state == 'X')
            continue;
        lk_process_call(x->t, &list->v[i], x->arena, &os);
        if (stands_at(x, &os))
            return LK_SHARE_SERVES;
        if (waits_for_it(x, &os))
            waiting++;
        else if (is_parked(&os))
            parked++;
        else if (os.on == LK_OS_FUTEX)
            others++;
        else
            x->unclear = true;
    }
    if (x->unclear || x->connections > waiting)
        return LK_SHARE_UNKNOWN;
    if (waiting)
        return LK_SHARE_WAITS;
    return x->ancestor && parked && !others ? LK_SHARE_IDLE : LK_SHARE_UNKNOWN;
}

static enum lk_share look_at(const struct search *from, pid_t pid, const struct lk_listener *shared)
{
    struct lk_error err;
    struct lk_process *t = lk_process_open_other(from->target, pid, &err);
    if (!t)
        return LK_SHARE_UNKNOWN;
    struct look x = {
        .t = t, .ancestor = is_ancestor(from, pid), .shared = shared, .arena = lk_arena_create()
    };
    struct lk_thread_list list = { 0 };
    enum lk_share ret = LK_SHARE_UNKNOWN;
    lk_process_begin_sample(t);
    if (lk_procfs_enter(pid, &x.folder) && lk_process_threads(t, &list, true, &err) &&
        list.n <= MAX_THREADS && lk_procfs_each_id(visit_own, &x, x.folder.whole, "fd"))
        ret = judge(&x, &list);
    lk_free(list.v);
    lk_procfs_leave(&x.folder);
    lk_arena_destroy(x.arena);
    lk_process_destroy(t);
    return ret;
}

/* ---- who has let go since ------------------------------------------------------------ */

struct again {
    struct lk_procfs_folder folder;
    uint64_t inode;
    bool found;
};

static bool is_that_socket(int64_t fd, void *arg)
{
    struct again *x = arg;
    char link[64];
    unsigned long long inode;
    x->found = lk_procfs_link(link, sizeof(link), x->folder.whole, "fd/%lld", (long long)fd) >= 0 &&
               sscanf(link, "socket:[%llu]", &inode) == 1 && inode == x->inode;
    return !x->found;
}

/* A process that only just started, or another examiner that asked a duplicate a question, holds it
 * for a moment only. */
static void drop_passing(struct lk_listener *l)
{
    size_t n = 0;
    for (size_t i = 0; i < l->sharers.n; i++) {
        struct again x = { .inode = l->inode };
        bool read = lk_procfs_enter((pid_t)l->sharers.v[i].pid, &x.folder) &&
                    lk_procfs_each_id(is_that_socket, &x, x.folder.whole, "fd");
        const bool denied = !read && errno != ENOENT && errno != ESRCH;
        lk_procfs_leave(&x.folder);
        if (x.found || denied || l->sharers.v[i].does != LK_SHARE_UNKNOWN)
            l->sharers.v[n++] = l->sharers.v[i];
    }
    l->sharers.n = n;
}

/* ---- all ----------------------------------------------------------------------------- */

void lk_socket_sharers_read(struct lk_process *t, struct lk_listener *v, size_t n,
                            struct lk_arena *a)
{
    struct search x = { .target = t,
                        .pid = lk_process_pid(t),
                        .v = v,
                        .n = LK_MIN(n, (size_t)MAX_WANTED),
                        .arena = a };
    find_ancestors(&x);
    if (!lk_procfs_each_id(visit_process, &x, AT_FDCWD, "/proc"))
        x.incomplete = true;
    for (size_t i = 0; i < x.n; i++) {
        for (size_t k = 0; k < v[i].sharers.n; k++)
            v[i].sharers.v[k].does = look_at(&x, (pid_t)v[i].sharers.v[k].pid, &v[i]);
        drop_passing(&v[i]);
        v[i].alone = v[i].sharers.n ? LK_NO : x.incomplete ? LK_TRI_UNKNOWN : LK_YES;
        /* One more may be there that was not seen: it is listed as nobody, and may do anything. */
        if (x.incomplete && v[i].sharers.n && v[i].sharers.n < v[i].sharers.cap)
            v[i].sharers.v[v[i].sharers.n++] = (struct lk_sharer){ .pid = LK_UNKNOWN, .comm = "" };
    }
}
