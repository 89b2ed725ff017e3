/*
 * Lines of the target's source files, each file read once, up to the last line that is wanted, with
 * bounds on files and bytes. Which file it is the target says: it is opened by lk_process_open_path
 * (process/live/files.c), and its text is cleaned before it enters the snapshot.
 */
#include "examine/sample/source_lines.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "diagnose/catalog/classify.h"
#include "diagnose/catalog/native_code.h"
#include "process/budget.h"
#include "snapshot/builder.h"
#include "util/map.h"
#include "util/redact.h"
#include "util/text.h"

enum { MAX_FILES = 300, MAX_BYTES = 64 << 20, PIECE = 64 << 10, MAX_LINE_BYTES = 240 };

/* A frame whose line is wanted, and where its text goes. */
struct line_ref {
    uint32_t file;
    int line;
    const char *name; /* of the file */
    const char **source;
    bool whole; /* with its indentation */
};

/* First all frames are gathered, then each file is read once. */
struct reader {
    struct lk_process *t;
    struct lk_snapshot *s;
    struct lk_map files; /* digest of a name -> number */
    struct {
        struct line_ref *v;
        size_t n, cap;
    } lines;
    char *piece;
    uint64_t left; /* bytes of all files */
};

static int compare_line_refs(const void *a, const void *b)
{
    const struct line_ref *x = a, *y = b;
    if (x->file != y->file)
        return x->file < y->file ? -1 : 1;
    if (x->line != y->line)
        return x->line < y->line ? -1 : 1;
    return x->whole - y->whole;
}

static void want_line(struct reader *r, const char *name, int line, bool whole, const char **source)
{
    if (*source || line <= 0 || !name || !name[0] || name[0] == '<')
        return;
    uint64_t key = lk_hash_str(LK_HASH_INIT, name), file;
    if (!lk_map_get(&r->files, key, &file)) {
        if (r->files.n >= MAX_FILES)
            return;
        file = r->files.n;
        lk_map_put(&r->files, key, file);
    }
    lk_vec_add(&r->lines, ((struct line_ref){ (uint32_t)file, line, name, source, whole }));
}

static void want(struct reader *r, struct lk_pyframe *f)
{
    if (f && f->code)
        want_line(r, f->code->file, f->line, false, &f->source);
}

/* The lines around it too: of the frame that a culprit is made of. */
static void want_context(struct reader *r, struct lk_pyframe *f)
{
    want(r, f);
    if (f->context || !f->code || f->line <= 0)
        return;
    f->context = lk_arena_alloc(r->s->arena, sizeof *f->context);
    want_line(r, f->code->file, f->line - 1, true, &f->context->before);
    want_line(r, f->code->file, f->line, true, &f->context->at);
    want_line(r, f->code->file, f->line + 1, true, &f->context->after);
}

/* A file on its way past: one piece of it at a time, and where that stands. */
struct passage {
    int fd;
    size_t at, n;   /* in r->piece */
    int line;       /* that at is in */
    uint64_t *left; /* bytes that all files together may still take */
};

/* The next piece; false at the end, and where too much was read. */
static bool next_piece(struct reader *r, struct passage *p)
{
    const size_t most = LK_MIN((uint64_t)PIECE, *p->left);
    ssize_t got;
    if (!most || lk_process_spent(r->t))
        return false;
    do
        got = read(p->fd, r->piece, most);
    while (got < 0 && errno == EINTR);
    p->at = 0;
    p->n = got > 0 ? (size_t)got : 0;
    *p->left -= p->n;
    return p->n > 0;
}

/* Goes to the beginning of a line. */
static bool skip_to(struct reader *r, struct passage *p, int line)
{
    while (p->line < line) {
        if (p->at == p->n && !next_piece(r, p))
            return false;
        const char *from = r->piece + p->at;
        const char *end = memchr(from, '\n', p->n - p->at);
        p->at = end ? (size_t)(end + 1 - r->piece) : p->n;
        p->line += end != NULL;
    }
    return true;
}

/* The line that p is at the beginning of, without its indentation, as much as is shown of one. */
static const char *line_text(struct reader *r, struct passage *p)
{
    char text[MAX_LINE_BYTES + 1];
    size_t n = 0;
    while (n < sizeof text && (p->at < p->n || next_piece(r, p))) {
        const char c = r->piece[p->at];
        if (c == '\n' || c == '\r')
            break;
        if (n || (c != ' ' && c != '\t'))
            text[n++] = c;
        p->at++;
    }
    while (n && (text[n - 1] == ' ' || text[n - 1] == '\t'))
        n--;
    return lk_redact_source(r->s->arena, lk_text_clean(r->s->arena, text, n, MAX_LINE_BYTES));
}

/* Fills the frames of one file, which come in the order of their lines. */
static void fill(struct reader *r, int fd, const struct line_ref *w, size_t n)
{
    struct passage p = { .fd = fd, .line = 1, .left = &r->left };
    const char *text = NULL;
    int of = 0; /* that text is of */
    for (size_t i = 0; i < n; i++) {
        if (of != w[i].line) {
            if (!skip_to(r, &p, w[i].line) || (p.at == p.n && !next_piece(r, &p)))
                return;
            text = line_text(r, &p);
            of = w[i].line;
        }
        *w[i].source = text;
    }
}

static struct lk_key key_of(const struct line_ref *w)
{
    return (struct lk_key){ .text = w->name, .n = w->line, .m = w->whole };
}

static void recall(struct reader *r, const struct line_ref *w)
{
    const struct lk_key key = key_of(w);
    const char *text = NULL;
    int why;
    if (w->whole) /* it decides nothing, and older captures lack it */
        lk_process_extra(r->t);
    if (lk_process_recall(r->t, LK_FACT_SOURCE_LINE, &key, r->s->arena, &text, &why) && !why)
        *w->source = text;
    if (w->whole)
        lk_process_extra_end(r->t);
}

static void keep(struct reader *r, const struct line_ref *w)
{
    const struct lk_key key = key_of(w);
    if (*w->source)
        lk_process_keep(r->t, LK_FACT_SOURCE_LINE, &key, 0, w->source);
}

static void fill_all(struct reader *r)
{
    const struct line_ref *w = r->lines.v;
    if (r->lines.n)
        qsort(r->lines.v, r->lines.n, sizeof *r->lines.v, compare_line_refs);
    for (size_t i = 0; lk_process_recalls(r->t) && i < r->lines.n; i++)
        recall(r, &w[i]);
    if (lk_process_recalls(r->t))
        return;
    r->piece = lk_xmalloc(PIECE);
    for (size_t i = 0, n; i < r->lines.n; i += n) {
        for (n = 1; i + n < r->lines.n && w[i + n].file == w[i].file; n++)
            ;
        int fd = lk_process_open_path(r->t, w[i].name, NULL);
        if (fd < 0)
            continue;
        fill(r, fd, w + i, n);
        lk_fd_close(fd);
    }
    for (size_t i = 0; i < r->lines.n; i++)
        keep(r, &w[i]);
    lk_free(r->piece);
    if (!r->left)
        lk_snapshot_limit(r->s, "source lines are missing: more than %d MiB would have been read",
                          MAX_BYTES >> 20);
}

static void want_stack(struct reader *r, struct lk_pystack *st)
{
    for (size_t i = 0; i < st->n; i++)
        if (st->frames[i].code && st->frames[i].code->cls == LK_CODE_USER)
            want(r, &st->frames[i]);
    size_t at;
    if (lk_culprit_frame(st, &at))
        want_context(r, &st->frames[at]);
}

/* Of a native stack the one frame that a culprit is made of. */
static void want_native(struct reader *r, const struct lk_thread *t)
{
    struct lk_natframe *f = (struct lk_natframe *)lk_native_culprit(t->native_stack, r->s->exe);
    if (f && !f->system)
        want_line(r, f->file, f->line, false, &f->source);
}

void lk_sources_read(struct lk_process *t, struct lk_snapshot *s)
{
    struct reader r = { .t = t, .s = s, .left = MAX_BYTES };
    struct lk_map seen = { 0 }; /* stacks are shared by many tasks */
    for (size_t i = 0; i < s->threads.n; i++)
        if (lk_map_add(&seen, (uintptr_t)s->threads.v[i].python_stack, 0))
            want_stack(&r, s->threads.v[i].python_stack);
    for (size_t i = 0; i < s->threads.n; i++)
        if (!s->threads.v[i].python_stack->n)
            want_native(&r, &s->threads.v[i]);
    for (size_t i = 0; i < s->tasks.n; i++)
        if (lk_map_add(&seen, (uintptr_t)s->tasks.v[i].stack, 0))
            want_stack(&r, s->tasks.v[i].stack);
    for (size_t i = 0; i < s->loops.n; i++)
        for (size_t j = 0; j < s->loops.v[i].n_handles; j++)
            want(&r, s->loops.v[i].handles[j].frame);
    fill_all(&r);
    lk_free(r.lines.v);
    lk_map_deinit(&r.files);
    lk_map_deinit(&seen);
}
