/* Structs of older and newer programs: what is left out has its default, what is not known is
 * refused. */
#include "api/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

/* As a later header may declare it. */
struct newer_options {
    struct loopknot_options known;
    unsigned more;
};

static void defaults(void **state)
{
    (void)state;
    struct lk_examine_options inner;
    const struct loopknot_options o = loopknot_options_default();
    assert_int_equal(o.size, sizeof o);
    assert_true(lk_api_options(&o, &inner, NULL));
    assert_int_equal(inner.samples, 3);
    assert_int_equal(inner.stalled_after_ms, 2000);
    assert_true(inner.native);
    assert_true(lk_api_options(NULL, &inner, NULL));
    assert_int_equal(inner.samples, 3);
}

/* On the heap and no larger than it says, so that ASan sees a look past its end. */
static void older(void **state)
{
    (void)state;
    struct lk_examine_options inner;
    /* so that the compiler does not see it either */
    const volatile size_t size = offsetof(struct loopknot_options, stalled_after_ms);
    struct loopknot_options *o = malloc(size);
    loopknot_options_init(o, size);
    assert_int_equal(o->size, size);
    assert_int_equal(o->samples, 3);
    o->samples = 7;
    assert_true(lk_api_options(o, &inner, NULL));
    assert_int_equal(inner.samples, 7);
    assert_int_equal(inner.interval_ms, 100);
    assert_int_equal(inner.stalled_after_ms, 2000);
    assert_true(inner.native);
    assert_null(inner.project);
    free(o);
}

static void newer(void **state)
{
    (void)state;
    struct lk_examine_options inner;
    struct lk_error err = { 0 };
    struct newer_options o;
    memset(&o, 0xff, sizeof o);
    loopknot_options_init(&o.known, sizeof o);
    assert_int_equal(o.more, 0);
    assert_int_equal(o.known.size, sizeof o);
    o.known.samples = 5;
    assert_true(lk_api_options(&o.known, &inner, &err));
    assert_int_equal(inner.samples, 5);
    o.more = 1;
    assert_false(lk_api_options(&o.known, &inner, &err));
    assert_int_equal(err.code, LK_ERR_USAGE);
    assert_non_null(strstr(err.text, "newer loopknot.h"));
    assert_non_null(strstr(err.text, "struct loopknot_options"));
}

static void without_size(void **state)
{
    (void)state;
    struct lk_examine_options inner;
    struct lk_error err = { 0 };
    const struct loopknot_options o = { 0 };
    assert_false(lk_api_options(&o, &inner, &err));
    assert_int_equal(err.code, LK_ERR_USAGE);
    assert_non_null(strstr(err.text, "loopknot_options_default()"));
}

static void unknown_stop(void **state)
{
    (void)state;
    struct lk_examine_options inner;
    struct lk_error err = { 0 };
    struct loopknot_options o = loopknot_options_default();
    o.stop = (enum loopknot_stop)3;
    assert_false(lk_api_options(&o, &inner, &err));
    assert_int_equal(err.code, LK_ERR_USAGE);
}

static void unwinders(void **state)
{
    (void)state;
    struct lk_examine_options inner;
    struct lk_error err = { 0 };
    struct loopknot_options o = loopknot_options_default();
    assert_true(lk_api_options(&o, &inner, &err));
    assert_int_equal(inner.unwinder, LK_UNWIND_AUTO);
    o.unwinder = LOOPKNOT_UNWINDER_LIBUNWIND;
    assert_true(lk_api_options(&o, &inner, &err));
    assert_int_equal(inner.unwinder, LK_UNWIND_LIBUNWIND);
    /* an older program's struct ends before it */
    o.size = offsetof(struct loopknot_options, unwinder);
    assert_true(lk_api_options(&o, &inner, &err));
    assert_int_equal(inner.unwinder, LK_UNWIND_AUTO);
    o.size = sizeof o;
    o.unwinder = (enum loopknot_unwinder)3;
    assert_false(lk_api_options(&o, &inner, &err));
    assert_int_equal(err.code, LK_ERR_USAGE);
}

static void render(void **state)
{
    (void)state;
    struct {
        struct loopknot_render known;
        long long more;
    } newer_render;
    struct loopknot_render ret;
    const struct loopknot_render none = { 0 };
    loopknot_render_init(&newer_render.known, sizeof newer_render);
    newer_render.known.width = 80;
    assert_true(lk_api_render(&newer_render.known, &ret));
    assert_int_equal(ret.width, 80);
    newer_render.more = 1;
    assert_false(lk_api_render(&newer_render.known, &ret));
    assert_false(lk_api_render(&none, &ret));
    assert_true(lk_api_render(NULL, &ret));
    assert_int_equal(ret.width, 0);
    newer_render.known.size = offsetof(struct loopknot_render, command);
    newer_render.known.command = "not known to it";
    assert_true(lk_api_render(&newer_render.known, &ret));
    assert_null(ret.command);
}

static void told(pid_t pid, bool gone, const char *message, void *arg)
{
    assert_int_equal(pid, 0);
    assert_false(gone);
    assert_non_null(strstr(message, "newer loopknot.h"));
    ++*(int *)arg;
}

/* What a program sees: a status, one line, and a diagnosis that is as before. */
static void refused(void **state)
{
    (void)state;
    char line[300] = "";
    int times = 0;
    const pid_t self = getpid();
    struct newer_options o;
    struct loopknot_diagnosis *d = loopknot_create();
    loopknot_options_init(&o.known, sizeof o);
    o.more = 1;
    assert_int_equal(loopknot_examine(d, self, &o.known, line, sizeof line), LOOPKNOT_USAGE);
    assert_non_null(strstr(line, "newer loopknot.h"));
    assert_int_equal(loopknot_examine_all(d, &self, 1, &o.known, 0, told, &times), LOOPKNOT_USAGE);
    assert_int_equal(times, 1);
    loopknot_options_init(&o.known, sizeof o.known); /* a capture of one process says of no set */
    o.known.capture = loopknot_capture_create();
    assert_int_equal(loopknot_examine(d, self, &o.known, line, sizeof line), LOOPKNOT_USAGE);
    assert_non_null(strstr(line, "loopknot_examine_all()"));
    loopknot_capture_destroy(o.known.capture);
    assert_int_equal(loopknot_count(d), 0);
    loopknot_destroy(d);
}

static void examined(void **state)
{
    (void)state;
    struct newer_options o;
    struct loopknot_diagnosis *d = loopknot_create();
    const pid_t pid = fork();
    if (!pid) {
        pause();
        _exit(0);
    }
    assert_true(pid > 0);
    loopknot_options_init(&o.known, sizeof o);
    o.known.samples = 1;
    assert_int_equal(loopknot_examine(d, pid, &o.known, NULL, 0), LOOPKNOT_OK);
    o.known.size = offsetof(struct loopknot_options, interval_ms);
    assert_int_equal(loopknot_examine_all(d, &pid, 1, &o.known, 0, NULL, NULL), LOOPKNOT_OK);
    assert_int_equal(loopknot_count(d), 2);
    assert_int_equal(loopknot_pid_of(d, 1), pid);
    assert_int_equal(loopknot_pid_of(d, 2), -1);
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_int_equal(loopknot_examine_all(d, &pid, 1, NULL, 0, NULL, NULL), LOOPKNOT_NO_REPORT);
    loopknot_destroy(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults),     cmocka_unit_test(older),        cmocka_unit_test(newer),
        cmocka_unit_test(without_size), cmocka_unit_test(unknown_stop), cmocka_unit_test(unwinders),
        cmocka_unit_test(render),       cmocka_unit_test(refused),      cmocka_unit_test(examined),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
