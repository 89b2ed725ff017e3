/*
 * ELF cores: gABI, "ELF Header" and "Program Header"; the notes as fs/binfmt_elf.c writes them
 * (fill_prstatus, fill_psinfo, fill_auxv_note, fill_files_note), and gdb's gcore after it
 * (gdb/linux-tdep.c). struct elf_prstatus: include/linux/elfcore.h. More than 65534 segments are
 * counted in the first section header (PN_XNUM).
 */
#include "process/core/image.h"

#include <elf.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "process/elf_file.h"
#include "util/text.h"

enum {
    MAX_SEGMENTS = 1 << 20,
    MAX_NOTES = 256 << 20, /* bytes: the list of files of the largest process */
    MAX_THREADS = 65536,
    MAX_MAPPED = 1 << 18,
    MAX_AUXV = 128,
    MAX_PATH = 4096,
    /* struct elf_prstatus of 64-bit kernels, and struct elf_prpsinfo */
    STATUS_SIGNAL = 12,
    STATUS_PID = 32,
    STATUS_REGS = 112,
    INFO_FLAGS = 8,
    INFO_UID = 16,
    INFO_PID = 24,
    INFO_PPID = 28,
    INFO_COMM = 40,
    INFO_ARGS = 56,
    COMM_BYTES = 16,
    ARGS_BYTES = 80,
    INFO_BYTES = 136,
    PF_FORKNOEXEC = 0x40, /* include/linux/sched.h */
};

/* ---- notes ------------------------------------------------------------------------------- */

static void take_status(struct lk_core_image *c, const uint8_t *p, size_t n)
{
    const size_t regs = c->arch->regset_words * sizeof(uint64_t);
    if (n < STATUS_REGS + regs || c->threads.n >= MAX_THREADS)
        return;
    struct lk_core_thread *t = lk_vec_push(&c->threads);
    t->tid = lk_i32_in(p, STATUS_PID);
    t->signal = lk_i32_in(p, STATUS_SIGNAL) & 0xffff; /* short pr_cursig */
    memcpy(t->regset, p + STATUS_REGS, regs);
}

static void take_info(struct lk_core_image *c, const uint8_t *p, size_t n)
{
    const char *comm = (const char *)p + INFO_COMM, *args = (const char *)p + INFO_ARGS;
    if (n < INFO_BYTES || c->comm)
        return;
    c->forked = lk_word_at(p, INFO_FLAGS) & PF_FORKNOEXEC;
    c->uid = lk_i32_in(p, INFO_UID);
    c->pid = lk_i32_in(p, INFO_PID);
    c->ppid = lk_i32_in(p, INFO_PPID);
    c->comm = lk_arena_strndup(c->arena, comm, strnlen(comm, COMM_BYTES));
    c->args = lk_arena_strndup(c->arena, args, strnlen(args, ARGS_BYTES));
}

static void take_auxv(struct lk_core_image *c, const uint8_t *p, size_t n)
{
    if (c->auxv.n)
        return;
    for (size_t i = 0; i + 16 <= n && i < (size_t)MAX_AUXV * 16; i += 16) {
        lk_vec_add(&c->auxv, lk_word_at(p, i));
        lk_vec_add(&c->auxv, lk_word_at(p, i + 8));
    }
}

/* count, page size, then start, end and offset in pages of each, then their names. */
static void take_files(struct lk_core_image *c, const uint8_t *p, size_t n)
{
    const uint64_t count = n >= 16 ? lk_word_at(p, 0) : 0, page = n >= 16 ? lk_word_at(p, 8) : 0;
    if (c->mapped.n || !count || count > MAX_MAPPED || count > (n - 16) / 24)
        return;
    const char *name = (const char *)p + 16 + count * 24, *end = (const char *)p + n;
    lk_addr after = 0;
    for (uint64_t i = 0; i < count && name < end; i++) {
        const uint8_t *row = p + 16 + i * 24;
        const size_t len = strnlen(name, (size_t)(end - name));
        const struct lk_core_mapped m = { .start = lk_word_at(row, 0),
                                          .end = lk_word_at(row, 8),
                                          .offset = lk_word_at(row, 16) * page,
                                          .path = lk_arena_strndup(c->arena, name,
                                                                   LK_MIN(len, (size_t)MAX_PATH)) };
        name += len + 1;
        if (m.start < after || m.end <= m.start)
            continue; /* they ascend */
        lk_vec_add(&c->mapped, m);
        after = m.end;
    }
}

static void take_note(struct lk_core_image *c, uint32_t type, const uint8_t *p, size_t n)
{
    switch (type) {
    case NT_PRSTATUS: take_status(c, p, n); break;
    case NT_PRPSINFO: take_info(c, p, n); break;
    case NT_AUXV: take_auxv(c, p, n); break;
    case NT_FILE: take_files(c, p, n); break;
    default: break;
    }
}

static void take_notes(struct lk_core_image *c, const uint8_t *p, size_t n)
{
    size_t at = 0;
    while (n - at >= sizeof(Elf64_Nhdr)) {
        Elf64_Nhdr h;
        memcpy(&h, p + at, sizeof h);
        at += sizeof h;
        const size_t name = ((size_t)h.n_namesz + 3) & ~(size_t)3,
                     desc = ((size_t)h.n_descsz + 3) & ~(size_t)3;
        if (name > n - at || h.n_descsz > n - at - name)
            break;
        if (h.n_namesz == sizeof "CORE" && memcmp(p + at, "CORE", sizeof "CORE") == 0)
            take_note(c, h.n_type, p + at + name, h.n_descsz);
        at += LK_MIN(name + desc, n - at);
    }
}

/* ---- headers ------------------------------------------------------------------------------ */

/* How many of n bytes at that offset there are. */
static uint64_t present(const struct lk_core_image *c, uint64_t offset, uint64_t n)
{
    return offset >= c->size ? 0 : LK_MIN(n, c->size - offset);
}

static void read_notes(struct lk_core_image *c, const Elf64_Phdr *ph)
{
    const uint64_t n = LK_MIN(present(c, ph->p_offset, ph->p_filesz), (uint64_t)MAX_NOTES);
    uint8_t *bytes = lk_xmalloc(n + 1);
    if (n < ph->p_filesz)
        c->lost = "its notes are not whole";
    if (lk_elf_pread(c->fd, ph->p_offset, bytes, n))
        take_notes(c, bytes, n);
    lk_free(bytes);
}

static void add_segment(struct lk_core_image *c, const Elf64_Phdr *ph)
{
    const uint64_t filesz = LK_MIN(ph->p_filesz, ph->p_memsz),
                   there = present(c, ph->p_offset, filesz);
    if (!ph->p_memsz || ph->p_vaddr + ph->p_memsz < ph->p_vaddr)
        return;
    c->missing += filesz - there;
    lk_vec_add(&c->segments, ((struct lk_core_segment){ .start = ph->p_vaddr,
                                                        .end = ph->p_vaddr + ph->p_memsz,
                                                        .offset = ph->p_offset,
                                                        .filesz = there,
                                                        .told = filesz,
                                                        .flags = ph->p_flags }));
}

static int by_start(const void *a, const void *b)
{
    const struct lk_core_segment *x = a, *y = b;
    return x->start < y->start ? -1 : x->start > y->start;
}

/* One that begins within the one before is not what any kernel writes. */
static void sort_segments(struct lk_core_image *c)
{
    size_t n = 0;
    if (c->segments.n)
        qsort(c->segments.v, c->segments.n, sizeof *c->segments.v, by_start);
    for (size_t i = 0; i < c->segments.n; i++)
        if (!n || c->segments.v[i].start >= c->segments.v[n - 1].end)
            c->segments.v[n++] = c->segments.v[i];
    c->segments.n = n;
}

static uint64_t count_headers(const struct lk_core_image *c, const Elf64_Ehdr *e)
{
    Elf64_Shdr first;
    if (e->e_phnum != PN_XNUM)
        return e->e_phnum;
    return e->e_shoff && lk_elf_pread(c->fd, e->e_shoff, &first, sizeof first) ? first.sh_info : 0;
}

static bool read_headers(struct lk_core_image *c, const Elf64_Ehdr *e, const char *name,
                         struct lk_error *err)
{
    const uint64_t n = count_headers(c, e);
    if (e->e_phentsize != sizeof(Elf64_Phdr) || !n || n > MAX_SEGMENTS)
        return lk_error_set(err, LK_ERR_BAD_DATA, "%s: its program headers make no sense", name);
    uint64_t there = present(c, e->e_phoff, n * sizeof(Elf64_Phdr)) / sizeof(Elf64_Phdr);
    Elf64_Phdr *ph = lk_xcalloc(there + 1, sizeof *ph);
    if (!lk_elf_pread(c->fd, e->e_phoff, ph, there * sizeof *ph))
        there = 0;
    if (there < n)
        c->lost = "its list of segments is not whole";
    for (uint64_t i = 0; i < there; i++)
        if (ph[i].p_type == PT_LOAD)
            add_segment(c, &ph[i]);
        else if (ph[i].p_type == PT_NOTE)
            read_notes(c, &ph[i]);
    lk_free(ph);
    sort_segments(c);
    return true;
}

/* ---- the whole ---------------------------------------------------------------------------- */

static bool check_head(struct lk_core_image *c, const Elf64_Ehdr *e, const char *name,
                       struct lk_error *err)
{
    if (memcmp(e->e_ident, ELFMAG, SELFMAG) != 0)
        return lk_error_set(err, LK_ERR_BAD_DATA, "%s: is no core file", name);
    if (e->e_ident[EI_CLASS] != ELFCLASS64)
        return lk_error_set(err, LK_ERR_UNSUPPORTED,
                            "%s: is of a 32-bit program: only 64-bit %s programs can be read", name,
                            lk_arch_own()->name);
    c->arch = e->e_ident[EI_DATA] == ELFDATA2LSB ? lk_arch_find(e->e_machine) : NULL;
    if (!c->arch)
        return lk_error_set(err, LK_ERR_UNSUPPORTED,
                            "%s: is of a program for another machine (ELF machine %u): only %s can "
                            "be read",
                            name, e->e_machine, lk_arch_own()->name);
    if (e->e_type != ET_CORE)
        return lk_error_set(err, LK_ERR_BAD_DATA,
                            "%s: is no core file, but a program or library; usage: loopknot core "
                            "CORE [EXE]",
                            name);
    return true;
}

static bool read_image(struct lk_core_image *c, const char *name, struct lk_error *err)
{
    Elf64_Ehdr e;
    struct stat st;
    if (fstat(c->fd, &st) != 0 || !lk_elf_pread(c->fd, 0, &e, sizeof e))
        return lk_error_set(err, LK_ERR_BAD_DATA, "%s: is no core file", name);
    c->size = (uint64_t)st.st_size;
    if (!check_head(c, &e, name, err) || !read_headers(c, &e, name, err))
        return false;
    if (!c->threads.n)
        return lk_error_set(err, LK_ERR_BAD_DATA,
                            "%s: names no thread%s%s: there is nothing to be read", name,
                            c->lost ? ", since " : "", c->lost ? c->lost : "");
    c->signal = c->threads.v[0].signal;
    if (c->pid == LK_UNKNOWN)
        c->pid = c->threads.v[0].tid;
    return true;
}

struct lk_core_image *lk_core_image_open(int fd, const char *name, struct lk_error *err)
{
    struct lk_core_image *c = lk_xcalloc(1, sizeof *c);
    c->arena = lk_arena_create();
    c->fd = fd;
    c->pid = c->ppid = c->uid = LK_UNKNOWN;
    if (read_image(c, name, err))
        return c;
    lk_core_image_close(c);
    return NULL;
}

void lk_core_image_close(struct lk_core_image *c)
{
    if (!c)
        return;
    lk_fd_close(c->fd);
    lk_free(c->segments.v);
    lk_free(c->threads.v);
    lk_free(c->mapped.v);
    lk_free(c->auxv.v);
    lk_arena_destroy(c->arena);
    lk_free(c);
}

/* ---- looking up --------------------------------------------------------------------------- */

#define FIND_RANGE(list, addr)                                                                     \
    do {                                                                                           \
        size_t low_ = 0, high_ = (list).n;                                                         \
        while (low_ < high_) {                                                                     \
            const size_t middle_ = low_ + (high_ - low_) / 2;                                      \
            if ((addr) < (list).v[middle_].start)                                                  \
                high_ = middle_;                                                                   \
            else if ((addr) >= (list).v[middle_].end)                                              \
                low_ = middle_ + 1;                                                                \
            else                                                                                   \
                return &(list).v[middle_];                                                         \
        }                                                                                          \
        return NULL;                                                                               \
    } while (0)

const struct lk_core_segment *lk_core_segment_at(const struct lk_core_image *c, lk_addr addr)
{
    FIND_RANGE(c->segments, addr);
}

const struct lk_core_mapped *lk_core_mapped_at(const struct lk_core_image *c, lk_addr addr)
{
    FIND_RANGE(c->mapped, addr);
}

uint64_t lk_core_auxv(const struct lk_core_image *c, uint64_t type)
{
    for (size_t i = 0; i + 1 < c->auxv.n; i += 2)
        if (c->auxv.v[i] == type)
            return c->auxv.v[i + 1];
    return 0;
}

size_t lk_core_bytes(const struct lk_core_image *c, lk_addr addr, void *buf, size_t n)
{
    const struct lk_core_segment *s = lk_core_segment_at(c, addr);
    const uint64_t in = s ? addr - s->start : 0;
    if (!s || in >= s->filesz)
        return 0;
    n = LK_MIN(n, s->filesz - in);
    return lk_elf_pread(c->fd, s->offset + in, buf, n) ? n : 0;
}
