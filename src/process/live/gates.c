/*
 * The gates of kernel/ptrace.c (__ptrace_may_access), of /proc (fs/proc/base.c: hidepid, file
 * modes) and of seccomp(2), each judged for itself. Whether the process can be read all the same is
 * tried, as an examination would: what lets it through is open, whatever stands in the table.
 * Nothing is changed, and the process is not touched.
 */
#include "process/live/gates.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <unistd.h>

#include "process/linux/procfs.h"
#include "process/live/credentials.h"
#include "process/live/permission.h"

#define SETCAP                                                                                     \
    "for good: f=$(command -v loopknot); sudo chgrp \"$(id -gn)\" \"$f\"; sudo chmod 750 \"$f\"; " \
    "sudo setcap cap_sys_ptrace,cap_dac_read_search+ep \"$f\""

/* What the gates are judged by. */
struct look {
    pid_t pid; /* 0: none in particular */
    int dir;   /* its folder in /proc; -1 none */
    struct lk_credentials me, them;
    bool readable, files; /* its memory, and the files that are its user's alone */
};

static void say(struct lk_gate *g, bool shut, const char *mend, const char *fmt, ...)
    LK_PRINTF(4, 5);
static void say(struct lk_gate *g, bool shut, const char *mend, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(g->fact, sizeof g->fact, fmt, ap);
    va_end(ap);
    g->shut = shut;
    snprintf(g->mend, sizeof g->mend, "%s", shut ? mend : "");
}

static bool has_ptrace(const struct look *l)
{
    return lk_holds(&l->me, LK_CAP_SYS_PTRACE);
}

static const char *as_root(const struct look *l)
{
    static char text[64];
    if (geteuid() == 0)
        return "start the container with --cap-add=SYS_PTRACE --cap-add=DAC_READ_SEARCH";
    if (l->pid)
        snprintf(text, sizeof text, "sudo loopknot %d", (int)l->pid);
    else
        snprintf(text, sizeof text, "sudo loopknot PID");
    return text;
}

/* ---- the gates ------------------------------------------------------------------------- */

static void hidepid(const struct look *l, struct lk_gate *g)
{
    char mounts[16384], *line, *option = NULL;
    if (lk_procfs_read(mounts, sizeof mounts, AT_FDCWD, "/proc/self/mountinfo") > 0 &&
        (line = strstr(mounts, " /proc ")))
        for (line[strcspn(line, "\n")] = '\0'; (line = strstr(line, "hidepid=")); line++)
            option = line;
    const bool off = !option || option[8] == '0' || strncmp(option + 8, "off", 3) == 0;
    const bool seen = l->pid ? l->dir >= 0 && l->readable : has_ptrace(l);
    if (off)
        say(g, false, "", "/proc shows the processes of all users");
    else
        say(g, !seen, "sudo mount -o remount,hidepid=0 /proc, or sudo loopknot PID",
            "/proc is mounted with %.*s%s", (int)strcspn(option, ", "), option,
            seen ? ", which is no hindrance to you"
                 : ": of others not even the folder is to be seen");
}

static void user(const struct look *l, struct lk_gate *g)
{
    if (!l->pid) {
        say(g, false, "", "you are user %u, group %u", geteuid(), getegid());
        return;
    }
    const bool same_user = lk_credentials_same(l->them.uid, getuid()),
               same = same_user && lk_credentials_same(l->them.gid, getgid());
    const char *what = same_user ? "group" : "user";
    const long long theirs = (long long)(same_user ? l->them.gid[0] : l->them.uid[0]);
    if (same)
        say(g, false, "", "it is yours: user %u, group %u", getuid(), getgid());
    else
        say(g, !l->readable, as_root(l), "it runs as %s %lld, you are %s %u%s", what, theirs, what,
            same_user ? getgid() : getuid(), l->readable ? ", and may read it" : "");
}

/* opened: the door is, whatever is held. */
static void capability(const struct look *l, struct lk_gate *g, bool held, bool opened,
                       const char *opens)
{
    const char *mend = SETCAP;
    if (geteuid() == 0)
        mend = as_root(l);
    if (held)
        say(g, false, "", "held");
    else if (l->pid && opened)
        say(g, false, "", "not held, and not needed for this process");
    else
        say(g, true, mend, "not held: %s is not to be seen", opens);
}

static void cap_ptrace(const struct look *l, struct lk_gate *g)
{
    capability(l, g, has_ptrace(l), l->readable, "the memory of others' processes");
}

static void cap_files(const struct look *l, struct lk_gate *g)
{
    const bool held =
        lk_holds(&l->me, LK_CAP_DAC_READ_SEARCH) || lk_holds(&l->me, LK_CAP_DAC_OVERRIDE);
    capability(l, g, held, l->files, "what their sleeping threads wait for");
}

static void yama(const struct look *l, struct lk_gate *g)
{
    static const char *const means[] = { "a user may read all that is his",
                                         "a user may read only what he has started",
                                         "only who holds CAP_SYS_PTRACE may read others",
                                         "nobody may read others until the next boot" };
    const int scope = lk_yama_scope();
    const bool none = access("/proc/sys/kernel/yama", F_OK) != 0, known = scope >= 0 && scope < 4;
    const bool pass = scope == 0 || l->readable || (scope < 3 && has_ptrace(l));
    if (none) {
        say(g, false, "", "not in this kernel");
        return;
    }
    say(g, !pass,
        scope == 1   ? "sudo sysctl kernel.yama.ptrace_scope=0, or sudo loopknot PID"
        : scope == 2 ? as_root(l)
                     : "kernel.yama.ptrace_scope=1 in /etc/sysctl.d, and a reboot",
        "kernel.yama.ptrace_scope is %d: %s", scope, known ? means[scope] : "an unknown value");
}

static void dumpable(const struct look *l, struct lk_gate *g)
{
    const bool not = lk_not_dumpable(l->dir, &l->them);
    say(g, not &&!l->readable, as_root(l), "%s%s",
        not ? "it made itself unreadable (PR_SET_DUMPABLE, a set-uid program, file capabilities)"
            : "yes",
        not &&l->readable ? ", which is no hindrance to you" : "");
}

static void user_namespace(const struct look *l, struct lk_gate *g)
{
    char map[64] = "";
    unsigned long long first, outside, n;
    if (l->dir >= 0) {
        const bool other = lk_other_user_namespace(l->dir);
        say(g, other && !l->readable, "sudo loopknot PID, outside of any container", "%s",
            other ? "it lives in another one than you" : "the same as yours");
        return;
    }
    lk_procfs_read(map, sizeof map, AT_FDCWD, "/proc/self/uid_map");
    const bool first_one = sscanf(map, "%llu %llu %llu", &first, &outside, &n) == 3 && !first &&
                           !outside && n == UINT32_MAX;
    say(g, false, "",
        first_one ? "the first one of this machine"
                  : "one of a container's or a user's: processes outside are out of reach");
}

static void pid_namespace(const struct look *l, struct lk_gate *g)
{
    char status[4096];
    const char *ids = NULL;
    if (l->dir >= 0 && lk_procfs_read_at(l->dir, "status", status, sizeof status) > 0)
        ids = strstr(status, "\nNSpid:");
    int depth = 0;
    for (const char *c = ids ? ids + 7 : ""; *c && *c != '\n'; c++)
        depth += *c == '\t';
    say(g, false, "",
        depth > 1 ? "it has one of its own, seen from here: its ids are translated"
                  : "the same as yours");
}

/* A call that a filter denies fails before it is looked at. Whom it asks for: ourselves, and a
 * process that cannot be. */
static void seccomp(const struct look *l, struct lk_gate *g)
{
    char byte, from = 0;
    struct iovec local = { &byte, 1 }, remote = { &from, 1 };
    const bool memory = process_vm_readv(getpid(), &local, 1, &remote, 1, 0) == 1;
    const bool stop = ptrace(PTRACE_SEIZE, INT32_MAX, NULL, NULL) == 0 || errno == ESRCH;
    static const char mend[] = "start the container with --security-opt seccomp=unconfined, or "
                               "examine from the host: sudo loopknot PID";
    say(g, !memory || !stop, mend, "%s%s%s%s",
        l->me.seccomp == 2 ? "a filter is set" : "no filter is set",
        memory ? "" : "; it denies process_vm_readv", stop ? "" : "; it denies ptrace",
        memory && stop && l->me.seccomp == 2 ? ", and lets through what is needed" : "");
}

/* Nobody tells what a security module would say: what all others let through and is refused, it
 * refuses. */
static void security_modules(const struct look *l, struct lk_gate *g, bool all_open)
{
    char names[200] = "", profile[120] = "";
    if (lk_procfs_read(names, sizeof names, AT_FDCWD, "/sys/kernel/security/lsm") <= 0)
        snprintf(names, sizeof names, "not to be told here");
    if (l->dir >= 0 && lk_procfs_read_at(l->dir, "attr/current", profile, sizeof profile) <= 0)
        profile[0] = '\0';
    names[strcspn(names, "\n")] = profile[strcspn(profile, "\n")] = '\0';
    lk_comm_clean(profile, sizeof profile);
    say(g, l->pid && !l->readable && all_open,
        "allow ptrace in its policy (SELinux: deny_ptrace, AppArmor: ptrace rules), or on the "
        "host: "
        "sudo loopknot PID",
        "%s%s%s", names, *profile ? "; the process runs as " : "", profile);
}

/* ---- all of them ----------------------------------------------------------------------- */

static void judge(const struct look *l, struct lk_gates *ret)
{
    static const struct {
        const char *name;
        void (*judge)(const struct look *l, struct lk_gate *g);
        bool of_one; /* asked of a process that is there */
    } rows[] = {
        { "hidepid", hidepid, false },
        { "user", user, false },
        { "CAP_SYS_PTRACE", cap_ptrace, false },
        { "CAP_DAC_READ_SEARCH", cap_files, false },
        { "user namespace", user_namespace, false },
        { "pid namespace", pid_namespace, true },
        { "dumpable", dumpable, true },
        { "Yama", yama, false },
        { "seccomp", seccomp, false },
    };
    bool all_open = true;
    _Static_assert(LK_ARRAY_LEN(rows) < LK_MAX_GATES, "there is room for all");
    for (size_t i = 0; i < LK_ARRAY_LEN(rows); i++) {
        if (rows[i].of_one && l->dir < 0)
            continue;
        struct lk_gate *g = &ret->v[ret->n++];
        g->name = rows[i].name;
        rows[i].judge(l, g);
        all_open &= !g->shut;
    }
    ret->v[ret->n].name = "security modules";
    security_modules(l, &ret->v[ret->n++], all_open);
}

bool lk_gates_look(pid_t pid, struct lk_gates *ret)
{
    struct look l = { .pid = pid, .dir = -1 };
    struct lk_live live = { .pid = pid, .mem_tid = pid, .proc_fd = -1, .mem_fd = -1 };
    const int self = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);
    memset(ret, 0, sizeof *ret);
    if (self >= 0)
        lk_credentials_read(self, &l.me);
    if (pid) {
        l.readable = lk_live_check(&live, &ret->refusal);
        l.files = l.readable && !live.withheld.code;
        l.dir = live.proc_fd;
        if (l.dir >= 0)
            lk_credentials_read(l.dir, &l.them);
        if (l.readable)
            ret->refusal = live.withheld;
    }
    ret->readable = l.readable;
    const bool there = !pid || l.readable || ret->refusal.code == LK_ERR_PERMISSION;
    if (there)
        judge(&l, ret);
    if (live.mem_fd >= 0)
        lk_fd_close(live.mem_fd);
    if (live.proc_fd >= 0)
        lk_fd_close(live.proc_fd);
    if (self >= 0)
        close(self);
    return there;
}
