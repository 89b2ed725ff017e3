/*
 * Files are written where they should, whole or not at all, and nowhere else: links, FIFOs and
 * files that another user laid out in a folder for all, limits and deaths in the midst of writing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h> /* needs the three above */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bound_fork.h"
#include "util/base.h"
#include "util/replace_file.h"

enum { NOBODY = 65534 };

static char top[64]; /* the test's folder, where it stands: mine/ and public/ (mode 1777) */

static void write_text(const char *name, const char *text)
{
    FILE *f = fopen(name, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static void expect_text(const char *name, const char *text)
{
    char got[64] = "";
    FILE *f = fopen(name, "r");
    assert_non_null(f);
    got[fread(got, 1, sizeof got - 1, f)] = '\0';
    fclose(f);
    assert_string_equal(got, text);
}

static size_t entries(const char *folder)
{
    size_t n = 0;
    DIR *d = opendir(folder);
    assert_non_null(d);
    for (const struct dirent *e; (e = readdir(d));)
        n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
    closedir(d);
    return n;
}

static int replace(const char *name, const char *text)
{
    struct lk_replacement r;
    const int why = lk_replace_begin(&r, name, 0644);
    return why ? why : lk_replace_end(&r, fputs(text, r.f) >= 0, errno);
}

static mode_t mode_of(const char *name)
{
    struct stat st;
    assert_int_equal(lstat(name, &st), 0);
    return st.st_mode;
}

static void new_and_old(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(lk_replace_try("mine/report"), 0);
        assert_int_equal(entries("mine"), i);
        assert_int_equal(replace("mine/report", i ? "new" : "old"), 0);
        expect_text("mine/report", i ? "new" : "old");
        assert_int_equal(mode_of("mine/report"), S_IFREG | 0640);
        assert_int_equal(entries("mine"), 1);
    }
    assert_int_equal(lk_replace_try("mine"), EISDIR);
    assert_int_equal(lk_replace_try("."), EISDIR);
    assert_int_equal(lk_replace_try("/"), EISDIR);
    assert_int_equal(lk_replace_try(""), ENOENT);
    assert_int_equal(lk_replace_try("nowhere/report"), ENOENT);
    assert_int_equal(lk_replace_try("mine/report/x"), ENOTDIR);
}

static void own_links(void **state)
{
    (void)state;
    write_text("mine/to", "old");
    assert_int_equal(symlink("to", "mine/from"), 0);
    assert_int_equal(symlink("../mine", "public/folder"), 0);
    assert_int_equal(symlink("round", "mine/round"), 0);
    assert_int_equal(replace("public/folder/./../mine/from", "new"), 0);
    expect_text("mine/to", "new");
    assert_true(S_ISLNK(mode_of("mine/from")));
    assert_int_equal(lk_replace_try("mine/round"), ELOOP);
    assert_int_equal(symlink("yet/to", "mine/far"), 0);
    assert_int_equal(lk_replace_try("mine/far"), ENOENT);
}

/* Whatever fs.protected_symlinks, fs.protected_fifos and fs.protected_regular are here. */
static void what_others_lay_out(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    write_text("mine/to", "old");
    assert_int_equal(symlink("../mine/to", "public/report"), 0);
    assert_int_equal(symlink("../mine", "public/folder"), 0);
    assert_int_equal(mkfifo("public/fifo", 0666), 0);
    write_text("public/page", "old");
    static const char *const theirs[] = { "public/report", "public/folder", "public/fifo",
                                          "public/page" };
    for (size_t i = 0; i < LK_ARRAY_LEN(theirs); i++)
        assert_int_equal(lchown(theirs[i], NOBODY, NOBODY), 0);
    static const char *const names[] = { "public/report", "public/folder/to", "public/fifo" };
    for (size_t i = 0; i < LK_ARRAY_LEN(names); i++) {
        assert_int_equal(lk_replace_try(names[i]), EACCES);
        assert_int_equal(replace(names[i], "new"), EACCES);
        assert_int_equal(lk_open_to_append(names[i]), -1);
    }
    assert_int_equal(lk_open_to_append("public/page"), -1);
    assert_int_equal(errno, EACCES);
    expect_text("mine/to", "old");
    expect_text("public/page", "old");
    assert_int_equal(entries("public"), 4);
    /* another user's folder that only they write to: their links are their matter */
    assert_int_equal(chmod("public", 0755), 0);
    assert_int_equal(replace("public/report", "new"), 0);
    expect_text("mine/to", "new");
}

/* The folder is the one that was there at first, whatever its name leads to later. */
static void renamed_meanwhile(void **state)
{
    struct lk_replacement r;
    (void)state;
    assert_int_equal(mkdir("mine/out", 0700), 0);
    assert_int_equal(lk_replace_begin(&r, "mine/out/report", 0644), 0);
    assert_int_equal(rename("mine/out", "mine/moved"), 0);
    assert_int_equal(symlink("../public", "mine/out"), 0);
    assert_int_equal(lk_replace_end(&r, fputs("new", r.f) >= 0, 0), 0);
    expect_text("mine/moved/report", "new");
    assert_int_equal(entries("public"), 0);
}

static void devices(void **state)
{
    (void)state;
    assert_int_equal(replace("/dev/null", "x"), 0);
    assert_true(S_ISCHR(mode_of("/dev/null")));
    assert_int_equal(replace("/dev/full", "x"), ENOSPC);
    assert_int_equal(mkfifo("mine/fifo", 0600), 0);
    assert_int_equal(lk_replace_try("mine/fifo"), 0);
    assert_int_equal(replace("mine/fifo", "x"), ENXIO); /* not waited for without end */
    const int fd = open("mine/fifo", O_RDONLY | O_NONBLOCK);
    char got[2] = "";
    assert_int_equal(replace("mine/fifo", "x"), 0);
    assert_int_equal(read(fd, got, 1), 1);
    assert_string_equal(got, "x");
    close(fd);
}

/* What a link of /proc leads to is open already: it is written to, and never replaced. */
static void own_descriptor(void **state)
{
    char name[40];
    struct stat before, after;
    (void)state;
    const int fd = open("mine/log", O_WRONLY | O_CREAT, 0600);
    assert_int_equal(write(fd, "1", 1), 1);
    snprintf(name, sizeof name, "/dev/fd/%d", fd);
    assert_int_equal(fstat(fd, &before), 0);
    assert_int_equal(lk_replace_try(name), 0);
    assert_int_equal(replace(name, "2"), 0);
    assert_int_equal(stat("mine/log", &after), 0);
    assert_int_equal(before.st_ino, after.st_ino);
    expect_text("mine/log", "12");
    close(fd);
}

/* The status of a child that does it; 0: as it should be. */
static int in_child(int (*work)(void))
{
    int status = -1;
    const pid_t pid = bound_fork();
    if (pid == 0)
        _exit(work());
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static int write_too_much(void)
{
    const struct rlimit small = { 4096, 4096 };
    struct lk_replacement r;
    bool ok = setrlimit(RLIMIT_FSIZE, &small) == 0 && !lk_replace_begin(&r, "mine/report", 0644);
    if (!ok)
        return 1;
    for (int i = 0; i < 100000 && ok; i++)
        ok = fputs("too much\n", r.f) >= 0;
    if (lk_replace_end(&r, ok, errno) != EFBIG)
        return 2;
    raise(SIGXFSZ); /* as it was: this kills */
    return 3;
}

static int die_writing(void)
{
    struct lk_replacement r;
    if (lk_replace_begin(&r, "mine/report", 0644) != 0 || fputs("half", r.f) < 0 ||
        fflush(r.f) != 0)
        return 1;
    return raise(SIGKILL);
}

/* As a file system of which O_TMPFILE is not known. */
static bool forbid_unnamed(void)
{
    struct sock_filter rows[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2])),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, O_TMPFILE & ~O_DIRECTORY, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EOPNOTSUPP),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog program = { LK_ARRAY_LEN(rows), rows };
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

static int write_named(void)
{
    struct lk_replacement r;
    if (!forbid_unnamed() || lk_replace_try("mine/other") != 0 || entries("mine") != 1)
        return 1;
    if (replace("mine/report", "new") != 0 || lk_replace_begin(&r, "mine/report", 0644) != 0)
        return 2;
    if (entries("mine") != 2 || lk_replace_end(&r, false, ENOSPC) != ENOSPC)
        return 3;
    return write_too_much();
}

static void nothing_left(void **state)
{
    (void)state;
    write_text("mine/report", "old");
    int status = in_child(write_too_much);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGXFSZ);
    status = in_child(die_writing);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    expect_text("mine/report", "old");
    assert_int_equal(entries("mine"), 1);
    status = in_child(write_named);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGXFSZ);
    expect_text("mine/report", "new");
    assert_int_equal(entries("mine"), 1);
}

static int private_folder(const char *name)
{
    bool made;
    const int fd = lk_open_private_folder(name, &made);
    const int why = fd < 0 ? errno : 0;
    if (fd >= 0)
        close(fd);
    return why;
}

static void private_folders(void **state)
{
    (void)state;
    assert_int_equal(private_folder("mine/cores/"), 0);
    assert_int_equal(mode_of("mine/cores"), S_IFDIR | 0700);
    assert_int_equal(private_folder("mine/cores"), 0);
    assert_int_equal(private_folder("public"), EPERM);
    assert_int_equal(chmod("mine/cores", 0750), 0);
    assert_int_equal(private_folder("mine/cores"), EPERM);
    write_text("mine/file", "");
    assert_int_equal(private_folder("mine/file"), ENOTDIR);
    if (geteuid() != 0)
        return;
    assert_int_equal(chmod("mine/cores", 0700), 0);
    assert_int_equal(chown("mine/cores", NOBODY, NOBODY), 0);
    assert_int_equal(private_folder("mine/cores"), EPERM);
}

static int setup(void **state)
{
    (void)state;
    strcpy(top, "/tmp/loopknot-place-XXXXXX");
    umask(027);
    return mkdtemp(top) && chdir(top) == 0 && mkdir("mine", 0700) == 0 &&
                   mkdir("public", 0700) == 0 && chmod("public", 01777) == 0
               ? 0
               : -1;
}

static int teardown(void **state)
{
    char command[100];
    (void)state;
    snprintf(command, sizeof command, "rm -r %s", top);
    return chdir("/") == 0 ? system(command) : -1;
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(new_and_old),  CASE(own_links),       CASE(what_others_lay_out),
        CASE(devices),      CASE(own_descriptor),  CASE(renamed_meanwhile),
        CASE(nothing_left), CASE(private_folders),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
