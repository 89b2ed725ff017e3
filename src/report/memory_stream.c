/* open_memstream(3) allocates with malloc(3), which no guard knows: the stream is held. */
#include "report/memory_stream.h"

#include <stdlib.h>
#include <string.h>

struct memory_stream {
    FILE *f;
    char *text;
    size_t size;
};

static void memory_stream_close(void *arg, size_t size)
{
    struct memory_stream *m = arg;
    (void)size;
    if (m->f)
        fclose(m->f);
    free(m->text);
}

static struct memory_stream *memory_stream_open(void)
{
    struct memory_stream *m = lk_xcalloc(1, sizeof *m);
    m->f = open_memstream(&m->text, &m->size);
    if (!m->f)
        lk_out_of_memory();
    lk_hold(m, 0, memory_stream_close);
    return m;
}

const char *lk_report_written(struct lk_arena *a,
                              bool (*write)(const struct lk_report *reports, size_t n, bool set,
                                            const struct lk_render *how, FILE *out),
                              const struct lk_report *reports, size_t n, bool set,
                              const struct lk_render *how, size_t *size)
{
    struct memory_stream *m = memory_stream_open();
    bool ok = write(reports, n, set, how, m->f);
    ok &= fclose(m->f) == 0;
    m->f = NULL;
    if (!ok || !m->text)
        lk_out_of_memory();
    const char *ret = lk_arena_strndup(a, m->text, m->size);
    if (size)
        *size = m->size;
    lk_let_go(m, memory_stream_close);
    memory_stream_close(m, 0);
    lk_free(m);
    return ret;
}
