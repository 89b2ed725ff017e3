/*
 * Runtimes that are not read: what their threads do is told by native frames alone, and their own
 * tools say more. Of Node the places where its threads idle are known by the functions of Node and
 * libuv (src/api/embed_helpers.cc SpinEventLoopInternal, src/node_platform.cc,
 * src/inspector_agent.cc, deps/uv/src/threadpool.c worker): one that waits directly below such a
 * function has nothing to do. A JVM's or Go's idle threads look like its stuck ones.
 */
#include "diagnose/rules/other_runtime.h"

#include <string.h>

#include "diagnose/catalog/classify.h"
#include "diagnose/rules/finding.h"
#include "diagnose/rules/rule_words.h"
#include "diagnose/wording/entity.h"
#include "util/text.h"

static const struct {
    enum lk_runtime runtime;
    const char *tool; /* #: its pid */
} tools[] = {
    { LK_RUNTIME_JVM, "jstack #, or jcmd # Thread.print, reads its threads and locks" },
    { LK_RUNTIME_GO, "kill -QUIT # ends it with the stacks of all goroutines, dlv attach # "
                     "reads them without that" },
    { LK_RUNTIME_NODE, "node inspect -p # reads its JavaScript" },
    { LK_RUNTIME_DOTNET, "dotnet-stack report -p # reads its threads" },
    { LK_RUNTIME_RUBY, NULL },
};

/* Functions of Node's that wait when they have nothing to do; part of the name. */
static const char *const node_idles[] = {
    "node::SpinEventLoop",
    "DelayedTaskScheduler::Start",
    "PlatformWorkerThread(",
    "StartIoThreadMain(",
};
/* What keeps a thread of Node's, and how JavaScript calls it. */
static const struct {
    const char *part, *call;
} node_blocks[] = {
    { "node::SyncProcessRunner::", "execSync() or another call that waits for a child process" },
    { "FutexEmulation::Wait", "Atomics.wait()" },
};

static bool is_uv(const char *name)
{
    return lk_starts_with(name, "uv_") || lk_starts_with(name, "uv__") ||
           strcmp(name, "worker") == 0;
}

/* It waits, and nothing but the C library and libuv is between the wait and where it idles. */
static bool node_is_idle(const struct lk_thread *t)
{
    const struct lk_natstack *st = t->native_stack;
    bool pool = false;
    for (size_t i = 0; st && !t->running && i < st->n; i++) {
        const struct lk_natframe *f = &st->frames[i];
        if (f->system) {
            if (pool) /* the thread begins there */
                return true;
            continue;
        }
        if (!f->function)
            return false;
        for (size_t k = 0; k < LK_ARRAY_LEN(node_idles); k++)
            if (strstr(f->function, node_idles[k]))
                return true;
        pool |= strcmp(f->function, "worker") == 0;
        if (!is_uv(f->function))
            return false;
    }
    return false;
}

/* What JavaScript calls that keeps the thread; NULL. */
static const char *node_call(const struct lk_thread *t)
{
    const struct lk_natstack *st = t->native_stack;
    for (size_t i = 0; st && i < st->n; i++)
        for (size_t k = 0; st->frames[i].function && k < LK_ARRAY_LEN(node_blocks); k++)
            if (strstr(st->frames[i].function, node_blocks[k].part))
                return node_blocks[k].call;
    return NULL;
}

static const char *tool_of(struct lk_rule_context *c, size_t row)
{
    const char *tool = tools[row].tool;
    const long long pid = (long long)c->snap->pid;
    const char *ret = "";
    for (const char *at; tool && (at = strchr(tool, '#')); tool = at + 1)
        ret = lk_print(c, "%s%s%.*s%lld", ret, *ret ? "" : "; ", (int)(at - tool), tool, pid);
    return tool ? lk_print(c, "%s%s", ret, tool) : ret;
}

static const char *told(struct lk_rule_context *c, size_t row, int64_t stuck, struct lk_ref first)
{
    const struct lk_thread *t = lk_thread_at(c->snap, first);
    const char *call = tools[row].runtime == LK_RUNTIME_NODE ? node_call(t) : NULL,
               *kind = lk_runtime_name(tools[row].runtime);
    if (call)
        return lk_print(c, "%s of a %s process has stood still for %s in %s%s%s", lk_name(c, first),
                        kind, lk_duration(c, lk_stuck(c, t)), call,
                        t->main ? ": its loop serves nobody meanwhile" : "", tool_of(c, row));
    const struct lk_culprit p = lk_culprit_of(c, first);
    return lk_print(c,
                    "%s of a %s process did not move, and its runtime cannot be read: the first is "
                    "%s at %s%s",
                    lk_count(c, stuck, "thread"), kind, lk_name(c, first), lk_place(c, &p),
                    tool_of(c, row));
}

/* The main thread, met at work: in one callback or in many. */
static bool computes(const struct lk_snapshot *s)
{
    for (size_t i = 0; i < s->threads.n; i++)
        if (s->threads.v[i].tid == s->pid)
            return s->threads.v[i].running;
    return false;
}

const char *lk_stuck_in_other_runtime(struct lk_rule_context *c)
{
    const struct lk_snapshot *s = c->snap;
    struct lk_ref first = { LK_KIND_NONE, 0 };
    int64_t stuck = 0;
    size_t row = 0;
    while (row < LK_ARRAY_LEN(tools) && tools[row].runtime != s->runtime)
        row++;
    if (row == LK_ARRAY_LEN(tools))
        return NULL;
    for (size_t i = 0; i < s->threads.n; i++) {
        const struct lk_thread *t = &s->threads.v[i];
        if (s->runtime == LK_RUNTIME_NODE && node_is_idle(t))
            continue;
        if (lk_may_stall(c, t))
            lk_watch(c, lk_ref_make(LK_KIND_THREAD, i));
        /* the main thread, if it is one of them, else the first */
        if (lk_is_stalled(c, t) && (!stuck++ || t->tid == s->pid))
            first = lk_ref_make(LK_KIND_THREAD, i);
    }
    if (stuck)
        return told(c, row, stuck, first);
    return s->runtime == LK_RUNTIME_NODE && computes(s)
               ? lk_print(c,
                          "the main thread of a node process computes, and whether in one callback "
                          "or in many cannot be read%s",
                          tool_of(c, row))
               : NULL;
}
