/* Limits of control groups, by files below a folder that the text of mountinfo names: of version 1,
 * of version 2, of both, in a container, and hostile ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "process/linux/cgroup.h"

#define NONE    LK_UNKNOWN
#define V2      "30 23 0:26 / %s/v2 rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
#define MEMORY  "14 31 0:32 / %s/memory rw,relatime - cgroup cgroup rw,memory\n"
#define CPU     "11 31 0:29 / %s/cpu rw,relatime - cgroup cgroup rw,cpu,cpuacct\n"
#define UNIFIED "20 31 0:38 / %s/v2 rw,relatime - cgroup2 cgroup2 rw\n"

struct file {
    const char *name, *text;
};
struct row {
    const char *groups, *mounts;
    struct file files[8];
    int64_t max, used, cpu;
};

static const struct row rows[] = {
    /* version 2: the group's own, one above it, the lowest of several, none */
    { "0::/web\n",
      V2,
      { { "v2/web/memory.max", "536870912\n" },
        { "v2/web/memory.current", "4096\n" },
        { "v2/web/cpu.max", "150000 100000\n" } },
      536870912,
      4096,
      1500 },
    { "0::/a/b/c\n",
      V2,
      { { "v2/a/b/c/memory.max", "max\n" },
        { "v2/a/b/c/memory.current", "1\n" },
        { "v2/a/b/memory.max", "2000\n" },
        { "v2/a/b/memory.current", "2\n" },
        { "v2/a/memory.max", "3000\n" },
        { "v2/a/cpu.max", "50000 100000\n" },
        { "v2/a/b/c/cpu.max", "max 100000\n" } },
      2000,
      2,
      500 },
    { "0::/a/b\n",
      V2,
      { { "v2/a/b/memory.max", "3000\n" },
        { "v2/a/memory.max", "1000\n" },
        { "v2/a/b/cpu.max", "20000 100000\n" },
        { "v2/a/cpu.max", "90000 100000\n" } },
      1000,
      NONE,
      200 },
    { "0::/web\n",
      V2,
      { { "v2/web/memory.max", "max\n" },
        { "v2/web/memory.current", "77\n" },
        { "v2/web/cpu.max", "max 100000\n" } },
      LK_FOREVER,
      77,
      LK_FOREVER },
    /* the root of the machine has no such files, that of a container has */
    { "0::/\n", V2, { { "v2/cpu.stat", "" } }, NONE, NONE, NONE },
    { "0::/\n",
      V2,
      { { "v2/memory.max", "9\n" }, { "v2/cpu.max", "1000 100000\n" } },
      9,
      NONE,
      10 },
    /* a container whose mount shows what stands below its own group alone */
    { "0::/docker/ab/x\n",
      "30 23 0:26 /docker/ab %s/v2 rw - cgroup2 cgroup2 rw\n",
      { { "v2/x/memory.max", "5\n" } },
      5,
      NONE,
      NONE },
    { "0::/docker/abc\n",
      "30 23 0:26 /docker/ab %s/v2 rw - cgroup2 cgroup2 rw\n",
      { { "v2/c/memory.max", "5\n" }, { "v2c/memory.max", "5\n" } },
      NONE,
      NONE,
      NONE },
    { "0::/../other\n", V2, { { "v2/memory.max", "5\n" } }, NONE, NONE, NONE },
    /* version 1, alone and beside a version 2 without controllers */
    { "4:memory:/web\n1:cpu,cpuacct:/jobs/1\n",
      MEMORY CPU,
      { { "memory/web/memory.limit_in_bytes", "1048576\n" },
        { "memory/web/memory.usage_in_bytes", "5\n" },
        { "memory/memory.limit_in_bytes", "9223372036854771712\n" },
        { "cpu/jobs/1/cpu.cfs_quota_us", "-1\n" },
        { "cpu/jobs/1/cpu.cfs_period_us", "100000\n" },
        { "cpu/jobs/cpu.cfs_quota_us", "25000\n" },
        { "cpu/jobs/cpu.cfs_period_us", "100000\n" } },
      1048576,
      5,
      250 },
    { "4:memory:/\n1:cpu,cpuacct:/\n0::/\n",
      MEMORY CPU UNIFIED,
      { { "memory/memory.limit_in_bytes", "9223372036854771712\n" },
        { "memory/memory.usage_in_bytes", "6\n" },
        { "cpu/cpu.cfs_quota_us", "-1\n" },
        { "cpu/cpu.cfs_period_us", "100000\n" },
        { "v2/cgroup.procs", "" } },
      LK_FOREVER,
      6,
      LK_FOREVER },
    /* nonsense */
    { "0::/web\n",
      V2,
      { { "v2/web/memory.max", "many\n" }, { "v2/web/cpu.max", "5\n" } },
      NONE,
      NONE,
      NONE },
    { "0::/web\n",
      V2,
      { { "v2/web/memory.max", "" }, { "v2/web/cpu.max", "1000 0\n" } },
      NONE,
      NONE,
      NONE },
    { "0::/web\n",
      V2,
      { { "v2/web/memory.max", "99999999999999999999\n" },
        { "v2/web/cpu.max", "9223372036854775807 1\n" } },
      LK_FOREVER,
      NONE,
      NONE },
    { "", V2, { { "v2/memory.max", "5\n" } }, NONE, NONE, NONE },
    { "0::/", V2, { { "v2/memory.max", "5" } }, 5, NONE, NONE },
    { "\n:\n::\n0:\n0::/web",
      "\n - \nx - cgroup2\n" V2,
      { { "v2/web/memory.max", "5\n" } },
      5,
      NONE,
      NONE },
    { "0::/web\n", "", { { "v2/web/memory.max", "5\n" } }, NONE, NONE, NONE },
};

/* With the folders above it. */
static void write_file(const char *root, const struct file *f)
{
    char path[400];
    assert_true((size_t)snprintf(path, sizeof path, "%s/%s", root, f->name) < sizeof path);
    for (char *at = path + strlen(root) + 1; (at = strchr(at, '/')); *at++ = '/') {
        *at = '\0';
        assert_true(mkdir(path, 0700) == 0 || errno == EEXIST);
    }
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    fputs(f->text, out);
    assert_int_equal(fclose(out), 0);
}

static void remove_file(const char *root, const struct file *f)
{
    char path[400];
    snprintf(path, sizeof path, "%s/%s", root, f->name);
    assert_int_equal(unlink(path), 0);
    for (char *at; (at = strrchr(path, '/')) && at > path + strlen(root);) {
        *at = '\0';
        if (rmdir(path) != 0)
            break;
    }
}

/* The mounts with the folder for each %s. */
static void mounts_at(const char *root, const char *mounts, char *ret, size_t size)
{
    *ret = '\0';
    for (const char *at; (at = strstr(mounts, "%s")); mounts = at + 2) {
        const size_t n = strlen(ret);
        assert_true((size_t)snprintf(ret + n, size - n, "%.*s%s", (int)(at - mounts), mounts,
                                     root) < size - n);
    }
    const size_t n = strlen(ret);
    assert_true((size_t)snprintf(ret + n, size - n, "%s", mounts) < size - n);
}

static void limits(void **state)
{
    char root[] = "/tmp/loopknot-cgroup-XXXXXX", mounts[2048];
    (void)state;
    assert_non_null(mkdtemp(root));
    for (size_t i = 0; i < LK_ARRAY_LEN(rows); i++) {
        const struct row *r = &rows[i];
        struct lk_surroundings got = lk_surroundings_none;
        for (size_t k = 0; k < LK_ARRAY_LEN(r->files) && r->files[k].name; k++)
            write_file(root, &r->files[k]);
        mounts_at(root, r->mounts, mounts, sizeof mounts);
        lk_cgroup_limits_told(r->groups, mounts, &got);
        for (size_t k = 0; k < LK_ARRAY_LEN(r->files) && r->files[k].name; k++)
            remove_file(root, &r->files[k]);
        if (got.memory_max != r->max || got.memory_used != r->used || got.cpu_thousandths != r->cpu)
            print_error("row %zu, %s", i, r->groups);
        assert_int_equal(got.memory_max, r->max);
        assert_int_equal(got.memory_used, r->used);
        assert_int_equal(got.cpu_thousandths, r->cpu);
    }
    assert_int_equal(rmdir(root), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(limits) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
