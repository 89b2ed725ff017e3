/* An arena hands out chunks that are freed together. */
#include "util/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK = 64 * 1024 };

struct chunk {
    struct chunk *next;
    size_t used, size;
    max_align_t data[];
};

struct lk_arena {
    struct chunk *head;    /* the chunk small objects come from */
    struct lk_arena *kept; /* another one that is destroyed with it */
};

struct lk_arena *lk_arena_create(void)
{
    return lk_xcalloc(1, sizeof(struct lk_arena));
}

void lk_arena_destroy(struct lk_arena *a)
{
    while (a) {
        struct lk_arena *kept = a->kept;
        for (struct chunk *c = a->head; c;) {
            struct chunk *next = c->next;
            lk_free(c);
            c = next;
        }
        lk_free(a);
        a = kept;
    }
}

void lk_arena_keep(struct lk_arena *a, struct lk_arena *other)
{
    while (a->kept)
        a = a->kept;
    a->kept = other;
}

static struct chunk *chunk_create(size_t size)
{
    if (size > SIZE_MAX - sizeof(struct chunk))
        lk_out_of_memory();
    struct chunk *c = lk_xmalloc(sizeof *c + size);
    c->next = NULL;
    c->used = 0;
    c->size = size;
    return c;
}

void *lk_arena_alloc(struct lk_arena *a, size_t n)
{
    if (n > SIZE_MAX / 2)
        lk_out_of_memory();
    n = (n + sizeof(max_align_t) - 1) & ~(sizeof(max_align_t) - 1);
    struct chunk *c = a->head;
    if (n > CHUNK / 4) {
        /* A large object gets a chunk of its own behind the head, which goes on serving small ones.
         */
        struct chunk *big = chunk_create(n);
        if (c) {
            big->next = c->next;
            c->next = big;
        } else {
            a->head = big;
        }
        big->used = n;
        return memset(big->data, 0, n);
    }
    if (!c || c->size - c->used < n) {
        c = chunk_create(CHUNK);
        c->next = a->head;
        a->head = c;
    }
    void *p = (char *)c->data + c->used;
    c->used += n;
    return memset(p, 0, n);
}

void *lk_arena_array(struct lk_arena *a, size_t n, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(n, size, &bytes))
        lk_out_of_memory();
    return lk_arena_alloc(a, bytes);
}

char *lk_arena_strndup(struct lk_arena *a, const char *s, size_t n)
{
    char *p = lk_arena_alloc(a, n + 1);
    memcpy(p, s, n);
    return p;
}

char *lk_arena_strdup(struct lk_arena *a, const char *s)
{
    return lk_arena_strndup(a, s, strlen(s));
}

char *lk_arena_printf(struct lk_arena *a, const char *fmt, ...)
{
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    char *p = lk_arena_alloc(a, (size_t)LK_MAX(n, 0) + 1);
    if (n > 0)
        vsnprintf(p, (size_t)n + 1, fmt, again);
    va_end(again);
    return p;
}
