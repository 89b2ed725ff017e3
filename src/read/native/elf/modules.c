/*
 * Mappings of one file become a module, its ELF header and program headers are read where they are
 * mapped (gABI, "Program Header"). ld.so maps the segments of a file upwards from the one with
 * offset 0 (glibc elf/dl-map-segments.h _dl_map_segments); modules that did not move keep their
 * symbol tables from sample to sample.
 */
#include "read/native/elf/modules.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "read/native/elf/symbols.h"
#include "util/map.h"
#include "util/text.h"

#define MAX_PHDRS 128
#define MAX_NOTES 4096

/* ---- whose code a module is ---------------------------------------------------------- */

/* File names that begin like this are the C library and the language runtimes. */
static const char *const system_prefixes[] = {
    "libc.so",      "libc-",    "ld-linux",  "ld-2",       "ld-musl", "libpthread", "libm.so",
    "libm-",        "libdl.so", "libdl-",    "librt.so",   "librt-",  "libpython",  "python3",
    "libstdc++.so", "libgcc_s", "libanl.so", "libutil.so", "[vdso]",
};

static bool is_system(const char *name, const char *path)
{
    for (size_t i = 0; i < LK_ARRAY_LEN(system_prefixes); i++)
        if (lk_starts_with(name, system_prefixes[i]))
            return true;
    if (!strcmp(name, "python"))
        return true;
    const char *lib = strstr(path, "/lib/python3");
    return lib && strstr(lib, "/lib-dynload/");
}

/* ---- the table ----------------------------------------------------------------------- */

static bool is_vdso(const struct lk_mapping *m)
{
    return !strcmp(m->path, "[vdso]");
}

/* Other bracketed names ([heap], [stack], [anon:...]) are no files. */
static bool is_file(const struct lk_mapping *m)
{
    return m->path[0] == '/' || is_vdso(m);
}

static bool same_file(const struct lk_mapping *a, const struct lk_mapping *b)
{
    return a->inode == b->inode && a->dev_major == b->dev_major && a->dev_minor == b->dev_minor &&
           !strcmp(a->path, b->path);
}

static uint64_t hash_maps(const struct lk_mapping *maps, size_t n)
{
    uint64_t h = LK_HASH_INIT;
    for (size_t i = 0; i < n; i++) {
        const struct lk_mapping *m = &maps[i];
        if (!is_file(m) && m->prot[2] != 'x')
            continue;
        const uint64_t facts[] = { m->start,     m->end,       m->offset,           m->inode,
                                   m->dev_major, m->dev_minor, (uint64_t)m->prot[2] };
        for (size_t k = 0; k < LK_ARRAY_LEN(facts); k++)
            h = lk_hash_u64(h, facts[k]);
    }
    return h;
}

static void name_module(struct lk_modules *ms, struct lk_module *m)
{
    static const char deleted[] = " (deleted)";
    size_t n = strlen(m->map.path);
    if (lk_ends_with(m->map.path, deleted))
        n -= sizeof deleted - 1;
    m->path = lk_text_clean(ms->arena, m->map.path, n, 1024);
    const char *slash = strrchr(m->path, '/');
    m->name = slash ? slash + 1 : m->path;
    m->system = is_system(m->name, m->path);
}

static void module_destroy(struct lk_module *m)
{
    lk_symtab_destroy(m->symbols);
    lk_fd_close(m->lines_fd);
    lk_free(m);
}

/*
 * A module begins at a mapping of file offset 0 and reaches over the later mappings of the same
 * file: ld.so maps one segment after the other, upwards (a second copy of the library begins with
 * offset 0 again). A file whose first mapping has another offset gets a module without headers, so
 * that its name can still be shown.
 */
static void group_mappings(struct lk_modules *ms, const struct lk_mapping *maps, size_t n)
{
    struct lk_module *m = NULL;
    for (size_t i = 0; i < n; i++) {
        const struct lk_mapping *p = &maps[i];
        if (!is_file(p))
            continue;
        if (!m || p->offset == 0 || !same_file(&m->map, p)) {
            if (m && !m->exec) { /* data files are no modules */
                ms->list.n--;
                module_destroy(m);
            }
            m = lk_xcalloc(1, sizeof *m);
            m->base = p->start;
            m->map = *p;
            m->lines_fd = -1;
            /* NOLINTNEXTLINE(bugprone-sizeof-expression): pointers are what it holds */
            lk_vec_add(&ms->list, m);
        }
        m->end = p->end;
        m->exec |= p->prot[2] == 'x';
    }
    if (m && !m->exec) {
        ms->list.n--;
        module_destroy(m);
    }
}

/* The old module is this new one, unmoved: it keeps its symbol tables. */
static bool same_module(const struct lk_module *a, const struct lk_module *b)
{
    return a->base == b->base && a->end == b->end && a->map.offset == b->map.offset &&
           same_file(&a->map, &b->map);
}

static void build_table(struct lk_modules *ms, const struct lk_mapping *maps, size_t n)
{
    struct lk_module **old = ms->list.v;
    size_t n_old = ms->list.n, k = 0;
    ms->list.v = NULL;
    ms->list.n = ms->list.cap = 0;
    group_mappings(ms, maps, n);
    for (size_t i = 0; i < ms->list.n; i++) {
        struct lk_module *m = ms->list.v[i];
        while (k < n_old && old[k]->base < m->base)
            module_destroy(old[k++]);
        if (k < n_old && same_module(old[k], m)) {
            ms->list.v[i] = old[k++];
            module_destroy(m);
            continue;
        }
        m->map.path = lk_arena_strdup(ms->arena, m->map.path);
        name_module(ms, m);
    }
    while (k < n_old)
        module_destroy(old[k++]);
    lk_free(old);
}

bool lk_modules_read(struct lk_modules *ms, bool *changed, struct lk_error *err)
{
    *changed = false;
    size_t n = 0;
    const struct lk_mapping *maps = lk_process_maps(ms->t, &n, err);
    if (!maps)
        return false;
    uint64_t h = hash_maps(maps, n);
    if (ms->list.n && h == ms->maps_hash)
        return true;
    ms->maps_hash = h;
    ms->last = NULL;
    build_table(ms, maps, n);
    *changed = true;
    return true;
}

void lk_modules_deinit(struct lk_modules *ms)
{
    for (size_t i = 0; i < ms->list.n; i++)
        module_destroy(ms->list.v[i]);
    lk_free(ms->list.v);
}

/* ---- ELF headers in memory ------------------------------------------------------------ */

static void read_build_id(struct lk_process *t, struct lk_module *m, const Elf64_Phdr *ph)
{
    uint8_t notes[MAX_NOTES];
    size_t n = LK_MIN(ph->p_filesz, sizeof notes);
    if (!m->build_id[0] && n && lk_read(t, m->bias + ph->p_vaddr, notes, n))
        lk_elf_build_id(notes, n, m->build_id);
}

static bool set_extent(struct lk_module *m, const Elf64_Phdr *ph, size_t n)
{
    bool first = true;
    for (size_t i = 0; i < n; i++) {
        if (ph[i].p_type != PT_LOAD)
            continue;
        uint64_t lo = ph[i].p_vaddr & ~(uint64_t)(LK_PAGE - 1);
        uint64_t hi = ph[i].p_vaddr + ph[i].p_memsz;
        if (hi < ph[i].p_vaddr)
            return false;
        if (first) {
            /* The mapping at base has file offset 0; only if this segment does too are they the
             * same. */
            if (ph[i].p_offset >= LK_PAGE)
                return false;
            m->bias = m->base - lo;
            m->lo = lo;
        }
        if (lo < m->lo)
            return false; /* gABI: PT_LOAD segments ascend by p_vaddr */
        m->hi = LK_MAX(m->hi, hi);
        first = false;
    }
    return !first;
}

/* Reads and checks the headers, once. */
static void load(struct lk_process *t, struct lk_module *m)
{
    Elf64_Phdr ph[MAX_PHDRS];
    Elf64_Ehdr e;
    if (m->headers_tried)
        return;
    m->headers_tried = true;
    if (m->map.offset != 0 || !lk_read(t, m->base, &e, sizeof e) ||
        !lk_elf_header_ok(&e, lk_process_arch(t)) || (e.e_type != ET_EXEC && e.e_type != ET_DYN) ||
        e.e_phentsize != sizeof ph[0] || e.e_phnum > MAX_PHDRS || e.e_phoff > UINT16_MAX ||
        !lk_read(t, m->base + e.e_phoff, ph, e.e_phnum * sizeof ph[0]) ||
        !set_extent(m, ph, e.e_phnum))
        return;
    m->elf = true;
    for (size_t i = 0; i < e.e_phnum; i++) {
        if (ph[i].p_type == PT_GNU_EH_FRAME) {
            m->eh_hdr = ph[i].p_vaddr;
            m->eh_hdr_size = ph[i].p_memsz;
        } else if (ph[i].p_type == PT_NOTE) {
            read_build_id(t, m, &ph[i]);
        }
    }
}

/* ---- looking up --------------------------------------------------------------------------- */

struct lk_module *lk_module_at(struct lk_modules *ms, lk_addr pc)
{
    struct lk_module *m = ms->last;
    if (!m || pc < m->base || pc >= m->end) {
        size_t lo = 0, hi = ms->list.n;
        while (lo < hi) {
            size_t mid = lo + (hi - lo) / 2;
            if (ms->list.v[mid]->base <= pc)
                lo = mid + 1;
            else
                hi = mid;
        }
        if (!lo || pc >= ms->list.v[lo - 1]->end)
            return NULL;
        m = ms->last = ms->list.v[lo - 1];
    }
    load(ms->t, m);
    return m;
}
