#include "read/native/elf/dynamic_symbol.h"

#include <elf.h>
#include <string.h>
#include <unistd.h>

enum {
    MAX_PHDRS = 64,
    MAX_DYN = 256,
    MAX_CHAIN = 1 << 16, /* steps in one hash chain */
    MAX_SECTIONS = 4096,
    MAX_NAME = 128,
};

static bool pread_all(int fd, uint64_t off, void *buf, size_t n)
{
    for (size_t done = 0; done < n;) {
        ssize_t got = pread(fd, (char *)buf + done, n - done, (off_t)(off + done));
        if (got <= 0)
            return false;
        done += (size_t)got;
    }
    return true;
}

/* Reads at an address in the file's own terms. */
static bool elf_read(const struct lk_elf *e, uint64_t vaddr, void *buf, size_t n)
{
    if (e->fd < 0)
        return lk_read(e->t, e->bias + vaddr, buf, n);
    for (size_t i = 0; i < e->n_load; i++) {
        uint64_t in = vaddr - e->load[i].vaddr;
        if (vaddr >= e->load[i].vaddr && in < e->load[i].filesz && n <= e->load[i].filesz - in)
            return pread_all(e->fd, e->load[i].offset + in, buf, n);
    }
    return false;
}

static bool header_ok(const Elf64_Ehdr *eh)
{
    return memcmp(eh->e_ident, ELFMAG, SELFMAG) == 0 && eh->e_ident[EI_CLASS] == ELFCLASS64 &&
           eh->e_ident[EI_DATA] == ELFDATA2LSB && eh->e_machine == EM_X86_64 &&
           eh->e_phentsize == sizeof(Elf64_Phdr) && eh->e_phnum > 0 && eh->e_phnum <= MAX_PHDRS;
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
        e->fd < 0 ? lk_read(e->t, e->base, &eh, sizeof eh) : pread_all(e->fd, 0, &eh, sizeof eh);
    if (!got || !header_ok(&eh))
        return false;
    size_t n = eh.e_phnum * sizeof ph[0];
    if (eh.e_phoff > (1u << 20))
        return false;
    got = e->fd < 0 ? lk_read(e->t, e->base + eh.e_phoff, ph, n)
                    : pread_all(e->fd, eh.e_phoff, ph, n);
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

    e->symtab = e->strtab = e->gnu_hash = e->sysv_hash = 0;
    if (n == 0 || !elf_read(e, e->dyn, d, n * sizeof d[0]))
        return false;
    for (size_t i = 0; i < n && d[i].d_tag != DT_NULL; i++) {
        uint64_t p = own_terms(e, d[i].d_un.d_ptr);
        switch (d[i].d_tag) {
        case DT_SYMTAB: e->symtab = p; break;
        case DT_STRTAB: e->strtab = p; break;
        case DT_GNU_HASH: e->gnu_hash = p; break;
        case DT_HASH: e->sysv_hash = p; break;
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
    if (e->fd >= 0)
        close(e->fd);
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

/* DT_GNU_HASH: nbuckets, symoffset, bloom_size, bloom_shift, bloom[], buckets[], chains[]; chain
 * ends at a set low bit. */
static lk_addr find_gnu(const struct lk_elf *e, const char *name)
{
    uint32_t head[4], bucket, h = 5381;
    lk_addr ret;

    for (const char *c = name; *c; c++)
        h = h * 33 + (unsigned char)*c;
    if (!elf_read(e, e->gnu_hash, head, sizeof head) || head[0] == 0)
        return 0;
    uint64_t buckets = e->gnu_hash + sizeof head + (uint64_t)head[2] * 8;
    uint64_t chains = buckets + (uint64_t)head[0] * 4;
    if (!elf_read(e, buckets + (uint64_t)(h % head[0]) * 4, &bucket, 4) || bucket < head[1])
        return 0;
    for (uint32_t step = 0; step < MAX_CHAIN; step++) {
        uint32_t i = bucket + step, hash;
        if (!elf_read(e, chains + (uint64_t)(i - head[1]) * 4, &hash, 4))
            return 0;
        if ((hash | 1) == (h | 1) && symbol_is(e, i, name, &ret))
            return ret;
        if (hash & 1)
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

/* Looks for a name in one SHT_SYMTAB section of an open file; its value in the file's own terms. */
static bool scan_symtab(int fd, const Elf64_Shdr *sym, const Elf64_Shdr *str, const char *name,
                        uint64_t min_size, uint64_t *ret)
{
    Elf64_Sym v[512];
    char buf[MAX_NAME];
    size_t len = strlen(name) + 1, total = sym->sh_size / sizeof v[0];

    for (size_t done = 0; done < total && len <= sizeof buf;) {
        size_t n = LK_MIN(total - done, LK_ARRAY_LEN(v));
        if (!pread_all(fd, sym->sh_offset + done * sizeof v[0], v, n * sizeof v[0]))
            return false;
        for (size_t i = 0; i < n; i++) {
            if (v[i].st_shndx == SHN_UNDEF || ELF64_ST_TYPE(v[i].st_info) != STT_OBJECT ||
                v[i].st_size < min_size || v[i].st_name >= str->sh_size)
                continue;
            if (pread_all(fd, str->sh_offset + v[i].st_name, buf, len) &&
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

    if (!pread_all(fd, 0, &eh, sizeof eh) || eh.e_shentsize != sizeof sh ||
        eh.e_shnum > MAX_SECTIONS)
        return false;
    for (uint64_t i = 0; i < eh.e_shnum; i++) {
        if (!pread_all(fd, eh.e_shoff + i * sizeof sh, &sh, sizeof sh))
            return false;
        if (sh.sh_type != SHT_SYMTAB || sh.sh_link >= eh.e_shnum)
            continue;
        return pread_all(fd, eh.e_shoff + (uint64_t)sh.sh_link * sizeof str, &str, sizeof str) &&
               scan_symtab(fd, &sh, &str, name, min_size, ret);
    }
    return false;
}

lk_addr lk_elf_symtab(struct lk_process *t, const struct lk_mapping *m, const char *name,
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
