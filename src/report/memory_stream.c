/* open_memstream(3) allocates with malloc(3), which no guard knows: the stream is held. */
#include "report/memory_stream.h"

#include <stdlib.h>
#include <string.h>

struct lk_memory_stream {
    FILE *f;
    char *text;
    size_t size;
};

static void release(void *arg, size_t size)
{
    struct lk_memory_stream *m = arg;
    (void)size;
    if (m->f)
        fclose(m->f);
    free(m->text);
}

struct lk_memory_stream *lk_memory_stream_open(FILE **stream)
{
    struct lk_memory_stream *m = lk_xcalloc(1, sizeof *m);
    m->f = open_memstream(&m->text, &m->size);
    if (!m->f)
        lk_out_of_memory();
    lk_hold(m, 0, release);
    *stream = m->f;
    return m;
}

const char *lk_memory_stream_text(struct lk_memory_stream *m, struct lk_arena *a, size_t *size)
{
    const bool ok = fclose(m->f) == 0;
    m->f = NULL;
    if (!ok || !m->text)
        lk_out_of_memory();
    const char *ret = lk_arena_strndup(a, m->text, m->size);
    if (size)
        *size = m->size;
    lk_let_go(m, release);
    release(m, 0);
    lk_free(m);
    return ret;
}

const char *lk_report_written(struct lk_arena *a,
                              bool (*write)(const struct lk_report *reports, size_t n, bool set,
                                            const struct lk_render *how, FILE *out),
                              const struct lk_report *reports, size_t n, bool set,
                              const struct lk_render *how, size_t *size)
{
    FILE *out;
    struct lk_memory_stream *m = lk_memory_stream_open(&out);
    if (!write(reports, n, set, how, out))
        lk_out_of_memory();
    return lk_memory_stream_text(m, a, size);
}
