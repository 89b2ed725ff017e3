/*
 * Names of entities: what a person knows them by (a thread's name and tid, a task's name and
 * coroutine), with the id of the report where there is nothing better.
 */
#include "diagnose/wording/entity.h"

#include "diagnose/wording/text.h"
#include "util/text.h"

const char *lk_entity_lock(struct lk_arena *a, const struct lk_lock *l)
{
    enum { NAME_COLUMNS = 60 };
    const char *kind = lk_words_cut(a, lk_or_else(l->kind, "lock"), NAME_COLUMNS),
               *name = l->name ? lk_words_cut(a, l->name, NAME_COLUMNS) : NULL;
    if (!name)
        return lk_arena_printf(a, "%s %s", kind, l->id);
    return l->shared_name ? lk_arena_printf(a, "%s %s (%s)", kind, name, l->id)
                          : lk_arena_printf(a, "%s %s", kind, name);
}

/* Which interpreter's code it runs is said of those beside the main one. */
static const char *thread_name(struct lk_arena *a, const struct lk_thread *t)
{
    const char *name =
        lk_arena_printf(a, "thread %s [%lld]", lk_or_else(t->name, "?"), (long long)t->tid);
    return t->interpreter ? lk_arena_printf(a, "%s in Python interpreter %lld", name,
                                            (long long)t->interpreter)
                          : name;
}

const char *lk_entity_name(struct lk_arena *a, const struct lk_snapshot *s, struct lk_ref r)
{
    const char *id = lk_ref_id(s, r);
    if (!id)
        return "something unknown";
    switch (r.kind) {
    case LK_KIND_THREAD: return thread_name(a, &s->threads.v[r.index]);
    case LK_KIND_LOOP:
        return lk_arena_printf(a, "loop %s (%s)", id,
                               lk_or_else(lk_last_part(lk_or_else(s->loops.v[r.index].cls, "")),
                                          s->loops.v[r.index].kind));
    case LK_KIND_TASK:
        return lk_arena_printf(a, "%s %s (%s)",
                               s->tasks.v[r.index].kind == LK_TASK_GREENLET ? "greenlet" : "task",
                               lk_or_else(s->tasks.v[r.index].name, id),
                               lk_or_else(s->tasks.v[r.index].coroutine, "?"));
    case LK_KIND_FUTURE: return lk_arena_printf(a, "future %s", id);
    case LK_KIND_LOCK: return lk_entity_lock(a, &s->locks.v[r.index]);
    case LK_KIND_EXECUTOR:
        return lk_arena_printf(a, "%s %s", lk_or_else(s->executors.v[r.index].kind, "executor"),
                               id);
    case LK_KIND_EXTERN: return lk_or_else(s->externs.v[r.index].text, "something outside");
    case LK_KIND_NONE: break;
    }
    return "something unknown";
}

const char *lk_runtime_name(enum lk_runtime r)
{
    static const char *const names[] = {
        [LK_RUNTIME_PYTHON] = "python", [LK_RUNTIME_PYPY] = "pypy",
        [LK_RUNTIME_JVM] = "jvm",       [LK_RUNTIME_GO] = "go",
        [LK_RUNTIME_NODE] = "node",     [LK_RUNTIME_DOTNET] = "dotnet",
        [LK_RUNTIME_RUBY] = "ruby",     [LK_RUNTIME_NATIVE] = "native",
    };
    return (unsigned)r < LK_ARRAY_LEN(names) ? names[r] : NULL;
}

const char *lk_supervisor_article(const struct lk_supervisor *v)
{
    return v->kind == LK_SUPERVISOR_PROGRAM ? "" : "a ";
}
