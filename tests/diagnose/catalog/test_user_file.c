/* The user's file of patterns: what is taken, what is refused and in which words, and what a row
 * then does. */
#include "../rules/make.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "diagnose/catalog/frames.h"
#include "diagnose/catalog/match.h"
#include "diagnose/catalog/user_file.h"
#include "loopknot.h"

static struct lk_patterns *parse(const char *text)
{
    struct lk_error err = { 0 };
    struct lk_patterns *p = lk_patterns_parse("my.rules", text, strlen(text), &err);
    if (!p)
        fail_msg("refused: %s", err.text);
    return p;
}

static void refuses(const char *text, size_t n, const char *words)
{
    struct lk_error err = { 0 };
    struct lk_patterns *p = lk_patterns_parse("my.rules", text, n, &err);
    if (p)
        fail_msg("taken: %s", text);
    if (!strstr(err.text, words))
        fail_msg("says '%s', not '%s'", err.text, words);
    assert_null(strchr(err.text, '\n'));
}

static void whole_file(void **state)
{
    (void)state;
    struct lk_patterns *p =
        parse("# ours\n"
              "\n"
              "framework acme_web   # the company's\n"
              "framework\tacme.rpc\r\n"
              "  bridge acme.portal:Portal.call\n"
              "nester acme.nest\n"
              "consumer acme.bus:Consumer.poll\n"
              "request acme.server:Worker.handle\n"
              "worker acme.server:Worker.run\n"
              "blocking python acme.db:Client.query\n"
              "blocking python acme.db:Client.<locals>.f as  a query # not a comment? it is\n"
              "blocking native libacme:acme_wait_* as acme's wait\n"
              "blocking native acme::Device::read\n"
              "blocking syscall ioctl as a device request");
    assert_int_equal(p->packages.n, 2);
    assert_string_equal(p->packages.v[1], "acme/rpc");
    assert_int_equal(p->natives.n, 2);
    assert_string_equal(p->natives.v[0].module, "libacme");
    assert_string_equal(p->natives.v[0].name, "acme_wait_*");
    assert_string_equal(p->natives.v[0].call, "acme's wait");
    assert_null(p->natives.v[1].module);
    assert_string_equal(p->natives.v[1].name, "acme::Device::read");
    assert_string_equal(p->syscalls.v[0].call, "a device request");
    const struct lk_pattern *last = &p->functions.v[p->functions.n - 1];
    assert_string_equal(last->call, "a query");
    assert_string_equal(last->function, "Client.<locals>.f");
    assert_string_equal(p->functions.v[0].file, "acme/portal.py");
    lk_patterns_destroy(p);
    p = parse("");
    assert_int_equal(p->packages.n + p->functions.n + p->natives.n + p->syscalls.n, 0);
    lk_patterns_destroy(p);
    lk_patterns_destroy(parse("\xef\xbb\xbf# with a byte order mark\nframework caf\xc3\xa9"));
}

static void wrong_lines(void **state)
{
    (void)state;
    static const struct {
        const char *text, *words;
    } rows[] = {
        { "framwork acme", "my.rules:1: unknown word 'framwork'; a line begins with framework," },
        { "\n\nframework", "my.rules:3: the package is missing" },
        { "framework acme web", "'web' follows where the line should end" },
        { "framework acme-web", "'acme-web' is no name of a package" },
        { "framework acme..web", "is no name of a package" },
        { "framework .", "is no name of a package" },
        { "framework acme.", "is no name of a package" },
        { "bridge", "the Python function is missing" },
        { "bridge acme:", "'acme:' is no Python function; write MODULE:NAME" },
        { "bridge :call", "is no Python function" },
        { "bridge a:b:c", "is no Python function" },
        { "bridge acme/portal.py:call", "is no Python function" },
        { "nester 3acme", "is no Python function" },
        { "blocking", "after 'blocking' stands nothing; write python, native or syscall there" },
        { "blocking acme.db:query", "after 'blocking' stands 'acme.db:query'" },
        { "blocking native", "the native function is missing" },
        { "blocking native *", "a '*' may stand only at the end" },
        { "blocking native ab*", "after at least 3 letters" },
        { "blocking native acme_*_wait", "a '*' may stand only at the end" },
        { "blocking native :acme", "before the ':' stands the beginning" },
        { "blocking native /usr/lib/libx:acme", "without folders" },
        { "blocking syscall IOCTL", "is no name of a system call" },
        { "blocking python acme:q for long", "or go on with \"as TEXT\"" },
        { "blocking python acme:q as", "the words are missing" },
        { "blocking python acme:q as # nothing", "the words are missing" },
        { "blocking python acme:q as "
          "0123456789012345678901234567890123456789012345678901234567890123456789012345678901",
          "80 bytes" },
        { "framework a\x01", "a control character (\\x01)" },
        { "framework a\x7f", "a control character (\\x7f)" },
        { "framework a\rb", "a control character (\\x0d)" },
        { "framework \xff", "byte 11 of the line is no UTF-8" },
        { "framework \xc0\xaf", "no UTF-8" },
        { "framework \xed\xa0\x80", "no UTF-8" },
        { "framework a\xe2\x82", "no UTF-8" },
    };
    for (size_t i = 0; i < LK_ARRAY_LEN(rows); i++)
        refuses(rows[i].text, strlen(rows[i].text), rows[i].words);
    refuses("framework a\0b", 13, "a NUL byte stands in the line");
}

static void too_much(void **state)
{
    (void)state;
    size_t size = LK_PATTERNS_MAX_BYTES + 1;
    char *text = malloc(size);
    assert_non_null(text);
    memset(text, 'a', size);
    refuses(text, LK_PATTERNS_MAX_LINE + 1, "the line is longer than 512 bytes");
    refuses(text, size, "larger than 256 KiB");
    memcpy(text, "framework ", 10);
    refuses(text, 300, "longer than 200 bytes");
    size_t n = 0;
    for (int i = 0; i <= LK_PATTERNS_MAX_ROWS; i++, n += 12)
        memcpy(text + n, "framework a\n", 12);
    refuses(text, n, "my.rules:4097: more than 4096 patterns");
    free(text);
}

static struct lk_code code_of(const char *function, const char *qualname, const char *file)
{
    return (struct lk_code){ .function = function, .qualname = qualname, .file = file };
}

static void marks(void **state)
{
    (void)state;
    struct lk_patterns *p =
        parse("blocking python acme.db:Client.query\nrequest acme.server\nconsumer acme.bus:poll");
    static const struct {
        const char *function, *qualname, *file;
        bool qualnames;
        unsigned marks;
        const char *call;
    } rows[] = {
        { "query", "Client.query", "/srv/acme/db.py", true, LK_MARK_BLOCKING, "Client.query()" },
        { "query", "Client.query", "/srv/acme/db/__init__.py", true, LK_MARK_BLOCKING,
          "Client.query()" },
        { "query", "query", "/srv/acme/db.py", true, 0, NULL },
        { "query", "query", "/srv/acme/db.py", false, LK_MARK_BLOCKING,
          "Client.query()" }, /* before 3.11 there is no more */
        { "query", "Client.query", "/srv/notacme/db.py", true, 0, NULL },
        { "query", "Client.query", "/srv/acme/db2.py", true, 0, NULL },
        { "anything", "X.anything", "acme/server.py", true, LK_MARK_REQUEST, NULL },
        { "poll", "Consumer.poll", "/x/acme/bus.py", true, LK_MARK_CONSUMER, NULL },
        { "request", "request", SITE "requests/api.py", true, LK_MARK_BLOCKING,
          "requests.request()" },
    };
    for (size_t i = 0; i < LK_ARRAY_LEN(rows); i++) {
        struct lk_code c = code_of(rows[i].function, rows[i].qualname, rows[i].file);
        lk_pattern_mark(p, &c, rows[i].qualnames);
        assert_int_equal(c.marks, rows[i].marks);
        if (rows[i].call)
            assert_string_equal(c.call, rows[i].call);
        else
            assert_null(c.call);
    }
    lk_patterns_destroy(p);
}

static void natives_and_system_calls(void **state)
{
    (void)state;
    struct lk_patterns *p =
        parse("blocking native libacme:acme_wait_* as a wait\nblocking syscall ioctl");
    bool by_user;
    struct lk_natframe f = { .function = "acme_wait_long", .module = "libacme.so.3" };
    assert_string_equal(lk_pattern_native(p, &f, &by_user)->call, "a wait");
    assert_true(by_user);
    f.module = "libother.so";
    assert_null(lk_pattern_native(p, &f, NULL));
    f.function = "PQexecParams";
    f.module = "libpq.so.5.15";
    assert_non_null(lk_pattern_native(p, &f, &by_user));
    assert_false(by_user);
    assert_non_null(lk_pattern_native(NULL, &f, NULL));
    f.function = NULL;
    assert_null(lk_pattern_native(p, &f, NULL));
    assert_non_null(lk_pattern_syscall(p, "ioctl"));
    assert_null(lk_pattern_syscall(p, "read"));
    assert_null(lk_pattern_syscall(p, NULL));
    assert_null(lk_pattern_syscall(NULL, "ioctl"));
    lk_patterns_destroy(p);
}

static void frameworks_of_the_user(void **state)
{
    (void)state;
    struct lk_patterns *p = parse("framework acme.web\nframework single\nbridge srv:bridge");
    static const struct {
        const char *frame;
        enum lk_code_class cls;
    } rows[] = {
        { "f@/srv/acme/web/views.py:1", LK_CODE_FRAMEWORK },
        { "f@acme/web/views.py:1", LK_CODE_FRAMEWORK },
        { "f@/srv/acme/website/views.py:1", LK_CODE_USER },
        { "f@/srv/acme/views.py:1", LK_CODE_USER },
        { "f@/srv/single.py:1", LK_CODE_FRAMEWORK },
        { "f@/srv/single.pyc:1", LK_CODE_USER },
        { "f@/srv/notsingle.py:1", LK_CODE_USER },
        { "bridge@/x/srv.py:1", LK_CODE_FRAMEWORK },
        { "other@/x/srv.py:1", LK_CODE_USER },
    };
    for (size_t i = 0; i < LK_ARRAY_LEN(rows); i++) {
        struct lk_snapshot *s = mk();
        s->patterns = p;
        struct lk_ref t = mk_thread(s, "t", rows[i].frame, NULL);
        lk_classify(s, "/srv"); /* what the file names is none of the project's */
        if (THREAD(t)->python_stack->frames[0].code->cls != rows[i].cls)
            fail_msg("%s is %d", rows[i].frame, THREAD(t)->python_stack->frames[0].code->cls);
        lk_snapshot_destroy(s);
    }
    lk_patterns_destroy(p);
}

/* ---- what a row does to a verdict -------------------------------------------------------- */

static void expect_with(struct lk_snapshot *s, const char *text, enum lk_verdict verdict,
                        const char *rule)
{
    struct lk_patterns *p = parse(text);
    s->patterns = p;
    mk_expect(s, verdict, rule);
    lk_patterns_destroy(p);
}

static struct lk_snapshot *waits_for_a_future(void)
{
    struct lk_snapshot *s = mk();
    struct lk_ref t = mk_thread(s, "Thread-1", RESULT, "call@/srv/acme/portal.py:16",
                                "pay@/srv/app.py:3", FLASK_REQUEST, NULL);
    mk_wait(s, t, LK_WAIT_FUTURE, mk_bare_future(s));
    return s;
}

static void bridges_and_consumers(void **state)
{
    (void)state;
    expect_with(waits_for_a_future(), "", LK_HAZARD, "LK405");
    expect_with(waits_for_a_future(), "bridge acme.portal:call", LK_HEALTHY, NULL);
    expect_with(waits_for_a_future(), "consumer acme.portal:call", LK_HEALTHY, NULL);
    expect_with(waits_for_a_future(), "bridge acme.portal:other", LK_HAZARD, "LK405");
}

static void nesters(void **state)
{
    (void)state;
    for (int declared = 0; declared < 2; declared++) {
        struct lk_snapshot *s = mk();
        struct lk_ref t = mk_thread(s, "MainThread", ASYNCIO_IDLE, "nested@/srv/acme/nest.py:5",
                                    ASYNCIO_RUN_FOREVER, NULL);
        struct lk_ref outer = mk_loop(s, t), inner = mk_idle_loop(s, t);
        struct lk_ref *both = lk_arena_array(s->arena, 2, sizeof *both);
        both[0] = inner;
        both[1] = outer;
        THREAD(t)->frame_loops = both;
        THREAD(t)->n_frame_loops = 2;
        expect_with(s, declared ? "nester acme.nest:nested" : "", declared ? LK_HEALTHY : LK_HAZARD,
                    declared ? NULL : "LK303");
    }
}

/* A server of one's own: what waits below its entry point is a request. */
static void entry_points(void **state)
{
    (void)state;
    for (int declared = 0; declared < 2; declared++) {
        struct lk_snapshot *s = mk();
        struct lk_ref t = mk_thread(s, "w", "recv@" STDLIB "socket.py:1", "view@/srv/app.py:3",
                                    "handle@/srv/acme/server.py:9", NULL);
        mk_wait(s, t, LK_WAIT_IO,
                lk_snapshot_extern(s, LK_EXT_OUTSIDE, "10.0.0.7:5432", LK_UNKNOWN));
        expect_with(s, declared ? "request acme.server:handle" : "",
                    declared ? LK_STALLED : LK_HEALTHY, declared ? "LK406" : NULL);
    }
}

/* ---- the file itself ------------------------------------------------------------------- */

static void load_refuses(const char *file, const char *words)
{
    char message[300] = "";
    assert_null(loopknot_patterns_load(file, message, sizeof message));
    if (!strstr(message, words))
        fail_msg("says '%s', not '%s'", message, words);
}

static void only_regular_files(void **state)
{
    (void)state;
    char folder[] = "/tmp/lk-patterns-XXXXXX", path[64];
    assert_non_null(mkdtemp(folder));
    load_refuses(folder, "is a folder");
    snprintf(path, sizeof path, "%s/fifo", folder);
    assert_int_equal(mkfifo(path, 0600), 0);
    /* and does not wait for a writer */
    load_refuses(path, "is a FIFO; patterns are read from a regular file only");
    unlink(path);
    load_refuses("/dev/zero", "is a device");
    load_refuses(path, "No such file");
    snprintf(path, sizeof path, "%s/rules", folder);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs("framework acme\nframework ?\n", f);
    fclose(f);
    load_refuses(path, "rules:2: '?' is no name of a package");
    f = fopen(path, "w");
    assert_non_null(f);
    fputs("framework acme\n", f);
    fclose(f);
    struct loopknot_patterns *p = loopknot_patterns_load(path, NULL, 0);
    assert_non_null(p);
    loopknot_patterns_free(p);
    loopknot_patterns_free(NULL);
    unlink(path);
    rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_file),
        cmocka_unit_test(wrong_lines),
        cmocka_unit_test(too_much),
        cmocka_unit_test(marks),
        cmocka_unit_test(natives_and_system_calls),
        cmocka_unit_test(frameworks_of_the_user),
        cmocka_unit_test(bridges_and_consumers),
        cmocka_unit_test(nesters),
        cmocka_unit_test(entry_points),
        cmocka_unit_test(only_regular_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
