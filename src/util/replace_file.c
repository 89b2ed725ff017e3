/* What already is a device, a FIFO or a directory is asked alone at first, since opening may act or
 * wait. A file without a name gets one by its link in /proc, as open(2) describes it. */
#include "util/replace_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <sys/random.h>
#include <unistd.h>

enum { TRIES = 8, READER_TRIES = 100, LOOK_MS = 10 };

void lk_file_size_error(sigset_t *mask)
{
    sigset_t one;
    sigemptyset(&one);
    sigaddset(&one, SIGXFSZ);
    pthread_sigmask(SIG_BLOCK, &one, mask);
}

void lk_file_size_signal(const sigset_t *mask)
{
    const struct timespec at_once = { 0 };
    sigset_t one;
    sigemptyset(&one);
    sigaddset(&one, SIGXFSZ);
    if (!sigismember(mask, SIGXFSZ)) /* it was of our own writing */
        while (sigtimedwait(&one, NULL, &at_once) > 0)
            ;
    pthread_sigmask(SIG_SETMASK, mask, NULL);
}

/* A name that nobody else has; false with errno. */
static bool new_name(char *name, size_t size)
{
    uint64_t number;
    if (getrandom(&number, sizeof number, 0) != sizeof number)
        return false;
    snprintf(name, size, ".loopknot-%016" PRIx64 ".tmp", number);
    return true;
}

static int open_named(struct lk_replacement *r, mode_t mode)
{
    int fd = -1;
    for (int i = 0; i < TRIES && fd < 0; i++) {
        if (!new_name(r->temp, sizeof r->temp))
            break;
        fd = openat(r->place.folder, r->temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                    mode);
        if (fd < 0 && errno != EEXIST)
            break;
    }
    if (fd < 0)
        r->temp[0] = '\0';
    return fd;
}

/* The file that is to take the place; -1 with errno. */
static int open_new(struct lk_replacement *r, mode_t mode)
{
    const int fd = openat(r->place.folder, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, mode);
    r->unnamed = fd >= 0;
    /* EISDIR: a kernel that does not know the flag */
    return fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL)
               ? open_named(r, mode)
               : fd;
}

static bool is_special(const struct lk_place *p, mode_t *mode)
{
    struct stat st;
    const bool there = lk_place_stat(p, &st) == 0;
    *mode = there ? st.st_mode : 0;
    return there && (p->magic || !S_ISREG(st.st_mode));
}

static void drop_temp(struct lk_replacement *r)
{
    if (r->temp[0])
        unlinkat(r->place.folder, r->temp, 0);
    r->temp[0] = '\0';
}

int lk_replace_try(const char *name)
{
    struct lk_replacement r = { 0 };
    mode_t mode;
    int why = lk_place_find(&r.place, name);
    if (why)
        return why;
    if (is_special(&r.place, &mode)) {
        why = S_ISDIR(mode) ? EISDIR : lk_place_access(&r.place);
    } else {
        const int fd = open_new(&r, 0600);
        why = fd < 0 ? errno : 0;
        if (fd >= 0)
            close(fd);
        drop_temp(&r);
    }
    lk_place_close(&r.place);
    return why;
}

/* What is there, to be written to; it may be waited for then. -1 with errno. */
static int open_special(const struct lk_place *p, mode_t mode)
{
    if (S_ISDIR(mode)) {
        errno = EISDIR;
        return -1;
    }
    int fd = lk_place_open(p);
    for (int i = 0; i < READER_TRIES && fd < 0 && errno == ENXIO && S_ISFIFO(mode); i++) {
        usleep(LOOK_MS * 1000); /* its reader may just be starting */
        fd = lk_place_open(p);
    }
    if (fd >= 0)
        (void)fcntl(fd, F_SETFL, O_APPEND);
    return fd;
}

int lk_replace_begin(struct lk_replacement *r, const char *name, mode_t mode)
{
    mode_t is;
    *r = (struct lk_replacement){ 0 };
    int why = lk_place_find(&r->place, name);
    if (why)
        return why;
    r->as_it_is = is_special(&r->place, &is);
    const int fd = r->as_it_is ? open_special(&r->place, is) : open_new(r, mode);
    r->f = fd < 0 ? NULL : fdopen(fd, "w");
    if (r->f) {
        lk_file_size_error(&r->mask);
        return 0;
    }
    why = errno;
    if (fd >= 0)
        close(fd);
    drop_temp(r);
    lk_place_close(&r->place);
    return why;
}

/* Names the file that has none; true, or false with errno. */
static bool link_as(const struct lk_replacement *r, int fd, const char *name)
{
    char self[40];
    snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
    return linkat(AT_FDCWD, self, r->place.folder, name, AT_SYMLINK_FOLLOW) == 0;
}

/* Puts the whole file, also open as fd, in its place: 0, or an errno. */
static int put_in_place(struct lk_replacement *r, int fd)
{
    const char *name = r->place.name;
    if (r->unnamed) {
        if (link_as(r, fd, name))
            return 0;
        if (errno != EEXIST || !new_name(r->temp, sizeof r->temp))
            return errno;
        if (!link_as(r, fd, r->temp)) {
            r->temp[0] = '\0';
            return errno;
        }
    }
    if (renameat(r->place.folder, r->temp, r->place.folder, name) != 0)
        return errno;
    r->temp[0] = '\0';
    return 0;
}

int lk_replace_end(struct lk_replacement *r, bool ok, int why)
{
    int ret = ok ? 0 : why ? why : EIO;
    const int fd = r->unnamed && ok ? fcntl(fileno(r->f), F_DUPFD_CLOEXEC, 0) : -1;
    if (r->unnamed && ok && fd < 0)
        ret = errno;
    if (fclose(r->f) != 0 && !ret) /* also when it was cut short: the first error counts */
        ret = errno;
    if (!ret && !r->as_it_is)
        ret = put_in_place(r, fd);
    if (fd >= 0)
        close(fd);
    drop_temp(r);
    lk_file_size_signal(&r->mask);
    lk_place_close(&r->place);
    return ret;
}
