/*
 * May this process be read? Every gate is tried, and a refusal names the shut one and the command
 * that opens it. The gates are those of kernel/ptrace.c: __ptrace_may_access, in its order: user
 * and group ids, dumpable, then the security modules (Yama, capabilities).
 */
#include "process/live/permission.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "process/linux/procfs.h"
#include "process/live/credentials.h"
#include "process/live/threads.h"
#include "util/vec.h"

enum {
    KTHREAD_FLAG = 0x00200000, /* include/linux/sched.h: PF_KTHREAD, in field 9 of /proc/PID/stat */
    ANY_ADDRESS = 0x10000,
};

/* --- what an error of a file in /proc means -------------------------------------- */

/* Signal 0 is never delivered. */
static bool exists(pid_t pid)
{
    return kill(pid, 0) == 0 || errno == EPERM;
}

static bool hidden(const struct lk_live *l, struct lk_error *err)
{
    return lk_error_set(
        err, LK_ERR_PERMISSION,
        "process %d is hidden from you (/proc is mounted with hidepid): sudo loopknot %d", l->pid,
        l->pid);
}

/*
 * Only ENOENT and ESRCH mean that a process is gone; all else is said, with its errno. With hidepid
 * the folder can be opened, and what is in it is not there (fs/proc/base.c: proc_pid_permission).
 */
static bool unreadable(const struct lk_live *l, int why, struct lk_error *err)
{
    if (why == ENOENT && exists(l->pid))
        return hidden(l, err);
    if (why == ENOENT || why == ESRCH)
        return lk_error_set(err, LK_ERR_NO_PROCESS, "process %d has just ended", l->pid);
    return lk_error_os(err, why, "process %d was not examined, its files could not be opened",
                       l->pid);
}

static bool is_refusal(int why)
{
    return why == EACCES || why == EPERM;
}

/* --- is there such a process, and of which kind ------------------------------- */

static bool open_proc(struct lk_live *l, struct lk_error *err)
{
    char path[32];

    if (l->pid <= 0)
        return lk_error_set(err, LK_ERR_NO_PROCESS, "%d is no process id", l->pid);
    snprintf(path, sizeof(path), "/proc/%d", l->pid);
    l->proc_fd = lk_fd_hold(open(path, O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (l->proc_fd >= 0)
        return true;
    if (errno != ENOENT && errno != ESRCH && !is_refusal(errno))
        return unreadable(l, errno, err);
    if (access("/proc/self/stat", R_OK) != 0)
        return lk_error_set(err, LK_ERR_PERMISSION,
                            "/proc is not mounted here: mount -t proc proc /proc");
    if (exists(l->pid))
        return hidden(l, err);
    return lk_error_set(err, LK_ERR_NO_PROCESS, "there is no process %d", l->pid);
}

static void comm_of(int64_t pid, char *ret, size_t size)
{
    char path[40];
    ssize_t n;

    snprintf(path, sizeof(path), "/proc/%lld/comm", (long long)pid);
    n = lk_procfs_read_at(AT_FDCWD, path, ret, size);
    snprintf(ret + (n > 0 ? n - 1 : 0), 2, "%s", n > 0 ? "" : "?"); /* its last byte is a newline */
    lk_comm_clean(ret, size);
}

/* The leader of a process may end before its other threads; its memory is then to be had through
 * one of those. */
static bool living_thread(struct lk_live *l)
{
    struct lk_thread_list list = { 0 };
    bool found = false;

    if (lk_live_list_threads(l, &list, true, NULL)) {
        for (size_t i = 0; i < list.n && !found; i++) {
            if (strchr("ZX", list.v[i].state))
                continue;
            l->mem_tid = (pid_t)list.v[i].tid;
            snprintf(l->maps_name, sizeof(l->maps_name), "task/%d/maps", l->mem_tid);
            found = true;
        }
    }
    lk_free(list.v);
    return found;
}

static bool check_kind(struct lk_live *l, const struct lk_credentials *s, struct lk_error *err)
{
    struct lk_procfs_stat stat;
    char text[1024], other[64];

    errno = ESRCH;
    if (lk_procfs_read_at(l->proc_fd, "stat", text, sizeof(text)) <= 0 ||
        !lk_procfs_stat_parse(text, &stat))
        return unreadable(l, errno, err);
    l->start_ticks = stat.start_ticks;
    if (s->tgid != l->pid) {
        comm_of(s->tgid, other, sizeof(other));
        return lk_error_set(err, LK_ERR_NO_PROCESS,
                            "%d is a thread (%s) of process %lld (%s): loopknot %lld", l->pid,
                            s->comm, (long long)s->tgid, other, (long long)s->tgid);
    }
    if (stat.flags & KTHREAD_FLAG)
        return lk_error_set(err, LK_ERR_UNSUPPORTED,
                            "%d (%s) is a thread of the kernel: it has no program to examine",
                            l->pid, s->comm);
    if ((s->state == 'Z' || s->state == 'X') && (s->threads <= 1 || !living_thread(l))) {
        comm_of(stat.ppid, other, sizeof(other));
        return lk_error_set(err, LK_ERR_NO_PROCESS,
                            "process %d (%s) has ended (zombie) and waits for its parent %lld (%s) "
                            "to collect it: loopknot %lld",
                            l->pid, s->comm, (long long)stat.ppid, other, (long long)stat.ppid);
    }
    return true;
}

static bool check_architecture(struct lk_live *l, const struct lk_credentials *s,
                               struct lk_error *err)
{
    Elf64_Ehdr head;
    char name[40] = "exe";
    ssize_t n;
    int fd;

    if (l->mem_tid != l->pid)
        snprintf(name, sizeof(name), "task/%d/exe", l->mem_tid);
    fd = openat(l->proc_fd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return true; /* an executable may be unreadable and still run; its memory decides */
    n = read(fd, &head, sizeof(head));
    close(fd);
    if (n < (ssize_t)sizeof(head) || memcmp(head.e_ident, ELFMAG, SELFMAG) != 0)
        return true;
    if (head.e_ident[EI_CLASS] == ELFCLASS32)
        return lk_error_set(
            err, LK_ERR_UNSUPPORTED,
            "process %d (%s) is a 32-bit program: only 64-bit %s programs can be read", l->pid,
            s->comm, lk_arch_own()->name);
    l->arch = lk_arch_find(head.e_machine);
    if (!l->arch)
        return lk_error_set(err, LK_ERR_UNSUPPORTED,
                            "process %d (%s) is a program for another machine (ELF machine %u): "
                            "only %s can be read",
                            l->pid, s->comm, head.e_machine, lk_arch_own()->name);
    return true;
}

/* --- permission ----------------------------------------------------------------- */

/* What shuts the door although CAP_SYS_PTRACE is held or not needed. */
static bool refuse_privileged(const struct lk_live *l, const struct lk_credentials *s,
                              const struct lk_credentials *me, struct lk_error *err)
{
    if (lk_yama_scope() == 3)
        return lk_error_set(
            err, LK_ERR_PERMISSION,
            "kernel.yama.ptrace_scope is 3: nobody may read process %d (%s) until a reboot with "
            "a lower value (sysctl kernel.yama.ptrace_scope=1 in /etc/sysctl.d)",
            l->pid, s->comm);
    if (lk_other_user_namespace(l->proc_fd))
        return lk_error_set(
            err, LK_ERR_PERMISSION,
            "process %d (%s) lives in another user namespace, where you do not hold "
            "CAP_SYS_PTRACE: run as root outside of any container: sudo loopknot %d",
            l->pid, s->comm, l->pid);
    if (me->seccomp == 2)
        return lk_error_set(err, LK_ERR_PERMISSION,
                            "a seccomp filter around this shell forbids reading process %d (%s): "
                            "start the container "
                            "with --cap-add=SYS_PTRACE --security-opt seccomp=unconfined, or on "
                            "the host: sudo loopknot PID",
                            l->pid, s->comm);
    return lk_error_set(
        err, LK_ERR_PERMISSION,
        "a security module (see /sys/kernel/security/lsm: SELinux, AppArmor) forbids reading "
        "process %d (%s): allow ptrace in its policy, or on the host: sudo loopknot %d",
        l->pid, s->comm, l->pid);
}

/*
 * Both capabilities, since one alone is half a door: CAP_SYS_PTRACE opens a stranger's memory, and
 * CAP_DAC_READ_SEARCH its files in /proc, which their modes keep for its user. Whoever has the two
 * can read all there is, so a program that has them is for a group, not for everybody; chgrp(1)
 * comes first because chown(2) takes capabilities away.
 */
static void how_to_mend(const struct lk_live *l, const char *more, char *ret, size_t size)
{
    if (geteuid() == 0)
        snprintf(ret, size,
                 "start the container with --cap-add=SYS_PTRACE --cap-add=DAC_READ_SEARCH, or on "
                 "the host: sudo loopknot PID");
    else
        snprintf(ret, size,
                 "sudo loopknot %d   (for good, for your group: f=$(command -v loopknot); sudo "
                 "chgrp \"$(id -gn)\" \"$f\"; sudo chmod 750 \"$f\"; sudo setcap "
                 "cap_sys_ptrace,cap_dac_read_search+ep \"$f\"%s)",
                 l->pid, more);
}

static bool refuse(const struct lk_live *l, const struct lk_credentials *s, struct lk_error *err)
{
    struct lk_credentials me;
    char mend[400], why[160];
    int scope = lk_yama_scope(), self = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);
    bool known = self >= 0 && lk_credentials_read(self, &me);

    if (self >= 0)
        close(self);
    if (!known)
        memset(&me, 0, sizeof(me));
    if (lk_holds(&me, LK_CAP_SYS_PTRACE))
        return refuse_privileged(l, s, &me, err);

    if (!lk_credentials_same(s->uid, getuid()))
        snprintf(why, sizeof(why), "belongs to user %lld, you are user %u without CAP_SYS_PTRACE",
                 (long long)s->uid[0], getuid());
    else if (!lk_credentials_same(s->gid, getgid()))
        snprintf(why, sizeof(why),
                 "runs with group %lld, you with group %u and without CAP_SYS_PTRACE",
                 (long long)s->gid[1], getgid());
    else if (lk_not_dumpable(l->proc_fd, s))
        snprintf(
            why, sizeof(why),
            "made itself unreadable (PR_SET_DUMPABLE, a set-uid program, or file capabilities)");
    else if (s->cap_permitted & ~me.cap_permitted)
        snprintf(why, sizeof(why), "holds capabilities that you lack");
    else if (scope == 1)
        snprintf(why, sizeof(why),
                 "is no child of this command, and kernel.yama.ptrace_scope is 1");
    else if (scope == 2)
        snprintf(why, sizeof(why),
                 "may be read with CAP_SYS_PTRACE only: kernel.yama.ptrace_scope is 2");
    else
        return refuse_privileged(l, s, &me, err);

    how_to_mend(l, scope == 1 ? "; or sudo sysctl kernel.yama.ptrace_scope=0" : "", mend,
                sizeof(mend));
    return lk_error_set(
        err, LK_ERR_PERMISSION, "process %d (%s) %s: %s%s", l->pid, s->comm, why,
        geteuid() == 0 ? "root lacks CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH here; " : "", mend);
}

/*
 * Access is judged before the address is: EFAULT means allowed. Where a filter denies the call
 * alone (the seccomp profile of older containers), /proc/PID/mem gives the same bytes under the
 * same rules.
 */
static bool check_memory(struct lk_live *l, const struct lk_credentials *s, struct lk_error *err)
{
    char byte, name[40] = "mem";
    struct iovec local = { &byte, 1 }, remote = { (void *)(uintptr_t)ANY_ADDRESS, 1 };
    int fd;

    if (process_vm_readv(l->mem_tid, &local, 1, &remote, 1, 0) >= 0 || errno == EFAULT) {
        fd = openat(l->proc_fd, l->maps_name, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
            return is_refusal(errno) ? refuse(l, s, err) : unreadable(l, errno, err);
        close(fd);
        return true;
    }
    if (errno == ESRCH || errno == ENOMEM)
        return unreadable(l, errno, err);
    if (l->mem_tid != l->pid)
        snprintf(name, sizeof(name), "task/%d/mem", l->mem_tid);
    l->mem_fd = lk_fd_hold(openat(l->proc_fd, name, O_RDONLY | O_CLOEXEC));
    if (l->mem_fd >= 0)
        return true;
    return errno == EMFILE || errno == ENFILE || errno == ENOMEM ? unreadable(l, errno, err)
                                                                 : refuse(l, s, err);
}

/* Opened and, for a file, read from: fs/proc/base.c asks once more then. 0, or errno. */
static int try_file(const struct lk_live *l, const char *file, bool folder)
{
    char name[48], byte;
    int fd, why = 0;

    snprintf(name, sizeof(name), "task/%d/%s", l->mem_tid, file);
    fd = openat(l->proc_fd, name, O_RDONLY | O_CLOEXEC | (folder ? O_DIRECTORY : 0));
    if (fd < 0)
        return errno;
    if (!folder && read(fd, &byte, 1) < 0)
        why = errno;
    close(fd);
    return why;
}

/*
 * Files whose modes (0400, 0500; fs/proc/base.c tid_base_stuff) keep them for the process's user:
 * CAP_SYS_PTRACE does not open them. The process is examined all the same, and what that leaves
 * open is unknown.
 */
static bool check_files(struct lk_live *l, struct lk_error *err)
{
    static const struct {
        const char *name;
        bool folder;
    } files[] = { { "syscall", false }, { "fd", true }, { "environ", false } };
    char shut[64] = "", mend[400];
    int refused = 0;

    for (size_t i = 0; i < LK_ARRAY_LEN(files); i++) {
        const size_t n = strlen(shut);
        const int why = try_file(l, files[i].name, files[i].folder);

        if (why == EMFILE || why == ENFILE || why == ENOMEM || why == EIO)
            return unreadable(l, why, err);
        if (!is_refusal(why))
            continue;
        refused = why;
        snprintf(shut + n, sizeof(shut) - n, "%s%s", n ? ", " : "", files[i].name);
    }
    if (!refused)
        return true;
    how_to_mend(l, "", mend, sizeof(mend));
    lk_error_set(&l->withheld, LK_ERR_PERMISSION,
                 "/proc/%d keeps %s shut (%s): both CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH are "
                 "needed: %s",
                 l->pid, shut, strerror(refused), mend);
    l->withheld.os_errno = refused;
    return true;
}

bool lk_live_check(struct lk_live *l, struct lk_error *err)
{
    struct lk_credentials s;

    snprintf(l->maps_name, sizeof(l->maps_name), "maps");
    if (!open_proc(l, err))
        return false;
    errno = ESRCH;
    if (!lk_credentials_read(l->proc_fd, &s))
        return unreadable(l, errno, err);
    return check_kind(l, &s, err) && check_memory(l, &s, err) && check_architecture(l, &s, err) &&
           check_files(l, err);
}
