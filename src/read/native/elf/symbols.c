/*
 * Function names: one sorted table a module, built when its first pc is asked for, of fixed-size
 * entries; the strings stay in the file and are read when wanted. Files are read with pread and
 * never mapped: one that is truncated meanwhile gives a short read, not SIGBUS.
 */
#include "read/native/elf/symbols.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "process/budget.h"
#include "read/native/elf/dynamic_symbol.h"
#include "util/text.h"

#define MAX_FILE      (UINT64_C(1) << 30) /* larger files get no names */
#define MAX_SYMBOLS   (1u << 22)          /* entries of one symbol table of a file */
#define MAX_FUNCTIONS (1u << 21)          /* a module with more gets no names */
#define MAX_SECTIONS  4096
#define MAX_SHSTR     (1u << 20)
#define MAX_BACK      32   /* symbols looked at below a pc */
#define CHUNK         1024 /* symbols read at once */

/* ---- bytes of an ELF image ---------------------------------------------------------------- */

/* A file, or an image in the target's memory (vdso, or a module whose file cannot be opened). */
struct source {
    int fd; /* -1: memory at base */
    lk_addr base;
    uint64_t size;
};

struct sections {
    Elf64_Shdr *v;
    size_t n, names; /* names: index of the section name table */
};

/* A symbol table: entries in one place, strings in another. */
struct table {
    struct source src;
    uint64_t at, n;
    uint64_t strings, strings_size;
};

static bool read_source(struct lk_process *t, const struct source *s, uint64_t off, void *buf,
                        size_t n)
{
    if (n > s->size || off > s->size - n)
        return false;
    if (lk_process_spent(t))
        return false;
    if (s->fd < 0)
        return lk_read(t, s->base + off, buf, n);
    return lk_elf_pread(s->fd, off, buf, n);
}

/* Takes over fd. */
static bool file_source(int fd, struct source *ret)
{
    struct stat st;
    *ret = (struct source){ .fd = -1 };
    if (fd < 0)
        return false;
    if (fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_size <= 0 ||
        (uint64_t)st.st_size > MAX_FILE) {
        lk_fd_close(fd);
        return false;
    }
    *ret = (struct source){ .fd = fd, .size = (uint64_t)st.st_size };
    return true;
}

static bool read_sections(struct lk_process *t, const struct source *s, struct sections *ret)
{
    Elf64_Ehdr e;
    *ret = (struct sections){ 0 };
    if (!read_source(t, s, 0, &e, sizeof e) || !lk_elf_header_ok(&e, lk_process_arch(t)) ||
        e.e_shentsize != sizeof *ret->v || !e.e_shnum || e.e_shnum > MAX_SECTIONS)
        return false;
    ret->v = lk_xmalloc(e.e_shnum * sizeof *ret->v);
    ret->n = e.e_shnum;
    ret->names = e.e_shstrndx;
    if (read_source(t, s, e.e_shoff, ret->v, ret->n * sizeof *ret->v))
        return true;
    lk_free(ret->v);
    *ret = (struct sections){ 0 };
    return false;
}

static const Elf64_Shdr *section_named(struct lk_process *t, const struct source *s,
                                       const struct sections *secs, const char *name)
{
    char text[64];
    size_t n = strlen(name) + 1;
    if (secs->names >= secs->n || n > sizeof text)
        return NULL;
    for (size_t i = 0; i < secs->n; i++)
        if (secs->v[i].sh_name < MAX_SHSTR && secs->v[i].sh_type != SHT_NOBITS &&
            read_source(t, s, secs->v[secs->names].sh_offset + secs->v[i].sh_name, text, n) &&
            !memcmp(text, name, n))
            return &secs->v[i];
    return NULL;
}

static bool source_build_id(struct lk_process *t, const struct source *s,
                            const struct sections *secs, char ret[LK_BUILD_ID_HEX])
{
    uint8_t notes[4096];
    for (size_t i = 0; i < secs->n; i++) {
        size_t n = LK_MIN(secs->v[i].sh_size, sizeof notes);
        if (secs->v[i].sh_type == SHT_NOTE && read_source(t, s, secs->v[i].sh_offset, notes, n) &&
            lk_elf_build_id(notes, n, ret))
            return true;
    }
    return false;
}

/* ---- opening files -------------------------------------------------------------------------- */

/*
 * The module's own file. What was mapped may have been overwritten in place since: the ELF header
 * must be the one in memory (it holds the place of the section table), else names would be those of
 * another build.
 */
static bool open_module_file(struct lk_process *t, const struct lk_module *m, struct source *ret)
{
    struct lk_error ignored;
    Elf64_Ehdr mapped, e;
    if (!file_source(lk_process_open_mapping(t, &m->map, &ignored), ret))
        return false;
    if (lk_read(t, m->base, &mapped, sizeof mapped) && read_source(t, ret, 0, &e, sizeof e) &&
        !memcmp(&mapped, &e, sizeof e))
        return true;
    lk_fd_close(ret->fd);
    *ret = (struct source){ .fd = -1 };
    return false;
}

/* Opens a candidate for the module's debug file; only one with the same build id is it. */
static bool open_debug_at(struct lk_process *t, const struct lk_module *m, const char *path,
                          struct source *ret, struct sections *secs)
{
    struct lk_error ignored;
    char id[LK_BUILD_ID_HEX];
    if (!file_source(lk_process_open_path(t, path, &ignored), ret))
        return false;
    if (read_sections(t, ret, secs)) {
        if (source_build_id(t, ret, secs, id) && !strcmp(id, m->build_id))
            return true;
        lk_free(secs->v);
        *secs = (struct sections){ 0 };
    }
    lk_fd_close(ret->fd);
    *ret = (struct source){ .fd = -1 };
    return false;
}

/* .gnu_debuglink of the module's file: a bare file name; looked for where gdb looks. */
static bool open_debuglink(struct lk_process *t, const struct lk_module *m,
                           const struct source *own, const struct sections *own_secs,
                           struct source *ret, struct sections *secs)
{
    static const struct {
        const char *before, *after;
    } places[] = { { "", "/" }, { "", "/.debug/" }, { "/usr/lib/debug", "/" } };
    const Elf64_Shdr *link = section_named(t, own, own_secs, ".gnu_debuglink");
    char name[256] = "", path[1600];
    const char *slash = strrchr(m->map.path, '/');
    if (!link || !slash || link->sh_size < 2 ||
        !read_source(t, own, link->sh_offset, name, LK_MIN(link->sh_size, sizeof name - 1)) ||
        !name[0] || strchr(name, '/'))
        return false;
    for (size_t i = 0; i < LK_ARRAY_LEN(places); i++) {
        int n = snprintf(path, sizeof path, "%s%.*s%s%s", places[i].before,
                         (int)(slash - m->map.path), m->map.path, places[i].after, name);
        if (n > 0 && (size_t)n < sizeof path && open_debug_at(t, m, path, ret, secs))
            return true;
    }
    return false;
}

static bool open_debug_file(struct lk_process *t, const struct lk_module *m,
                            const struct source *own, const struct sections *own_secs,
                            struct source *ret, struct sections *secs)
{
    char path[256];
    *ret = (struct source){ .fd = -1 };
    *secs = (struct sections){ 0 };
    if (strlen(m->build_id) < 4)
        return false;
    snprintf(path, sizeof path, "/usr/lib/debug/.build-id/%.2s/%s.debug", m->build_id,
             m->build_id + 2);
    return open_debug_at(t, m, path, ret, secs) ||
           (own && open_debuglink(t, m, own, own_secs, ret, secs));
}

int lk_module_open_section(struct lk_process *t, struct lk_module *m, const char *section)
{
    struct source own, debug;
    struct sections secs = { 0 }, debug_secs = { 0 };
    int ret = -1;
    bool have = open_module_file(t, m, &own) && read_sections(t, &own, &secs);
    if (have && section_named(t, &own, &secs, section)) {
        ret = own.fd;
        own.fd = -1;
    } else if (open_debug_file(t, m, have ? &own : NULL, &secs, &debug, &debug_secs)) {
        if (section_named(t, &debug, &debug_secs, section))
            ret = debug.fd;
        else
            lk_fd_close(debug.fd);
    }
    lk_fd_close(own.fd);
    lk_free(secs.v);
    lk_free(debug_secs.v);
    return ret;
}

/* ---- the table ------------------------------------------------------------------------ */

struct symbol {
    uint32_t rel;  /* vaddr - symtab.lo */
    uint32_t size; /* never 0 in a finished table */
    uint32_t name; /* offset in its table's strings */
    uint8_t table;
    /* guessed: the symbol has no size, it is taken to reach up to the next one */
    bool local, guessed;
};

#define MAX_TABLES 3

struct lk_symtab {
    LK_VEC(struct symbol) v; /* sorted by rel */
    uint64_t lo;
    struct table tables[MAX_TABLES];
    size_t n_tables;
    int fds[2];
};

static void add_symbol(struct lk_symtab *s, const struct lk_module *m, const struct sections *secs,
                       const Elf64_Sym *sym)
{
    unsigned type = ELF64_ST_TYPE(sym->st_info);
    if ((type != STT_FUNC && type != STT_GNU_IFUNC) || sym->st_shndx == SHN_UNDEF ||
        sym->st_value < m->lo || sym->st_value >= m->hi || sym->st_value - m->lo > UINT32_MAX ||
        !sym->st_name)
        return;
    uint64_t size = LK_MIN(sym->st_size, m->hi - sym->st_value);
    bool guessed = !size;
    if (guessed) { /* up to the end of its section for now */
        if (sym->st_shndx >= secs->n)
            return;
        const Elf64_Shdr *sec = &secs->v[sym->st_shndx];
        if (sym->st_value < sec->sh_addr || sym->st_value - sec->sh_addr >= sec->sh_size)
            return;
        size = sec->sh_addr + sec->sh_size - sym->st_value;
    }
    struct symbol *f = lk_vec_push(&s->v);
    f->rel = (uint32_t)(sym->st_value - m->lo);
    f->size = (uint32_t)LK_MIN(size, (uint64_t)UINT32_MAX);
    f->name = sym->st_name;
    f->table = (uint8_t)(s->n_tables - 1);
    f->local = ELF64_ST_BIND(sym->st_info) == STB_LOCAL;
    f->guessed = guessed;
}

static void add_table(struct lk_process *t, struct lk_symtab *s, const struct lk_module *m,
                      const struct table *table, const struct sections *secs)
{
    Elf64_Sym chunk[CHUNK] = { 0 };
    if (s->n_tables == MAX_TABLES || !table->n || table->n > MAX_SYMBOLS)
        return;
    s->tables[s->n_tables++] = *table;
    for (uint64_t i = 0; i < table->n; i += CHUNK) {
        size_t n = LK_MIN(table->n - i, (uint64_t)CHUNK);
        if (!read_source(t, &table->src, table->at + i * sizeof chunk[0], chunk,
                         n * sizeof chunk[0]))
            return;
        for (size_t k = 0; k < n && s->v.n < MAX_FUNCTIONS; k++)
            add_symbol(s, m, secs, &chunk[k]);
    }
}

/* Adds the section of this type (SHT_SYMTAB or SHT_DYNSYM); false when there is none. */
static bool add_section(struct lk_process *t, struct lk_symtab *s, const struct lk_module *m,
                        const struct source *src, const struct sections *secs, uint32_t type)
{
    for (size_t i = 0; i < secs->n; i++) {
        const Elf64_Shdr *h = &secs->v[i];
        if (h->sh_type != type || h->sh_entsize != sizeof(Elf64_Sym) || h->sh_link >= secs->n)
            continue;
        const Elf64_Shdr *strings = &secs->v[h->sh_link];
        const struct table table = { .src = *src,
                                     .at = h->sh_offset,
                                     .n = h->sh_size / sizeof(Elf64_Sym),
                                     .strings = strings->sh_offset,
                                     .strings_size = strings->sh_size };
        add_table(t, s, m, &table, secs);
        return true;
    }
    return false;
}

/* .dynsym as the dynamic linker sees it, for a module whose file is out of reach. */
static void add_dynamic(struct lk_process *t, struct lk_symtab *s, const struct lk_module *m)
{
    static const struct sections none;
    struct lk_elf e;
    if (!lk_elf_open(&e, t, &m->map))
        return;
    /* In this source an offset is an address in the file's own terms. */
    const struct table table = { .src = { .fd = -1, .base = e.bias, .size = UINT64_MAX },
                                 .at = e.symtab,
                                 .n = e.fd < 0 ? lk_elf_dynsym_count(&e) : 0,
                                 .strings = e.strtab,
                                 .strings_size = e.strsz };
    lk_elf_close(&e);
    add_table(t, s, m, &table, &none);
}

/* By address; those of one address stay in the order of their tables. Least digits first: a table
 * of ten thousands is sorted in a tenth of qsort's time. */
static void sort(struct lk_symtab *s)
{
    enum { BITS = 11, DIGITS = 1 << BITS, PASSES = 3 };
    struct symbol *from = s->v.v, *to = lk_xmalloc(s->v.n * sizeof *to);
    for (unsigned pass = 0; pass < PASSES; pass++) {
        size_t at[DIGITS + 1] = { 0 };
        const unsigned shift = pass * BITS;
        for (size_t i = 0; i < s->v.n; i++)
            at[(from[i].rel >> shift & (DIGITS - 1)) + 1]++;
        for (size_t d = 0; d < DIGITS; d++)
            at[d + 1] += at[d];
        for (size_t i = 0; i < s->v.n; i++)
            to[at[from[i].rel >> shift & (DIGITS - 1)]++] = from[i];
        struct symbol *const other = from;
        from = to;
        to = other;
    }
    s->v.v = from;
    s->v.cap = s->v.n;
    lk_free(to);
}

static void finish(struct lk_symtab *s)
{
    if (s->v.n >= MAX_FUNCTIONS)
        s->v.n = 0; /* half a table would name the wrong neighbours */
    if (s->v.n)
        sort(s);
    uint32_t next = UINT32_MAX; /* least address above the run of equal ones */
    for (size_t i = s->v.n; i-- > 0;) {
        struct symbol *f = &s->v.v[i];
        if (i + 1 < s->v.n && s->v.v[i + 1].rel > f->rel)
            next = s->v.v[i + 1].rel;
        if (f->guessed)
            f->size = LK_MIN(f->size, next - f->rel);
    }
}

static struct lk_symtab *build(struct lk_process *t, struct lk_module *m)
{
    struct lk_symtab *s = lk_xcalloc(1, sizeof *s);
    struct source own, debug = { .fd = -1 };
    struct sections secs = { 0 }, debug_secs = { 0 };
    s->lo = m->lo;
    bool file = open_module_file(t, m, &own) && read_sections(t, &own, &secs);
    if (!file && !strcmp(m->map.path, "[vdso]")) { /* the kernel maps this image whole */
        own = (struct source){ .fd = -1, .base = m->base, .size = m->end - m->base };
        file = read_sections(t, &own, &secs);
    }
    if (!file || !add_section(t, s, m, &own, &secs, SHT_SYMTAB)) {
        if (!file || !add_section(t, s, m, &own, &secs, SHT_DYNSYM))
            add_dynamic(t, s, m);
        if (open_debug_file(t, m, file ? &own : NULL, &secs, &debug, &debug_secs))
            add_section(t, s, m, &debug, &debug_secs, SHT_SYMTAB);
    }
    finish(s);
    s->fds[0] = own.fd;
    s->fds[1] = debug.fd;
    lk_free(secs.v);
    lk_free(debug_secs.v);
    return s;
}

void lk_symtab_destroy(struct lk_symtab *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < LK_ARRAY_LEN(s->fds); i++)
        lk_fd_close(s->fds[i]);
    lk_free(s->v.v);
    lk_free(s);
}

/* ---- names ---------------------------------------------------------------------------------- */

static bool read_name(struct lk_process *t, const struct lk_symtab *s, const struct symbol *f,
                      char *ret, size_t max)
{
    const struct table *table = &s->tables[f->table];
    if (f->name >= table->strings_size)
        return false;
    /* A name at the end of the strings, or of a page of them, is shorter than max. */
    for (size_t n = LK_MIN(table->strings_size - f->name, (uint64_t)max - 1); n; n /= 2) {
        if (!read_source(t, &table->src, table->strings + f->name, ret, n))
            continue;
        ret[n] = '\0';
        return ret[0] != '\0';
    }
    return false;
}

static size_t leading_underscores(const char *s)
{
    return strspn(s, "_");
}

/* Of the names of one address: exported ones first, then those without leading underscores, then
 * the shorter. */
static bool is_better(const struct symbol *a, const char *an, const struct symbol *b,
                      const char *bn)
{
    if (a->guessed != b->guessed)
        return b->guessed;
    if (a->local != b->local)
        return b->local;
    size_t au = leading_underscores(an), bu = leading_underscores(bn);
    if (au != bu)
        return au < bu;
    size_t al = strlen(an), bl = strlen(bn);
    return al != bl ? al < bl : strcmp(an, bn) < 0;
}

/* The function nearest below rel that reaches over it; the first of those with its address. */
static const struct symbol *containing(const struct lk_symtab *s, uint32_t rel)
{
    size_t lo = 0, hi = s->v.n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (s->v.v[mid].rel <= rel)
            lo = mid + 1;
        else
            hi = mid;
    }
    for (unsigned back = 0; lo > 0 && back < MAX_BACK; back++) {
        const struct symbol *f = &s->v.v[--lo];
        if (rel - f->rel < f->size)
            return f;
    }
    return NULL;
}

static bool best_name(struct lk_process *t, const struct lk_symtab *s, const struct symbol *f,
                      uint32_t rel, char *ret)
{
    const struct symbol *best = NULL;
    char text[LK_MAX_SYMBOL_NAME + 1];
    size_t i = (size_t)(f - s->v.v);
    for (unsigned n = 0; n < MAX_BACK; n++) {
        const struct symbol *c = &s->v.v[i];
        if (rel - c->rel < c->size && read_name(t, s, c, text, sizeof text) &&
            (!best || is_better(c, text, best, ret))) {
            best = c;
            memcpy(ret, text, sizeof text);
        }
        if (!i || s->v.v[i - 1].rel != f->rel)
            break;
        i--;
    }
    return best != NULL;
}

/* gcc's clones of a function, and symbol versions, say nothing to a reader of stacks. */
static void strip_suffixes(char *name)
{
    static const char *const suffixes[] = { "@",      ".lto_priv.", ".constprop.", ".isra.",
                                            ".part.", ".cold",      ".localalias", ".llvm." };
    for (size_t i = 0; i < LK_ARRAY_LEN(suffixes); i++) {
        char *p = strstr(name, suffixes[i]);
        if (p && p != name)
            *p = '\0';
    }
}

static bool recall_symbol(struct lk_process *t, const struct lk_key *key,
                          struct lk_symbol_name *ret)
{
    struct lk_arena *a = lk_arena_create();
    struct lk_symbol_fact f = { 0 };
    int why;
    const bool known =
        lk_process_recall(t, LK_FACT_SYMBOL, key, a, &f, &why) && !why && f.name != NULL;
    if (known) {
        snprintf(ret->text, sizeof ret->text, "%s", f.name);
        ret->offset = f.offset;
    }
    lk_arena_destroy(a);
    return known;
}

static bool find_symbol(struct lk_process *t, struct lk_module *m, uint64_t vaddr,
                        struct lk_symbol_name *ret)
{
    if (!m->symbols)
        m->symbols = build(t, m);
    uint32_t rel = (uint32_t)(vaddr - m->lo);
    const struct symbol *f = containing(m->symbols, rel);
    if (!f || !best_name(t, m->symbols, f, rel, ret->text))
        return false;
    ret->offset = rel - f->rel;
    strip_suffixes(ret->text);
    return true;
}

bool lk_symbol_find(struct lk_process *t, struct lk_module *m, uint64_t vaddr,
                    struct lk_symbol_name *ret)
{
    const struct lk_key key = { .n = (int64_t)m->base, .m = (int64_t)vaddr };
    if (!m->elf || vaddr < m->lo || vaddr >= m->hi || vaddr - m->lo > UINT32_MAX)
        return false;
    if (lk_process_recalls(t))
        return recall_symbol(t, &key, ret);
    lk_process_aside(t);
    const bool found = find_symbol(t, m, vaddr, ret);
    lk_process_aside_end(t);
    const struct lk_symbol_fact f = { ret->text, ret->offset };
    lk_process_keep(t, LK_FACT_SYMBOL, &key, found ? 0 : ENOENT, &f);
    return found;
}
