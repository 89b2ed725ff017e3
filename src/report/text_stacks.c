/*
 * Stacks in the text report. Your code stands line by line with its source; of libraries' frames in
 * between only the innermost one of the stack is shown, which says what the thread does, and the
 * others are counted under the names that one would install or import.
 */
#include <string.h>

#include "report/sentences.h"
#include "report/text.h"
#include "util/text.h"

#define MAX_FRAMES     40 /* of one stack */
#define SHORTEST_RUN   3  /* of frames that are folded */
#define MAX_LIBRARIES  4  /* named of a run */
#define SOURCE_COLUMNS 160
#define FRAME_INDENT   6

/* Folders that hold libraries; what follows is the name of one. */
static const char *const library_folders[] = { "/site-packages/", "/dist-packages/", "/lib/python",
                                               "/lib64/python" };

/* "flask" of ".../dist-packages/flask/app.py", "threading" of "/usr/lib/python3.11/threading.py",
 * "importlib" of "<frozen importlib._bootstrap>"; else the file's own name. */
static const char *library(struct lk_arena *a, const struct lk_pyframe *f)
{
    const char *file = lk_words_safe(a, f->code ? f->code->file : NULL), *name = lk_base_name(file);
    if (lk_starts_with(file, "<frozen "))
        name = file + strlen("<frozen ");
    for (size_t i = 0; i < LK_ARRAY_LEN(library_folders); i++) {
        const char *at = strstr(file, library_folders[i]);
        if (!at)
            continue;
        name = at + strlen(library_folders[i]);
        if (i >= 2) { /* the version of Python comes first */
            const char *slash = strchr(name, '/');
            name = slash ? slash + 1 : name;
        }
        break;
    }
    return lk_arena_strndup(a, name, strcspn(name, "/.>"));
}

/* Frames of libraries from `from` on; one with variables is none: they were asked for. */
static uint32_t run_of(const struct lk_pystack *st, uint32_t from)
{
    uint32_t n = 0;
    while (from + n < st->n && !lk_is_user_frame(&st->frames[from + n]) &&
           !st->frames[from + n].locals)
        n++;
    return n;
}

static void folded_run(struct lk_terminal *p, const struct lk_pyframe *f, uint32_t n)
{
    const char *names[MAX_LIBRARIES], *text = "";
    size_t named = 0, more = 0;
    for (uint32_t i = 0; i < n; i++) {
        const char *name = library(p->arena, &f[i]);
        if (lk_is_one_of(name, names, named))
            continue;
        if (named == MAX_LIBRARIES) {
            more = 1;
            break;
        }
        names[named++] = name;
        text = lk_arena_printf(p->arena, "%s%s%s", text, *text ? ", " : "", name);
    }
    lk_terminal_line(
        p, FRAME_INDENT, LK_INK_DIM,
        lk_arena_printf(p->arena, "... %u frames of %s%s", n, text, more ? " and others" : ""));
}

static void python_frame(struct lk_terminal *p, const struct lk_pyframe *f)
{
    const bool user = lk_is_user_frame(f);
    /* Paths of your code stay whole: they are there to be copied. */
    const size_t room = user || p->width <= FRAME_INDENT ? 0 : (size_t)(p->width - FRAME_INDENT);
    lk_terminal_two(p, 4, user ? LK_INK_BOLD : LK_INK_PLAIN, user ? "*" : " ",
                    lk_sentence_frame(p->arena, f, room));
    if (user && f->source && *f->source)
        lk_terminal_line(p, 10, LK_INK_BOLD, lk_words_cut(p->arena, f->source, SOURCE_COLUMNS));
    for (size_t k = 0; f->locals && k < f->locals->n; k++)
        lk_terminal_line(p, 12, LK_INK_PLAIN, lk_sentence_local(p->arena, &f->locals->v[k]));
}

/* What is left out at the end of a stack. */
static void stack_end(struct lk_terminal *p, uint32_t left, bool truncated)
{
    if (left)
        lk_terminal_line(p, FRAME_INDENT, LK_INK_PLAIN,
                         lk_arena_printf(p->arena, "... %u more frames, --all shows them", left));
    if (truncated)
        lk_terminal_line(p, FRAME_INDENT, LK_INK_PLAIN,
                         "... the rest of this stack could not be read");
}

void lk_text_python_stack(struct lk_terminal *p, const struct lk_render *how,
                          const struct lk_pystack *st)
{
    uint32_t i = 0;
    for (uint32_t lines = 0; st && i < st->n && (how->all || lines < MAX_FRAMES); lines++) {
        const uint32_t run = how->all || i == 0 ? 0 : run_of(st, i);
        if (run >= SHORTEST_RUN) {
            folded_run(p, &st->frames[i], run);
            i += run;
        } else {
            python_frame(p, &st->frames[i++]);
        }
    }
    if (st)
        stack_end(p, st->n - i, st->truncated);
}

void lk_text_native_stack(struct lk_terminal *p, const struct lk_render *how,
                          const struct lk_natstack *st)
{
    if (!st || !st->n)
        return;
    const uint32_t n = how->all || st->n < MAX_FRAMES ? st->n : MAX_FRAMES;
    lk_terminal_line(p, FRAME_INDENT, LK_INK_DIM, "native:");
    for (uint32_t i = 0; i < n; i++)
        lk_terminal_line(p, FRAME_INDENT, LK_INK_PLAIN,
                         lk_sentence_native(p->arena, &st->frames[i]));
    stack_end(p, st->n - n, st->truncated);
}
