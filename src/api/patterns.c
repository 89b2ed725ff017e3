/* The public face of the user's patterns: reads the file, which must be one, and be small. */
#include "api/patterns.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/file.h"
#include "diagnose/catalog/user_file.h"
#include "loopknot.h"
#include "util/text.h"

#define LK_EXPORT __attribute__((visibility("default")))

struct loopknot_patterns {
    struct lk_patterns *rows;
};

const struct lk_patterns *lk_api_patterns(const struct loopknot_patterns *p)
{
    return p ? p->rows : NULL;
}

static struct lk_patterns *load(const char *file, const char *name, struct lk_error *err)
{
    size_t n;
    char *text = lk_api_read_file(file, name, "patterns are", LK_API_REGULAR, LK_PATTERNS_MAX_BYTES,
                                  &n, err);
    struct lk_patterns *rows = text ? lk_patterns_parse(name, text, n, err) : NULL;
    lk_free(text);
    return rows;
}

struct loading {
    const char *file;
    struct loopknot_patterns *ret;
    struct lk_error err;
};

static void load_patterns(void *arg)
{
    enum { MAX_SHOWN = 200 }; /* of the file's name, so that what is wrong still fits */
    struct loading *l = arg;
    struct lk_arena *a = lk_arena_create();
    const char *name = lk_text_clean(a, l->file, strlen(l->file), MAX_SHOWN);
    struct lk_patterns *rows = load(l->file, name, &l->err);
    if (rows) {
        l->ret = lk_xcalloc(1, sizeof *l->ret);
        l->ret->rows = rows;
    }
    lk_arena_destroy(a);
}

LK_EXPORT struct loopknot_patterns *loopknot_patterns_load(const char *file, char *message,
                                                           size_t size)
{
    struct loading l = { .file = file };
    if (!lk_guarded(load_patterns, &l, NULL)) {
        l.ret = NULL;
        lk_error_set(&l.err, LK_ERR_NOMEM, "out of memory");
    }
    if (!l.ret && message && size) {
        strncpy(message, l.err.text, size - 1);
        message[size - 1] = '\0';
    }
    errno = l.ret ? 0 : l.err.code == LK_ERR_NOMEM ? ENOMEM : EINVAL;
    return l.ret;
}

LK_EXPORT void loopknot_patterns_free(struct loopknot_patterns *p)
{
    if (!p)
        return;
    lk_patterns_destroy(p->rows);
    lk_free(p);
}
