/* The public face of the user's patterns: reads the file, which must be one, and be small. */
#include "api/patterns.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "diagnose/catalog/user_file.h"
#include "loopknot.h"
#include "util/text.h"

#define LK_EXPORT __attribute__((visibility("default")))

struct loopknot_patterns {
    struct lk_patterns *rows;
};

const struct lk_patterns *lk_api_patterns(const struct loopknot_patterns *p)
{
    return p ? p->rows : NULL;
}

static const char *kind_of(mode_t mode)
{
    return S_ISDIR(mode)    ? "a folder"
           : S_ISFIFO(mode) ? "a FIFO"
           : S_ISSOCK(mode) ? "a socket"
                            : "a device";
}

/* O_NONBLOCK: opening a FIFO without a writer must not wait for one. */
static int open_regular(const char *file, const char *name, struct lk_error *err)
{
    struct stat st;
    int fd = lk_fd_hold(open(file, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    if (fd < 0) {
        lk_error_os(err, errno, "%s", name);
        return -1;
    }
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
        return fd;
    lk_error_set(err, LK_ERR_USAGE, "%s: is %s; patterns are read from a regular file only", name,
                 kind_of(st.st_mode));
    lk_fd_close(fd);
    return -1;
}

/* Up to one byte more than is allowed, so that the parser can tell. */
static bool slurp(int fd, const char *name, char *text, size_t size, size_t *n,
                  struct lk_error *err)
{
    ssize_t got;
    for (*n = 0; *n < size && (got = read(fd, text + *n, size - *n)) != 0;) {
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return lk_error_os(err, errno, "%s", name);
        *n += (size_t)got;
    }
    return true;
}

static struct lk_patterns *load(const char *file, const char *name, struct lk_error *err)
{
    size_t n = 0, size = LK_PATTERNS_MAX_BYTES + 1;
    int fd = open_regular(file, name, err);
    if (fd < 0)
        return NULL;
    char *text = lk_xmalloc(size);
    struct lk_patterns *rows =
        slurp(fd, name, text, size, &n, err) ? lk_patterns_parse(name, text, n, err) : NULL;
    lk_free(text);
    lk_fd_close(fd);
    return rows;
}

struct loading {
    const char *file;
    struct loopknot_patterns *ret;
    struct lk_error err;
};

static void load_patterns(void *arg)
{
    enum { MAX_SHOWN = 200 }; /* of the file's name, so that what is wrong still fits */
    struct loading *l = arg;
    struct lk_arena *a = lk_arena_create();
    const char *name = lk_text_clean(a, l->file, strlen(l->file), MAX_SHOWN);
    struct lk_patterns *rows = load(l->file, name, &l->err);
    if (rows) {
        l->ret = lk_xcalloc(1, sizeof *l->ret);
        l->ret->rows = rows;
    }
    lk_arena_destroy(a);
}

LK_EXPORT struct loopknot_patterns *loopknot_patterns_load(const char *file, char *message,
                                                           size_t size)
{
    struct loading l = { .file = file };
    if (!lk_guarded(load_patterns, &l, NULL)) {
        l.ret = NULL;
        lk_error_set(&l.err, LK_ERR_NOMEM, "out of memory");
    }
    if (!l.ret && message && size) {
        strncpy(message, l.err.text, size - 1);
        message[size - 1] = '\0';
    }
    errno = l.ret ? 0 : l.err.code == LK_ERR_NOMEM ? ENOMEM : EINVAL;
    return l.ret;
}

LK_EXPORT void loopknot_patterns_free(struct loopknot_patterns *p)
{
    if (!p)
        return;
    lk_patterns_destroy(p->rows);
    lk_free(p);
}
