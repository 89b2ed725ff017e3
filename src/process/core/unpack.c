/*
 * Compressed cores are told by their first bytes: zstd (RFC 8878), lz4's frames
 * (lz4_Frame_format.md), gzip (RFC 1952), xz (xz-file-format.txt). systemd-coredump writes the
 * first two. Large parts of a core are zero: they become holes.
 */
#include "process/core/unpack.h"

#include <errno.h>
#include <fcntl.h>
#include <lz4frame.h>
#include <lzma.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "process/regular_file.h"
#include "util/memory.h"

enum { CHUNK = 1 << 20, HOLE = 4096, XZ_MEMORY = 256 << 20 };
#define MAX_BYTES (UINT64_C(64) << 30)

/* How one step of a decoder ended. */
enum step { GO_ON, FRAME_ENDED, BROKEN };

struct unpacking {
    int in, out;
    uint8_t *from, *to;       /* CHUNK bytes each */
    size_t n_from, at;        /* of from: how many there are, how many are used up */
    uint64_t n, stored, room; /* bytes so far; of those not in holes; most of those */
    const char *bound;        /* what was exceeded */
    int why;                  /* errno of reading or writing */
};

/* A format: state made by create; run takes from `from` and gives to `to`, at most CHUNK bytes. */
struct format {
    const char *name;
    uint8_t magic[6];
    size_t n_magic;
    void *(*create)(void);
    enum step (*run)(void *state, struct unpacking *u, size_t *given);
    void (*destroy)(void *state);
};

/* ---- zstd ------------------------------------------------------------------------------------ */

static void *zstd_create(void)
{
    return ZSTD_createDCtx();
}

static enum step zstd_run(void *state, struct unpacking *u, size_t *given)
{
    ZSTD_inBuffer in = { u->from, u->n_from, u->at };
    ZSTD_outBuffer out = { u->to, CHUNK, 0 };
    const size_t left = ZSTD_decompressStream(state, &out, &in);
    u->at = in.pos;
    *given = out.pos;
    return ZSTD_isError(left) ? BROKEN : left == 0 ? FRAME_ENDED : GO_ON;
}

static void zstd_destroy(void *state)
{
    ZSTD_freeDCtx(state);
}

/* ---- lz4 ------------------------------------------------------------------------------------- */

static void *lz4_create(void)
{
    LZ4F_dctx *ret = NULL;
    return LZ4F_isError(LZ4F_createDecompressionContext(&ret, LZ4F_VERSION)) ? NULL : ret;
}

static enum step lz4_run(void *state, struct unpacking *u, size_t *given)
{
    size_t taken = u->n_from - u->at;
    *given = CHUNK;
    const size_t left = LZ4F_decompress(state, u->to, given, u->from + u->at, &taken, NULL);
    u->at += taken;
    return LZ4F_isError(left) ? BROKEN : left == 0 ? FRAME_ENDED : GO_ON;
}

static void lz4_destroy(void *state)
{
    LZ4F_freeDecompressionContext(state);
}

/* ---- gzip ------------------------------------------------------------------------------------ */

static void *gzip_create(void)
{
    enum { GZIP_HEADER = 16 };
    z_stream *z = calloc(1, sizeof *z);
    if (z && inflateInit2(z, MAX_WBITS + GZIP_HEADER) == Z_OK)
        return z;
    free(z);
    return NULL;
}

static enum step gzip_run(void *state, struct unpacking *u, size_t *given)
{
    z_stream *z = state;
    z->next_in = u->from + u->at;
    z->avail_in = (uInt)(u->n_from - u->at);
    z->next_out = u->to;
    z->avail_out = CHUNK;
    const int ret = inflate(z, Z_NO_FLUSH);
    u->at = u->n_from - z->avail_in;
    *given = CHUNK - z->avail_out;
    if (ret != Z_STREAM_END)
        return ret == Z_OK || ret == Z_BUF_ERROR ? GO_ON : BROKEN;
    inflateReset(z);
    return FRAME_ENDED;
}

static void gzip_destroy(void *state)
{
    inflateEnd(state);
    free(state);
}

/* ---- xz -------------------------------------------------------------------------------------- */

static void *xz_create(void)
{
    const lzma_stream none = LZMA_STREAM_INIT;
    lzma_stream *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    *s = none;
    if (lzma_stream_decoder(s, XZ_MEMORY, LZMA_CONCATENATED) == LZMA_OK)
        return s;
    free(s);
    return NULL;
}

static enum step xz_run(void *state, struct unpacking *u, size_t *given)
{
    lzma_stream *s = state;
    s->next_in = u->from + u->at;
    s->avail_in = u->n_from - u->at;
    s->next_out = u->to;
    s->avail_out = CHUNK;
    const lzma_ret ret = lzma_code(s, u->n_from ? LZMA_RUN : LZMA_FINISH);
    u->at = u->n_from - s->avail_in;
    *given = CHUNK - s->avail_out;
    return ret == LZMA_STREAM_END                    ? FRAME_ENDED
           : ret == LZMA_OK || ret == LZMA_BUF_ERROR ? GO_ON
                                                     : BROKEN;
}

static void xz_destroy(void *state)
{
    lzma_end(state);
    free(state);
}

static const struct format formats[] = {
    { "zstd", { 0x28, 0xb5, 0x2f, 0xfd }, 4, zstd_create, zstd_run, zstd_destroy },
    { "lz4", { 0x04, 0x22, 0x4d, 0x18 }, 4, lz4_create, lz4_run, lz4_destroy },
    { "gzip", { 0x1f, 0x8b }, 2, gzip_create, gzip_run, gzip_destroy },
    { "xz", { 0xfd, '7', 'z', 'X', 'Z', 0 }, 6, xz_create, xz_run, xz_destroy },
};

/* ---- from one file to the other ---------------------------------------------------------------
 */

static bool is_zero(const uint8_t *p, size_t n)
{
    return n == 0 || (p[0] == 0 && memcmp(p, p + 1, n - 1) == 0);
}

static bool store(struct unpacking *u, const uint8_t *p, size_t n)
{
    for (size_t done = 0; done < n;) {
        const ssize_t put = pwrite(u->out, p + done, n - done, (off_t)(u->n + done));
        if (put < 0 && errno != EINTR) {
            u->why = errno;
            return false;
        }
        done += put > 0 ? (size_t)put : 0;
    }
    return true;
}

static bool put(struct unpacking *u, size_t n)
{
    if (n > MAX_BYTES - u->n)
        u->bound = "64 GiB";
    for (size_t at = 0, part; at < n && !u->bound; at += part, u->n += part) {
        part = LK_MIN(n - at, HOLE - u->n % HOLE);
        if (is_zero(u->to + at, part))
            continue;
        u->stored += part;
        if (u->stored > u->room)
            u->bound = "the room there";
        else if (!store(u, u->to + at, part))
            return false;
    }
    return !u->bound;
}

/* False at the end of the input. */
static bool fill(struct unpacking *u)
{
    ssize_t got;
    if (u->at < u->n_from)
        return true;
    do
        got = read(u->in, u->from, CHUNK);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        u->why = errno;
    u->at = 0;
    u->n_from = got > 0 ? (size_t)got : 0;
    return got > 0;
}

/* True: to the end, or as far as it goes. */
static bool run(struct unpacking *u, const struct format *f)
{
    void *state = f->create();
    enum step step = GO_ON;
    if (!state)
        u->why = ENOMEM;
    while (state && !u->why && fill(u)) {
        size_t given;
        do {
            given = 0;
            const size_t before = u->at;
            step = f->run(state, u, &given);
            if (!put(u, given) || (step == GO_ON && !given && u->at == before))
                break;
        } while (step != BROKEN && (u->at < u->n_from || given == CHUNK));
        if (step == BROKEN || u->bound)
            break;
    }
    if (state)
        f->destroy(state);
    return !u->why && !u->bound && u->n > 0;
}

static int nameless_file(const char *folder)
{
    char path[4096];
    int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL))
        return fd;
    snprintf(path, sizeof path, "%s/loopknot-core-XXXXXX", folder);
    fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0)
        unlink(path);
    return fd;
}

static bool unpack(struct unpacking *u, const struct format *f, const char *name,
                   const char *folder, struct lk_error *err)
{
    struct statvfs fs;
    u->room = fstatvfs(u->out, &fs) == 0 ? fs.f_bavail * fs.f_frsize / 10 * 9 : MAX_BYTES;
    u->from = lk_xmalloc(CHUNK);
    u->to = lk_xmalloc(CHUNK);
    bool ok = run(u, f);
    if (ok && ftruncate(u->out, (off_t)u->n) != 0) {
        u->why = errno;
        ok = false;
    }
    lk_free(u->from);
    lk_free(u->to);
    if (ok)
        return true;
    if (u->bound)
        return lk_error_set(
            err, LK_ERR_OS,
            "%s: unpacked it is larger than %s (in %s; TMPDIR names another folder)", name,
            u->bound, folder);
    if (u->why == ENOMEM)
        return lk_error_set(err, LK_ERR_NOMEM, "out of memory: %s was not unpacked", name);
    if (u->why)
        return lk_error_os(err, u->why, "%s could not be unpacked into %s", name, folder);
    return lk_error_set(err, LK_ERR_BAD_DATA, "%s: is no %s file, though it begins like one", name,
                        f->name);
}

static const struct format *format_of(int fd)
{
    uint8_t first[6] = { 0 };
    if (pread(fd, first, sizeof first, 0) < (ssize_t)sizeof first)
        return NULL;
    for (size_t i = 0; i < LK_ARRAY_LEN(formats); i++)
        if (memcmp(first, formats[i].magic, formats[i].n_magic) == 0)
            return &formats[i];
    return NULL;
}

int lk_core_unpack(const char *file, const char *name, struct stat *st, struct lk_error *err)
{
    const char *tmp = getenv("TMPDIR"), *folder = tmp && *tmp == '/' ? tmp : "/var/tmp";
    const int fd = lk_fd_hold(lk_reopen_regular(open(file, O_PATH | O_CLOEXEC), st));
    const struct format *f = fd >= 0 ? format_of(fd) : NULL;
    if (fd < 0)
        lk_error_os(err, errno, "%s", name);
    if (!f)
        return fd;
    struct unpacking u = { .in = fd, .out = lk_fd_hold(nameless_file(folder)) };
    bool ok = u.out >= 0;
    if (!ok)
        lk_error_os(err, errno, "%s could not be unpacked into %s", name, folder);
    ok = ok && unpack(&u, f, name, folder, err);
    lk_fd_close(fd);
    if (ok)
        return u.out;
    lk_fd_close(u.out);
    return -1;
}
