/* The socket tables: of this process, and made-up ones in a folder that stands in for /proc/PID. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h> /* needs the three above */

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "process/linux/socket_table.h"

/* Our folder in /proc, as that of an examined process is given. */
static int own_folder(void)
{
    static int dir = -1;
    if (dir < 0)
        dir = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);
    assert_true(dir >= 0);
    return dir;
}

static uint64_t inode_of(int fd)
{
    struct stat st;
    assert_int_equal(fstat(fd, &st), 0);
    return st.st_ino;
}

static int listener(int family, struct lk_socket_end *ret)
{
    struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
    struct sockaddr *addr = family == AF_INET ? (struct sockaddr *)&in : (struct sockaddr *)&in6;
    socklen_t len = family == AF_INET ? sizeof(in) : sizeof(in6);
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, addr, len), 0);
    assert_int_equal(listen(fd, 4), 0);
    assert_int_equal(getsockname(fd, addr, &len), 0);
    assert_true(lk_socket_end_from(addr, len, ret));
    return fd;
}

static int client(uint16_t port)
{
    struct sockaddr_in in = { .sin_family = AF_INET,
                              .sin_port = htons(port),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&in, sizeof(in)), 0);
    return fd;
}

static void tcp(void **state)
{
    (void)state;
    static const int families[] = { AF_INET, AF_INET6 };
    for (size_t i = 0; i < LK_ARRAY_LEN(families); i++) {
        struct lk_socket_end end;
        struct lk_socket ask, peer;
        int l = listener(families[i], &end), c = client(end.port);
        struct lk_socket_table *n = lk_socket_create(own_folder());

        /* By table. */
        const struct lk_socket *s = lk_socket_find(n, inode_of(l));
        assert_non_null(s);
        assert_true(s->listening);
        assert_int_equal(s->local.port, end.port);
        s = lk_socket_find(n, inode_of(c));
        assert_non_null(s);
        const struct lk_socket by_table = *s;
        assert_int_equal(by_table.remote.port, end.port);
        assert_true(lk_socket_is_loopback(&by_table.remote));
        const struct lk_socket *found = lk_socket_listener(n, &by_table.remote, NULL);
        assert_non_null(found);
        assert_true(found->inode == inode_of(l));
        assert_null(lk_socket_listener(n, &by_table.local, NULL));

        /* By asking: the same answers. */
        assert_true(lk_socket_ask(c, &ask));
        assert_memory_equal(&ask.local, &by_table.local, sizeof(ask.local));
        assert_memory_equal(&ask.remote, &by_table.remote, sizeof(ask.remote));
        assert_int_equal(ask.state, by_table.state);
        assert_false(ask.listening);
        assert_true(lk_socket_reverse(n, &ask, &peer));
        assert_true(peer.inode == 0); /* nobody accepted it */
        int a = accept(l, NULL, NULL);
        uint64_t inode;
        assert_true(lk_socket_ask(a, &ask));
        if (lk_socket_ask_listener(n, &ask, &inode)) { /* where the kernel has tcp_diag */
            assert_true(inode == inode_of(l));
            lk_socket_reverse(n, &by_table, &peer);
            assert_true(peer.inode == inode_of(a));
        }
        assert_true(lk_socket_ask(l, &ask));
        assert_true(ask.listening);
        lk_socket_destroy(n);

        /* Data, not time, ends the quiet. */
        usleep(200 * 1000);
        const int64_t quiet = lk_socket_quiet_ms(c);
        assert_true(quiet >= 150);
        assert_int_equal(send(c, "x", 1, 0), 1);
        assert_true(lk_socket_quiet_ms(c) < quiet);
        assert_true(lk_socket_quiet_ms(l) == INT64_MIN);

        /* A new look sees the accepted end, by table alone. */
        n = lk_socket_create(own_folder());
        assert_non_null(lk_socket_find(n, inode_of(a)));
        assert_true(lk_socket_reverse(n, &by_table, &peer));
        assert_true(peer.inode == inode_of(a));
        assert_true(lk_socket_complete(n));
        lk_socket_destroy(n);
        close(a);
        close(c);
        close(l);
    }
}

static void unix_sockets(void **state)
{
    (void)state;
    int v[2], named = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_un un = { .sun_family = AF_UNIX };
    int len = snprintf(un.sun_path + 1, sizeof(un.sun_path) - 1, "loopknot test %d", getpid());
    assert_int_equal(bind(named, (struct sockaddr *)&un,
                          (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)len)),
                     0);
    assert_int_equal(listen(named, 1), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, v), 0);
    struct lk_socket_table *n = lk_socket_create(own_folder());
    const struct lk_socket *s = lk_socket_find(n, inode_of(named));
    assert_non_null(s);
    assert_true(s->listening);
    assert_int_equal(s->path[0], '@');
    assert_string_equal(s->path + 1, un.sun_path + 1);
    assert_ptr_equal(lk_socket_unix_listener(n, s->path, NULL), s);
    assert_null(lk_socket_unix_listener(n, s->path, s));
    assert_null(lk_socket_unix_listener(n, "/no/such/socket", NULL));
    assert_non_null(lk_socket_find(n, inode_of(v[0])));
    uint64_t peer;
    uint32_t rx;
    assert_int_equal(write(v[0], "abc", 3), 3);
    if (lk_socket_unix_peer(n, inode_of(v[1]), &peer, &rx)) { /* where the kernel has unix_diag */
        assert_true(peer == inode_of(v[0]));
        assert_true(rx >= 3);
    }
    assert_false(lk_socket_unix_peer(n, 0, &peer, &rx));
    assert_false(lk_socket_unix_peer(n, UINT64_MAX, &peer, &rx));
    lk_socket_destroy(n);
    close(v[0]);
    close(v[1]);
    close(named);
}

/* ---- made-up tables ------------------------------------------------------------------- */

struct fake {
    char base[40], net[48];
    int dir;
};

static void fake_open(struct fake *f)
{
    strcpy(f->base, "/tmp/test_netXXXXXX");
    assert_non_null(mkdtemp(f->base));
    snprintf(f->net, sizeof(f->net), "%s/net", f->base);
    assert_int_equal(mkdir(f->net, 0700), 0);
    f->dir = open(f->base, O_PATH | O_DIRECTORY | O_CLOEXEC);
    assert_true(f->dir >= 0);
}

static void fake_write(const struct fake *f, const char *name, const char *text, size_t n)
{
    char path[96];
    snprintf(path, sizeof(path), "%s/%s", f->net, name);
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    fwrite(text, 1, n, out);
    fclose(out);
}

static void fake_close(const struct fake *f)
{
    static const char *const names[] = { "tcp", "tcp6", "udp", "udp6", "unix" };
    for (size_t i = 0; i < LK_ARRAY_LEN(names); i++) {
        char path[96];
        snprintf(path, sizeof(path), "%s/%s", f->net, names[i]);
        unlink(path);
    }
    close(f->dir);
    rmdir(f->net);
    rmdir(f->base);
}

static void odd_lines(void **state)
{
    (void)state;
    static const char tcp_text[] = "  sl  local_address rem_address   st tx_queue rx_queue tr "
                                   "tm->when retrnsmt   uid  timeout inode\n"
                                   "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000002 "
                                   "00:00000000 00000000     0        0 11 1 x\n"
                                   "   1: 0100007F:1F91\n"
                                   "\n"
                                   "   2: 0100007F 00000000:0000 0A 0:0 0 0 0 0 12\n"
                                   "garbage without a colon\n"
                                   "   3: 0100007F:1F90 0100007F:C000 06 00000000:00000000 "
                                   "03:00000100 00000000     0        0 13 3 x\n"
                                   "   4: 0100007F:1F90 0100007F:C001 01 0000000A:0000000B "
                                   "00:00000000 00000000     0        0 14 1 x\n"
                                   "   5: 0100007F:1F90 0100007F:C002 01 00000000:00000000 "
                                   "00:00000000 00000000     0        0 15"; /* cut */
    static const char unix_head[] =
        "Num       RefCount Protocol Flags    Type St Inode Path\n"
        "0000000000000000: 00000002 00000000 00010000 0001 01 21 /run/a\n"
        "0000000000000000: 00000002 00000000 00000000 0001 03 22 /run/"; /* and a path longer than
                                                                            any line */
    static const char unix_tail[] = "\n"
                                    "0000000000000000: 00000002 00000000 00000000 0001 03 23\n"
                                    "3:\n:\n4: 1 1 1\n";
    struct fake f;
    char big[5000];
    fake_open(&f);
    fake_write(&f, "tcp", tcp_text, sizeof(tcp_text) - 1);
    memset(big, 'x', sizeof(big));
    memcpy(big, unix_head, sizeof(unix_head) - 1);
    memcpy(big + sizeof(big) - sizeof(unix_tail) + 1, unix_tail, sizeof(unix_tail) - 1);
    fake_write(&f, "unix", big, sizeof(big));
    struct lk_socket_table *n = lk_socket_create(f.dir);
    const struct lk_socket *s = lk_socket_find(n, 11);
    assert_non_null(s);
    assert_true(s->listening);
    assert_int_equal(s->rx, 2);
    assert_int_equal(s->local.port, 0x1f90);
    assert_null(lk_socket_find(n, 12));
    assert_null(lk_socket_find(n, 13)); /* TIME_WAIT */
    s = lk_socket_find(n, 14);
    assert_non_null(s);
    assert_int_equal(s->tx, 10);
    assert_int_equal(s->rx, 11);
    char text[LK_SOCKET_TEXT];
    assert_true(lk_socket_text(&s->remote, text));
    assert_string_equal(text, "127.0.0.1:49153");
    assert_non_null(lk_socket_find(n, 15));
    s = lk_socket_find(n, 21);
    assert_non_null(s);
    assert_true(s->listening);
    assert_string_equal(s->path, "/run/a");
    s = lk_socket_find(n, 23);
    assert_non_null(s);
    assert_null(s->path);
    assert_null(lk_socket_find(n, 999));
    assert_false(lk_socket_complete(n)); /* udp is missing */
    lk_socket_destroy(n);
    fake_close(&f);
}

static void random_tables(void **state)
{
    (void)state;
    static const char chars[] = "0123456789ABCDEF: :\n  /@";
    static const char *const names[] = { "tcp", "tcp6", "udp", "unix" };
    uint32_t seed = 7;
    struct fake f;
    fake_open(&f);
    for (int round = 0; round < 50; round++) {
        for (size_t i = 0; i < LK_ARRAY_LEN(names); i++) {
            char text[4000];
            for (size_t k = 0; k < sizeof(text); k++) {
                seed = seed * 1664525 + 1013904223;
                text[k] = chars[(seed >> 16) % (sizeof(chars) - 1)];
            }
            fake_write(&f, names[i], text, seed % sizeof(text));
        }
        struct lk_socket_table *n = lk_socket_create(f.dir);
        struct lk_socket peer;
        for (uint64_t inode = 0; inode < 20; inode++) {
            const struct lk_socket *s = lk_socket_find(n, inode);
            if (s)
                lk_socket_reverse(n, s, &peer);
        }
        lk_socket_destroy(n);
    }
    fake_close(&f);
}

static void texts(void **state)
{
    (void)state;
    struct lk_socket_end end;
    char text[LK_SOCKET_TEXT];
    struct sockaddr_in6 in6 = { .sin6_family = AF_INET6,
                                .sin6_addr = IN6ADDR_LOOPBACK_INIT,
                                .sin6_port = htons(80) };
    assert_true(lk_socket_end_from(&in6, sizeof(in6), &end));
    assert_true(lk_socket_text(&end, text));
    assert_string_equal(text, "[::1]:80");
    assert_true(lk_socket_is_loopback(&end));
    struct sockaddr_in in = { .sin_family = AF_INET };
    assert_true(lk_socket_end_from(&in, sizeof(in), &end));
    assert_false(lk_socket_text(&end, text));
    assert_string_equal(text, "");
    assert_false(lk_socket_end_from(&in, 4, &end));
    assert_false(lk_socket_end_from(&in, 0, &end));
    struct sockaddr_un un = { .sun_family = AF_UNIX };
    assert_false(lk_socket_end_from(&un, sizeof(un), &end));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tcp),       cmocka_unit_test(unix_sockets),
        cmocka_unit_test(odd_lines), cmocka_unit_test(random_tables),
        cmocka_unit_test(texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
