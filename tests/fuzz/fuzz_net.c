/* Lines of /proc/PID/net/tcp, tcp6 and unix, and addresses that a target passed to connect(2). */
#include "process/linux/socket_table.c" /* its parsers are static */

#include "fuzz.h"

enum { CAP = 1024 };

static const char *const seeds[] = {
    "   0: 0100007F:1F90 0200000A:0000 01 00000001:00000002 00:00000000 00000000  1000        0 "
    "12345 1 0000000000000000 100 0 0 10 0",
    "   1: 00000000000000000000000001000000:0050 0000000000000000FFFF00000100007F:9C40 0A "
    "00000000:00000000 00:00000000 00000000 0 0 99 1",
    "0000000000000000: 00000002 00000000 00010000 0001 01 23456 /run/a b.sock",
    "0000000000000000: 00000003 00000000 00000000 0001 03 23457 @abstract",
};

static void one(uint64_t round)
{
    const char *seed = seeds[round % (sizeof seeds / sizeof seeds[0])];
    uint8_t buf[CAP];
    char text[LK_SOCKET_TEXT];
    struct lk_socket_table net = { 0 };
    struct lk_socket s = { 0 };
    struct lk_socket_end end = { 0 };
    memcpy(buf, seed, strlen(seed));
    const size_t n = fuzz_mutate(buf, strlen(seed), CAP - 1);
    char *line = lk_xmalloc(n + 1);
    memcpy(line, buf, n);
    line[n] = '\0';
    net.arena = lk_arena_create();
    for (int v6 = 0; v6 < 2; v6++) {
        if (parse_inet(line, v6, &s) && lk_socket_text(&s.local, text))
            CHECK(memchr(text, '\0', sizeof text));
    }
    memset(&s, 0, sizeof s);
    parse_unix(&net, line, &s);
    if (lk_socket_end_from(line, n, &end) && lk_socket_text(&end, text))
        CHECK(memchr(text, '\0', sizeof text));
    lk_arena_destroy(net.arena);
    lk_free(line);
}

int main(int argc, char **argv)
{
    return fuzz_run(argc, argv, one);
}
