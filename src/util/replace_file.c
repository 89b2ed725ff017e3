/* What already is a device, a FIFO or a directory is asked alone, since opening may act or wait. */
#include "util/replace_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_special(const char *name, mode_t *mode)
{
    struct stat st;
    const bool special = stat(name, &st) == 0 && !S_ISREG(st.st_mode);
    *mode = special ? st.st_mode : 0;
    return special;
}

/* The temporary file; -1 with errno. */
static int open_temp(struct lk_replacement *r, const char *name)
{
    const char *file = realpath(name, r->file) ? r->file : name;
    const int n = snprintf(r->temp, sizeof r->temp, "%s.%d.tmp", file, (int)getpid());
    if (n >= (int)sizeof r->temp || strlen(file) >= sizeof r->file) {
        errno = ENAMETOOLONG;
        return -1;
    }
    if (file == name)
        memcpy(r->file, name, strlen(name) + 1);
    return open(r->temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
}

int lk_replace_try(const char *name)
{
    struct lk_replacement r;
    mode_t mode;
    if (is_special(name, &mode))
        return S_ISDIR(mode) ? EISDIR : access(name, W_OK) == 0 ? 0 : errno;
    const int fd = open_temp(&r, name);
    if (fd < 0)
        return errno;
    close(fd);
    unlink(r.temp);
    return 0;
}

int lk_replace_begin(struct lk_replacement *r, const char *name)
{
    mode_t mode;
    r->temp[0] = '\0';
    if (is_special(name, &mode))
        return (r->f = fopen(name, "we")) ? 0 : errno;
    const int fd = open_temp(r, name);
    if (fd < 0)
        return errno;
    if ((r->f = fdopen(fd, "w")))
        return 0;
    const int why = errno;
    close(fd);
    unlink(r->temp);
    return why;
}

int lk_replace_end(struct lk_replacement *r, bool ok, int why)
{
    int ret = ok ? 0 : why ? why : EIO;
    if (fclose(r->f) != 0 && !ret) /* also when it was cut short: the first error counts */
        ret = errno;
    if (!ret && r->temp[0] && rename(r->temp, r->file) != 0)
        ret = errno;
    if (ret && r->temp[0])
        unlink(r->temp);
    return ret;
}
