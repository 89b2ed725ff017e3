/*
 * file:line of native frames, by libdw. DWARF is a large and old parser's worth of input that the
 * target chose, so it is read in a short-lived helper process: whatever a broken file does there -
 * crash, endless loop, gigabytes - costs the line and nothing else. The helper can open no file
 * (libdw would follow .gnu_debugaltlink and .dwo names) and has limits on time and memory.
 */
#include "read/native/unwind/unwind_internal.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "read/native/elf/symbols.h"

#define MAX_ASKED     64    /* frames of one module in one call */
#define MAX_HELPERS   64    /* in the life of an unwinder */
#define MAX_UNITS     20000 /* compilation units searched when there is no .debug_aranges */
#define HELPER_MS     2000
#define HELPER_MEMORY (UINT64_C(1) << 30)
#define MAX_FILE_NAME 1000

struct answer {
    int32_t line; /* 0 = none */
    uint16_t n;
    char file[MAX_FILE_NAME];
};

/* ---- in the helper ----------------------------------------------------------------------------
 */

static void limit(int what, uint64_t value)
{
    const struct rlimit r = { value, value };
    setrlimit(what, &r);
}

static void confine(int elf_fd, int out)
{
    unsigned long pages = 0;
    for (int fd = 0; fd <= 2; fd++) /* libdw's complaints are nobody's business */
        if (fd != elf_fd && fd != out)
            close(fd);
    FILE *f = fopen("/proc/self/statm", "re");
    if (f) {
        /* on top of what we have: a sanitizer reserves terabytes */
        if (fscanf(f, "%lu", &pages) == 1)
            limit(RLIMIT_AS, (uint64_t)pages * LK_PAGE + HELPER_MEMORY);
        fclose(f);
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    limit(RLIMIT_CPU, 2);
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_NOFILE, 0);
}

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

static void find_line(Dwarf *dw, Dwarf_Addr pc, struct answer *ret)
{
    Dwarf_Die unit;
    int line = 0;
    if (!find_unit(dw, pc, &unit))
        return;
    Dwarf_Line *l = dwarf_getsrc_die(&unit, pc);
    const char *file = l ? dwarf_linesrc(l, NULL, NULL) : NULL;
    if (!file || dwarf_lineno(l, &line) || line <= 0)
        return;
    ret->line = line;
    ret->n = (uint16_t)strnlen(file, sizeof ret->file);
    memcpy(ret->file, file, ret->n);
}

static void helper(int elf_fd, int out, const uint64_t *pcs, size_t n)
{
    confine(elf_fd, out);
    elf_version(EV_CURRENT);
    Elf *elf = elf_begin(elf_fd, ELF_C_READ, NULL); /* reads, does not map: the file may shrink */
    Dwarf *dw = elf ? dwarf_begin_elf(elf, DWARF_C_READ, NULL) : NULL;
    for (size_t i = 0; dw && i < n; i++) {
        struct answer a = { 0 };
        find_line(dw, pcs[i], &a);
        if (write(out, &a, sizeof a) != (ssize_t)sizeof a)
            break;
    }
    _exit(0);
}

/* ---- in the caller ------------------------------------------------------------------------------
 */

/* Reads up to `size` bytes until the helper ends or its time is over. */
static size_t collect(int fd, void *buf, size_t size)
{
    uint64_t end = lk_now_ms() + HELPER_MS;
    size_t n = 0;
    while (n < size) {
        uint64_t now = lk_now_ms();
        struct pollfd p = { .fd = fd, .events = POLLIN };
        if (now >= end)
            break;
        int ready = poll(&p, 1, (int)(end - now));
        if (ready < 0 && errno == EINTR)
            continue;
        ssize_t got = ready > 0 ? read(fd, (char *)buf + n, size - n) : 0;
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        n += (size_t)got;
    }
    return n;
}

/* Fills the first answers; returns how many. */
static size_t ask(int elf_fd, const uint64_t *pcs, size_t n, struct answer *ret)
{
    int out[2];
    if (pipe2(out, O_CLOEXEC))
        return 0;
    pid_t pid = fork();
    if (pid == 0) {
        helper(elf_fd, out[1], pcs, n);
        _exit(1);
    }
    close(out[1]);
    size_t got = pid > 0 ? collect(out[0], ret, n * sizeof *ret) / sizeof *ret : 0;
    close(out[0]);
    if (pid > 0) {
        kill(pid, SIGKILL);
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    return got;
}

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

static void record(struct lk_unwinder *u, const struct lk_module *m, uint64_t vaddr,
                   const struct answer *a)
{
    struct lk_line_record *r = lk_vec_push(&u->lines);
    r->module_path = m->path;
    r->vaddr = vaddr;
    if (a && a->line > 0 && a->n <= sizeof a->file) {
        r->line = a->line;
        r->file = lk_text_clean(u->arena, a->file, a->n, MAX_FILE_NAME);
    }
    lk_map_put(&u->line_of, line_key(m, vaddr), u->lines.n - 1);
}

/* Looks up those of these addresses that nobody asked for before. */
static void resolve(struct lk_unwinder *u, struct lk_module *m, const uint64_t *vaddrs, size_t n)
{
    if (!m->lines_tried) {
        m->lines_tried = true;
        m->lines_fd = lk_module_open_section(u->t, m, ".debug_line");
    }
    if (m->lines_fd < 0 || !n || u->line_helpers >= MAX_HELPERS)
        return;
    u->line_helpers++;
    struct answer *answers = lk_xcalloc(n, sizeof *answers);
    size_t got = ask(m->lines_fd, vaddrs, n, answers);
    for (size_t i = 0; i < n; i++)
        record(u, m, vaddrs[i], i < got ? &answers[i] : NULL);
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

void lk_unwind_lines(struct lk_unwinder *u, struct lk_natstack *stack, struct lk_arena *a)
{
    struct lk_module *modules[LK_UNWIND_MAX];
    uint64_t asked[MAX_ASKED];
    size_t n = LK_MIN(stack->n, (uint32_t)LK_UNWIND_MAX);
    for (size_t i = 0; i < n; i++) {
        const struct lk_natframe *f = &stack->frames[i];
        modules[i] = f->system || f->file ? NULL : module_of(u, f);
    }
    for (size_t i = 0; i < n; i++) {
        struct lk_natframe *f = &stack->frames[i];
        size_t k = 0;
        if (!modules[i])
            continue;
        /* then all frames of this module at once */
        if (!recorded(u, modules[i], vaddr_of(stack, i))) {
            for (size_t j = i; j < n && k < MAX_ASKED; j++)
                if (modules[j] == modules[i] && !recorded(u, modules[j], vaddr_of(stack, j)))
                    asked[k++] = vaddr_of(stack, j);
            resolve(u, modules[i], asked, k);
        }
        const struct lk_line_record *r = recorded(u, modules[i], vaddr_of(stack, i));
        if (r && r->file) {
            f->file = lk_arena_strdup(a, r->file);
            f->line = r->line;
        }
    }
}
