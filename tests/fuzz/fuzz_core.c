/*
 * Core dumps: headers, notes, memory, the initial stack, and what is compressed. What comes of any
 * of it is bounded, clean text, or a refusal in one line.
 */
#include "fuzz.h"

#include <elf.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "process/core/core.h"
#include "process/facts.h"
#include "process/stop.h"
#include "snapshot/builder.h"
#include "util/text.h"

enum { CAP = 32768, STACK = 0x7000, TEXT = 0x1000, AUXV_AT = 0x100 };

struct buffer {
    uint8_t v[CAP];
    size_t n;
};

static void put(struct buffer *b, const void *bytes, size_t n)
{
    memcpy(b->v + b->n, bytes, n);
    b->n += n;
}

static void put_note(struct buffer *b, uint32_t type, const void *bytes, size_t n)
{
    const Elf64_Nhdr h = { 5, (uint32_t)n, type };
    static const char zero[8];
    put(b, &h, sizeof h);
    put(b, "CORE\0\0\0", 8);
    put(b, bytes, n);
    put(b, zero, (4 - n % 4) % 4);
}

static void put_notes(struct buffer *b)
{
    uint8_t status[336] = { 0 }, info[136] = { 0 };
    const uint64_t auxv[] = { AT_PHDR,       TEXT + 64,       AT_ENTRY, TEXT + 0x10, AT_RANDOM,
                              STACK + 0x800, AT_SYSINFO_EHDR, 0x9000,   AT_NULL,     0 };
    const uint64_t files[] = { 2, 4096, TEXT, TEXT + 4096, 0, TEXT + 4096, TEXT + 8192, 1 };
    uint8_t list[sizeof files + 32];
    const int32_t pid = 77;
    const uint64_t call = 202, result = (uint64_t)-512, sp = STACK + 0x10;
    memcpy(status + 32, &pid, sizeof pid);
    memcpy(status + 112 + 15 * 8, &call, sizeof call);
    memcpy(status + 112 + 10 * 8, &result, sizeof result);
    memcpy(status + 112 + 19 * 8, &sp, sizeof sp);
    memcpy(info + 24, &pid, sizeof pid);
    memcpy(info + 40, "name", 5);
    memcpy(info + 56, "name --password x", 18);
    memcpy(list, files, sizeof files);
    memcpy(list + sizeof files, "/bin/true\0/bin/true (deleted)\0\0", 32);
    put_note(b, NT_PRSTATUS, status, sizeof status);
    put_note(b, NT_PRPSINFO, info, sizeof info);
    put_note(b, NT_PRSTATUS, status, sizeof status);
    put_note(b, NT_AUXV, auxv, sizeof auxv);
    put_note(b, NT_FILE, list, sizeof list);
}

/* The first page of an ELF file with a build id. */
static void put_text(struct buffer *b)
{
    uint8_t page[4096] = { 0 };
    const Elf64_Ehdr e = { .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, 1 },
                           .e_type = ET_DYN,
                           .e_machine = lk_arch_own()->machine,
                           .e_phoff = 64,
                           .e_phentsize = sizeof(Elf64_Phdr),
                           .e_phnum = 2 };
    const Elf64_Phdr ph[] = {
        { PT_LOAD, PF_R | PF_X, 0, 0, 0, 8192, 8192, 4096 },
        { PT_NOTE, PF_R, 512, 512, 512, 36, 36, 4 },
    };
    const Elf64_Nhdr note = { 4, 20, NT_GNU_BUILD_ID };
    memcpy(page, &e, sizeof e);
    memcpy(page + 64, ph, sizeof ph);
    memcpy(page + 512, &note, sizeof note);
    memcpy(page + 524, "GNU", 4);
    put(b, page, sizeof page);
}

/* argc, arguments, environment, auxiliary vector. */
static void put_stack(struct buffer *b)
{
    uint64_t words[512] = { 2,         STACK + 0x900, STACK + 0x905,   0,        STACK + 0x910,
                            0,         AT_PHDR,       TEXT + 64,       AT_ENTRY, TEXT + 0x10,
                            AT_RANDOM, STACK + 0x800, AT_SYSINFO_EHDR, 0x9000 };
    memcpy((char *)words + 0x900, "name\0-x\0", 8);
    memcpy((char *)words + 0x910, LK_TEST_VARIABLE "=t", sizeof LK_TEST_VARIABLE + 2);
    put(b, words, sizeof words);
}

static void make_seed(struct buffer *b)
{
    const Elf64_Ehdr e = { .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, 1 },
                           .e_type = ET_CORE,
                           .e_machine = lk_arch_own()->machine,
                           .e_phoff = sizeof e,
                           .e_phentsize = sizeof(Elf64_Phdr),
                           .e_phnum = 3 };
    Elf64_Phdr ph[3] = {
        { .p_type = PT_NOTE },
        { PT_LOAD, PF_R | PF_X, 0, TEXT, 0, 4096, 8192, 4096 },
        { PT_LOAD, PF_R | PF_W, 0, STACK, 0, 4096, 4096, 4096 },
    };
    b->n = sizeof e + sizeof ph;
    ph[0].p_offset = b->n;
    put_notes(b);
    ph[0].p_filesz = b->n - ph[0].p_offset;
    ph[1].p_offset = b->n;
    put_text(b);
    ph[2].p_offset = b->n;
    put_stack(b);
    memcpy(b->v, &e, sizeof e);
    memcpy(b->v + sizeof e, ph, sizeof ph);
}

/* Now and then compressed, and damaged behind that. */
static size_t pack(uint8_t *bytes, size_t n, uint64_t round)
{
    static uint8_t packed[2 * CAP];
    size_t got = 0;
    if (round % 8 == 0) {
        got = ZSTD_compress(packed, sizeof packed, bytes, n, 1);
        CHECK(!ZSTD_isError(got));
    } else if (round % 8 == 1) {
        z_stream z = { 0 };
        CHECK(deflateInit2(&z, 1, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
        z.next_in = bytes;
        z.avail_in = (uInt)n;
        z.next_out = packed;
        z.avail_out = sizeof packed;
        CHECK(deflate(&z, Z_FINISH) == Z_STREAM_END);
        got = sizeof packed - z.avail_out;
        deflateEnd(&z);
    } else if (round % 8 < 4) {
        memcpy(bytes,
               round % 8 == 2 ? "\x04\x22\x4d\x18"
                              : "\xfd"
                                "7zXZ",
               4);
    }
    if (!got)
        return n;
    got = LK_MIN(got, (size_t)CAP);
    memcpy(bytes, packed, got);
    if (round % 16 < 8)
        fuzz_damage(bytes, got);
    return got;
}

static void look(struct lk_process *t)
{
    struct lk_snapshot *s = lk_snapshot_create();
    struct lk_thread_list list = { 0 };
    struct lk_stop_result res;
    struct lk_error err = { 0 };
    struct lk_syscall_wait wait;
    uint64_t v;
    size_t n = 0;
    CHECK(lk_process_identify(t, s, &err));
    CHECK(!s->comm || lk_text_clean(s->arena, s->comm, strlen(s->comm), SIZE_MAX));
    const struct lk_mapping *m = lk_process_maps(t, &n, &err);
    for (size_t i = 0; m && i < n && i < 16; i++) {
        CHECK(m[i].start < m[i].end && (!i || m[i - 1].end <= m[i].start));
        (void)!lk_read_u64(t, m[i].start, &v);
        (void)!lk_read_u64(t, m[i].end - 8, &v);
        const int fd = lk_process_open_mapping(t, &m[i], &err);
        lk_fd_close(fd);
    }
    CHECK(lk_process_threads(t, &list, true, &err));
    for (size_t i = 0; i < list.n && i < 16; i++)
        lk_process_call(t, &list.v[i], s->arena, &wait);
    lk_process_tid(t, 77);
    CHECK(lk_stop_collect(t, &(struct lk_stop_request){ .tids = &(int64_t){ 77 }, .n = 1 }, &res,
                          &err));
    lk_stop_result_deinit(&res);
    lk_free(list.v);
    lk_snapshot_destroy(s);
}

static void one(uint64_t round)
{
    struct buffer *b = lk_xcalloc(1, sizeof *b);
    struct lk_error err = { 0 };
    char path[40];
    make_seed(b);
    const size_t n = pack(b->v, fuzz_mutate(b->v, b->n, CAP), round);
    const int fd = memfd_create("core", MFD_CLOEXEC);
    CHECK(fd >= 0 && write(fd, b->v, n) == (ssize_t)n);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    struct lk_process *t = lk_core_open(&(struct lk_core_request){ .file = path }, &err);
    if (t)
        look(t);
    else
        CHECK(err.text[0] && !strchr(err.text, '\n'));
    lk_process_destroy(t);
    close(fd);
    lk_free(b);
}

int main(int argc, char **argv)
{
    return fuzz_run(argc, argv, one);
}
