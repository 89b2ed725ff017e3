/*
 * The kernel lays out, upwards: argc, pointers to the arguments, 0, pointers to the environment, 0,
 * the auxiliary vector, 16 random bytes (fs/binfmt_elf.c, create_elf_tables). The vector stands in
 * a note too, and where the random bytes are it says itself: so it is found by comparing.
 */
#include "process/core/start.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "process/facts.h"
#include "util/text.h"

enum {
    MAX_BELOW =
        4 << 20, /* bytes from the random ones down to argc: pointers of a huge environment */
    MAX_ARGS = 4096,
    MAX_STRING = 4096,
};

/* The words below the random bytes. */
struct words {
    uint64_t *v;
    size_t n;
};

static bool read_words(const struct lk_core_image *c, struct words *ret)
{
    const lk_addr top = lk_core_auxv(c, AT_RANDOM) & ~(uint64_t)7;
    const struct lk_core_segment *s = top ? lk_core_segment_at(c, top) : NULL;
    if (!s || c->auxv.n < 4)
        return false;
    const uint64_t bytes = LK_MIN(top - s->start, (uint64_t)MAX_BELOW) & ~(uint64_t)7;
    ret->n = bytes / 8;
    ret->v = lk_xmalloc(bytes + 8);
    return lk_core_bytes(c, top - bytes, ret->v, bytes) == bytes;
}

/* Where the auxiliary vector begins; 0 not found. */
static size_t find_auxv(const struct lk_core_image *c, const struct words *w)
{
    const size_t n = LK_MIN(c->auxv.n, (size_t)8);
    for (size_t at = w->n < n ? 0 : w->n - n; at > 0; at--)
        if (w->v[at] == c->auxv.v[0] && memcmp(w->v + at, c->auxv.v, n * sizeof *w->v) == 0)
            return at;
    return 0;
}

static char *string_at(const struct lk_core_image *c, struct lk_arena *a, lk_addr addr)
{
    char text[MAX_STRING];
    const size_t n = lk_core_bytes(c, addr, text, sizeof text);
    return n ? lk_arena_strndup(a, text, strnlen(text, n)) : NULL;
}

static void read_environment(const struct lk_core_image *c, struct lk_arena *a,
                             const struct words *w, size_t from, size_t to,
                             struct lk_core_start *ret)
{
    static const char wanted[] = LK_TEST_VARIABLE "=";
    char name[sizeof wanted - 1];
    for (size_t i = from; i < to && !ret->test; i++)
        if (lk_core_bytes(c, w->v[i], name, sizeof name) == sizeof name &&
            memcmp(name, wanted, sizeof name) == 0)
            ret->test = string_at(c, a, w->v[i] + sizeof name);
}

void lk_core_start_read(const struct lk_core_image *c, struct lk_arena *a,
                        struct lk_core_start *ret)
{
    struct words w = { 0 };
    *ret = (struct lk_core_start){ 0 };
    const size_t auxv = read_words(c, &w) ? find_auxv(c, &w) : 0;
    size_t env = auxv ? auxv - 1 : 0; /* the 0 behind the environment */
    while (env > 0 && w.v[env - 1])
        env--;
    size_t arg = env ? env - 1 : 0; /* the 0 behind the arguments */
    const size_t end = arg;
    while (arg > 0 && w.v[arg - 1] != end - arg && end - arg < MAX_ARGS)
        arg--;
    if (arg > 0 && w.v[arg - 1] == end - arg) {
        ret->argv = lk_arena_array(a, end - arg + 1, sizeof *ret->argv);
        for (size_t i = arg; i < end && (ret->argv[ret->argc] = string_at(c, a, w.v[i])); i++)
            ret->argc++;
        read_environment(c, a, &w, env, auxv - 1, ret);
    }
    lk_free(w.v);
}
