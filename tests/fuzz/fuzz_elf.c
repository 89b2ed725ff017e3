/*
 * Modules and stacks of a hostile target: this program's own ELF file, damaged in memory, on disk
 * or both, and walks over it, by both unwinders, from any pc with a stack of pointers into it.
 * Names, rows, lines: whatever comes of it is bounded.
 */
#include <elf.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "read/native/unwind/unwind.h"

enum { STACK_WORDS = 1024, PARTS = 8, PLACES = 16 };
#define BIAS  UINT64_C(0x555500000000)
#define STACK UINT64_C(0x7ffc00000000)

static struct image {
    uint8_t *file, *memory, *clean;
    size_t file_size, memory_size;
    uint64_t stack[STACK_WORDS];
    struct lk_mapping maps[PARTS + 1];
    size_t n_maps;
    /* headers and tables that readers look at, in the file */
    size_t part_at[PARTS], part_size[PARTS];
    size_t n_parts;
    bool no_file;
} image;

/* ---- the target ----------------------------------------------------------------------- */

static size_t fake_read(void *impl, lk_addr addr, void *buf, size_t n)
{
    (void)impl;
    const bool on_stack = addr >= STACK;
    const lk_addr start = on_stack ? STACK : BIAS;
    const size_t size = on_stack ? sizeof image.stack : image.memory_size;
    if (addr < start || addr - start >= size)
        return 0;
    const size_t k = LK_MIN(n, size - (size_t)(addr - start));
    memcpy(buf, (on_stack ? (uint8_t *)image.stack : image.memory) + (addr - start), k);
    return k;
}

static bool fake_maps(void *impl, struct lk_arena *a, struct lk_mapping **ret, size_t *n,
                      struct lk_error *err)
{
    (void)impl, (void)err;
    *n = image.n_maps;
    *ret = lk_arena_array(a, image.n_maps, sizeof **ret);
    memcpy(*ret, image.maps, image.n_maps * sizeof **ret);
    return true;
}

static int fake_open(void *impl, const struct lk_mapping *m, struct lk_error *err)
{
    (void)impl, (void)m;
    const int fd = image.no_file ? -1 : memfd_create("fuzz", MFD_CLOEXEC);
    if (fd < 0) {
        lk_error_set(err, LK_ERR_OS, "no file");
        return -1;
    }
    CHECK(write(fd, image.file, image.file_size) == (ssize_t)image.file_size);
    return fd;
}

static int fake_open_path(void *impl, const char *path, struct lk_error *err)
{
    (void)impl;
    lk_error_set(err, LK_ERR_OS, "%s: no file", path);
    return -1;
}

static bool fake_threads(void *impl, struct lk_thread_list *list, bool full, struct lk_error *err)
{
    (void)impl, (void)list, (void)full, (void)err;
    return true;
}

static void fake_destroy(void *impl)
{
    (void)impl;
}

static const struct lk_process_ops ops = {
    .read = fake_read,
    .maps = fake_maps,
    .open_mapping = fake_open,
    .open_path = fake_open_path,
    .threads = fake_threads,
    .destroy = fake_destroy,
};

/* ---- the image -------------------------------------------------------------------------- */

static void add_part(uint64_t at, uint64_t size)
{
    if (image.n_parts == PARTS || at >= image.file_size || !size)
        return;
    image.part_at[image.n_parts] = at;
    image.part_size[image.n_parts++] = LK_MIN(size, image.file_size - at);
}

/* Segments as the loader maps them, and what is worth damaging. */
static void lay_out(void)
{
    const Elf64_Ehdr *e = (const Elf64_Ehdr *)(const void *)image.clean;
    const Elf64_Phdr *ph = (const Elf64_Phdr *)(const void *)(image.clean + e->e_phoff);
    add_part(0, sizeof *e);
    add_part(e->e_phoff, e->e_phnum * sizeof *ph);
    add_part(e->e_shoff, e->e_shnum * sizeof(Elf64_Shdr));
    for (unsigned i = 0; i < e->e_phnum; i++) {
        if (ph[i].p_type == PT_GNU_EH_FRAME)
            /* the table, and .eh_frame behind it */
            add_part(ph[i].p_offset, ph[i].p_filesz + 65536);
        if (ph[i].p_type == PT_DYNAMIC || ph[i].p_type == PT_NOTE)
            add_part(ph[i].p_offset, ph[i].p_filesz);
        if (ph[i].p_type != PT_LOAD || image.n_maps == PARTS)
            continue;
        const uint64_t page = ~(uint64_t)(LK_PAGE - 1), from = ph[i].p_vaddr & page;
        const uint64_t to = (ph[i].p_vaddr + ph[i].p_memsz + LK_PAGE - 1) & page;
        struct lk_mapping *m = &image.maps[image.n_maps++];
        *m = (struct lk_mapping){ .start = BIAS + from,
                                  .end = BIAS + to,
                                  .offset = ph[i].p_offset & page,
                                  .inode = 7,
                                  .path = "/srv/fuzz",
                                  .prot = "r--p" };
        m->prot[1] = ph[i].p_flags & PF_W ? 'w' : '-';
        m->prot[2] = ph[i].p_flags & PF_X ? 'x' : '-';
        image.memory_size = LK_MAX(image.memory_size, (size_t)to);
    }
    image.maps[image.n_maps++] = (struct lk_mapping){
        .start = STACK, .end = STACK + sizeof image.stack, .prot = "rw-p", .path = ""
    };
}

static void load(void)
{
    const int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    const off_t size = lseek(fd, 0, SEEK_END);
    CHECK(fd >= 0 && size > 0);
    image.file_size = (size_t)size;
    image.file = lk_xmalloc(image.file_size);
    image.clean = lk_xmalloc(image.file_size);
    for (size_t n = 0; n < image.file_size;) {
        const ssize_t got = pread(fd, image.clean + n, image.file_size - n, (off_t)n);
        CHECK(got > 0);
        n += (size_t)got;
    }
    close(fd);
    memcpy(image.file, image.clean, image.file_size);
    lay_out();
    image.memory = lk_xcalloc(image.memory_size, 1);
}

/* Memory as the loader makes it from the clean file. */
static void fill_memory(void)
{
    const Elf64_Ehdr *e = (const Elf64_Ehdr *)(const void *)image.clean;
    const Elf64_Phdr *ph = (const Elf64_Phdr *)(const void *)(image.clean + e->e_phoff);
    for (unsigned i = 0; i < e->e_phnum; i++)
        if (ph[i].p_type == PT_LOAD && ph[i].p_vaddr + ph[i].p_filesz <= image.memory_size)
            memcpy(image.memory + ph[i].p_vaddr, image.clean + ph[i].p_offset, ph[i].p_filesz);
}

/* ---- one input ---------------------------------------------------------------------------- */

static lk_addr some_code(void)
{
    const struct lk_mapping *m = &image.maps[fuzz_below(image.n_maps)];
    for (int i = 0; i < 8 && m->prot[2] != 'x'; i++)
        m = &image.maps[fuzz_below(image.n_maps)];
    return m->start + fuzz_below(m->end - m->start);
}

static void damage(uint8_t *bytes, size_t size)
{
    const size_t i = fuzz_below(image.n_parts);
    /* Read-only parts stand in memory where they stand in the file. */
    if (image.part_at[i] + image.part_size[i] <= size)
        fuzz_damage(bytes + image.part_at[i], image.part_size[i]);
}

static void walk(struct lk_unwinder *u, struct lk_arena *a)
{
    struct lk_regs regs = { .known = (uint32_t)fuzz_below(1u << 17) | 1u << LK_REG_PC |
                                     1u << LK_REG_SP };
    for (int i = 0; i < 17; i++)
        regs.reg[i] = STACK + 8 * fuzz_below(STACK_WORDS);
    regs.reg[LK_REG_PC] = some_code();
    /* libunwind's walks cost a process each */
    const enum lk_unwind_by by = fuzz_below(32)  ? LK_UNWIND_OWN
                                 : fuzz_below(2) ? LK_UNWIND_AUTO
                                                 : LK_UNWIND_LIBUNWIND;
    lk_unwinder_use(u, by);
    struct lk_natstack *s = lk_unwind(u, &regs, a);
    CHECK(s && s->n <= LK_UNWIND_MAX && (s->n >= 1 || by == LK_UNWIND_LIBUNWIND));
    for (uint32_t i = 0; i < s->n; i++)
        for (const char *c = s->frames[i].function; c && *c; c++)
            CHECK((unsigned char)*c >= 0x20 && *c != 0x7f);
}

static void one(uint64_t round)
{
    struct lk_error err = { 0 };
    if (round % 16 == 0) {
        memcpy(image.file, image.clean, image.file_size);
        fill_memory();
    }
    image.no_file = fuzz_below(4) == 0;
    damage(image.memory, image.memory_size);
    damage(image.file, image.file_size);
    for (size_t i = 0; i < STACK_WORDS; i++)
        image.stack[i] = fuzz_below(3) ? some_code() : STACK + 8 * fuzz_below(STACK_WORDS);
    struct lk_process *t = lk_process_create(&ops, &image);
    struct lk_unwinder *u = lk_unwinder_create(t, &err);
    struct lk_arena *a = lk_arena_create();
    for (int i = 0; u && i < PLACES; i++)
        walk(u, a);
    lk_unwinder_destroy(u);
    lk_process_destroy(t);
    lk_arena_destroy(a);
}

int main(int argc, char **argv)
{
    load();
    fill_memory();
    return fuzz_run(argc, argv, one);
}
