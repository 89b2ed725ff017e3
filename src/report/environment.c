/* Facts that decide nothing, and that whoever reads a report elsewhere asks for first. */
#include "report/environment.h"

#include <inttypes.h>

#include "report/process_sentences.h"
#include "util/text.h"

enum { COMMAND_COLUMNS = 640, MOST_CHILDREN = 20 };

static const char *number(struct lk_arena *a, int64_t n)
{
    return n == LK_UNKNOWN ? NULL : lk_arena_printf(a, "%" PRId64, n);
}

static const char *taken(struct lk_arena *a, struct lk_strbuf *b)
{
    const char *ret = b->n ? lk_arena_strndup(a, b->s, b->n) : NULL;
    lk_strbuf_deinit(b);
    return ret;
}

static const char *children(struct lk_arena *a, const struct lk_snapshot *s)
{
    struct lk_strbuf b = { 0 };
    for (size_t i = 0; i < s->children.n && i < MOST_CHILDREN; i++)
        lk_strbuf_printf(&b, "%s%" PRId64 " %s", i ? ", " : "", s->children.v[i].pid,
                         lk_words_safe(a, s->children.v[i].comm));
    if (s->children.n > MOST_CHILDREN)
        lk_strbuf_printf(&b, " and %zu more", s->children.n - MOST_CHILDREN);
    return taken(a, &b);
}

static const char *modules(struct lk_arena *a, const struct lk_snapshot *s)
{
    struct lk_strbuf b = { 0 };
    for (size_t i = 0; i < s->python.n_modules; i++)
        lk_strbuf_printf(&b, "%s%s %s", i ? ", " : "", s->python.modules[i].name,
                         s->python.modules[i].version);
    return taken(a, &b);
}

static const char *machine(struct lk_arena *a, const struct lk_surroundings *w)
{
    struct lk_strbuf b = { 0 };
    if (w->machine_up_ms != LK_UNKNOWN)
        lk_strbuf_printf(&b, "up %s", lk_words_duration(a, w->machine_up_ms));
    if (w->load)
        lk_strbuf_printf(&b, "%sload %s (1, 5, 15 min)", b.n ? ", " : "", w->load);
    return taken(a, &b);
}

static const char *started(struct lk_arena *a, const struct lk_snapshot *s)
{
    if (!s->start_time || s->around.process_up_ms == LK_UNKNOWN)
        return s->start_time;
    return lk_arena_printf(a, "%s, up %s", s->start_time,
                           lk_words_duration(a, s->around.process_up_ms));
}

static bool is_limit(int64_t v)
{
    return v != LK_UNKNOWN && v != LK_FOREVER;
}

static const char *processors(struct lk_arena *a, const struct lk_surroundings *w)
{
    struct lk_strbuf b = { 0 };
    if (w->processors != LK_UNKNOWN)
        lk_strbuf_printf(&b, "may run on %" PRId64, w->processors);
    if (is_limit(w->cpu_thousandths))
        lk_strbuf_printf(&b, "%sthe control group allows %" PRId64 ".%03" PRId64, b.n ? "; " : "",
                         w->cpu_thousandths / 1000, w->cpu_thousandths % 1000);
    else if (w->cpu_thousandths == LK_FOREVER)
        lk_strbuf_printf(&b, "%sthe control group sets no limit", b.n ? "; " : "");
    return taken(a, &b);
}

static const char *bytes(struct lk_arena *a, int64_t n)
{
    return n >= 10 << 20 ? lk_arena_printf(a, "%" PRId64 " MiB", n >> 20)
                         : lk_arena_printf(a, "%" PRId64 " KiB", n >> 10);
}

static const char *memory(struct lk_arena *a, const struct lk_surroundings *w)
{
    if (w->memory_max == LK_UNKNOWN)
        return NULL;
    return lk_arena_printf(
        a, "%s%s%s",
        is_limit(w->memory_max)
            ? lk_arena_printf(a, "the control group allows %s", bytes(a, w->memory_max))
            : "the control group sets no limit",
        is_limit(w->memory_used) ? ", used " : "",
        is_limit(w->memory_used) ? bytes(a, w->memory_used) : "");
}

size_t lk_environment(struct lk_arena *a, const struct lk_snapshot *s,
                      struct lk_environment_row *ret)
{
    const struct lk_environment_row rows[] = {
        { "Process", number(a, s->pid), false, true },
        { "Command", lk_sentence_command(a, s, COMMAND_COLUMNS), true, false },
        { "Program", s->exe, true, false },
        { "Folder", s->cwd, true, false },
        { "Runtime", lk_sentence_runtime(a, s), false, true },
        { "Build", s->python.build, false, false },
        { "Modules", modules(a, s), false, false },
        { "User id", number(a, s->uid), false, false },
        { "Host", s->host, false, true },
        { "Boot", s->boot_id, false, false },
        { "Container", s->container, false, false },
        { "Unit", s->unit, false, false },
        { "Kernel", s->around.kernel, false, false },
        { "Machine", machine(a, &s->around), false, false },
        { "Processors", processors(a, &s->around), false, false },
        { "Memory", memory(a, &s->around), false, false },
        { "Started", started(a, s), false, false },
        { "Taken at", s->taken_at, false, true },
        { "Test", s->test_env, false, false },
        { "Supervisor", s->supervisor ? s->supervisor->name : NULL, false, false },
        { "Children", children(a, s), false, false },
    };
    size_t n = 0;
    _Static_assert(LK_ARRAY_LEN(rows) <= LK_ENVIRONMENT_ROWS, "there is room for all");
    for (size_t i = 0; i < LK_ARRAY_LEN(rows); i++)
        if (rows[i].text && *rows[i].text)
            ret[n++] = rows[i];
    return n;
}
