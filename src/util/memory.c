/* Each block begins with its neighbours in the circular list of its guard. glibc's malloc aligns to
 * 16 bytes (malloc/malloc-alignment.h), which such a head keeps. */
#include "util/memory.h"

#include <errno.h>
#include <malloc.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct block {
    struct block *next, *previous;
};
_Static_assert(sizeof(struct block) % _Alignof(max_align_t) == 0, "what follows is aligned");

struct lk_blocks {
    struct block ring; /* no block itself */
};

struct held {
    void *what;
    size_t size;
    lk_release_fn release;
};

/* On the heap: what setjmp's function keeps in its own frame may be stale after longjmp. */
struct guard {
    jmp_buf start;
    struct guard *outer;
    struct lk_blocks *blocks;
    struct held *held;
    size_t n_held, cap_held;
};

static _Thread_local struct guard *guard;
static _Thread_local size_t used; /* wraps where blocks of one thread are freed by another */
static void (*last_resort)(void);

_Noreturn void lk_out_of_memory(void)
{
    if (guard)
        longjmp(guard->start, 1);
    if (last_resort)
        last_resort();
    abort();
}

void lk_memory_in_child(void (*end)(void))
{
    guard = NULL;
    last_resort = end;
}

void lk_memory_set_last_resort(void (*end)(void))
{
    last_resort = end;
}

/* --- blocks ------------------------------------------------------------------------------------
 */

static void insert(struct block *b, struct block *before)
{
    b->next = before;
    b->previous = before->previous;
    b->previous->next = b;
    before->previous = b;
}

static void stand_alone(struct block *b)
{
    b->next = b->previous = b;
}

static void take_out(struct block *b)
{
    b->previous->next = b->next;
    b->next->previous = b->previous;
}

static void *settled(struct block *b)
{
    if (!b)
        lk_out_of_memory();
    if (guard)
        insert(b, &guard->blocks->ring);
    else
        stand_alone(b);
    used += malloc_usable_size(b);
    return b + 1;
}

size_t lk_memory_used(void)
{
    return used;
}

void *lk_xmalloc(size_t n)
{
    if (n > SIZE_MAX - sizeof(struct block))
        lk_out_of_memory();
    return settled(malloc(sizeof(struct block) + n));
}

void *lk_xcalloc(size_t n, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(n, size, &bytes) || bytes > SIZE_MAX - sizeof(struct block))
        lk_out_of_memory();
    return settled(calloc(1, sizeof(struct block) + bytes));
}

/* It stays in the list it is in, also under another guard. */
void *lk_xrealloc(void *p, size_t n)
{
    if (!p)
        return lk_xmalloc(n);
    struct block *b = (struct block *)p - 1;
    const bool alone = b->next == b;
    used -= malloc_usable_size(b);
    b = n > SIZE_MAX - sizeof *b ? NULL : realloc(b, sizeof *b + n);
    if (!b)
        lk_out_of_memory();
    used += malloc_usable_size(b);
    if (alone) {
        stand_alone(b);
    } else {
        b->previous->next = b;
        b->next->previous = b;
    }
    return b + 1;
}

void lk_free(void *p)
{
    if (!p)
        return;
    struct block *b = (struct block *)p - 1;
    take_out(b);
    used -= malloc_usable_size(b);
    free(b);
}

char *lk_xstrdup(const char *s)
{
    size_t n = strlen(s) + 1;
    return memcpy(lk_xmalloc(n), s, n);
}

static void blocks_free(struct lk_blocks *l)
{
    for (struct block *b = l->ring.next, *next; b != &l->ring; b = next) {
        next = b->next;
        free(b);
    }
    free(l);
}

void lk_blocks_dissolve(struct lk_blocks *l)
{
    if (!l)
        return;
    for (struct block *b = l->ring.next, *next; b != &l->ring; b = next) {
        next = b->next;
        stand_alone(b);
    }
    free(l);
}

void lk_blocks_adopt(struct lk_blocks *l)
{
    if (!guard) {
        lk_blocks_dissolve(l);
        return;
    }
    if (!l)
        return;
    if (l->ring.next != &l->ring) {
        struct block *first = l->ring.next, *last = l->ring.previous;
        struct block *ring = &guard->blocks->ring;
        first->previous = ring->previous;
        first->previous->next = first;
        last->next = ring;
        ring->previous = last;
    }
    free(l);
}

/* --- what is held ------------------------------------------------------------------------------
 */

void lk_hold(void *what, size_t size, lk_release_fn release)
{
    if (!guard)
        return;
    if (guard->n_held == guard->cap_held) {
        const size_t cap = guard->cap_held ? guard->cap_held * 2 : 32;
        struct held *v = reallocarray(guard->held, cap, sizeof *v);
        if (!v) {
            release(what, size);
            lk_out_of_memory();
        }
        guard->held = v;
        guard->cap_held = cap;
    }
    guard->held[guard->n_held++] = (struct held){ what, size, release };
}

void lk_let_go(const void *what, lk_release_fn release)
{
    for (size_t i = guard ? guard->n_held : 0; i-- > 0;) {
        struct held *h = &guard->held[i];
        if (h->what != what || h->release != release)
            continue;
        memmove(h, h + 1, (--guard->n_held - i) * sizeof *h);
        return;
    }
}

static void release_fd(void *what, size_t size)
{
    (void)size;
    close((int)(intptr_t)what);
}

int lk_fd_hold(int fd)
{
    if (fd >= 0)
        lk_hold((void *)(intptr_t)fd, 0, release_fd);
    return fd;
}

void lk_fd_close(int fd)
{
    const int saved = errno;
    if (fd < 0)
        return;
    lk_let_go((void *)(intptr_t)fd, release_fd);
    close(fd);
    errno = saved;
}

/* --- the guard ---------------------------------------------------------------------------------
 */

static struct guard *guard_create(void)
{
    struct guard *g = calloc(1, sizeof *g);
    struct lk_blocks *l = malloc(sizeof *l);
    if (!g || !l) {
        free(g);
        free(l);
        return NULL;
    }
    stand_alone(&l->ring);
    g->blocks = l;
    g->outer = guard;
    return g;
}

static void leave(struct guard *g)
{
    guard = g->outer;
    free(g->held);
    free(g);
}

/* What is held may stand in blocks, so it goes first. */
static void undo(struct guard *g)
{
    while (g->n_held) {
        const struct held h = g->held[--g->n_held];
        h.release(h.what, h.size);
    }
    blocks_free(g->blocks);
    leave(g);
}

bool lk_guarded(void (*work)(void *arg), void *arg, struct lk_blocks **keep)
{
    struct guard *const g = guard_create();
    if (keep)
        *keep = NULL;
    if (!g)
        return false;
    guard = g;
    if (setjmp(g->start) != 0) {
        undo(g);
        return false;
    }
    work(arg);
    if (keep)
        *keep = g->blocks;
    else
        lk_blocks_dissolve(g->blocks);
    leave(g);
    return true;
}
