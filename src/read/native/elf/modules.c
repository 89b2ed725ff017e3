#include "read/native/unwind/unwind_internal.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_PHDRS      128
#define MAX_NOTES      4096
#define MAX_DYNAMIC    512
#define MAX_HASH_CHAIN 65536
#define MAX_DYNSYMS    (1u << 22)

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

static void name_module(struct lk_unwinder *u, struct lk_module *m)
{
    static const char deleted[] = " (deleted)";
    size_t n = strlen(m->map.path);
    if (lk_ends_with(m->map.path, deleted))
        n -= sizeof deleted - 1;
    m->path = lk_text_clean(u->arena, m->map.path, n, 1024);
    const char *slash = strrchr(m->path, '/');
    m->name = slash ? slash + 1 : m->path;
    m->system = is_system(m->name, m->path);
}

static void module_destroy(struct lk_module *m)
{
    lk_symtab_destroy(m->symbols);
    if (m->lines_fd >= 0)
        close(m->lines_fd);
    free(m);
}

/*
 * A module begins at a mapping of file offset 0 and reaches over the later mappings of the same
 * file: ld.so maps one segment after the other, upwards (a second copy of the library begins with
 * offset 0 again). A file whose first mapping has another offset gets a module without headers, so
 * that its name can still be shown.
 */
static void group_mappings(struct lk_unwinder *u, const struct lk_mapping *maps, size_t n)
{
    struct lk_module *m = NULL;
    for (size_t i = 0; i < n; i++) {
        const struct lk_mapping *p = &maps[i];
        if (!is_file(p))
            continue;
        if (!m || p->offset == 0 || !same_file(&m->map, p)) {
            if (m && !m->exec) { /* data files are no modules */
                u->modules.n--;
                module_destroy(m);
            }
            m = lk_xcalloc(1, sizeof *m);
            m->base = p->start;
            m->map = *p;
            m->lines_fd = -1;
            /* NOLINTNEXTLINE(bugprone-sizeof-expression): pointers are what it holds */
            lk_vec_add(&u->modules, m);
        }
        m->end = p->end;
        m->exec |= p->prot[2] == 'x';
    }
    if (m && !m->exec) {
        u->modules.n--;
        module_destroy(m);
    }
}

/* The old module is this new one, unmoved: it keeps its symbol tables. */
static bool same_module(const struct lk_module *a, const struct lk_module *b)
{
    return a->base == b->base && a->end == b->end && a->map.offset == b->map.offset &&
           same_file(&a->map, &b->map);
}

static void build_table(struct lk_unwinder *u, const struct lk_mapping *maps, size_t n)
{
    struct lk_module **old = u->modules.v;
    size_t n_old = u->modules.n, k = 0;
    u->modules.v = NULL;
    u->modules.n = u->modules.cap = 0;
    group_mappings(u, maps, n);
    for (size_t i = 0; i < u->modules.n; i++) {
        struct lk_module *m = u->modules.v[i];
        while (k < n_old && old[k]->base < m->base)
            module_destroy(old[k++]);
        if (k < n_old && same_module(old[k], m)) {
            u->modules.v[i] = old[k++];
            module_destroy(m);
            continue;
        }
        m->map.path = lk_arena_strdup(u->arena, m->map.path);
        name_module(u, m);
    }
    while (k < n_old)
        module_destroy(old[k++]);
    free(old);
}

bool lk_modules_read(struct lk_unwinder *u, struct lk_error *err)
{
    size_t n = 0;
    const struct lk_mapping *maps = lk_process_maps(u->t, &n, err);
    if (!maps)
        return false;
    uint64_t h = hash_maps(maps, n);
    if (u->modules.n && h == u->maps_hash)
        return true;
    u->maps_hash = h;
    u->last = NULL;
    build_table(u, maps, n);
    lk_unwind_forget_rows(u);
    return true;
}

void lk_modules_deinit(struct lk_unwinder *u)
{
    for (size_t i = 0; i < u->modules.n; i++)
        module_destroy(u->modules.v[i]);
    free(u->modules.v);
}

struct lk_module *lk_module_at(struct lk_unwinder *u, lk_addr pc)
{
    struct lk_module *m = u->last;
    if (!m || pc < m->base || pc >= m->end) {
        size_t lo = 0, hi = u->modules.n;
        while (lo < hi) {
            size_t mid = lo + (hi - lo) / 2;
            if (u->modules.v[mid]->base <= pc)
                lo = mid + 1;
            else
                hi = mid;
        }
        if (!lo || pc >= u->modules.v[lo - 1]->end)
            return NULL;
        m = u->last = u->modules.v[lo - 1];
    }
    lk_module_load(u, m);
    return m;
}

/* ---- ELF headers in memory ------------------------------------------------------------ */

bool lk_elf_header_ok(const Elf64_Ehdr *e)
{
    return !memcmp(e->e_ident, ELFMAG, SELFMAG) && e->e_ident[EI_CLASS] == ELFCLASS64 &&
           e->e_ident[EI_DATA] == ELFDATA2LSB && e->e_machine == EM_X86_64;
}

bool lk_notes_build_id(const uint8_t *p, size_t n, char ret[2 * 64 + 1])
{
    for (size_t at = 0; n - at >= sizeof(Elf64_Nhdr);) {
        Elf64_Nhdr h;
        memcpy(&h, p + at, sizeof h);
        at += sizeof h;
        size_t name = ((size_t)h.n_namesz + 3) & ~(size_t)3,
               desc = ((size_t)h.n_descsz + 3) & ~(size_t)3;
        if (name > n - at || desc > n - at - name)
            return false;
        if (h.n_type == NT_GNU_BUILD_ID && h.n_namesz == 4 && !memcmp(p + at, "GNU", 4) &&
            h.n_descsz > 0 && h.n_descsz <= 64) {
            for (size_t i = 0; i < h.n_descsz; i++) {
                static const char hex[] = "0123456789abcdef";
                ret[2 * i] = hex[p[at + name + i] >> 4];
                ret[2 * i + 1] = hex[p[at + name + i] & 15];
            }
            ret[2 * h.n_descsz] = '\0';
            return true;
        }
        at += name + desc;
    }
    return false;
}

static void read_build_id(struct lk_unwinder *u, struct lk_module *m, const Elf64_Phdr *ph)
{
    uint8_t notes[MAX_NOTES];
    size_t n = LK_MIN(ph->p_filesz, sizeof notes);
    if (!m->build_id[0] && n && lk_read(u->t, m->bias + ph->p_vaddr, notes, n))
        lk_notes_build_id(notes, n, m->build_id);
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

bool lk_module_load(struct lk_unwinder *u, struct lk_module *m)
{
    Elf64_Phdr ph[MAX_PHDRS];
    Elf64_Ehdr e;
    if (m->headers_tried)
        return m->elf;
    m->headers_tried = true;
    if (m->map.offset != 0 || !lk_read(u->t, m->base, &e, sizeof e) || !lk_elf_header_ok(&e) ||
        (e.e_type != ET_EXEC && e.e_type != ET_DYN) || e.e_phentsize != sizeof ph[0] ||
        e.e_phnum > MAX_PHDRS || e.e_phoff > UINT16_MAX ||
        !lk_read(u->t, m->base + e.e_phoff, ph, e.e_phnum * sizeof ph[0]) ||
        !set_extent(m, ph, e.e_phnum))
        return false;
    m->elf = true;
    m->type = e.e_type;
    for (size_t i = 0; i < e.e_phnum; i++) {
        if (ph[i].p_type == PT_INTERP) {
            m->interp = true;
        } else if (ph[i].p_type == PT_GNU_EH_FRAME) {
            m->eh_hdr = ph[i].p_vaddr;
            m->eh_hdr_size = ph[i].p_memsz;
        } else if (ph[i].p_type == PT_DYNAMIC) {
            m->dynamic = ph[i].p_vaddr;
            m->dynamic_size = ph[i].p_memsz;
        } else if (ph[i].p_type == PT_NOTE) {
            read_build_id(u, m, &ph[i]);
        }
    }
    return true;
}

/* ---- dynamic symbols in memory ---------------------------------------------------------- */

bool lk_module_dynamic(struct lk_unwinder *u, const struct lk_module *m, struct lk_dynamic *ret)
{
    Elf64_Dyn dyn[MAX_DYNAMIC];
    size_t n = LK_MIN(m->dynamic_size / sizeof dyn[0], (uint64_t)MAX_DYNAMIC);
    memset(ret, 0, sizeof *ret);
    if (!m->elf || !n || !lk_read(u->t, m->bias + m->dynamic, dyn, n * sizeof dyn[0]))
        return false;
    for (size_t i = 0; i < n && dyn[i].d_tag != DT_NULL; i++) {
        uint64_t v = dyn[i].d_un.d_val;
        /* glibc relocates these pointers in place, musl and the vdso leave vaddrs. */
        lk_addr p = v < m->base ? v + m->bias : v;
        switch (dyn[i].d_tag) {
        case DT_SYMTAB: ret->symtab = p; break;
        case DT_STRTAB: ret->strtab = p; break;
        case DT_GNU_HASH: ret->gnu_hash = p; break;
        case DT_HASH: ret->hash = p; break;
        case DT_STRSZ: ret->strsz = v; break;
        default: break;
        }
    }
    return ret->symtab && ret->strtab;
}

/* Layout of DT_GNU_HASH: 4 words, bloom words of 8 bytes, buckets, one chain word a symbol from
 * symoffset on. */
struct gnu_hash {
    uint32_t nbuckets, symoffset, bloom_size, bloom_shift;
    lk_addr buckets, chains;
};

static bool read_gnu_hash(struct lk_unwinder *u, const struct lk_dynamic *d, struct gnu_hash *g)
{
    if (!d->gnu_hash || !lk_read(u->t, d->gnu_hash, g, 16) || !g->nbuckets ||
        g->nbuckets > MAX_DYNSYMS || g->bloom_size > MAX_DYNSYMS)
        return false;
    g->buckets = d->gnu_hash + 16 + (uint64_t)g->bloom_size * 8;
    g->chains = g->buckets + (uint64_t)g->nbuckets * 4;
    return true;
}

uint32_t lk_dynamic_count(struct lk_unwinder *u, const struct lk_dynamic *d)
{
    struct gnu_hash g;
    uint32_t last = 0, word = 0;
    if (d->hash && lk_read_u32(u->t, d->hash + 4, &word)) /* nbucket, nchain = number of symbols */
        return word <= MAX_DYNSYMS ? word : 0;
    if (!read_gnu_hash(u, d, &g))
        return 0;
    for (uint32_t i = 0; i < g.nbuckets; i++) {
        if (!lk_read_u32(u->t, g.buckets + (uint64_t)i * 4, &word))
            return 0;
        last = LK_MAX(last, word);
    }
    if (last < g.symoffset || last > MAX_DYNSYMS)
        return 0;
    for (unsigned steps = 0; steps < MAX_HASH_CHAIN; steps++, last++) {
        if (!lk_read_u32(u->t, g.chains + (uint64_t)(last - g.symoffset) * 4, &word))
            return 0;
        if (word & 1)
            return last + 1;
    }
    return 0;
}

static bool symbol_matches(struct lk_unwinder *u, const struct lk_dynamic *d, uint32_t index,
                           const char *name, Elf64_Sym *ret)
{
    char text[256];
    size_t n = strlen(name) + 1;
    return n <= sizeof text &&
           lk_read(u->t, d->symtab + (uint64_t)index * sizeof *ret, ret, sizeof *ret) &&
           ret->st_shndx != SHN_UNDEF && ret->st_value &&
           lk_read(u->t, d->strtab + ret->st_name, text, n) && !memcmp(text, name, n);
}

static bool find_by_gnu_hash(struct lk_unwinder *u, const struct lk_dynamic *d, const char *name,
                             Elf64_Sym *ret)
{
    struct gnu_hash g;
    uint32_t h = 5381, index, word;
    if (!read_gnu_hash(u, d, &g))
        return false;
    for (const unsigned char *p = (const unsigned char *)name; *p; p++)
        h = h * 33 + *p;
    if (!lk_read_u32(u->t, g.buckets + (uint64_t)(h % g.nbuckets) * 4, &index) ||
        index < g.symoffset)
        return false;
    for (unsigned steps = 0; steps < MAX_HASH_CHAIN && index < MAX_DYNSYMS; steps++, index++) {
        if (!lk_read_u32(u->t, g.chains + (uint64_t)(index - g.symoffset) * 4, &word))
            return false;
        if ((word | 1) == (h | 1) && symbol_matches(u, d, index, name, ret))
            return true;
        if (word & 1)
            return false;
    }
    return false;
}

static bool find_by_sysv_hash(struct lk_unwinder *u, const struct lk_dynamic *d, const char *name,
                              Elf64_Sym *ret)
{
    uint32_t head[2], h = 0, index; /* nbucket, nchain */
    if (!d->hash || !lk_read(u->t, d->hash, head, sizeof head) || !head[0] || head[0] > MAX_DYNSYMS)
        return false;
    for (const unsigned char *p = (const unsigned char *)name; *p; p++) {
        h = (h << 4) + *p;
        uint32_t top = h & 0xf0000000;
        h = (h ^ top >> 24) & ~top;
    }
    lk_addr buckets = d->hash + 8, chains = buckets + (uint64_t)head[0] * 4;
    if (!lk_read_u32(u->t, buckets + (uint64_t)(h % head[0]) * 4, &index))
        return false;
    for (unsigned steps = 0; steps < MAX_HASH_CHAIN && index && index < head[1]; steps++) {
        if (symbol_matches(u, d, index, name, ret))
            return true;
        if (!lk_read_u32(u->t, chains + (uint64_t)index * 4, &index))
            return false;
    }
    return false;
}

static bool find_dynamic_symbol(struct lk_unwinder *u, const struct lk_module *m, const char *name,
                                lk_addr *ret, uint64_t *size)
{
    struct lk_dynamic d;
    Elf64_Sym sym;
    if (!lk_module_dynamic(u, m, &d) ||
        (!find_by_gnu_hash(u, &d, name, &sym) && !find_by_sysv_hash(u, &d, name, &sym)))
        return false;
    *ret = m->bias + sym.st_value;
    if (size)
        *size = sym.st_size;
    return true;
}

/*
 * The executable lies below all libraries on x86-64, both ET_EXEC and PIE (mmap_base is above). A
 * library mapped lower still (MAP_32BIT) is told from it by PT_INTERP; libc.so.6 has one too but no
 * such place.
 */
static struct lk_module *main_executable(struct lk_unwinder *u)
{
    struct lk_module *lowest = NULL;
    for (size_t i = 0; i < u->modules.n; i++) {
        struct lk_module *m = u->modules.v[i];
        if (!lk_module_load(u, m))
            continue;
        if (m->interp || m->type == ET_EXEC)
            return m;
        if (!lowest)
            lowest = m;
    }
    return lowest;
}

bool lk_unwinder_symbol(struct lk_unwinder *u, const char *module_prefix, const char *symbol,
                        lk_addr *ret, uint64_t *size)
{
    if (!module_prefix) {
        struct lk_module *m = main_executable(u);
        return m && find_dynamic_symbol(u, m, symbol, ret, size);
    }
    for (size_t i = 0; i < u->modules.n; i++) {
        struct lk_module *m = u->modules.v[i];
        if (lk_starts_with(m->name, module_prefix) && lk_module_load(u, m) &&
            find_dynamic_symbol(u, m, symbol, ret, size))
            return true;
    }
    return false;
}
