/* Whose code a frame is, and what a thread is for. */
#include "../rules/make.h"

#include <string.h>

static enum lk_code_class class_of(const char *text, const char *project)
{
    struct lk_snapshot *s = mk();
    struct lk_ref t = mk_thread(s, "t", text, NULL);
    lk_classify(s, project);
    enum lk_code_class cls = THREAD(t)->python_stack->frames[0].code->cls;
    lk_snapshot_destroy(s);
    return cls;
}

static void classes(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum lk_code_class cls;
    } rows[] = {
        { "wait@" STDLIB "threading.py:320", LK_CODE_STDLIB },
        { "_run_code@<frozen runpy>:88", LK_CODE_STDLIB },
        { "wsgi_app@" SITE "flask/app.py:2525", LK_CODE_FRAMEWORK },
        { "get@/opt/venv/lib/python3.12/site-packages/requests/api.py:73", LK_CODE_FRAMEWORK },
        { "f@/opt/venv/lib/python3.12/site-packages/MySQLdb/cursors.py:73", LK_CODE_FRAMEWORK },
        { "f@/usr/lib/python3/dist-packages/six.py:10", LK_CODE_FRAMEWORK },
        { "f@/opt/lib/python3.8/site-packages/Flask-1.0-py3.8.egg/flask/app.py:10",
          LK_CODE_FRAMEWORK },
        { "f@/opt/venv/lib/python3.12/site-packages/mycompany/app.py:3", LK_CODE_USER },
        { "f@" STDLIB "site-packages/mycompany/app.py:3", LK_CODE_USER },
        { "f@" SITE "flask_of_ours/app.py:3", LK_CODE_USER },
        { "f@/srv/app.py:3", LK_CODE_USER },
        { "f@app.py:3", LK_CODE_USER },
        { "f@/srv/vendor/flask/app.py:3", LK_CODE_USER },
        { "f@/srv/bundle.pyz/flask/app.py:3", LK_CODE_USER },
        { "f@/usr/lib/python3.11x/app.py:3", LK_CODE_USER },
        { "f@<string>:3", LK_CODE_USER },
        { "<module>@<stdin>:3", LK_CODE_USER },
        { "<module>@/usr/bin/gunicorn:8", LK_CODE_LAUNCHER },
        { "<module>@/opt/venv/bin/flask:8", LK_CODE_LAUNCHER },
        { "main@/usr/local/bin/myserver:8", LK_CODE_USER },
        { "<module>@/srv/bin/app.py:8", LK_CODE_USER },
        { "f@:1", LK_CODE_USER },
    };
    for (size_t i = 0; i < LK_ARRAY_LEN(rows); i++)
        if (class_of(rows[i].text, NULL) != rows[i].cls)
            fail_msg("%s is %d", rows[i].text, class_of(rows[i].text, NULL));
}

static void standard_library_by_its_usual_place(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    s->python.stdlib = NULL;
    struct lk_ref t = mk_thread(s, "t", "f@/opt/py/lib/python3.13/queue.py:1",
                                "g@/opt/py/lib/python3.13/site-packages/mine/x.py:1", NULL);
    lk_classify(s, NULL);
    assert_int_equal(THREAD(t)->python_stack->frames[0].code->cls, LK_CODE_STDLIB);
    assert_int_equal(THREAD(t)->python_stack->frames[1].code->cls, LK_CODE_USER);
    lk_snapshot_destroy(s);
}

static const char *culprit_of(const char *project, const char *a, const char *b, const char *c)
{
    static char ret[64];
    struct lk_snapshot *s = mk();
    struct lk_ref t = mk_thread(s, "t", a, b, c, NULL);
    lk_classify(s, project);
    const struct lk_pyframe *p = lk_culprit_frame(THREAD(t)->python_stack, NULL);
    strncpy(ret, p ? p->code->function : "-", sizeof ret - 1);
    lk_snapshot_destroy(s);
    return ret;
}

static void culprits(void **state)
{
    (void)state;
    const char *std = "wait@" STDLIB "threading.py:320", *lib = "get@" SITE "requests/api.py:73";
    const char *ours = "ours@" SITE "mycompany/app.py:3", *app = "view@/srv/app.py:3",
               *tool = "tool@/opt/tools/t.py:3";
    assert_string_equal(culprit_of(NULL, std, lib, app), "view");
    assert_string_equal(culprit_of(NULL, std, ours, app), "view");
    assert_string_equal(culprit_of(NULL, std, ours, lib), "ours");
    assert_string_equal(culprit_of(NULL, std, lib, lib), "get");
    assert_string_equal(culprit_of(NULL, std, std, std), "-");
    /* the process runs in /srv: what lies elsewhere is somebody else's, if not installed */
    assert_string_equal(culprit_of(NULL, tool, app, std), "view");
    assert_string_equal(culprit_of(NULL, tool, "rel@app.py:3", std), "rel");
    assert_string_equal(culprit_of(NULL, tool, "text@<string>:3", std), "tool");
    assert_string_equal(culprit_of(NULL, tool, "near@/srv2/app.py:3", std), "tool");
    assert_string_equal(culprit_of(NULL, ours, tool, std), "tool");
    assert_string_equal(culprit_of("/srv", tool, app, std), "view");
    assert_string_equal(culprit_of("/srv/", tool, app, std), "view");
    assert_string_equal(culprit_of(".", tool, app, std), "view");
    assert_string_equal(culprit_of("/srv", tool, lib, std), "tool");
    assert_string_equal(culprit_of("/srv", tool, "rel@app.py:3", std), "rel");
    assert_string_equal(culprit_of("/srv/web", tool, "rel@web/app.py:3", std), "rel");
    assert_string_equal(culprit_of("web", tool, "rel@web/app.py:3", std), "rel");
    assert_string_equal(culprit_of("/srv/web", tool, "rel@webapp.py:3", std), "tool");
    assert_string_equal(culprit_of("/usr/lib/python3/dist-packages/mycompany", tool, ours, std),
                        "ours");
    /* several */
    assert_string_equal(culprit_of("/srv/web:/srv", tool, app, std), "view");
    assert_string_equal(culprit_of("/nowhere:/opt/tools/:", tool, app, std), "tool");
}

/* What is imported from where it is written, and environments in the midst of it. */
static void home_folders(void **state)
{
    (void)state;
    static const struct {
        const char *cwd, *own, *prefix, *inner, *outer, *culprit;
    } rows[] = {
        { "/var/run", "/opt/app", NULL, "a@/opt/tools/t.py:1", "b@/opt/app/m.py:1", "b" },
        { "/", "/", NULL, "a@/opt/tools/t.py:1", "b@/srv/m.py:1", "a" },
        { "/", "/src/one:/src/two/pkg", NULL, "a@/opt/t.py:1", "b@/src/two/pkg/m.py:1", "b" },
        { "/", "/src/one.py", NULL, "a@/opt/t.py:1", "b@/src/one.py:1", "b" },
        { "/", "/src/one", NULL, "a@/opt/t.py:1", "b@/src/one_more/m.py:1", "a" },
        /* an environment in the project, a project in a prefix, an editable install in both */
        { "/srv", NULL, "/srv/venv", "a@/srv/venv/src/x/m.py:1", "b@/srv/m.py:1", "b" },
        { "/usr/local/app", NULL, "/usr/local", "a@/opt/t.py:1", "b@/usr/local/app/m.py:1", "b" },
        { "/srv", "/srv/venv/src/x", "/srv/venv", "a@/srv/venv/src/x/m.py:1", "b@/srv/m.py:1",
          "a" },
        { "/srv", "/srv", "/usr", "a@<string>:1", "b@m.py:1", "b" },
    };
    for (size_t i = 0; i < LK_ARRAY_LEN(rows); i++) {
        struct lk_snapshot *s = mk();
        s->cwd = rows[i].cwd;
        s->python.own_folders = rows[i].own;
        s->python.prefix = rows[i].prefix;
        struct lk_ref t = mk_thread(s, "t", rows[i].inner, rows[i].outer, NULL);
        lk_classify(s, NULL);
        const struct lk_pyframe *p = lk_culprit_frame(THREAD(t)->python_stack, NULL);
        if (!p || strcmp(p->code->function, rows[i].culprit) != 0)
            fail_msg("row %zu: %s", i, p ? p->code->function : "-");
        lk_snapshot_destroy(s);
    }
}

static void roles(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct lk_ref request = mk_thread(s, "t", "view@/srv/app.py:3", FLASK_REQUEST, NULL);
    struct lk_ref kept = mk_thread(s, "t", "readinto@" STDLIB "socket.py:705",
                                   "handle_one_request@" SITE "werkzeug/serving.py:360",
                                   "process_request_thread@" STDLIB "socketserver.py:683", NULL);
    struct lk_ref idle_gthread = mk_thread(s, "t", POOL_WORKER, NULL);
    struct lk_ref gthread = mk_thread(
        s, "t", "view@/srv/app.py:3", "handle_request@" SITE "gunicorn/workers/gthread.py:320",
        "handle@" SITE "gunicorn/workers/gthread.py:280", POOL_WORKER, NULL);
    struct lk_ref loop = mk_thread(s, "t", ASYNCIO_IDLE, NULL);
    mk_idle_loop(s, loop);
    struct lk_ref driving =
        mk_thread(s, "t", ASYNCIO_IDLE, "view@/srv/app.py:3", FLASK_REQUEST, NULL);
    mk_idle_loop(s, driving);
    struct lk_ref in_loop =
        mk_thread(s, "t", "async show@/srv/app.py:3",
                  "_handle_request@" SITE "aiohttp/web_protocol.py:433", ASYNCIO_RUN_FOREVER, NULL);
    mk_loop(s, in_loop);
    struct lk_ref plain = mk_thread(s, "t", "f@/srv/app.py:3", NULL);
    struct lk_ref handler = mk_thread(s, "t", "do_GET@/srv/app.py:3",
                                      "handle_one_request@" STDLIB "http/server.py:411", NULL);
    struct lk_ref xmlrpc =
        mk_thread(s, "t", "node@/srv/app.py:3", "do_POST@" STDLIB "xmlrpc/server.py:504",
                  "handle_one_request@" STDLIB "http/server.py:411", NULL);
    struct lk_ref kept_alive = mk_thread(s, "t", "readinto@" STDLIB "socket.py:705",
                                         "handle_one_request@" STDLIB "http/server.py:411",
                                         "handle@" STDLIB "http/server.py:432",
                                         "__init__@" STDLIB "socketserver.py:747", NULL);
    struct lk_ref tcp =
        mk_thread(s, "t", "handle@/srv/app.py:3", "__init__@" STDLIB "socketserver.py:747", NULL);
    struct lk_ref not_a_handler =
        mk_thread(s, "t", "do_GET@/srv/app.py:3", "f@/srv/app.py:9", NULL);
    lk_classify(s, NULL);
    const struct {
        struct lk_ref t;
        enum lk_role role;
        bool in_request;
    } rows[] = {
        { request, LK_ROLE_REQUEST, true },
        { kept, LK_ROLE_REQUEST, false },
        { idle_gthread, LK_ROLE_EXECUTOR, false },
        { gthread, LK_ROLE_REQUEST, true },
        { loop, LK_ROLE_LOOP, false },
        { driving, LK_ROLE_REQUEST, true },
        { in_loop, LK_ROLE_LOOP, true },
        { plain, LK_ROLE_OTHER, false },
        { handler, LK_ROLE_REQUEST, true },
        { tcp, LK_ROLE_REQUEST, true },
        { not_a_handler, LK_ROLE_OTHER, false },
        { xmlrpc, LK_ROLE_REQUEST, true },
        { kept_alive, LK_ROLE_OTHER, false },
    };
    for (size_t i = 0; i < LK_ARRAY_LEN(rows); i++) {
        assert_int_equal(THREAD(rows[i].t)->role, rows[i].role);
        assert_int_equal(THREAD(rows[i].t)->in_request, rows[i].in_request);
    }
    lk_snapshot_destroy(s);
}

static void owners_of_loops(void **state)
{
    (void)state;
    struct lk_snapshot *s = mk();
    struct lk_ref uvicorn = mk_idle_loop(
        s,
        mk_thread(s, "t", ASYNCIO_IDLE, "run_until_complete@" STDLIB "asyncio/base_events.py:640",
                  "run@" STDLIB "asyncio/runners.py:44", "run@" SITE "uvicorn/server.py:61",
                  "<module>@/srv/app.py:9", NULL));
    struct lk_ref own = mk_idle_loop(
        s,
        mk_thread(s, "t", ASYNCIO_IDLE, "run_until_complete@" STDLIB "asyncio/base_events.py:640",
                  "run@" STDLIB "asyncio/runners.py:44", "main@/srv/app.py:9", NULL));
    lk_classify(s, NULL);
    assert_true(LOOP(uvicorn)->framework_owned);
    assert_false(LOOP(own)->framework_owned);
    lk_snapshot_destroy(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(classes),  cmocka_unit_test(standard_library_by_its_usual_place),
        cmocka_unit_test(culprits), cmocka_unit_test(home_folders),
        cmocka_unit_test(roles),    cmocka_unit_test(owners_of_loops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
