/*
 * Targets that were made up: a tiny hand-written module for what call frame information may say,
 * then hundreds of broken copies of a real ELF file (this program's own). Nothing may crash or
 * hang, and nothing may be guessed.
 */
#include "read/native/unwind/unwind.h"

#include <elf.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "read/native/elf/dynamic_symbol.h"

static uint64_t seed = 1;

static uint64_t rnd(uint64_t n)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed % n;
}

/* ---- a fake target -------------------------------------------------------------------- */

#define MAX_SEGMENTS 8

struct segment {
    lk_addr start;
    uint8_t *bytes;
    size_t n;
};
struct fake {
    struct segment seg[MAX_SEGMENTS];
    struct lk_mapping map[MAX_SEGMENTS];
    size_t n;
    const uint8_t *file; /* behind all mappings with a path; NULL: cannot be opened */
    size_t file_size;
};

static bool wrong_debug_file;

static size_t fake_read(void *impl, lk_addr addr, void *buf, size_t n)
{
    const struct fake *f = impl;
    for (size_t i = 0; i < f->n; i++) {
        const struct segment *s = &f->seg[i];
        if (addr < s->start || addr - s->start >= s->n)
            continue;
        size_t k = LK_MIN(n, s->n - (size_t)(addr - s->start));
        memcpy(buf, s->bytes + (addr - s->start), k);
        return k;
    }
    return 0;
}

static bool fake_maps(void *impl, struct lk_arena *a, struct lk_mapping **ret, size_t *n,
                      struct lk_error *err)
{
    struct fake *f = impl;
    (void)err;
    *n = f->n;
    *ret = lk_arena_array(a, f->n, sizeof **ret);
    memcpy(*ret, f->map, f->n * sizeof **ret);
    return true;
}

static int fake_open_mapping(void *impl, const struct lk_mapping *m, struct lk_error *err)
{
    const struct fake *f = impl;
    (void)m;
    if (!f->file) {
        lk_error_set(err, LK_ERR_OS, "no file");
        return -1;
    }
    int fd = memfd_create("fake", MFD_CLOEXEC);
    assert_int_equal(write(fd, f->file, f->file_size), f->file_size);
    return fd;
}

/* Any debug file asked for is there, and is of another build. */
static int fake_open_path(void *impl, const char *path, struct lk_error *err)
{
    (void)impl;
    if (wrong_debug_file)
        return open("/bin/sh", O_RDONLY | O_CLOEXEC);
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

static const struct lk_process_ops fake_ops = {
    .read = fake_read,
    .maps = fake_maps,
    .open_mapping = fake_open_mapping,
    .open_path = fake_open_path,
    .threads = fake_threads,
    .destroy = fake_destroy,
};

static void add_segment(struct fake *f, lk_addr start, void *bytes, size_t n, const char *prot,
                        const char *path, uint64_t offset)
{
    assert_true(f->n < MAX_SEGMENTS);
    f->seg[f->n] = (struct segment){ start, bytes, n };
    f->map[f->n] = (struct lk_mapping){ .start = start,
                                        .end = start + ((n + LK_PAGE - 1) & ~(size_t)(LK_PAGE - 1)),
                                        .offset = offset,
                                        .inode = *path ? 7 : 0,
                                        .path = path };
    memcpy(f->map[f->n].prot, prot, 5);
    f->n++;
}

/* ---- a module of one page ------------------------------------------------------------- */

#define BASE  UINT64_C(0x400000)
#define CODE  (BASE + 0x800) /* one function of 0x100 bytes */
#define STACK UINT64_C(0x7f0000000000)

static uint8_t module[LK_PAGE] __attribute__((aligned(8)));
static uint64_t stack[LK_PAGE / 8];

static void put32(uint8_t *p, uint32_t v)
{
    memcpy(p, &v, sizeof v);
}

/*
 * ELF header, two program headers, .eh_frame_hdr at 0x200, .eh_frame at 0x300: a CIE with CFA = rsp
 * + 8, return address at CFA - 8, and one FDE with the given instructions. third: augmentation
 * after "zR", S for a signal frame, B for none that means anything here.
 */
static void make_module_as(struct fake *f, const uint8_t *instructions, size_t n, char third)
{
    const uint8_t cie[] = { 0,    0,  0, 0,    1,    'z', 'R', (uint8_t)third, 0, 1,
                            0x78, 16, 1, 0x1b, 0x0c, 7,   8,   0x90,           1, 0 };
    const Elf64_Ehdr eh = { .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
                            .e_type = ET_EXEC,
                            .e_machine = EM_X86_64,
                            .e_phoff = sizeof eh,
                            .e_phnum = 2,
                            .e_phentsize = sizeof(Elf64_Phdr) };
    const Elf64_Phdr ph[] = {
        { .p_type = PT_LOAD,
          .p_flags = PF_R | PF_X,
          .p_vaddr = BASE,
          .p_filesz = LK_PAGE,
          .p_memsz = LK_PAGE },
        { .p_type = PT_GNU_EH_FRAME, .p_vaddr = BASE + 0x200, .p_memsz = 20 },
    };
    uint8_t *p = module + 0x300;
    memset(f, 0, sizeof *f);
    memset(module, 0, sizeof module);
    memset(stack, 0, sizeof stack);
    memcpy(module, &eh, sizeof eh);
    memcpy(module + sizeof eh, ph, sizeof ph);
    put32(p, sizeof cie);
    memcpy(p + 4, cie, sizeof cie);
    uint8_t *fde = p + 4 + sizeof cie;
    put32(fde, (uint32_t)(4 + 8 + 1 + n));
    put32(fde + 4, (uint32_t)(fde + 4 - p));
    put32(fde + 8, (uint32_t)(CODE - (BASE + (uint64_t)(fde + 8 - module))));
    put32(fde + 12, 0x100);
    memcpy(fde + 17, instructions, n);
    static const uint8_t head[] = { 1, 0x1b, 3, 0x3b };
    memcpy(module + 0x200, head, sizeof head);
    put32(module + 0x208, 1);
    put32(module + 0x20c, (uint32_t)(CODE - (BASE + 0x200)));
    put32(module + 0x210, (uint32_t)(fde - module) - 0x200);
    add_segment(f, BASE, module, sizeof module, "r-xp", "/srv/fake", 0);
    add_segment(f, STACK, stack, sizeof stack, "rw-p", "", 0);
}

static void make_module(struct fake *f, const uint8_t *instructions, size_t n)
{
    make_module_as(f, instructions, n, 'B');
}

struct result {
    unsigned n;
    bool truncated;
    lk_addr pcs[LK_UNWIND_MAX];
};

static unsigned rbp_place(void)
{
    return lk_arch_place(lk_arch_own(), 6);
}

static struct result walk(struct fake *f, uint32_t known, lk_addr rbp)
{
    struct lk_error err = { 0 };
    struct result r = { 0 };
    struct lk_process *t = lk_process_create(&fake_ops, f);
    struct lk_unwinder *u = lk_unwinder_create(t, &err);
    assert_non_null(u);
    struct lk_regs regs = { .known = known | 1u << LK_REG_PC | 1u << LK_REG_SP };
    regs.reg[rbp_place()] = rbp;
    regs.reg[LK_REG_SP] = STACK;
    regs.reg[LK_REG_PC] = CODE + 0x10;
    r.n = lk_unwind_walk(u, &regs, r.pcs, &r.truncated);
    lk_unwinder_destroy(u);
    lk_process_destroy(t);
    return r;
}

static void an_undefined_return_address_is_the_end(void **state)
{
    static const uint8_t undefined_pc[] = { 0x07, 16 };
    struct fake f;
    (void)state;
    make_module(&f, undefined_pc, sizeof undefined_pc);
    struct result r = walk(&f, 0, 0);
    assert_int_equal(r.n, 1);
    assert_false(r.truncated);
}

static void a_null_return_address_is_the_end(void **state)
{
    static const uint8_t nothing[] = { 0 };
    struct fake f;
    (void)state;
    make_module(&f, nothing, 1);
    stack[0] = CODE + 0x20;
    stack[1] = CODE + 0x30;
    struct result r = walk(&f, 0, 0);
    assert_int_equal(r.n, 3);
    assert_int_equal(r.pcs[1], CODE + 0x20);
    assert_int_equal(r.pcs[2], CODE + 0x30);
    assert_false(r.truncated);
}

static void a_return_address_into_data_is_none(void **state)
{
    static const uint8_t nothing[] = { 0 };
    struct fake f;
    (void)state;
    make_module(&f, nothing, 1);
    stack[0] = STACK + 64;
    struct result r = walk(&f, 0, 0);
    assert_int_equal(r.n, 1);
    assert_true(r.truncated);
}

static void an_unknown_register_ends_the_stack(void **state)
{
    static const uint8_t by_rbp[] = { 0x0c, 6, 16 }; /* CFA = rbp + 16 */
    struct fake f;
    (void)state;
    make_module(&f, by_rbp, sizeof by_rbp);
    stack[3] = 0;
    struct result r = walk(&f, 0, 0);
    assert_int_equal(r.n, 1);
    assert_true(r.truncated);
    r = walk(&f, 1u << rbp_place(),
             STACK + 16); /* known: the return address is at CFA - 8 = STACK + 24 */
    assert_int_equal(r.n, 1);
    assert_false(r.truncated);
}

static void a_frame_that_is_its_own_caller_ends_the_stack(void **state)
{
    static const uint8_t by_rbp[] = { 0x0c, 6, 16, 0x86, 2 }; /* CFA = rbp + 16, rbp at CFA - 16 */
    struct fake f;
    (void)state;
    make_module(&f, by_rbp, sizeof by_rbp);
    stack[2] = STACK + 16; /* rbp chain: itself */
    stack[3] = CODE + 0x10;
    struct result r = walk(&f, 1u << rbp_place(), STACK + 16);
    assert_int_equal(r.n, 2);
    assert_true(r.truncated);
}

/* ---- frame pointers that are not known ---- */

#define OUTSIDE (BASE + 0xa00) /* code without call frame information */
static const uint8_t hangs_on_rbp[] = { 0x0c, 6, 16, 0x86,
                                        2 }; /* CFA = rbp + 16, rbp at CFA - 16 */
static const uint8_t prologue[] = { 0x55, 0x48, 0x89, 0xe5, 0x48, 0x83, 0xec, 0x20 };

static void put_code(lk_addr at, const uint8_t *code, size_t n)
{
    memcpy(module + (at - BASE), code, n);
}

/* A call that ends at pc. */
static void put_call(lk_addr pc, lk_addr to)
{
    module[pc - 5 - BASE] = 0xe8;
    put32(module + (pc - 4 - BASE), (uint32_t)(to - pc));
}

/* Frames at STACK + 0x20 and STACK + 0x60, of which the outer one is the last. */
static void two_frames(struct fake *f)
{
    make_module(f, hangs_on_rbp, sizeof hangs_on_rbp);
    stack[4] = STACK + 0x60;
    stack[5] = CODE + 0x40;
}

static void a_frame_pointer_by_the_function_s_beginning(void **state)
{
    struct fake f;
    (void)state;
    two_frames(&f);
    put_code(CODE, prologue, sizeof prologue);
    struct result r = walk(&f, 0, 0);
    assert_int_equal(r.n, 1); /* no call ends there: it is no return address */
    assert_true(r.truncated);

    put_code(CODE + 0x3e, (const uint8_t[]){ 0xff, 0xd0 }, 2); /* call *%rax */
    r = walk(&f, 0, 0);
    assert_int_equal(r.n, 2);
    assert_int_equal(r.pcs[1], CODE + 0x40);
    assert_false(r.truncated);
}

static void a_frame_pointer_by_the_call_of_the_function(void **state)
{
    struct fake f;
    (void)state;
    two_frames(&f);
    put_call(CODE + 0x40, CODE + 0x20); /* of another one */
    struct result r = walk(&f, 0, 0);
    assert_int_equal(r.n, 1);
    assert_true(r.truncated);

    put_call(CODE + 0x40, CODE);
    r = walk(&f, 0, 0);
    assert_int_equal(r.n, 2);
    assert_int_equal(r.pcs[1], CODE + 0x40);
    assert_false(r.truncated);
}

static struct result walk_from(struct fake *f, lk_addr pc, uint32_t known, lk_addr rbp,
                               enum lk_unwind_by by)
{
    struct lk_error err = { 0 };
    struct result r = { 0 };
    struct lk_process *t = lk_process_create(&fake_ops, f);
    struct lk_unwinder *u = lk_unwinder_create(t, &err);
    struct lk_regs regs = { .known = known | 1u << LK_REG_PC | 1u << LK_REG_SP };
    regs.reg[rbp_place()] = rbp;
    regs.reg[LK_REG_SP] = STACK;
    regs.reg[LK_REG_PC] = pc;
    assert_true(lk_unwinder_use(u, by));
    r.n = lk_unwind_walk(u, &regs, r.pcs, &r.truncated);
    lk_unwinder_destroy(u);
    lk_process_destroy(t);
    return r;
}

static void code_without_call_frame_information(void **state)
{
    const uint32_t rbp = 1u << rbp_place();
    struct fake f;
    (void)state;
    two_frames(&f);
    struct result r = walk_from(&f, OUTSIDE, rbp, STACK + 0x20, LK_UNWIND_OWN);
    assert_int_equal(r.n, 1); /* no call ends there */
    put_call(CODE + 0x40, OUTSIDE);
    r = walk_from(&f, OUTSIDE, rbp, STACK + 0x20, LK_UNWIND_OWN);
    assert_int_equal(r.n, 2);
    assert_int_equal(r.pcs[1], CODE + 0x40);
    r = walk_from(&f, OUTSIDE, 0, 0, LK_UNWIND_OWN);
    assert_int_equal(r.n, 2); /* nor a frame pointer, but a call leads here */
    put_call(CODE + 0x40, OUTSIDE + 0x30);
    r = walk_from(&f, OUTSIDE, 0, 0, LK_UNWIND_OWN);
    assert_int_equal(r.n, 1); /* behind it */

    /* hand-written: the system call, and back */
    put_code(OUTSIDE, (const uint8_t[]){ 0xc3 }, 1);
    stack[0] = CODE + 0x40;
    r = walk_from(&f, OUTSIDE, rbp, STACK + 0x20, LK_UNWIND_OWN);
    assert_true(r.n >= 2);
    assert_int_equal(r.pcs[1], CODE + 0x40);
}

static void a_signal_frame_that_loops_is_bounded(void **state)
{
    /* CFA = rsp, return address at the CFA: a frame that calls itself on the same spot. */
    static const uint8_t same[] = { 0x0e, 0, 0x90, 0 };
    struct fake f;
    (void)state;
    make_module_as(&f, same, sizeof same, 'S');
    stack[0] = CODE + 0x10;
    struct result r = walk(&f, 0, 0);
    assert_int_equal(r.n, LK_UNWIND_MAX);
    assert_true(r.truncated);
    make_module(&f, same, sizeof same); /* without the S the stack must grow */
    stack[0] = CODE + 0x10;
    r = walk(&f, 0, 0);
    assert_int_equal(r.n, 1);
    assert_true(r.truncated);
}

static void more_frames_than_the_limit(void **state)
{
    static const uint8_t nothing[] = { 0 };
    struct fake f;
    (void)state;
    make_module(&f, nothing, 1);
    for (size_t i = 0; i < LK_ARRAY_LEN(stack); i++)
        stack[i] = CODE + 0x10;
    struct result r = walk(&f, 0, 0);
    assert_int_equal(r.n, LK_UNWIND_MAX);
    assert_true(r.truncated);
}

static void an_expression_of_a_plt_entry(void **state)
{
    /* What ld writes: rsp + 8 + ((rip & 15) >= 11) * 8 */
    static const uint8_t plt[] = { 0x0f, 11,   0x77, 8,    0x80, 0,   0x3f,
                                   0x1a, 0x3b, 0x2a, 0x33, 0x24, 0x22 };
    struct fake f;
    (void)state;
    make_module(&f, plt, sizeof plt);
    stack[0] = CODE + 0x4b + 1; /* a return address, looked up one below: its low digit is 12 */
    stack[2] = 0;
    struct result r = walk(&f, 0, 0);
    assert_int_equal(r.n, 2);
    assert_int_equal(r.pcs[1], CODE + 0x4c);
    assert_false(r.truncated);
}

static void nonsense_instructions_make_no_row(void **state)
{
    static const uint8_t bad[][4] = {
        { 0x3f, 0, 0, 0 },       /* no such instruction */
        { 0x0b, 0, 0, 0 },       /* restore without remember */
        { 0x0c, 7, 0xff, 0xff }, /* LEB128 that runs off the end */
        { 0x0f, 0x7f, 0, 0 },    /* expression longer than the entry */
        { 0x0c, 99, 8, 0 },      /* CFA by a register that does not exist */
    };
    struct fake f;
    (void)state;
    for (size_t i = 0; i < LK_ARRAY_LEN(bad); i++) {
        make_module(&f, bad[i], sizeof bad[i]);
        stack[0] = CODE + 0x20;
        struct result r = walk(&f, 0, 0);
        assert_int_equal(r.n, 1);
        assert_true(r.truncated);
    }
}

static void random_instructions_and_expressions(void **state)
{
    uint8_t bytes[200];
    struct fake f;
    (void)state;
    for (int round = 0; round < 2000; round++) {
        size_t n = 1 + rnd(sizeof bytes);
        /* small numbers are the interesting operations and operands */
        for (size_t i = 0; i < n; i++)
            bytes[i] = (uint8_t)(rnd(2) ? rnd(256) : rnd(0x30));
        if (round % 2) { /* all of it one expression: of literals and registers, then operations */
            bytes[0] = 0x0f;
            bytes[1] = (uint8_t)(n > 2 ? LK_MIN(n - 2, (size_t)100) : 0);
            for (size_t i = 2; i < n && i < 8; i++)
                bytes[i] = (uint8_t)(0x30 + rnd(0x20));
        }
        make_module(&f, bytes, n);
        for (size_t i = 0; i < LK_ARRAY_LEN(stack); i++)
            stack[i] = rnd(2) ? CODE + rnd(0x100) : STACK + rnd(sizeof stack);
        if (round % 100 == 1) /* some of them crash libunwind, in a process of its own */
            walk_from(&f, CODE + 0x10, 1u << rbp_place(), STACK + 64, LK_UNWIND_LIBUNWIND);
        struct result r = walk(&f, (uint32_t)rnd(1u << 17), STACK + rnd(sizeof stack));
        assert_in_range(r.n, 1, LK_UNWIND_MAX);
    }
}

static void a_module_that_cannot_be_read_is_still_named(void **state)
{
    static const uint8_t nothing[] = { 0 };
    struct lk_error err = { 0 };
    struct fake f;
    (void)state;
    make_module(&f, nothing, 1);
    module[EI_CLASS] = ELFCLASS32;
    f.map[0].path = "/srv/lib\x1bname.so (deleted)";
    struct lk_process *t = lk_process_create(&fake_ops, &f);
    struct lk_unwinder *u = lk_unwinder_create(t, &err);
    struct lk_arena *a = lk_arena_create();
    struct lk_regs regs = { .known = 1u << LK_REG_PC | 1u << LK_REG_SP };
    regs.reg[LK_REG_SP] = STACK;
    regs.reg[LK_REG_PC] = CODE;
    struct lk_natstack *s = lk_unwind(u, &regs, a);
    assert_int_equal(s->n, 1);
    assert_true(s->truncated);
    assert_string_equal(s->frames[0].module, "lib\\x1bname.so");
    assert_null(s->frames[0].function);
    assert_int_equal(s->frames[0].offset, CODE - BASE);
    lk_unwind_lines(u, &s, 1, a);
    lk_unwinder_destroy(u);
    lk_arena_destroy(a);
    lk_process_destroy(t);
}

/* ---- broken copies of a real file ----------------------------------------------------- */

struct image {
    uint8_t *file;
    size_t size;
    Elf64_Phdr load[MAX_SEGMENTS];
    size_t n_loads;
    uint64_t text, text_size; /* vaddr of the executable segment */
    uint64_t hot[16][2];      /* parts of the file worth breaking */
    size_t n_hot;
};

static void read_image(struct image *im)
{
    FILE *f = fopen("/proc/self/exe", "re");
    struct stat st;
    assert_non_null(f);
    assert_int_equal(fstat(fileno(f), &st), 0);
    im->size = (size_t)st.st_size;
    im->file = malloc(im->size);
    assert_int_equal(fread(im->file, 1, im->size, f), im->size);
    fclose(f);
    const Elf64_Ehdr *eh = (const void *)im->file;
    const Elf64_Phdr *ph = (const void *)(im->file + eh->e_phoff);
    const Elf64_Shdr *sh = (const void *)(im->file + eh->e_shoff);
    for (size_t i = 0; i < eh->e_phnum; i++) {
        if (ph[i].p_type == PT_LOAD && im->n_loads < MAX_SEGMENTS - 1)
            im->load[im->n_loads++] = ph[i];
        if (ph[i].p_type == PT_LOAD && ph[i].p_flags & PF_X) {
            im->text = ph[i].p_vaddr;
            im->text_size = ph[i].p_memsz;
        }
    }
    im->hot[im->n_hot++][1] = 64;
    im->hot[im->n_hot++][1] = 1024;
    im->hot[im->n_hot][0] = eh->e_shoff;
    im->hot[im->n_hot++][1] = (uint64_t)eh->e_shnum * sizeof *sh;
    const char *names = (const char *)im->file + sh[eh->e_shstrndx].sh_offset;
    static const char *const wanted[] = { ".eh_frame_hdr", ".eh_frame",     ".dynsym",
                                          ".gnu.hash",     ".dynamic",      ".symtab",
                                          ".strtab",       ".debug_line",   ".debug_info",
                                          ".debug_abbrev", ".debug_aranges" };
    for (size_t i = 0; i < eh->e_shnum; i++)
        for (size_t k = 0; k < LK_ARRAY_LEN(wanted); k++)
            if (!strcmp(names + sh[i].sh_name, wanted[k]) && im->n_hot < LK_ARRAY_LEN(im->hot)) {
                im->hot[im->n_hot][0] = sh[i].sh_offset;
                im->hot[im->n_hot++][1] = LK_MIN(sh[i].sh_size, UINT64_C(4096));
            }
}

struct found {
    unsigned functions, lines;
};

/* Everything this station does, on a target whose file is `file`. */
static struct found exercise(const struct image *im, uint8_t *file, size_t size, bool lines)
{
    struct lk_error err = { 0 };
    struct fake f = { .file = file, .file_size = size };
    struct found found = { 0 };
    uint8_t *copies[MAX_SEGMENTS];
    const lk_addr bias = UINT64_C(0x555555554000);
    /* the mappings stay as they were made, only bytes are broken */
    for (size_t i = 0; i < im->n_loads; i++) {
        const Elf64_Phdr *ph = &im->load[i];
        uint64_t skip = ph->p_offset & (LK_PAGE - 1), n = skip + ph->p_filesz,
                 from = ph->p_offset - skip;
        copies[i] = calloc(1, n);
        if (from < size)
            memcpy(copies[i], file + from, LK_MIN(n, size - from));
        add_segment(&f, bias + ph->p_vaddr - skip, copies[i], n,
                    ph->p_flags & PF_X ? "r-xp" : "rw-p", "/srv/broken", from);
    }
    for (size_t i = 0; i < LK_ARRAY_LEN(stack); i++)
        stack[i] = rnd(3)   ? bias + im->text + rnd(im->text_size)
                   : rnd(2) ? STACK + rnd(sizeof stack)
                            : rnd(UINT64_MAX);
    add_segment(&f, STACK, stack, sizeof stack, "rw-p", "", 0);

    struct lk_process *t = lk_process_create(&fake_ops, &f);
    struct lk_unwinder *u = lk_unwinder_create(t, &err);
    struct lk_arena *a = lk_arena_create();
    assert_non_null(u);
    /* each time libunwind is asked costs a process */
    lk_unwinder_use(u, rnd(100) ? LK_UNWIND_OWN : LK_UNWIND_AUTO);
    for (int i = 0; i < 20; i++) {
        struct lk_regs regs = { .known =
                                    (uint32_t)rnd(1u << 17) | 1u << LK_REG_PC | 1u << LK_REG_SP };
        for (size_t k = 0; k < LK_ARRAY_LEN(regs.reg); k++)
            regs.reg[k] = STACK + rnd(sizeof stack);
        regs.reg[LK_REG_SP] = STACK + rnd(256) * 8;
        regs.reg[LK_REG_PC] = bias + im->text + rnd(im->text_size);
        struct lk_natstack *s = lk_unwind(u, &regs, a);
        assert_in_range(s->n, 1, LK_UNWIND_MAX);
        if (lines && i < 2)
            lk_unwind_lines(u, &s, 1, a);
        found.functions += s->frames[0].function != NULL;
        found.lines += s->frames[0].file != NULL;
    }
    const struct lk_mapping *m = lk_process_mapping_at(t, bias + im->load[0].p_vaddr);
    struct lk_elf e;
    if (m && lk_elf_open(&e, t, m)) {
        lk_elf_dynsym(&e, "stdout");
        lk_elf_dynsym_count(&e);
        lk_elf_close(&e);
    }
    lk_unwinder_destroy(u);
    lk_arena_destroy(a);
    lk_process_destroy(t);
    for (size_t i = 0; i < im->n_loads; i++)
        free(copies[i]);
    return found;
}

static void a_whole_file_has_names_and_lines(void **state)
{
    struct image im = { 0 };
    unsigned lines = 0;
    (void)state;
    read_image(&im);
    for (int i = 0; i < 5; i++) {
        struct found found = exercise(&im, im.file, im.size, true);
        assert_true(found.functions > 5);
        lines += found.lines;
    }
    assert_true(lines > 0);
    free(im.file);
}

static void a_debug_file_of_another_build_is_refused(void **state)
{
    struct image im = { 0 };
    (void)state;
    read_image(&im);
    const Elf64_Ehdr *eh = (const void *)im.file;
    Elf64_Shdr *sh = (void *)(im.file + eh->e_shoff);
    for (size_t i = 0; i < eh->e_shnum; i++)
        if (sh[i].sh_type == SHT_SYMTAB || sh[i].sh_type == SHT_DYNSYM)
            sh[i].sh_type = SHT_NULL;
    wrong_debug_file = true;
    struct found found = exercise(&im, im.file, im.size, false);
    wrong_debug_file = false;
    assert_int_equal(found.functions, 0);
    free(im.file);
}

static void broken_files(void **state)
{
    struct image im = { 0 };
    (void)state;
    read_image(&im);
    uint8_t *file = malloc(im.size);
    for (int round = 0; round < 400; round++) {
        memcpy(file, im.file, im.size);
        const uint64_t *hot = im.hot[rnd(im.n_hot)];
        for (uint64_t flips = 1 + rnd(8); flips && hot[1]; flips--) {
            uint64_t at = hot[0] + rnd(hot[1]);
            if (at < im.size)
                file[at] = rnd(3) ? (uint8_t)rnd(256) : rnd(2) ? 0xff : 0;
        }
        exercise(&im, file, im.size, round % 8 == 0);
    }
    free(file);
    free(im.file);
}

static void truncated_files(void **state)
{
    struct image im = { 0 };
    (void)state;
    read_image(&im);
    for (int round = 0; round < 40; round++)
        exercise(&im, im.file, round < 8 ? (size_t)round * 32 : rnd(im.size), round % 8 == 0);
    free(im.file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_undefined_return_address_is_the_end),
        cmocka_unit_test(a_null_return_address_is_the_end),
        cmocka_unit_test(a_return_address_into_data_is_none),
        cmocka_unit_test(an_unknown_register_ends_the_stack),
        cmocka_unit_test(a_frame_that_is_its_own_caller_ends_the_stack),
        cmocka_unit_test(a_frame_pointer_by_the_function_s_beginning),
        cmocka_unit_test(a_frame_pointer_by_the_call_of_the_function),
        cmocka_unit_test(code_without_call_frame_information),
        cmocka_unit_test(a_signal_frame_that_loops_is_bounded),
        cmocka_unit_test(more_frames_than_the_limit),
        cmocka_unit_test(an_expression_of_a_plt_entry),
        cmocka_unit_test(nonsense_instructions_make_no_row),
        cmocka_unit_test(random_instructions_and_expressions),
        cmocka_unit_test(a_module_that_cannot_be_read_is_still_named),
        cmocka_unit_test(a_whole_file_has_names_and_lines),
        cmocka_unit_test(a_debug_file_of_another_build_is_refused),
        cmocka_unit_test(broken_files),
        cmocka_unit_test(truncated_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
