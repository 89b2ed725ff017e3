/*
 * Structs that grow: the first member is the size of the struct that the program was built with, as
 * in perf_event_attr (kernel/events/core.c, perf_copy_attr) and clone_args. New members go to the
 * end, where zero means what was before; none goes into padding, which an older program leaves
 * undefined.
 */
#include "api/options.h"

#include <string.h>

#include "api/capture.h"
#include "api/patterns.h"
#include "util/version.h"

#define LK_EXPORT __attribute__((visibility("default")))

/* NOLINTNEXTLINE(bugprone-sizeof-expression): a member that is a pointer is meant */
#define END_OF(type, member) (offsetof(struct type, member) + sizeof(((struct type *)NULL)->member))
_Static_assert(sizeof(struct loopknot_options) == END_OF(loopknot_options, capture) &&
                   sizeof(struct loopknot_render) == END_OF(loopknot_render, checkout) &&
                   sizeof(struct loopknot_core) == END_OF(loopknot_core, unused),
               "no padding at the end");
_Static_assert((int)LOOPKNOT_STOP_NONE == (int)LK_STOP_NONE &&
                   (int)LOOPKNOT_STOP_ALL == (int)LK_STOP_ALL,
               "public and inner stop modes are the same numbers");
_Static_assert((int)LOOPKNOT_UNWINDER_OWN == (int)LK_UNWIND_OWN &&
                   (int)LOOPKNOT_UNWINDER_LIBUNWIND == (int)LK_UNWIND_LIBUNWIND,
               "public and inner unwinders are the same numbers");

static const struct loopknot_options default_options = {
    .size = sizeof default_options,
    .samples = 3,
    .interval_ms = 100,
    .stalled_after_ms = 2000,
    .max_pause_ms = 250,
    .native = true,
};

static const struct loopknot_render default_render = { .size = sizeof default_render };

/* What the program knows and we do not is zero. */
static void init(void *given, size_t size, const void *defaults, size_t known)
{
    if (size < sizeof size)
        return;
    memset(given, 0, size);
    memcpy(given, defaults, LK_MIN(size, known));
    memcpy(given, &size, sizeof size);
}

LK_EXPORT void loopknot_options_init(struct loopknot_options *o, size_t size)
{
    init(o, size, &default_options, sizeof default_options);
}

LK_EXPORT void loopknot_render_init(struct loopknot_render *how, size_t size)
{
    init(how, size, &default_render, sizeof default_render);
}

static bool all_zero(const char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (bytes[i])
            return false;
    return true;
}

/* ret holds the defaults; what the program knows is laid over them. */
static bool take(const char *name, const void *given, size_t size, void *ret, size_t known,
                 struct lk_error *err)
{
    if (size < sizeof size)
        return lk_error_set(err, LK_ERR_USAGE,
                            "struct %s has no size: fill it with %s_default() first", name, name);
    if (size > known && !all_zero((const char *)given + known, size - known))
        return lk_error_set(err, LK_ERR_USAGE,
                            "struct %s asks for what libloopknot %s does not have: the program was "
                            "built with a newer loopknot.h (%zu bytes, not %zu)",
                            name, lk_tool_version(), size, known);
    memcpy(ret, given, LK_MIN(size, known));
    return true;
}

bool lk_api_options(const struct loopknot_options *given, struct lk_examine_options *ret,
                    struct lk_error *err)
{
    struct loopknot_options o = default_options;
    if (given && !take("loopknot_options", given, given->size, &o, sizeof o, err))
        return false;
    if ((unsigned)o.stop > LOOPKNOT_STOP_NONE)
        return lk_error_set(err, LK_ERR_USAGE, "libloopknot %s has no way %u of stopping threads",
                            lk_tool_version(), (unsigned)o.stop);
    if ((unsigned)o.unwinder > LOOPKNOT_UNWINDER_LIBUNWIND)
        return lk_error_set(err, LK_ERR_USAGE, "libloopknot %s has no unwinder %u",
                            lk_tool_version(), (unsigned)o.unwinder);
    *ret = (struct lk_examine_options){
        .samples = o.samples,
        .interval_ms = o.interval_ms,
        .stalled_after_ms = o.stalled_after_ms,
        .max_pause_ms = o.max_pause_ms,
        .stop = (enum lk_stop_mode)o.stop,
        .native = o.native,
        .locals = o.locals != 0,
        .main_locals = o.locals > 1,
        .unwinder = (enum lk_unwind_by)o.unwinder,
        .project = o.project,
        .together = o.together,
        .n_together = o.n_together,
        .tree = o.tree,
        .interrupted = o.interrupted,
        .patterns = lk_api_patterns(o.patterns),
        .capture = lk_api_capture(o.capture),
    };
    return true;
}

LK_EXPORT void loopknot_core_init(struct loopknot_core *core, size_t size)
{
    static const struct loopknot_core none = { .size = sizeof none };
    init(core, size, &none, sizeof none);
}

bool lk_api_core(const struct loopknot_core *given, struct lk_core_request *ret,
                 struct lk_error *err)
{
    struct loopknot_core c = { 0 };
    if (!take("loopknot_core", given, given->size, &c, sizeof c, err))
        return false;
    if (!c.file || c.unused)
        return lk_error_set(err, LK_ERR_USAGE, "struct loopknot_core names no file");
    *ret = (struct lk_core_request){
        .file = c.file, .exe = c.exe, .sysroot = c.sysroot, .debuginfod = c.debuginfod != 0
    };
    return true;
}

bool lk_api_render(const struct loopknot_render *how, struct loopknot_render *ret)
{
    *ret = default_render;
    return !how || take("loopknot_render", how, how->size, ret, sizeof *ret, NULL);
}
