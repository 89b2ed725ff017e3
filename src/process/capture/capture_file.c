/*
 * Sections of a capture. What is written can be read: bounds are the same. What is read is checked
 * before it is unpacked (RFC 8878, 3.1.1.1.4: a frame says how long its content is), all of it, so
 * that a file which is not whole is refused at once.
 */
#include "process/capture/capture_file.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "process/capture/bytes.h"
#include "process/capture/replay.h"
#include "process/capture/shape.h"
#include "util/map.h"
#include "util/replace_file.h"
#include "util/text.h"

static const uint8_t magic[LK_CAPTURE_MAGIC] = { 'L', 'K', 'C', 'A', 'P', '\r', '\n', 0x1a };

enum {
    VERSION = 2, /* since 2 a sample may have many moments (tape.h) */
    OLDEST = 1,  /* that is read */
    LEVEL = 3,
    LEVEL_OF_LARGE = 1,
    LARGE = 4 << 20,
    MAX_SAMPLES = 100000,
    DAY_MS = 86400000,
    MAX_TOOL = 32 /* characters of its version */
};
#define MAX_RAW (UINT64_C(4) << 30) /* of all sections, unpacked */

static const char no_memory[] = "out of memory",
                  too_large[] = "more was read than fits into a capture";

enum section_kind { HEAD = 1, PROCESS, MISSED, MACHINE, END };

enum { FILE_HEADER = sizeof magic + 4, SECTION_HEADER = 32 };

struct section_header {
    uint32_t kind;
    int32_t pid;
    uint64_t stored, raw, checksum;
};

/* ---- writing ----------------------------------------------------------------------------- */

/* Shared by threads, which may be given up: plain malloc(3), see examine/process_set.c. */
struct section {
    struct section_header header;
    uint8_t *bytes;
    struct section *next;
};

struct lk_capture {
    pthread_mutex_t mutex;
    struct section *first, **last;
    const char *why_not; /* something is missing in it; NULL nothing */
    uint64_t raw, stored;
    unsigned users;
};

struct lk_capture *lk_capture_create(void)
{
    struct lk_capture *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    pthread_mutex_init(&c->mutex, NULL);
    c->last = &c->first;
    c->users = 1;
    return c;
}

void lk_capture_hold(struct lk_capture *c)
{
    if (c)
        __atomic_add_fetch(&c->users, 1, __ATOMIC_RELAXED);
}

void lk_capture_destroy(struct lk_capture *c)
{
    if (!c || __atomic_sub_fetch(&c->users, 1, __ATOMIC_ACQ_REL))
        return;
    for (struct section *s = c->first, *next; s; s = next) {
        next = s->next;
        free(s->bytes);
        free(s);
    }
    pthread_mutex_destroy(&c->mutex);
    free(c);
}

static bool compress(struct section *s, const void *raw, size_t n)
{
    const size_t max = ZSTD_compressBound(n);
    s->bytes = malloc(max);
    const size_t stored =
        s->bytes ? ZSTD_compress(s->bytes, max, raw, n, n < LARGE ? LEVEL : LEVEL_OF_LARGE) : 0;
    const bool ok = s->bytes && !ZSTD_isError(stored);
    s->header.raw = n;
    s->header.stored = ok ? stored : 0;
    s->header.checksum = ok ? lk_hash(LK_HASH_INIT, s->bytes, stored) : 0;
    return ok;
}

static void add(struct lk_capture *c, enum section_kind kind, pid_t pid, const void *raw, size_t n)
{
    struct section *s = calloc(1, sizeof *s);
    const bool ok = s && compress(s, raw, n);
    pthread_mutex_lock(&c->mutex);
    if (s) {
        s->header.kind = kind;
        s->header.pid = pid;
        *c->last = s;
        c->last = &s->next;
        c->raw += n;
        c->stored += SECTION_HEADER + s->header.stored;
    }
    if (!ok)
        c->why_not = no_memory;
    else if (c->raw > MAX_RAW || c->stored > LK_CAPTURE_MAX_BYTES - FILE_HEADER - SECTION_HEADER)
        c->why_not = too_large;
    pthread_mutex_unlock(&c->mutex);
}

void lk_capture_add(struct lk_capture *c, pid_t pid, const struct lk_bytes *tape)
{
    add(c, PROCESS, pid, tape->v, tape->n);
}

void lk_capture_add_missed(struct lk_capture *c, pid_t pid, const struct lk_error *why)
{
    struct lk_bytes b = { 0 };
    lk_bytes_error(&b, why);
    add(c, MISSED, pid, b.v, b.n);
    lk_free(b.v);
}

void lk_capture_add_machine(struct lk_capture *c, const struct lk_bytes *tape)
{
    add(c, MACHINE, 0, tape->v, tape->n);
}

void lk_capture_set_head(struct lk_capture *c, const struct lk_capture_head *h)
{
    struct lk_bytes b = { 0 };
    const uint64_t numbers[] = { h->samples,      h->interval_ms, h->stalled_after_ms,
                                 h->max_pause_ms, h->stop,        h->unwinder,
                                 h->native,       h->tree,        h->listed_ticks };
    for (size_t i = 0; i < LK_ARRAY_LEN(numbers); i++)
        lk_bytes_number(&b, numbers[i]);
    lk_bytes_text(&b, h->project);
    lk_bytes_text(&b, h->tool);
    lk_bytes_text(&b, h->cpu);
    lk_bytes_number(&b, h->n_pids);
    for (size_t i = 0; i < h->n_pids; i++)
        lk_bytes_signed(&b, h->pids[i]);
    add(c, HEAD, 0, b.v, b.n);
    lk_free(b.v);
}

static void put_le(uint8_t *to, uint64_t v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] = (uint8_t)(v >> 8 * i);
}

static uint64_t get_le(const uint8_t *from, size_t n)
{
    uint64_t v = 0;
    for (size_t i = 0; i < n; i++)
        v |= (uint64_t)from[i] << 8 * i;
    return v;
}

static bool write_section(FILE *f, const struct section_header *h, const uint8_t *bytes)
{
    uint8_t head[SECTION_HEADER];
    put_le(head, h->kind, 4);
    put_le(head + 4, (uint32_t)h->pid, 4);
    put_le(head + 8, h->stored, 8);
    put_le(head + 16, h->raw, 8);
    put_le(head + 24, h->checksum, 8);
    return fwrite(head, sizeof head, 1, f) == 1 &&
           (!h->stored || fwrite(bytes, (size_t)h->stored, 1, f) == 1);
}

static bool write_all(const struct lk_capture *c, FILE *f)
{
    const struct section_header end = { .kind = END };
    uint8_t head[FILE_HEADER];
    memcpy(head, magic, sizeof magic);
    put_le(head + sizeof magic, VERSION, 4);
    bool ok = fwrite(head, sizeof head, 1, f) == 1;
    for (const struct section *s = c->first; s && ok; s = s->next)
        ok = write_section(f, &s->header, s->bytes);
    return ok && write_section(f, &end, magic) && fflush(f) == 0;
}

bool lk_capture_write(struct lk_capture *c, const char *path, struct lk_error *err)
{
    struct lk_replacement r;
    pthread_mutex_lock(&c->mutex); /* an examination that was given up may still add to it */
    const char *why_not = c->why_not;
    int why = why_not ? 0 : lk_replace_begin(&r, path, 0600);
    if (!why_not && !why) {
        const bool ok = write_all(c, r.f);
        why = lk_replace_end(&r, ok, errno);
    }
    pthread_mutex_unlock(&c->mutex);
    if (why_not)
        return lk_error_set(err, why_not == no_memory ? LK_ERR_NOMEM : LK_ERR_UNSUPPORTED,
                            "%s: %s was not written", why_not, path);
    return !why || lk_error_os(err, why, "%s could not be written", path);
}

bool lk_capture_is_used(struct lk_capture *c)
{
    pthread_mutex_lock(&c->mutex);
    const bool used = c->first || c->why_not;
    pthread_mutex_unlock(&c->mutex);
    return used;
}

/* ---- reading ----------------------------------------------------------------------------- */

struct lk_capture_file {
    const uint8_t *bytes; /* borrowed */
    size_t n;
    uint64_t raw; /* of all sections so far */
    struct lk_arena *arena;
    struct lk_capture_head head;
    bool has_head;
    LK_VEC(struct loaded {
        struct section_header header;
        const uint8_t *at;
        uint8_t *raw;
    })
    sections;
};

static bool no_capture(struct lk_error *err, const char *what)
{
    return lk_error_set(err, LK_ERR_BAD_DATA, "%s", what);
}

/* The bytes of a section as they were, in ret, which lk_free frees. */
static bool unpack(const struct loaded *s, uint64_t most, uint8_t **ret, struct lk_error *err)
{
    if (s->header.raw > most ||
        ZSTD_getFrameContentSize(s->at, (size_t)s->header.stored) != s->header.raw)
        return no_capture(err, "a section of the capture is not what its header says");
    uint8_t *raw = lk_xmalloc((size_t)s->header.raw + 1);
    if (ZSTD_decompress(raw, (size_t)s->header.raw, s->at, (size_t)s->header.stored) !=
        s->header.raw) {
        lk_free(raw);
        return no_capture(err, "a section of the capture cannot be unpacked");
    }
    *ret = raw;
    return true;
}

static bool read_head(struct lk_capture_file *f, const struct loaded *s, struct lk_error *err)
{
    /* in the order of the numbers: more was never asked for */
    static const uint64_t most[] = { MAX_SAMPLES, DAY_MS, DAY_MS, DAY_MS, 2, 2, 1, 1 };
    uint64_t numbers[9];
    struct lk_capture_head *h = &f->head;
    struct lk_cursor_of_bytes c = { .p = s->raw, .end = s->raw + s->header.raw };
    for (size_t i = 0; i < LK_ARRAY_LEN(numbers); i++)
        numbers[i] = lk_take_number(&c);
    *h = (struct lk_capture_head){ .samples = (uint32_t)numbers[0],
                                   .interval_ms = (uint32_t)numbers[1],
                                   .stalled_after_ms = (uint32_t)numbers[2],
                                   .max_pause_ms = (uint32_t)numbers[3],
                                   .stop = (uint32_t)numbers[4],
                                   .unwinder = (uint32_t)numbers[5],
                                   .native = numbers[6] != 0,
                                   .tree = numbers[7] != 0,
                                   .listed_ticks = numbers[8] };
    h->project = lk_take_text(&c, f->arena);
    const char *tool = lk_take_text(&c, f->arena);
    h->tool = tool ? lk_text_clean(f->arena, tool, strlen(tool), MAX_TOOL) : NULL;
    h->cpu = lk_take_text(&c, f->arena);
    const uint64_t n = lk_take_number(&c);
    c.bad |= n > LK_CAPTURE_MAX_PIDS || n > (uint64_t)(c.end - c.p);
    for (size_t i = 0; i < LK_ARRAY_LEN(most); i++)
        c.bad |= numbers[i] > most[i];
    h->n_pids = c.bad ? 0 : (size_t)n;
    h->pids = lk_arena_array(f->arena, h->n_pids, sizeof *h->pids);
    for (size_t i = 0; i < h->n_pids; i++)
        h->pids[i] = lk_take_signed(&c);
    f->has_head = !c.bad;
    return f->has_head || no_capture(err, "the head of the capture makes no sense");
}

static bool add_section(struct lk_capture_file *f, const uint8_t *p, uint64_t left,
                        struct loaded *ret, struct lk_error *err)
{
    if (left < SECTION_HEADER)
        return no_capture(err, "the capture is truncated");
    *ret = (struct loaded){ .header = { .kind = (uint32_t)get_le(p, 4),
                                        .pid = (int32_t)get_le(p + 4, 4),
                                        .stored = get_le(p + 8, 8),
                                        .raw = get_le(p + 16, 8),
                                        .checksum = get_le(p + 24, 8) },
                            .at = p + SECTION_HEADER };
    if (ret->header.kind == END)
        return true;
    if (ret->header.stored > left - SECTION_HEADER)
        return no_capture(err, "the capture is truncated");
    if (lk_hash(LK_HASH_INIT, ret->at, (size_t)ret->header.stored) != ret->header.checksum)
        return no_capture(err, "the capture is damaged: a checksum is wrong");
    if (!unpack(ret, MAX_RAW - f->raw, &ret->raw, err))
        return false;
    f->raw += ret->header.raw;
    lk_vec_add(&f->sections, *ret);
    return true;
}

bool lk_capture_is_one(const uint8_t *bytes, size_t n)
{
    return n >= sizeof magic && memcmp(bytes, magic, sizeof magic) == 0;
}

static bool load(struct lk_capture_file *f, struct lk_error *err)
{
    struct loaded s = { 0 };
    if (f->n < FILE_HEADER || !lk_capture_is_one(f->bytes, f->n))
        return no_capture(err, "this is no capture of loopknot");
    const uint64_t version = get_le(f->bytes + sizeof magic, 4);
    if (version < OLDEST || version > VERSION)
        return lk_error_set(err, LK_ERR_BAD_DATA,
                            "the capture has format %u, %s reads formats %d to %d",
                            (unsigned)version,
                            version > VERSION ? "a newer loopknot is needed: this one" : "this one",
                            OLDEST, VERSION);
    for (size_t at = FILE_HEADER; s.header.kind != END;
         at += SECTION_HEADER + (size_t)s.header.stored)
        if (!add_section(f, f->bytes + at, f->n - at, &s, err))
            return false;
    for (size_t i = 0; i < f->sections.n && !f->has_head; i++)
        if (f->sections.v[i].header.kind == HEAD && !read_head(f, &f->sections.v[i], err))
            return false;
    if (!f->has_head)
        return no_capture(err, "the capture has no head");
    if (!f->head.cpu || strcmp(f->head.cpu, lk_arch_own()->name) != 0)
        return lk_error_set(err, LK_ERR_UNSUPPORTED,
                            "the capture is of another kind of CPU than this machine's (%s)",
                            lk_arch_own()->name);
    return true;
}

struct lk_capture_file *lk_capture_load(const uint8_t *bytes, size_t n, struct lk_error *err)
{
    struct lk_capture_file *f = lk_xcalloc(1, sizeof *f);
    f->arena = lk_arena_create();
    f->bytes = bytes;
    f->n = n;
    if (load(f, err))
        return f;
    lk_capture_unload(f);
    return NULL;
}

void lk_capture_unload(struct lk_capture_file *f)
{
    if (!f)
        return;
    for (size_t i = 0; i < f->sections.n; i++)
        lk_free(f->sections.v[i].raw);
    lk_free(f->sections.v);
    lk_arena_destroy(f->arena);
    lk_free(f);
}

const struct lk_capture_head *lk_capture_head(const struct lk_capture_file *f)
{
    return &f->head;
}

static const struct loaded *section_of(const struct lk_capture_file *f, enum section_kind kind,
                                       pid_t pid)
{
    for (size_t i = 0; i < f->sections.n; i++)
        if (f->sections.v[i].header.kind == kind && f->sections.v[i].header.pid == pid)
            return &f->sections.v[i];
    return NULL;
}

struct lk_process *lk_capture_open(const struct lk_capture_file *f, pid_t pid, struct lk_error *err)
{
    const struct loaded *s = section_of(f, PROCESS, pid);
    const struct loaded *missed = s ? NULL : section_of(f, MISSED, pid);
    if (missed) {
        struct lk_cursor_of_bytes c = { .p = missed->raw, .end = missed->raw + missed->header.raw };
        if (lk_take_error(&c, err))
            no_capture(err, "why a process was not examined makes no sense");
    } else if (!s) {
        lk_error_set(err, LK_ERR_NO_PROCESS, "process %d is not in the capture", (int)pid);
    }
    if (!s)
        return NULL;
    return lk_replay_open(pid, s->raw, (size_t)s->header.raw, err);
}

struct lk_replayed_machine *lk_capture_machine(const struct lk_capture_file *f,
                                               struct lk_error *err)
{
    const struct loaded *s = section_of(f, MACHINE, 0);
    if (!s) {
        no_capture(err, "the capture says nothing of its machine");
        return NULL;
    }
    return lk_replay_machine(s->raw, (size_t)s->header.raw, err);
}
