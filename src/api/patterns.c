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
    int fd = open(file, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0) {
        lk_error_os(err, errno, "%s", name);
        return -1;
    }
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
        return fd;
    lk_error_set(err, LK_ERR_USAGE, "%s: is %s; patterns are read from a regular file only", name,
                 kind_of(st.st_mode));
    close(fd);
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
    close(fd);
    return rows;
}

LK_EXPORT struct loopknot_patterns *loopknot_patterns_load(const char *file, char *message,
                                                           size_t size)
{
    enum { MAX_SHOWN = 200 }; /* of the file's name, so that what is wrong still fits */
    struct lk_arena *a = lk_arena_create();
    struct lk_error err = { 0 };
    struct lk_patterns *rows = load(file, lk_text_clean(a, file, strlen(file), MAX_SHOWN), &err);
    struct loopknot_patterns *ret = NULL;
    if (rows) {
        ret = lk_xcalloc(1, sizeof *ret);
        ret->rows = rows;
    } else if (message && size) {
        strncpy(message, err.text, size - 1);
        message[size - 1] = '\0';
    }
    lk_arena_destroy(a);
    return ret;
}

LK_EXPORT void loopknot_patterns_free(struct loopknot_patterns *p)
{
    if (!p)
        return;
    lk_patterns_destroy(p->rows);
    lk_free(p);
}
