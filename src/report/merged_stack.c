/*
 * Where Python code calls native code the interpreter's evaluation function stands between the two
 * on the native stack (CPython, Python/ceval.c: _PyEval_EvalFrameDefault and what has its name in
 * it); a stripped interpreter is told by the file it is in.
 */
#include "report/merged_stack.h"

#include "diagnose/catalog/native_code.h"
#include "report/entity_sentences.h"
#include "report/phrase.h"

static bool is_interpreter(const struct lk_natframe *f)
{
    if (f->function)
        return lk_native_is_evaluation(f->function);
    return f->module &&
           (lk_starts_with(f->module, "libpython") || lk_starts_with(f->module, "python"));
}

struct lk_merged_stack lk_merged_stack(struct lk_arena *a, const struct lk_natstack *native,
                                       const struct lk_pystack *python)
{
    const size_t n_python = python ? python->n : 0;
    size_t n_native = native ? native->n : 0;
    for (size_t i = 0; n_python && i < n_native; i++)
        if (is_interpreter(&native->frames[i]))
            n_native = i;
    struct lk_merged_stack m = { .v = lk_arena_array(a, n_native + n_python + 1, sizeof *m.v) };
    for (size_t i = 0; i < n_native; i++)
        m.v[m.n++].native = &native->frames[i];
    for (size_t i = 0; i < n_python; i++)
        m.v[m.n++].python = &python->frames[i];
    m.cut = n_python ? python->truncated : native && native->truncated;
    return m;
}

const char *lk_merged_frame_name(struct lk_arena *a, const struct lk_merged_frame *f)
{
    if (f->python) {
        const struct lk_code *c = f->python->code;
        if (!c)
            return "?";
        return lk_phrase_place(a, c->qualname ? c->qualname : c->function, c->file,
                               f->python->line);
    }
    if (f->native->file)
        return lk_phrase_place(a, f->native->function, f->native->file, f->native->line);
    return lk_phrase_place(a, f->native->function, f->native->module, 0);
}

const char *lk_merged_user_frame(struct lk_arena *a, const struct lk_pystack *st)
{
    const struct lk_pyframe *f = lk_user_frame(st);
    return f ? lk_merged_frame_name(a, &(struct lk_merged_frame){ .python = f }) : NULL;
}
