/*
 * PT_DYNAMIC, DT_GNU_HASH and DT_HASH of a loaded file. Layouts: gABI, "Dynamic Section" and "Hash
 * Table"; GNU hash as glibc's elf/dl-lookup.c (check_match, do_lookup_x) and elf/dl-setup_hash.c
 * read it. Counts, chains and sections all have a bound.
 */
#include "read/native/elf/dynamic_symbol.h"

#include <string.h>
#include <unistd.h>

#include "process/elf_file.h"

enum {
    MAX_PHDRS = 128,
    MAX_DYN = 512,
    MAX_CHAIN = 1 << 16, /* steps in one hash chain */
    MAX_SYMBOLS = 1 << 22,
    MAX_SECTIONS = 4096,
    MAX_NAME = 128,
};

/* Reads at an address in the file's own terms. */
static bool elf_read(const struct lk_elf *e, uint64_t vaddr, void *buf, size_t n)
{
    if (e->fd < 0)
        return lk_read(e->t, e->bias + vaddr, buf, n);
    for (size_t i = 0; i < e->n_load; i++) {
        uint64_t in = vaddr - e->load[i].vaddr;
        if (vaddr >= e->load[i].vaddr && in < e->load[i].filesz && n <= e->load[i].filesz - in)
            return lk_elf_pread(e->fd, e->load[i].offset + in, buf, n);
    }
    return false;
}

static bool header_ok(const struct lk_elf *e, const Elf64_Ehdr *eh)
{
    return lk_elf_header_ok(eh, lk_process_arch(e->t)) && eh->e_phentsize == sizeof(Elf64_Phdr) &&
           eh->e_phnum > 0 && eh->e_phnum <= MAX_PHDRS;
}

/* Segments and the dynamic section's place. The program headers stand in the first page of every
 * file in practice. */
static bool read_segments(struct lk_elf *e)
{
    Elf64_Ehdr eh;
    Elf64_Phdr ph[MAX_PHDRS];
    bool have_base = false;
    uint64_t low = 0;

    bool got =
        e->fd < 0 ? lk_read(e->t, e->base, &eh, sizeof eh) : lk_elf_pread(e->fd, 0, &eh, sizeof eh);
    if (!got || !header_ok(e, &eh))
        return false;
    size_t n = eh.e_phnum * sizeof ph[0];
    if (eh.e_phoff > (1u << 20))
        return false;
    got = e->fd < 0 ? lk_read(e->t, e->base + eh.e_phoff, ph, n)
                    : lk_elf_pread(e->fd, eh.e_phoff, ph, n);
    if (!got)
        return false;
    e->n_load = 0;
    e->dyn = 0;
    for (size_t i = 0; i < eh.e_phnum; i++) {
        if (ph[i].p_type == PT_DYNAMIC) {
            e->dyn = ph[i].p_vaddr;
            e->dyn_size = ph[i].p_memsz;
        }
        if (ph[i].p_type != PT_LOAD)
            continue;
        if (!have_base || ph[i].p_vaddr < low)
            low = ph[i].p_vaddr;
        have_base = true;
        if (e->n_load < LK_ARRAY_LEN(e->load)) {
            e->load[e->n_load].vaddr = ph[i].p_vaddr;
            e->load[e->n_load].offset = ph[i].p_offset;
            e->load[e->n_load++].filesz = ph[i].p_filesz;
        }
    }
    e->bias = e->base - (low & ~(uint64_t)(LK_PAGE - 1));
    return have_base && e->dyn;
}

/* glibc has relocated these pointers in memory, other loaders and the file have not. */
static uint64_t own_terms(const struct lk_elf *e, uint64_t ptr)
{
    return ptr >= e->base && e->fd < 0 ? ptr - e->bias : ptr;
}

static bool read_dynamic(struct lk_elf *e)
{
    Elf64_Dyn d[MAX_DYN];
    size_t n = LK_MIN(e->dyn_size / sizeof d[0], (uint64_t)MAX_DYN);

    e->symtab = e->strtab = e->strsz = e->gnu_hash = e->sysv_hash = 0;
    if (n == 0 || !elf_read(e, e->dyn, d, n * sizeof d[0]))
        return false;
    for (size_t i = 0; i < n && d[i].d_tag != DT_NULL; i++) {
        uint64_t p = own_terms(e, d[i].d_un.d_ptr);
        switch (d[i].d_tag) {
        case DT_SYMTAB: e->symtab = p; break;
        case DT_STRTAB: e->strtab = p; break;
        case DT_GNU_HASH: e->gnu_hash = p; break;
        case DT_HASH: e->sysv_hash = p; break;
        case DT_STRSZ: e->strsz = d[i].d_un.d_val; break;
        default: break;
        }
    }
    return e->symtab && e->strtab && (e->gnu_hash || e->sysv_hash);
}

bool lk_elf_open(struct lk_elf *e, struct lk_process *t, const struct lk_mapping *m)
{
    memset(e, 0, sizeof *e);
    e->t = t;
    e->fd = -1;
    e->base = m->start;
    if (read_segments(e) && read_dynamic(e))
        return true;
    e->fd = lk_process_open_mapping(t, m, NULL);
    if (e->fd >= 0 && read_segments(e) && read_dynamic(e))
        return true;
    lk_elf_close(e);
    return false;
}

void lk_elf_close(struct lk_elf *e)
{
    lk_fd_close(e->fd);
    e->fd = -1;
}

/* Symbol i when it is defined and has this name. */
static bool symbol_is(const struct lk_elf *e, uint32_t i, const char *name, lk_addr *ret)
{
    Elf64_Sym sym;
    char buf[MAX_NAME];
    size_t n = strlen(name) + 1;

    if (!elf_read(e, e->symtab + (uint64_t)i * sizeof sym, &sym, sizeof sym) ||
        sym.st_shndx == SHN_UNDEF || !sym.st_value)
        return false;
    if (n > sizeof buf || !elf_read(e, e->strtab + sym.st_name, buf, n) ||
        memcmp(buf, name, n) != 0)
        return false;
    *ret = e->bias + sym.st_value;
    return true;
}

/* DT_GNU_HASH: 4 words, bloom words of 8 bytes, buckets, then one word a symbol from symoffset on:
 * its hash, whose low bit is set where a chain ends. */
struct gnu_hash {
    uint32_t nbuckets, symoffset;
    uint64_t buckets, chains; /* in the file's own terms */
};

static bool read_gnu_hash(const struct lk_elf *e, struct gnu_hash *ret)
{
    uint32_t head[4]; /* nbuckets, symoffset, bloom_size, bloom_shift */
    if (!e->gnu_hash || !elf_read(e, e->gnu_hash, head, sizeof head) || !head[0] ||
        head[0] > MAX_SYMBOLS || head[2] > MAX_SYMBOLS)
        return false;
    ret->nbuckets = head[0];
    ret->symoffset = head[1];
    ret->buckets = e->gnu_hash + sizeof head + (uint64_t)head[2] * 8;
    ret->chains = ret->buckets + (uint64_t)head[0] * 4;
    return true;
}

/* The word of symbol i, which is not below symoffset. */
static bool gnu_word(const struct lk_elf *e, const struct gnu_hash *g, uint32_t i, uint32_t *ret)
{
    return elf_read(e, g->chains + (uint64_t)(i - g->symoffset) * 4, ret, sizeof *ret);
}

static lk_addr find_gnu(const struct lk_elf *e, const char *name)
{
    struct gnu_hash g;
    uint32_t i, word, h = 5381;
    lk_addr ret;

    for (const char *c = name; *c; c++)
        h = h * 33 + (unsigned char)*c;
    if (!read_gnu_hash(e, &g) ||
        !elf_read(e, g.buckets + (uint64_t)(h % g.nbuckets) * 4, &i, sizeof i) || i < g.symoffset)
        return 0;
    for (uint32_t step = 0; step < MAX_CHAIN && i < MAX_SYMBOLS; step++, i++) {
        if (!gnu_word(e, &g, i, &word))
            return 0;
        if ((word | 1) == (h | 1) && symbol_is(e, i, name, &ret))
            return ret;
        if (word & 1)
            return 0;
    }
    return 0;
}

/* DT_HASH: nbucket, nchain, buckets[], chains[] (gABI, "Hash Table"). */
static lk_addr find_sysv(const struct lk_elf *e, const char *name)
{
    uint32_t head[2], i, h = 0;
    lk_addr ret;

    for (const char *c = name; *c; c++) {
        h = (h << 4) + (unsigned char)*c;
        uint32_t g = h & 0xf0000000u;
        h = (h ^ (g >> 24)) & ~g;
    }
    if (!elf_read(e, e->sysv_hash, head, sizeof head) || head[0] == 0)
        return 0;
    if (!elf_read(e, e->sysv_hash + 8 + (uint64_t)(h % head[0]) * 4, &i, 4))
        return 0;
    for (uint32_t step = 0; i != 0 && i < head[1] && step < MAX_CHAIN; step++) {
        if (symbol_is(e, i, name, &ret))
            return ret;
        if (!elf_read(e, e->sysv_hash + 8 + ((uint64_t)head[0] + i) * 4, &i, 4))
            return 0;
    }
    return 0;
}

lk_addr lk_elf_dynsym(const struct lk_elf *e, const char *name)
{
    return e->gnu_hash ? find_gnu(e, name) : find_sysv(e, name);
}

/* The chain that begins last ends with the last symbol. */
static uint32_t count_by_gnu_hash(const struct lk_elf *e)
{
    struct gnu_hash g;
    uint32_t last = 0, word;

    if (!read_gnu_hash(e, &g))
        return 0;
    for (uint32_t i = 0; i < g.nbuckets; i++) {
        if (!elf_read(e, g.buckets + (uint64_t)i * 4, &word, sizeof word))
            return 0;
        last = LK_MAX(last, word);
    }
    if (last < g.symoffset || last > MAX_SYMBOLS)
        return 0;
    for (uint32_t step = 0; step < MAX_CHAIN; step++, last++) {
        if (!gnu_word(e, &g, last, &word))
            return 0;
        if (word & 1)
            return last + 1;
    }
    return 0;
}

uint32_t lk_elf_dynsym_count(const struct lk_elf *e)
{
    uint32_t n; /* nchain, which is the number of symbols */

    if (e->sysv_hash && elf_read(e, e->sysv_hash + 4, &n, sizeof n))
        return n <= MAX_SYMBOLS ? n : 0;
    return count_by_gnu_hash(e);
}

/* Looks for a name in one SHT_SYMTAB section of an open file; its value in the file's own terms. */
static bool scan_symtab(int fd, const Elf64_Shdr *sym, const Elf64_Shdr *str, const char *name,
                        uint64_t min_size, uint64_t *ret)
{
    Elf64_Sym v[512];
    char buf[MAX_NAME];
    size_t len = strlen(name) + 1, total = sym->sh_size / sizeof v[0];

    for (size_t done = 0; done < total && len <= sizeof buf;) {
        size_t n = LK_MIN(total - done, LK_ARRAY_LEN(v));
        if (!lk_elf_pread(fd, sym->sh_offset + done * sizeof v[0], v, n * sizeof v[0]))
            return false;
        for (size_t i = 0; i < n; i++) {
            if (v[i].st_shndx == SHN_UNDEF || ELF64_ST_TYPE(v[i].st_info) != STT_OBJECT ||
                v[i].st_size < min_size || v[i].st_name >= str->sh_size)
                continue;
            if (lk_elf_pread(fd, str->sh_offset + v[i].st_name, buf, len) &&
                memcmp(buf, name, len) == 0) {
                *ret = v[i].st_value;
                return true;
            }
        }
        done += n;
    }
    return false;
}

static bool symtab_value(int fd, const char *name, uint64_t min_size, uint64_t *ret)
{
    Elf64_Ehdr eh;
    Elf64_Shdr sh, str;

    if (!lk_elf_pread(fd, 0, &eh, sizeof eh) || eh.e_shentsize != sizeof sh ||
        eh.e_shnum > MAX_SECTIONS)
        return false;
    for (uint64_t i = 0; i < eh.e_shnum; i++) {
        if (!lk_elf_pread(fd, eh.e_shoff + i * sizeof sh, &sh, sizeof sh))
            return false;
        if (sh.sh_type != SHT_SYMTAB || sh.sh_link >= eh.e_shnum)
            continue;
        return lk_elf_pread(fd, eh.e_shoff + (uint64_t)sh.sh_link * sizeof str, &str, sizeof str) &&
               scan_symtab(fd, &sh, &str, name, min_size, ret);
    }
    return false;
}

static lk_addr find_in_file(struct lk_process *t, const struct lk_mapping *m, const char *name,
                            uint64_t min_size)
{
    struct lk_elf e = { .t = t, .base = m->start };
    uint64_t value = 0;

    e.fd = lk_process_open_mapping(t, m, NULL);
    if (e.fd < 0)
        return 0;
    bool found = read_segments(&e) && symtab_value(e.fd, name, min_size, &value);
    lk_elf_close(&e);
    return found ? e.bias + value : 0;
}

lk_addr lk_elf_symtab(struct lk_process *t, const struct lk_mapping *m, const char *name,
                      uint64_t min_size)
{
    const struct lk_key key = { .n = (int64_t)m->start, .text = name };
    lk_addr ret = 0;
    int why;

    if (lk_process_recall(t, LK_FACT_SYMBOL_ADDRESS, &key, NULL, &ret, &why))
        return why ? 0 : ret;
    ret = find_in_file(t, m, name, min_size);
    lk_process_keep(t, LK_FACT_SYMBOL_ADDRESS, &key, 0, &ret);
    return ret;
}
