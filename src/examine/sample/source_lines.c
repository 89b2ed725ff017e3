#include "examine/sample/source_lines.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "diagnose/catalog/classify.h"
#include "snapshot/builder.h"
#include "util/map.h"
#include "util/text.h"

enum { MAX_FILES = 300, MAX_FILE_BYTES = 8 << 20, MAX_LINE_BYTES = 240 };

struct source {
    char *text; /* NULL: could not be read */
    size_t n;
    size_t *line_at; /* offset of each line */
    size_t n_lines;
};

struct reader {
    struct lk_process *t;
    struct lk_snapshot *s;
    struct lk_map files; /* address of the interned file name -> index */
    struct {
        struct source *v;
        size_t n, cap;
    } sources;
};

static char *slurp(int fd, size_t *n)
{
    struct stat st;
    if (fstat(fd, &st) != 0 || st.st_size <= 0 || st.st_size > MAX_FILE_BYTES)
        return NULL;
    char *text = lk_xmalloc((size_t)st.st_size);
    *n = 0;
    while (*n < (size_t)st.st_size) {
        ssize_t got = read(fd, text + *n, (size_t)st.st_size - *n);
        if (got <= 0)
            break;
        *n += (size_t)got;
    }
    return text;
}

static void index_lines(struct source *src)
{
    size_t lines = 1;
    for (size_t i = 0; i < src->n; i++)
        lines += src->text[i] == '\n';
    src->line_at = lk_xcalloc(lines, sizeof *src->line_at);
    src->n_lines = 1;
    for (size_t i = 0; i + 1 < src->n; i++)
        if (src->text[i] == '\n')
            src->line_at[src->n_lines++] = i + 1;
}

static const struct source *source_of(struct reader *r, const char *file)
{
    uint64_t key = lk_hash_str(LK_HASH_INIT, file), at;
    if (lk_map_get(&r->files, key, &at))
        return &r->sources.v[at];
    if (r->sources.n >= MAX_FILES)
        return NULL;
    lk_map_put(&r->files, key, r->sources.n);
    struct source *src = lk_vec_push(&r->sources);
    int fd = lk_process_open_path(r->t, file, NULL);
    if (fd >= 0) {
        src->text = slurp(fd, &src->n);
        close(fd);
    }
    if (src->text)
        index_lines(src);
    return src;
}

static const char *line_text(struct reader *r, const char *file, int line)
{
    const struct source *src = source_of(r, file);
    if (!src || !src->text || line < 1 || (size_t)line > src->n_lines)
        return NULL;
    const char *p = src->text + src->line_at[line - 1], *end = src->text + src->n;
    while (p < end && (*p == ' ' || *p == '\t'))
        p++;
    const char *q = p;
    while (q < end && *q != '\n' && *q != '\r')
        q++;
    while (q > p && (q[-1] == ' ' || q[-1] == '\t'))
        q--;
    return lk_text_clean(r->s->arena, p, (size_t)(q - p), MAX_LINE_BYTES);
}

static void read_frame(struct reader *r, struct lk_pyframe *f)
{
    if (f && !f->source && f->code && f->line > 0 && f->code->file && f->code->file[0] &&
        f->code->file[0] != '<')
        f->source = line_text(r, f->code->file, f->line);
}

static void read_stack(struct reader *r, struct lk_pystack *st)
{
    for (size_t i = 0; i < st->n; i++)
        if (st->frames[i].code && st->frames[i].code->cls == LK_CODE_USER)
            read_frame(r, &st->frames[i]);
    size_t at;
    if (lk_culprit_frame(st, &at))
        read_frame(r, &st->frames[at]);
}

void lk_sources_read(struct lk_process *t, struct lk_snapshot *s)
{
    struct reader r = { .t = t, .s = s };
    struct lk_map seen = { 0 }; /* stacks are shared by many tasks */
    for (size_t i = 0; i < s->threads.n; i++)
        if (lk_map_add(&seen, (uintptr_t)s->threads.v[i].python_stack, 0))
            read_stack(&r, s->threads.v[i].python_stack);
    for (size_t i = 0; i < s->tasks.n; i++)
        if (lk_map_add(&seen, (uintptr_t)s->tasks.v[i].stack, 0))
            read_stack(&r, s->tasks.v[i].stack);
    for (size_t i = 0; i < s->loops.n; i++)
        for (size_t j = 0; j < s->loops.v[i].n_handles; j++)
            read_frame(&r, s->loops.v[i].handles[j].frame);
    for (size_t i = 0; i < r.sources.n; i++) {
        free(r.sources.v[i].text);
        free(r.sources.v[i].line_at);
    }
    free(r.sources.v);
    lk_map_deinit(&r.files);
    lk_map_deinit(&seen);
}
