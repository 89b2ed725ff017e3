/*
 * What glibc 2.31 and the headers of Linux 5.10 (Debian 11) lack: constants of later kernels, by
 * the kernel's own numbers, which are the same on every CPU (include/uapi of Linux 5.14), and four
 * functions of glibc 2.32 and 2.34.
 */
#ifndef LK_UTIL_COMPAT_H
#define LK_UTIL_COMPAT_H

#include <errno.h>
#include <linux/futex.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SYS_openat2
#define SYS_openat2 437
#endif
#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif
#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#ifndef FUTEX_LOCK_PI2
#define FUTEX_LOCK_PI2 13
#endif
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

#if !__GLIBC_PREREQ(2, 36) && !defined P_PIDFD
#define P_PIDFD 3
#endif

#if !__GLIBC_PREREQ(2, 34)
static inline int close_range(unsigned first, unsigned last, int flags)
{
    return (int)syscall(SYS_close_range, first, last, flags);
}
#endif

#if !__GLIBC_PREREQ(2, 32)
struct lk_numbered {
    int number;
    const char *name;
};

static inline const char *lk_name_of_number(const struct lk_numbered *names, size_t n, int number)
{
    for (size_t i = 0; i < n; i++)
        if (names[i].number == number)
            return names[i].name;
    return NULL;
}

/* "INT" of SIGINT; the numbers' order is not the same on every CPU. */
static inline const char *sigabbrev_np(int number)
{
#define LK_SIGNAL(name)                                                                            \
    {                                                                                              \
        SIG##name, #name                                                                           \
    }
    static const struct lk_numbered names[] = {
        LK_SIGNAL(HUP),  LK_SIGNAL(INT),   LK_SIGNAL(QUIT), LK_SIGNAL(ILL),  LK_SIGNAL(TRAP),
        LK_SIGNAL(ABRT), LK_SIGNAL(BUS),   LK_SIGNAL(FPE),  LK_SIGNAL(KILL), LK_SIGNAL(USR1),
        LK_SIGNAL(SEGV), LK_SIGNAL(USR2),  LK_SIGNAL(PIPE), LK_SIGNAL(ALRM), LK_SIGNAL(TERM),
        LK_SIGNAL(CHLD), LK_SIGNAL(CONT),  LK_SIGNAL(STOP), LK_SIGNAL(TSTP), LK_SIGNAL(TTIN),
        LK_SIGNAL(TTOU), LK_SIGNAL(URG),   LK_SIGNAL(XCPU), LK_SIGNAL(XFSZ), LK_SIGNAL(VTALRM),
        LK_SIGNAL(PROF), LK_SIGNAL(WINCH), LK_SIGNAL(POLL), LK_SIGNAL(PWR),  LK_SIGNAL(SYS),
    };
#undef LK_SIGNAL
    return lk_name_of_number(names, sizeof names / sizeof names[0], number);
}

/* Of what reading processes and files gives; any other number is shown as such. */
static inline const char *strerrorname_np(int number)
{
#define LK_ERROR(name)                                                                             \
    {                                                                                              \
        name, #name                                                                                \
    }
    static const struct lk_numbered names[] = {
        LK_ERROR(EPERM),   LK_ERROR(ENOENT),    LK_ERROR(ESRCH),   LK_ERROR(EINTR),
        LK_ERROR(EIO),     LK_ERROR(EAGAIN),    LK_ERROR(ENOMEM),  LK_ERROR(EACCES),
        LK_ERROR(EFAULT),  LK_ERROR(EBUSY),     LK_ERROR(ENODEV),  LK_ERROR(ENOTDIR),
        LK_ERROR(EINVAL),  LK_ERROR(ENFILE),    LK_ERROR(EMFILE),  LK_ERROR(EFBIG),
        LK_ERROR(ESPIPE),  LK_ERROR(ERANGE),    LK_ERROR(ELOOP),   LK_ERROR(ENAMETOOLONG),
        LK_ERROR(ENODATA), LK_ERROR(ENOSYS),    LK_ERROR(ETIME),   LK_ERROR(EOVERFLOW),
        LK_ERROR(ESTALE),  LK_ERROR(ETIMEDOUT), LK_ERROR(ENOTSUP), LK_ERROR(ECONNREFUSED),
    };
#undef LK_ERROR
    return lk_name_of_number(names, sizeof names / sizeof names[0], number);
}

static inline const char *strerrordesc_np(int number)
{
    return strerror(number);
}
#endif

#endif
