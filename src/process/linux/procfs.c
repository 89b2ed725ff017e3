/*
 * Readers of /proc: fields of stat as fs/proc/array.c do_task_stat writes them, children as
 * children_seq_show does (needs CONFIG_PROC_CHILDREN; without it all processes are asked for their
 * parents). Reads have bounds, and errno survives cleaning up.
 */
#include "process/linux/procfs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/arena.h"
#include "util/redact.h"

#define MAX_CMDLINE (256u * 1024)
#define MAX_ARGS    4096u

#define FORMAT_PATH(path, fmt)                                                                     \
    do {                                                                                           \
        va_list ap_;                                                                               \
        va_start(ap_, fmt);                                                                        \
        vsnprintf(path, sizeof(path), fmt, ap_);                                                   \
        va_end(ap_);                                                                               \
    } while (0)

/* ---- what ran out -------------------------------------------------------------------- */

static _Thread_local int ran_out;

void lk_procfs_watch(void)
{
    ran_out = 0;
}

int lk_procfs_ran_out(void)
{
    return ran_out;
}

/* Whatever such an error kept from being read is there: it must not look like nothing. */
static void note(int why)
{
    if (!ran_out && (why == EMFILE || why == ENFILE || why == ENOMEM || why == EIO))
        ran_out = why;
}

static int open_noted(int dir, const char *name, int flags)
{
    const int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | flags);
    if (fd < 0)
        note(errno);
    return fd;
}

/* ---- files and folders --------------------------------------------------------------- */

static ssize_t read_up_to(int fd, char *buf, size_t max)
{
    size_t n = 0;
    while (n < max) {
        ssize_t got = read(fd, buf + n, max - n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        n += (size_t)got;
    }
    return (ssize_t)n;
}

ssize_t lk_procfs_read_at(int dir, const char *name, char *buf, size_t size)
{
    int fd = open_noted(dir, name, O_NOCTTY);
    ssize_t n;
    int saved;

    if (fd < 0)
        return -1;
    n = read(fd, buf, size - 1);
    saved = errno;
    close(fd);
    errno = saved;
    if (n >= 0)
        buf[n] = '\0';
    return n;
}

ssize_t lk_procfs_read(char *buf, size_t size, int dir, const char *fmt, ...)
{
    char path[LK_PROCFS_PATH];
    FORMAT_PATH(path, fmt);
    int fd = open_noted(dir, path, O_NONBLOCK);
    if (fd < 0)
        return -1;
    ssize_t n = read_up_to(fd, buf, size - 1);
    int saved = errno;
    close(fd);
    errno = saved;
    buf[n < 0 ? 0 : n] = '\0';
    return n;
}

char *lk_procfs_read_all(size_t max, size_t *len, int dir, const char *fmt, ...)
{
    char path[LK_PROCFS_PATH];
    FORMAT_PATH(path, fmt);
    int fd = lk_fd_hold(open_noted(dir, path, O_NONBLOCK));
    if (fd < 0)
        return NULL;
    size_t cap = LK_MIN(max, 4096u), n = 0;
    char *buf = lk_xmalloc(cap + 1);
    for (;;) {
        ssize_t got = read_up_to(fd, buf + n, cap - n);
        if (got < 0) {
            lk_fd_close(fd);
            lk_free(buf);
            return NULL;
        }
        n += (size_t)got;
        if (n < cap || cap == max)
            break;
        cap = LK_MIN(max, cap * 4);
        buf = lk_xrealloc(buf, cap + 1);
    }
    lk_fd_close(fd);
    buf[n] = '\0';
    *len = n;
    return buf;
}

ssize_t lk_procfs_link(char *buf, size_t size, int dir, const char *fmt, ...)
{
    char path[LK_PROCFS_PATH];
    FORMAT_PATH(path, fmt);
    ssize_t n = readlinkat(dir, path, buf, size - 1);
    buf[n < 0 ? 0 : n] = '\0';
    return n;
}

static void release_stream(void *f, size_t size)
{
    (void)size;
    fclose(f);
}

static void release_folder(void *dir, size_t size)
{
    (void)size;
    closedir(dir);
}

FILE *lk_procfs_open(int dir, const char *fmt, ...)
{
    char path[LK_PROCFS_PATH];
    FORMAT_PATH(path, fmt);
    int fd = open_noted(dir, path, 0);
    FILE *f = fd >= 0 ? fdopen(fd, "r") : NULL;
    if (f)
        lk_hold(f, 0, release_stream);
    else if (fd >= 0)
        close(fd);
    if (!f && errno == ENOMEM)
        lk_out_of_memory();
    return f;
}

void lk_procfs_close(FILE *f)
{
    lk_let_go(f, release_stream);
    fclose(f);
}

bool lk_procfs_field(const char *text, const char *name, int base, uint64_t *ret)
{
    size_t n = strlen(name);
    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, name, n) != 0)
            continue;
        char *end;
        uint64_t value = strtoull(line + n, &end, base);
        if (end == line + n)
            return false;
        *ret = value;
        return true;
    }
    return false;
}

void lk_comm_clean(char *comm, size_t size)
{
    struct lk_arena *a = lk_arena_create();
    for (char *c = comm; *c; c++)
        if (*c < 0x20 || *c > 0x7e)
            *c = '?';
    const char *shown = lk_redact_name(a, comm);
    if (shown != comm)
        snprintf(comm, size, "%s", shown);
    lk_arena_destroy(a);
}

bool lk_procfs_each_id(lk_procfs_visit visit, void *arg, int at, const char *fmt, ...)
{
    char path[LK_PROCFS_PATH];
    FORMAT_PATH(path, fmt);
    int fd = open_noted(at, path, O_DIRECTORY);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    if (!dir && fd >= 0)
        close(fd);
    if (!dir && errno == ENOMEM)
        lk_out_of_memory();
    if (!dir)
        return false;
    lk_hold(dir, 0, release_folder);
    for (struct dirent *e; (e = readdir(dir));) {
        char *end;
        long long id = strtoll(e->d_name, &end, 10);
        if (end != e->d_name && *end == '\0' && !visit(id, arg))
            break;
    }
    lk_let_go(dir, release_folder);
    closedir(dir);
    return true;
}

/* Skips n fields separated by blanks and returns the next one; NULL at the end of the text. */
static const char *skip_fields(const char *p, unsigned n)
{
    while (n-- > 0) {
        p = strchr(p, ' ');
        if (!p)
            return NULL;
        p++;
    }
    return p;
}

bool lk_procfs_stat_parse(const char *text, struct lk_procfs_stat *ret)
{
    /* The target chooses comm (PR_SET_NAME) and it may hold ')' or a newline: the last ')' ends it,
     * proc_pid_stat(5). */
    const char *open = strchr(text, '('), *close = strrchr(text, ')');
    const char *p;
    size_t n;
    char *end;

    if (!open || !close || close < open || close[1] != ' ' || !close[2])
        return false;
    memset(ret, 0, sizeof(*ret));
    n = LK_MIN((size_t)(close - open - 1), sizeof(ret->comm) - 1);
    memcpy(ret->comm, open + 1, n);
    p = close + 2;
    ret->processor = -1;
    ret->state = *p; /* field 3; ppid is field 4, flags 9, utime 14 to cstime 17, num_threads 20 */
    if (!(p = skip_fields(p, 1)))
        return false;
    ret->ppid = (pid_t)strtol(p, NULL, 10);
    if (!(p = skip_fields(p, 5)))
        return false;
    ret->flags = (uint32_t)strtoul(p, NULL, 10);
    if (!(p = skip_fields(p, 5)))
        return false;
    ret->cpu_ticks = strtoull(p, &end, 10);
    ret->cpu_ticks += strtoull(end, &end, 10);
    ret->children_ticks = strtoull(end, &end, 10);
    ret->children_ticks += strtoull(end, NULL, 10);
    if (!(p = skip_fields(p, 6)))
        return false;
    ret->threads = strtoll(p, NULL, 10);
    if (!(p = skip_fields(p, 2)))
        return false;
    ret->start_ticks = strtoull(p, NULL, 10); /* field 22 */
    if (!(p = skip_fields(p, 6)))
        return true;
    ret->start_stack = strtoull(p, NULL, 10); /* field 28 */
    p = skip_fields(p, 11);
    ret->processor = p ? (int)strtol(p, NULL, 10) : -1; /* field 39 */
    return true;
}

bool lk_procfs_stat_read(struct lk_procfs_stat *ret, int dir, const char *fmt, ...)
{
    char path[LK_PROCFS_PATH], line[1024];
    FORMAT_PATH(path, fmt);
    return lk_procfs_read(line, sizeof(line), dir, "%s", path) > 0 &&
           lk_procfs_stat_parse(line, ret);
}

bool lk_procfs_stat_of(pid_t pid, struct lk_procfs_stat *ret)
{
    return lk_procfs_stat_read(ret, AT_FDCWD, "/proc/%d/stat", (int)pid);
}

ssize_t lk_procfs_read_of(pid_t pid, const char *name, char *buf, size_t size)
{
    return lk_procfs_read(buf, size, AT_FDCWD, "/proc/%d/%s", (int)pid, name);
}

static bool is_dead(char state)
{
    return state == 'Z' || state == 'X' || state == 'x';
}

struct living {
    int whole;
    int64_t tid;
};

static bool find_living(int64_t tid, void *arg)
{
    struct living *l = arg;
    struct lk_procfs_stat st;
    if (!lk_procfs_stat_read(&st, l->whole, "task/%lld/stat", (long long)tid) || is_dead(st.state))
        return true;
    l->tid = tid;
    return false;
}

static int open_folder(int at, const char *path)
{
    return lk_fd_hold(open_noted(at, path, O_PATH | O_DIRECTORY));
}

bool lk_procfs_find_answering(pid_t pid, int whole, struct lk_procfs_folder *ret)
{
    struct lk_procfs_stat st;
    struct living l = { .whole = whole };
    char task[40];
    *ret = (struct lk_procfs_folder){ .pid = pid, .whole = whole, .dir = -1 };
    if (whole < 0 || !lk_procfs_stat_read(&st, whole, "stat"))
        return false;
    if (is_dead(st.state) && lk_procfs_each_id(find_living, &l, whole, "task") && l.tid) {
        snprintf(task, sizeof(task), "task/%lld", (long long)l.tid);
        ret->dir = open_folder(whole, task);
    }
    if (ret->dir < 0)
        ret->dir = whole;
    return true;
}

void lk_procfs_leave_answering(struct lk_procfs_folder *f)
{
    if (f->dir != f->whole)
        lk_fd_close(f->dir);
    f->dir = -1;
}

bool lk_procfs_enter(pid_t pid, struct lk_procfs_folder *ret)
{
    char path[32];
    snprintf(path, sizeof(path), "/proc/%d", pid);
    if (lk_procfs_find_answering(pid, open_folder(AT_FDCWD, path), ret))
        return true;
    const int saved = errno;
    lk_procfs_leave(ret);
    errno = saved;
    return false;
}

void lk_procfs_leave(struct lk_procfs_folder *f)
{
    lk_procfs_leave_answering(f);
    lk_fd_close(f->whole);
    f->whole = -1;
}

struct children {
    pid_t pid;
    int whole;
    lk_procfs_visit visit;
    void *arg;
    bool readable, ended;
};

static bool children_of_thread(int64_t tid, void *arg)
{
    struct children *c = arg;
    size_t len;
    char *text = lk_procfs_read_all(1u << 20, &len, c->whole, "task/%lld/children", (long long)tid);
    if (!text)
        return true;
    c->readable = true;
    char *at = text, *end;
    for (long long id; !c->ended && (id = strtoll(at, &end, 10)) > 0 && end != at; at = end) {
        struct lk_procfs_stat st;
        if (lk_procfs_stat_of((pid_t)id, &st) && !is_dead(st.state))
            c->ended = !c->visit(id, c->arg);
    }
    lk_free(text);
    return !c->ended;
}

static bool child_by_parent(int64_t id, void *arg)
{
    struct children *c = arg;
    struct lk_procfs_stat st;
    if (!lk_procfs_stat_of((pid_t)id, &st) || st.ppid != c->pid || is_dead(st.state))
        return true;
    return c->visit(id, c->arg);
}

bool lk_procfs_children(pid_t pid, lk_procfs_visit visit, void *arg)
{
    struct children c = { .pid = pid, .visit = visit, .arg = arg };
    struct lk_procfs_folder f;
    struct lk_procfs_stat st;
    if (!lk_procfs_enter(pid, &f))
        return false;
    if (!lk_procfs_stat_read(&st, f.whole, "stat")) {
        const int saved = errno;
        lk_procfs_leave(&f);
        errno = saved;
        return false;
    }
    c.whole = f.whole;
    /* One file a thread: beyond a few hundred threads the machine's processes are fewer. */
    if (st.threads <= 256)
        lk_procfs_each_id(children_of_thread, &c, f.whole, "task");
    lk_procfs_leave(&f);
    return c.readable || lk_procfs_each_id(child_by_parent, &c, AT_FDCWD, "/proc");
}

bool lk_procfs_args_read(int dir, struct lk_procfs_args *ret)
{
    memset(ret, 0, sizeof(*ret));
    size_t len;
    char *text = lk_procfs_read_all(MAX_CMDLINE, &len, dir, "cmdline");
    if (!text)
        return false;
    size_t count = 0;
    for (size_t i = 0; i < len && count < MAX_ARGS; i += strlen(text + i) + 1)
        count++;
    ret->text = text;
    ret->argv = lk_xcalloc(count + 1, sizeof(*ret->argv));
    for (size_t i = 0; ret->argc < count; i += strlen(text + i) + 1)
        ret->argv[ret->argc++] = text + i;
    return true;
}

void lk_procfs_args_deinit(struct lk_procfs_args *args)
{
    lk_free(args->argv);
    lk_free(args->text);
    memset(args, 0, sizeof(*args));
}
