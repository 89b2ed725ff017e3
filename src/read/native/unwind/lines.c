/*
 * file:line of native frames, and the functions that the compiler has put into them (DWARF 5
 * section 3.3.8, DW_TAG_inlined_subroutine), by libdw. DWARF is a large and old parser's worth of
 * input that the target chose, so it is read in a process of its own (confined.h), which can open
 * no file: libdw would follow .gnu_debugaltlink and .dwo names.
 */
#include "read/native/unwind/unwind_internal.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "read/native/elf/symbols.h"
#include "read/native/unwind/confined.h"

#define MAX_ASKED     128   /* addresses of one module in one call */
#define MAX_HELPERS   64    /* in the life of an unwinder */
#define MAX_UNITS     20000 /* compilation units searched when there is no .debug_aranges */
#define MAX_FILE_NAME 1000
#define MAX_ORIGINS   8  /* from one entry to the one that has the name */
#define MAX_INLINED   16 /* functions inside of one, at one address */

/* One function that stands at an address, the innermost first. */
struct answer {
    int32_t line; /* 0 = none */
    uint16_t n_file, n_name;
    bool outermost; /* the function itself; the others are inlined */
    char file[MAX_FILE_NAME], name[LK_MAX_SYMBOL_NAME];
};

/* ---- in a process of its own -------------------------------------------------------------- */

/* gcc writes .debug_aranges, clang does not. Split units are left out: their ranges stand in
 * another file. */
static bool find_unit(Dwarf *dw, Dwarf_Addr pc, Dwarf_Die *ret)
{
    Dwarf_CU *cu = NULL;
    uint8_t type;
    if (dwarf_addrdie(dw, pc, ret))
        return true;
    for (unsigned i = 0; i < MAX_UNITS && dwarf_get_units(dw, cu, &cu, NULL, &type, ret, NULL) == 0;
         i++)
        if (type == DW_UT_compile && dwarf_haspc(ret, pc) == 1)
            return true;
    return false;
}

/* Scopes at pc that belong to the function which is really there, innermost first; free(3) them.
 * dwarf_getscopes() alone goes on, from an inlined function, to where its source stands. */
static int find_scopes(Dwarf *dw, Dwarf_Die *unit, Dwarf_Addr pc, Dwarf_Die **ret)
{
    Dwarf_Die *scopes = NULL, innermost;
    const int n = dwarf_getscopes(unit, pc, &scopes);
    const bool found = n > 0 && dwarf_offdie(dw, dwarf_dieoffset(&scopes[0]), &innermost);
    free(scopes);
    return found ? dwarf_getscopes_die(&innermost, ret) : 0;
}

/* "app::Ledger::settle": of a function without a name for the linker, by the namespaces and classes
 * that it is declared in. Into to where there are any. */
static const char *qualified(Dwarf_Die *die, char *to, size_t size)
{
    Dwarf_Attribute a;
    Dwarf_Die at = *die, *scopes = NULL;
    const char *name = dwarf_diename(die);
    for (unsigned k = 0; k < MAX_ORIGINS && (dwarf_attr(&at, DW_AT_abstract_origin, &a) ||
                                             dwarf_attr(&at, DW_AT_specification, &a));
         k++)
        if (!dwarf_formref_die(&a, &at))
            return name;
    const int n = name ? dwarf_getscopes_die(&at, &scopes) : 0;
    size_t used = 0;
    for (int i = n; i-- > 1;) {
        const int tag = dwarf_tag(&scopes[i]);
        if (tag != DW_TAG_namespace && tag != DW_TAG_class_type && tag != DW_TAG_structure_type)
            continue;
        const char *part = dwarf_diename(&scopes[i]);
        const int more =
            snprintf(to + used, size - used, "%s::", part ? part : "(anonymous namespace)");
        used = LK_MIN(used + (size_t)LK_MAX(more, 0), size - 1);
    }
    free(scopes);
    if (!used)
        return name;
    snprintf(to + used, size - used, "%s", name);
    return to;
}

static const char *name_of(Dwarf_Die *die, char *to, size_t size)
{
    Dwarf_Attribute a;
    return dwarf_attr_integrate(die, DW_AT_linkage_name, &a) ||
                   dwarf_attr_integrate(die, DW_AT_MIPS_linkage_name, &a)
               ? dwarf_formstring(&a)
               : qualified(die, to, size);
}

static uint64_t number_of(Dwarf_Die *die, unsigned attribute)
{
    Dwarf_Attribute a;
    Dwarf_Word v;
    return dwarf_attr(die, attribute, &a) && !dwarf_formudata(&a, &v) ? v : 0;
}

static uint16_t copy(char *to, size_t size, const char *from)
{
    const size_t n = from ? strnlen(from, size) : 0;
    memcpy(to, from ? from : "", n);
    return (uint16_t)n;
}

static bool tell(int out, const char *name, const char *file, uint64_t line, bool outermost)
{
    struct answer a = { .outermost = outermost };
    a.line = file && line <= INT32_MAX ? (int32_t)line : 0;
    a.n_file = copy(a.file, sizeof a.file, file);
    a.n_name = copy(a.name, sizeof a.name, name);
    return write(out, &a, sizeof a) == (ssize_t)sizeof a;
}

/* The line at pc belongs to the innermost function, and where that is inlined, the place of its
 * call to the next one. */
static bool tell_functions(Dwarf *dw, Dwarf_Addr pc, int out)
{
    Dwarf_Die unit, *scopes = NULL;
    Dwarf_Files *files = NULL;
    size_t n_files = 0;
    int line = 0;
    char buf[LK_MAX_SYMBOL_NAME];
    if (!find_unit(dw, pc, &unit))
        return tell(out, NULL, NULL, 0, true);
    Dwarf_Line *l = dwarf_getsrc_die(&unit, pc);
    const char *file = l ? dwarf_linesrc(l, NULL, NULL) : NULL, *name = NULL;
    uint64_t at = l && !dwarf_lineno(l, &line) && line > 0 ? (uint64_t)line : 0;
    const int n = find_scopes(dw, &unit, pc, &scopes);
    dwarf_getsrcfiles(&unit, &files, &n_files);
    bool ok = true;
    for (int i = 0, inlined = 0; i < n && ok && !name; i++) {
        const int tag = dwarf_tag(&scopes[i]);
        if (tag == DW_TAG_inlined_subroutine && inlined++ < MAX_INLINED) {
            ok = tell(out, name_of(&scopes[i], buf, sizeof buf), file, at, false);
            const uint64_t from = number_of(&scopes[i], DW_AT_call_file);
            file = from < n_files ? dwarf_filesrc(files, from, NULL, NULL) : NULL;
            at = number_of(&scopes[i], DW_AT_call_line);
        } else if (tag == DW_TAG_subprogram) {
            name = name_of(&scopes[i], buf, sizeof buf);
        }
    }
    ok = ok && tell(out, name, at ? file : NULL, at, true);
    free(scopes);
    return ok;
}

struct question {
    int elf_fd;
    const uint64_t *pcs;
    size_t n;
};

static void answer_all(int out, void *arg)
{
    const struct question *q = arg;
    elf_version(EV_CURRENT);
    Elf *elf =
        elf_begin(q->elf_fd, ELF_C_READ, NULL); /* reads, does not map: the file may shrink */
    Dwarf *dw = elf ? dwarf_begin_elf(elf, DWARF_C_READ, NULL) : NULL;
    for (size_t i = 0; dw && i < q->n && tell_functions(dw, q->pcs[i], out); i++)
        ;
}

/* ---- in the caller ------------------------------------------------------------------------- */

static uint64_t line_key(const struct lk_module *m, uint64_t vaddr)
{
    return lk_hash_u64(lk_hash_u64(LK_HASH_INIT, (uintptr_t)m->path), vaddr);
}

static const struct lk_line_record *recorded(const struct lk_unwinder *u, const struct lk_module *m,
                                             uint64_t vaddr)
{
    uint64_t i;
    if (!lk_map_get(&u->line_of, line_key(m, vaddr), &i))
        return NULL;
    const struct lk_line_record *r = &u->lines.v[i];
    return r->module_path == m->path && r->vaddr == vaddr ? r : NULL;
}

/* "/usr/bin/../lib/gcc" is where "/usr/lib/gcc" is, but for symbolic links, and easier to read. */
static void shorten(char *path)
{
    char *to = path;
    const char *from = path;
    while (*from) {
        const size_t n = 1 + strcspn(from + 1, "/");
        if (to > path && n == 3 && !strncmp(from, "/..", 3)) {
            while (to > path && *--to != '/')
                ;
        } else if (!(n == 1 && from[1]) && !(n == 2 && !strncmp(from, "/.", 2))) {
            memmove(to, from, n);
            to += n;
        }
        from += n;
    }
    *to = '\0';
}

static void keep_function(struct lk_unwinder *u, const struct answer *a)
{
    struct lk_source_function *f = lk_vec_push(&u->functions);
    char name[2 * LK_MAX_SYMBOL_NAME];
    if (a->line > 0 && a->n_file <= sizeof a->file) {
        char *file = lk_text_clean(u->arena, a->file, a->n_file, MAX_FILE_NAME);
        if (*file == '/')
            shorten(file);
        f->line = a->line;
        f->file = file;
    }
    if (!a->n_name || a->n_name > sizeof a->name)
        return;
    snprintf(name, sizeof name, "%.*s", (int)a->n_name, a->name);
    lk_demangle(name, sizeof name);
    f->name = lk_text_clean(u->arena, name, strlen(name), LK_MAX_SYMBOL_NAME);
}

static struct lk_key line_fact(const struct lk_module *m, uint64_t vaddr)
{
    return (struct lk_key){ .n = (int64_t)m->base, .m = (int64_t)vaddr };
}

static struct lk_line_record *enter(struct lk_unwinder *u, const struct lk_module *m,
                                    uint64_t vaddr)
{
    struct lk_line_record *r = lk_vec_push(&u->lines);
    r->module_path = m->path;
    r->vaddr = vaddr;
    r->first = u->functions.n;
    lk_map_put(&u->line_of, line_key(m, vaddr), u->lines.n - 1);
    return r;
}

static void recall(struct lk_unwinder *u, const struct lk_module *m, uint64_t vaddr)
{
    const struct lk_key key = line_fact(m, vaddr);
    struct lk_functions_fact known = { 0 };
    int why;
    struct lk_line_record *r = enter(u, m, vaddr);
    if (!lk_process_recall(u->t, LK_FACT_FUNCTIONS, &key, u->arena, &known, &why) || why ||
        known.n > MAX_INLINED + 1)
        return;
    r->n = known.n;
    for (size_t i = 0; i < known.n; i++) {
        const struct lk_function_fact *f = &known.v[i];
        struct lk_source_function *to = lk_vec_push(&u->functions);
        to->name =
            f->name ? lk_text_clean(u->arena, f->name, strlen(f->name), LK_MAX_SYMBOL_NAME) : NULL;
        to->file =
            f->file ? lk_text_clean(u->arena, f->file, strlen(f->file), MAX_FILE_NAME) : NULL;
        to->line = f->line;
    }
}

static void keep(struct lk_unwinder *u, const struct lk_module *m, const struct lk_line_record *r)
{
    const struct lk_key key = line_fact(m, r->vaddr);
    struct lk_function_fact v[MAX_INLINED + 1];
    for (size_t i = 0; i < r->n; i++) {
        const struct lk_source_function *f = &u->functions.v[r->first + i];
        v[i] = (struct lk_function_fact){ f->name, f->file, f->line };
    }
    lk_process_keep(u->t, LK_FACT_FUNCTIONS, &key, 0, &(struct lk_functions_fact){ v, r->n });
}

static bool has_lines(struct lk_unwinder *u, struct lk_module *m)
{
    if (lk_process_recalls(u->t))
        return true;
    if (!m->lines_tried) {
        m->lines_tried = true;
        m->lines_fd = lk_module_open_section(u->t, m, ".debug_line");
    }
    return m->lines_fd >= 0;
}

/* The functions at one address, of n answers; how many of these were used. None: nothing is known.
 */
static size_t record(struct lk_unwinder *u, const struct lk_module *m, uint64_t vaddr,
                     const struct answer *a, size_t n)
{
    size_t used = 0;
    while (used < n && used <= MAX_INLINED && !a[used].outermost)
        used++;
    used = used < n && a[used].outermost ? used + 1 : 0;
    enter(u, m, vaddr)->n = used;
    for (size_t i = 0; i < used; i++)
        keep_function(u, &a[i]);
    keep(u, m, &u->lines.v[u->lines.n - 1]);
    return used;
}

/* Looks up those of these addresses that nobody asked for before. */
static void resolve(struct lk_unwinder *u, struct lk_module *m, const uint64_t *vaddrs, size_t n)
{
    for (size_t i = 0; lk_process_recalls(u->t) && i < n; i++)
        recall(u, m, vaddrs[i]);
    if (lk_process_recalls(u->t) || !has_lines(u, m) || !n || u->line_helpers >= MAX_HELPERS)
        return;
    u->line_helpers++;
    const size_t max = n * (MAX_INLINED + 1);
    struct answer *answers = lk_xcalloc(max, sizeof *answers);
    struct question q = { m->lines_fd, vaddrs, n };
    const size_t got =
        lk_confined(answer_all, &q, q.elf_fd, answers, max * sizeof *answers) / sizeof *answers;
    for (size_t i = 0, at = 0; i < n; i++)
        at += record(u, m, vaddrs[i], answers + at, got - at);
    if (!got) { /* it crashed or ran out of time: not with this file again */
        lk_fd_close(m->lines_fd);
        m->lines_fd = -1;
    }
    lk_free(answers);
}

static struct lk_module *module_of(struct lk_unwinder *u, const struct lk_natframe *f)
{
    for (size_t i = 0; f->module_path && i < u->modules.list.n; i++)
        if (!strcmp(u->modules.list.v[i]->path, f->module_path))
            return u->modules.list.v[i];
    return NULL;
}

/* A return address belongs to the line of the call before it; the innermost pc is where it stands.
 */
static uint64_t vaddr_of(const struct lk_natstack *s, size_t i)
{
    return s->frames[i].offset - (i > 0);
}

/* Enters what is known of each frame, and the functions inlined into it as frames before it. */
static void expand(struct lk_unwinder *u, struct lk_natstack *stack,
                   struct lk_module *const *modules, struct lk_arena *a)
{
    const struct lk_natframe *old = stack->frames;
    struct lk_natframe *to;
    size_t n = 0;
    const struct lk_line_record *known[LK_UNWIND_MAX] = { NULL };
    for (size_t i = 0; i < stack->n; i++) {
        known[i] = modules[i] ? recorded(u, modules[i], vaddr_of(stack, i)) : NULL;
        n += known[i] && known[i]->n ? known[i]->n : 1;
    }
    stack->frames = to = lk_arena_array(a, n, sizeof *to);
    for (size_t i = 0; i < stack->n; i++) {
        const size_t functions = known[i] ? known[i]->n : 0;
        for (size_t k = 0; k < LK_MAX(functions, (size_t)1); k++, to++) {
            const struct lk_source_function *f =
                functions ? &u->functions.v[known[i]->first + k] : NULL;
            *to = old[i];
            if (!f)
                continue;
            to->file = f->file ? lk_arena_strdup(a, f->file) : NULL;
            to->line = f->line;
            to->inlined = k + 1 < functions;
            if (f->name && (to->inlined || !to->function))
                to->function = lk_arena_strdup(a, f->name);
        }
    }
    stack->n = (uint32_t)n;
}

/* Stacks to be described, each once, and the addresses of one module that are to be asked for. */
struct job {
    struct lk_unwinder *u;
    struct lk_map module_of; /* pointer of its path in the stacks' arena -> module */
    struct lk_map stacks, modules;
    LK_VEC(struct lk_natstack *) list;
    struct lk_module *module;
    uint64_t vaddrs[MAX_ASKED];
    size_t n;
    struct lk_map seen; /* of vaddrs */
};

static struct lk_module *module_at(struct job *b, const struct lk_natframe *f)
{
    uint64_t v;
    if (f->system || !f->module_path)
        return NULL;
    if (!lk_map_get(&b->module_of, (uintptr_t)f->module_path, &v)) {
        struct lk_module *m = module_of(b->u, f);
        v = m && has_lines(b->u, m) ? (uintptr_t)m : 0;
        lk_map_put(&b->module_of, (uintptr_t)f->module_path, v);
    }
    return (struct lk_module *)(uintptr_t)v;
}

static void ask_all(struct job *b)
{
    resolve(b->u, b->module, b->vaddrs, b->n);
    b->n = 0;
    lk_map_clear(&b->seen);
}

static void gather(struct job *b, const struct lk_natstack *s)
{
    for (size_t i = 0; i < s->n; i++) {
        const uint64_t vaddr = vaddr_of(s, i);
        const struct lk_module *m = module_at(b, &s->frames[i]);
        if (!m || m != b->module || recorded(b->u, m, vaddr) || !lk_map_add(&b->seen, vaddr, 0))
            continue;
        b->vaddrs[b->n++] = vaddr;
        if (b->n == MAX_ASKED)
            ask_all(b);
    }
}

/* A module is asked for all stacks at once: to begin to read its debug information is what costs
 * most. */
static void ask_module(struct job *b, struct lk_module *m)
{
    b->module = m;
    for (size_t i = 0; i < b->list.n; i++)
        gather(b, b->list.v[i]);
    ask_all(b);
}

void lk_unwind_lines(struct lk_unwinder *u, struct lk_natstack *const *stacks, size_t n,
                     struct lk_arena *a)
{
    struct lk_module *modules[LK_UNWIND_MAX], *m;
    struct job *b = lk_xcalloc(1, sizeof *b);
    b->u = u;
    for (size_t i = 0; i < n; i++)
        if (!stacks[i]->has_lines && stacks[i]->n <= LK_UNWIND_MAX &&
            lk_map_add(&b->stacks, (uintptr_t)stacks[i], 0))
            lk_vec_add(&b->list, stacks[i]); /* NOLINT(bugprone-sizeof-expression) */
    for (size_t i = 0; i < b->list.n; i++)
        for (size_t k = 0; k < b->list.v[i]->n; k++)
            if ((m = module_at(b, &b->list.v[i]->frames[k])) &&
                lk_map_add(&b->modules, (uintptr_t)m, 0))
                ask_module(b, m);
    for (size_t i = 0; i < b->list.n; i++) {
        struct lk_natstack *s = b->list.v[i];
        s->has_lines = true;
        for (size_t k = 0; k < s->n; k++)
            modules[k] = module_at(b, &s->frames[k]);
        expand(u, s, modules, a);
    }
    lk_map_deinit(&b->module_of);
    lk_map_deinit(&b->stacks);
    lk_map_deinit(&b->modules);
    lk_map_deinit(&b->seen);
    lk_free(b->list.v);
    lk_free(b);
}
