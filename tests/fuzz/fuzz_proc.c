/* What /proc says: stat, maps, syscall, sched, status, cgroup. Names, paths and command lines in it
 * are the target's choice. */
#include "process/live/threads.c" /* its parsers are static */

#include "fuzz.h"
#include "process/linux/cgroup.h"
#include "process/linux/procfs.h"
#include "process/live/live.h"
#include "process/live/maps.h"
#include "process/live/pid_namespace.h"

enum { CAP = 4096 };

static const char *const seeds[] = {
    "4711 (a) R (b) S 1 4711 4711 0 -1 4194304 100 0 0 0 12 34 0 0 20 0 9 0 123456 1000 200 "
    "18446744073709551615 1 1 1 0 0 0 0 0 0 0 0 0 "
    "17 1 0 0 0 0 0 0 0 0 0 0 0 0 0\n",
    "55d0a0000000-55d0a0001000 r-xp 00001000 08:01 131 /usr/bin/python3.11 (deleted)\n"
    "7f0000000000-7f0000021000 rw-p 00000000 00:00 0 \n7ffc00000000-7ffc00021000 rw-p 00000000 "
    "00:00 0          [stack]\n",
    "202 0x7f1 0x189 0x0 0x0 0x0 0xffffffff 0x7ffc0000 0x7f0001\n",
    "python3 (4711, #threads: 9)\n-------\nse.exec_start                                :        "
    "123456.789012\n",
    "Name:\tpython3\nState:\tS "
    "(sleeping)\nNSpid:\t4711\t12\t1\nTracerPid:\t0\nvoluntary_ctxt_switches:\t12\n",
    "0::/docker/0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n1:name=systemd:/"
    "kubepods/pod1/cri-x.scope\n",
};

static void maps(const uint8_t *text, size_t n)
{
    struct lk_live live = { .proc_fd = -1 };
    struct lk_arena *a = lk_arena_create();
    struct lk_mapping *v = NULL;
    struct lk_error err;
    size_t count = 0;
    live.maps_text = lk_xmalloc(n + 1);
    live.maps_len = n;
    memcpy(live.maps_text, text, n);
    CHECK(lk_live_maps(&live, a, &v, &count, &err));
    for (size_t i = 0; i < count; i++) {
        CHECK(v[i].start < v[i].end && v[i].path && strlen(v[i].prot) <= 4);
        CHECK(!i || v[i - 1].end <= v[i].start);
    }
    lk_arena_destroy(a);
}

static void lines(char *text)
{
    struct lk_procfs_stat stat;
    struct lk_thread_facts facts = { 0 };
    char container[128];
    int64_t inner;
    uint64_t value;
    int levels;
    if (lk_procfs_stat_parse(text, &stat))
        CHECK(memchr(stat.comm, '\0', sizeof stat.comm) && stat.state);
    parse_syscall(text, &facts);
    parse_exec_start(text);
    if (lk_pid_ns_parse(text, &inner, &levels))
        CHECK(inner > 0 && levels > 0 && levels <= 64);
    lk_procfs_field(text, "NSpid:", 10, &value);
    if (lk_cgroup_container(text, container, sizeof container))
        CHECK(memchr(container, '\0', sizeof container));
}

static void one(uint64_t round)
{
    /* Exactly as large as needed, so that a step beyond is seen. */
    const char *seed = seeds[round % (sizeof seeds / sizeof seeds[0])];
    uint8_t *buf = lk_xmalloc(CAP);
    memcpy(buf, seed, strlen(seed));
    const size_t n = fuzz_mutate(buf, strlen(seed), CAP);
    char *text = lk_xmalloc(n + 1);
    memcpy(text, buf, n);
    text[n] = '\0';
    maps(buf, n);
    lines(text);
    lk_free(text);
    lk_free(buf);
}

int main(int argc, char **argv)
{
    return fuzz_run(argc, argv, one);
}
