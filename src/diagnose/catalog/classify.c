/*
 * Whose code a frame is, what role a thread has, which loops are a framework's. Facts: the standard
 * library's folders come from the target's own sys.path; installers write scripts without a suffix
 * into bin; the standard library's handlers are known by their callers (CPython Lib/http/server.py
 * handle_one_request, Lib/socketserver.py BaseRequestHandler.__init__).
 */
#include "diagnose/catalog/classify.h"

#include <stdlib.h>
#include <string.h>

#include "diagnose/catalog/frames.h"
#include "diagnose/catalog/match.h"
#include "diagnose/catalog/project_folders.h"
#include "util/text.h"

struct classifier {
    const struct lk_snapshot *s;
    struct lk_folders project, home; /* --project; what counts without it */
    bool qualnames;
};

/* The part after the last "/site-packages/" or "/dist-packages/"; NULL when there is none. */
static const char *below_site(const char *path)
{
    static const char *const folders[] = { "/site-packages/", "/dist-packages/" };
    const char *best = NULL;
    for (size_t i = 0; i < LK_ARRAY_LEN(folders); i++)
        for (const char *p = path; (p = strstr(p, folders[i])); p++)
            best = LK_MAX(best, p + strlen(folders[i]));
    return best;
}

static size_t component(const char *path)
{
    return strcspn(path, "/");
}

/* Top-level package or module of a path below site-packages: an egg's own folder is skipped, ".py"
 * does not count. */
static bool site_is_framework(const char *rest)
{
    size_t n = component(rest);
    if (n > 4 && memcmp(rest + n - 4, ".egg", 4) == 0 && rest[n] == '/') {
        rest += n + 1;
        n = component(rest);
    }
    const char *dot = memchr(rest, '.', n);
    return lk_pattern_is_framework(rest, dot ? (size_t)(dot - rest) : n);
}

static bool in_stdlib(const struct classifier *k, const char *path)
{
    const char *list = k->s->python.stdlib;
    while (list && *list) {
        size_t n = strcspn(list, ":");
        if (lk_path_is_below(path, list, n))
            return true;
        list += n + (list[n] == ':');
    }
    if (k->s->python.stdlib)
        return false;
    /* Not told by the target: the usual place, .../lib/python3.N/ */
    const char *p = strstr(path, "/lib/python3.");
    if (!p)
        return false;
    p += strlen("/lib/python3.");
    size_t digits = strspn(p, "0123456789");
    return digits > 0 && p[digits] == '/';
}

/* The script that an installer wrote into bin/: its module level only imports and calls the entry
 * point. */
static bool is_launcher(const struct lk_code *c)
{
    if (strcmp(c->function, "<module>") != 0)
        return false;
    const char *base = strrchr(c->file, '/');
    if (!base || strchr(base, '.'))
        return false;
    static const char *const folders[] = { "/bin", "/sbin", "/Scripts" };
    for (size_t i = 0; i < LK_ARRAY_LEN(folders); i++) {
        size_t n = strlen(folders[i]);
        if ((size_t)(base - c->file) >= n && memcmp(base - n, folders[i], n) == 0)
            return true;
    }
    return false;
}

/* A compiled template, a string, a prompt are the user's; code that a library generated is not. */
static enum lk_code_class class_of_pseudo_file(const char *file)
{
    static const struct {
        const char *prefix;
        enum lk_code_class cls;
    } rows[] = {
        { "<frozen ", LK_CODE_STDLIB },          { "<__array_function__", LK_CODE_FRAMEWORK },
        { "<decorator-gen", LK_CODE_FRAMEWORK }, { "<boltons", LK_CODE_FRAMEWORK },
        { "<makefun", LK_CODE_FRAMEWORK },       { "<werkzeug routing>", LK_CODE_FRAMEWORK },
    };
    for (size_t i = 0; i < LK_ARRAY_LEN(rows); i++)
        if (lk_starts_with(file, rows[i].prefix))
            return rows[i].cls;
    /* "<attrs generated init ...>", "<sqlalchemy generated ...>" */
    size_t n = strcspn(file + 1, " ");
    bool generated = lk_starts_with(file + 1 + n, " generated ");
    return generated && lk_pattern_is_framework(file + 1, n) ? LK_CODE_FRAMEWORK : LK_CODE_USER;
}

/* What is typed at a prompt is the module level of a file of that name (Lib/code.py, Lib/_pyrepl,
 * IPython); a script that comes by standard input is <stdin> as well, and stands further out than
 * any loop that it runs. */
static bool is_typed(const struct lk_code *c)
{
    static const char *const files[] = { "<console>", "<stdin>", "<python-input-",
                                         "<ipython-input-" };
    for (size_t i = 0; i < LK_ARRAY_LEN(files); i++)
        if (lk_starts_with(c->file, files[i]))
            return strcmp(c->function, "<module>") == 0;
    return false;
}

static enum lk_code_class class_of(const struct classifier *k, const struct lk_code *c, bool *site)
{
    const char *rest = below_site(c->file);
    *site = rest != NULL;
    /* What the user's file names is the most exact word there is. */
    if ((c->marks & LK_MARK_BRIDGE) || lk_pattern_is_users_framework(k->s->patterns, c->file))
        return LK_CODE_FRAMEWORK;
    if (c->file[0] == '<')
        return class_of_pseudo_file(c->file);
    if (lk_folders_hold(&k->project, k->s, c->file)) {
        *site = false;
        return LK_CODE_USER;
    }
    if (rest && site_is_framework(rest))
        return LK_CODE_FRAMEWORK;
    if (!rest && in_stdlib(k, c->file))
        return LK_CODE_STDLIB;
    if (is_launcher(c))
        return LK_CODE_LAUNCHER;
    if (k->project.n)
        *site = true; /* not the project's: ranks like an installed package */
    return LK_CODE_USER;
}

/* Frames hold their code const, for readers and rules; here is the one place that fills in what was
 * left for it. */
static void classify_code(const struct classifier *k, const struct lk_code *code)
{
    struct lk_code *c = (struct lk_code *)code;
    if (!c || c->cls != LK_CODE_UNSET)
        return;
    c->function = c->function ? c->function : "";
    c->qualname = c->qualname ? c->qualname : c->function;
    c->file = c->file ? c->file : "";
    lk_pattern_mark(k->s->patterns, c, k->qualnames);
    if (is_typed(c))
        c->marks |= LK_MARK_CELL;
    if (c->entry == LK_ENTRY_WSGI)
        c->marks |= LK_MARK_REQUEST;
    if (lk_starts_with(c->function, "do_") || strcmp(c->function, "handle") == 0)
        c->marks |= LK_MARK_HANDLER;
    c->cls = class_of(k, c, &c->site);
    c->home = c->cls == LK_CODE_USER && !c->site && lk_folders_are_home(&k->home, k->s, c->file);
}

static void classify_stack(const struct classifier *k, const struct lk_pystack *st)
{
    for (size_t i = 0; st && i < st->n; i++)
        classify_code(k, st->frames[i].code);
}

static unsigned marks_at(const struct lk_pystack *st, size_t i)
{
    return st->frames[i].code ? st->frames[i].code->marks : 0;
}

static bool frame_is(const struct lk_pystack *st, size_t i, const char *function, const char *file)
{
    const struct lk_code *c = i < st->n ? st->frames[i].code : NULL;
    return c && strcmp(c->function, function) == 0 && lk_path_ends_with(c->file, file);
}

/*
 * Handlers of the standard library's servers are methods known by their callers:
 * BaseHTTPRequestHandler.handle_one_request calls do_GET and the like, also its own
 * (xmlrpc.server's do_POST calls what the user registered); BaseRequestHandler.__init__ calls
 * handle, which is a request only where it is the user's.
 */
static bool is_stdlib_handler(const struct lk_pystack *st, size_t i)
{
    const struct lk_code *c = st->frames[i].code;
    if (!c || !(c->marks & LK_MARK_HANDLER) || c->cls == LK_CODE_FRAMEWORK)
        return false;
    return (lk_starts_with(c->function, "do_") &&
            frame_is(st, i + 1, "handle_one_request", "http/server.py")) ||
           (c->cls != LK_CODE_STDLIB && strcmp(c->function, "handle") == 0 &&
            frame_is(st, i + 1, "__init__", "socketserver.py"));
}

size_t lk_request_frame(const struct lk_pystack *st)
{
    for (size_t i = 0; st && i < st->n; i++)
        if ((marks_at(st, i) & LK_MARK_REQUEST) || is_stdlib_handler(st, i))
            return i + 1;
    return 0;
}

bool lk_stack_has(const struct lk_pystack *st, unsigned mark)
{
    for (size_t i = 0; st && i < st->n; i++)
        if (marks_at(st, i) & mark)
            return true;
    return false;
}

static void classify_thread(struct lk_thread *t)
{
    const struct lk_pystack *st = t->python_stack;
    size_t request = lk_request_frame(st), outermost_drive = 0;
    for (size_t i = 0; st && i < st->n; i++)
        if (marks_at(st, i) & LK_MARK_DRIVES)
            outermost_drive = i + 1;
    t->in_request = request > 0;
    bool loop = t->n_frame_loops || t->running_loop.kind == LK_KIND_LOOP;
    /* A request handler that itself runs a loop stays a request worker. */
    bool request_below = request && (!loop || (outermost_drive && request > outermost_drive));
    if (loop && !request_below)
        t->role = LK_ROLE_LOOP;
    else if (request_below || lk_stack_has(st, LK_MARK_WORKER))
        t->role = LK_ROLE_REQUEST;
    else if (t->works_for.kind == LK_KIND_EXECUTOR || lk_stack_has(st, LK_MARK_POOL))
        t->role = LK_ROLE_EXECUTOR;
    else
        t->role = LK_ROLE_OTHER;
}

size_t lk_drive_call(const struct lk_pystack *st, size_t nth, size_t *outermost, unsigned *marks)
{
    size_t calls = 0;
    for (size_t i = 0; st && i < st->n; i++) {
        if (!(marks_at(st, i) & LK_MARK_DRIVES))
            continue;
        size_t first = i;
        unsigned all = 0;
        for (; i < st->n && (marks_at(st, i) & LK_MARK_DRIVES); i++)
            all |= marks_at(st, i);
        if (calls++ != nth)
            continue;
        *outermost = i - 1;
        *marks = all;
        return first + 1;
    }
    return 0;
}

const struct lk_pyframe *lk_caller_frame(const struct lk_pystack *st, size_t from, size_t *index)
{
    for (size_t i = from; st && i < st->n; i++) {
        const struct lk_code *c = st->frames[i].code;
        if (!c || c->cls == LK_CODE_STDLIB)
            continue;
        if (index)
            *index = i;
        return &st->frames[i];
    }
    return NULL;
}

/* asyncio.run() handed to a pool has no caller of its own: whose loop it is says the coroutine that
 * it is run for (asgiref 3.9 on, AsyncToSync.__call__). */
static const struct lk_code *driver(const struct lk_snapshot *s, const struct lk_thread *t,
                                    size_t nth, size_t outermost)
{
    const struct lk_pyframe *f = lk_caller_frame(t->python_stack, outermost + 1, NULL);
    const struct lk_task *k = nth == 0 ? lk_task_at(s, t->drives) : NULL;
    if (!f && k && k->stack && k->stack->n && !k->stack->truncated)
        f = &k->stack->frames[k->stack->n - 1];
    return f ? f->code : NULL;
}

/* A loop that a framework's code drives, or that a framework's module holds, is not the user's to
 * close. */
static void classify_loops(struct lk_snapshot *s)
{
    for (size_t i = 0; i < s->threads.n; i++) {
        const struct lk_thread *t = &s->threads.v[i];
        for (size_t k = 0; k < t->n_frame_loops; k++) {
            struct lk_loop *o = lk_loop_at(s, t->frame_loops[k]);
            size_t outermost;
            unsigned marks;
            if (!o || !lk_drive_call(t->python_stack, k, &outermost, &marks))
                continue;
            const struct lk_code *by = driver(s, t, k, outermost);
            if (by && by->cls == LK_CODE_FRAMEWORK)
                o->framework_owned = true;
        }
    }
    for (size_t i = 0; i < s->loops.n; i++) {
        const char *origin = s->loops.v[i].origin;
        if (origin && lk_pattern_is_framework(origin, strcspn(origin, ".")))
            s->loops.v[i].framework_owned = true;
    }
}

/* co_qualname came with 3.11; before, the reader knows only co_name. */
static bool has_qualnames(const struct lk_python *p)
{
    return !p->hex || p->hex >> 16 >= 0x030b;
}

void lk_classify(struct lk_snapshot *s, const char *project)
{
    struct classifier k = { .s = s,
                            .project = lk_project_given(s, project),
                            .home = lk_project_home(s),
                            .qualnames = has_qualnames(&s->python) };
    for (size_t i = 0; i < s->threads.n; i++) {
        classify_stack(&k, s->threads.v[i].python_stack);
        classify_stack(&k, s->threads.v[i].before_fork);
    }
    for (size_t i = 0; i < s->tasks.n; i++)
        classify_stack(&k, s->tasks.v[i].stack);
    for (size_t i = 0; i < s->loops.n; i++) {
        const struct lk_loop *o = &s->loops.v[i];
        for (size_t j = 0; j < o->n_handles; j++)
            if (o->handles[j].frame)
                classify_code(&k, o->handles[j].frame->code);
        for (size_t j = 0; j < o->n_timer_handles; j++)
            if (o->timer_handles[j].frame)
                classify_code(&k, o->timer_handles[j].frame->code);
    }
    for (size_t i = 0; i < s->threads.n; i++)
        classify_thread(&s->threads.v[i]);
    classify_loops(s);
}

/* How near to the project a frame is; 0: not the user's. */
static int nearness(const struct lk_code *c)
{
    if (!c || c->cls != LK_CODE_USER)
        return 0;
    return c->home ? 3 : c->site ? 1 : 2;
}

const struct lk_pyframe *lk_culprit_frame(const struct lk_pystack *st, size_t *index)
{
    const struct lk_pyframe *best = NULL;
    int most = 0;
    for (size_t i = 0; st && i < st->n; i++) {
        const int near = nearness(st->frames[i].code);
        if (near <= most)
            continue;
        most = near;
        best = &st->frames[i];
        if (index)
            *index = i;
    }
    return best ? best : lk_caller_frame(st, 0, index);
}
