/*
 * A file is identified by the note NT_GNU_BUILD_ID (ld's --build-id) that its first page brings
 * into every core: the kernel dumps the first page of ELF files (fs/coredump.c, vma_dump_size),
 * gdb's gcore the whole mapping. Where there is no such page no file is taken to be the one.
 */
#include "process/core/files.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "process/core/debuginfod.h"
#include "process/elf_file.h"
#include "process/regular_file.h"
#include "util/map.h"
#include "util/text.h"

enum { MAX_PHDRS = 128, MAX_NOTES = 4096, MAX_FILES = 4096, MAX_SHOWN = 300 };

/* One file, by its path; what of it is mapped first has its headers. */
struct file {
    const char *path; /* raw, without " (deleted)" */
    const char *shown;
    lk_addr base;             /* of the piece with offset 0; 0 none */
    char id[LK_BUILD_ID_HEX]; /* "" not in the core */
    struct {
        uint64_t start, end; /* in the file's own addresses, whole pages */
        uint32_t flags;
    } load[16]; /* upwards */
    size_t n_load;
    bool tried;
    int fd; /* -1 none */
    struct lk_error why;
};

struct lk_core_files {
    struct lk_arena *arena;
    const struct lk_core_image *core;
    struct lk_core_places places;
    LK_VEC(struct file) v;
    struct lk_map by_path; /* digest -> index */
    size_t program;        /* SIZE_MAX not known */
};

/* ---- headers ------------------------------------------------------------------------------ */

/* n bytes at an offset of a file: of the file itself, or of its first piece in the core. */
struct source {
    const struct lk_core_image *core;
    lk_addr base;
    int fd;
};

static bool take(const struct source *s, uint64_t offset, void *buf, size_t n)
{
    if (s->fd >= 0)
        return lk_elf_pread(s->fd, offset, buf, n);
    return s->base && lk_core_bytes(s->core, s->base + offset, buf, n) == n;
}

/* The note stands in the first page, or at least in the first piece: before all code. */
static void take_id(const struct source *s, const Elf64_Phdr *ph, char id[LK_BUILD_ID_HEX])
{
    uint8_t notes[MAX_NOTES];
    const size_t n = LK_MIN(ph->p_filesz, sizeof notes);
    if (!id[0] && n && take(s, ph->p_offset, notes, n))
        lk_elf_build_id(notes, n, id);
}

static bool read_headers(const struct source *s, Elf64_Phdr ph[MAX_PHDRS], size_t *n)
{
    Elf64_Ehdr e;
    if (!take(s, 0, &e, sizeof e) || !lk_elf_header_ok(&e, s->core->arch) ||
        e.e_phentsize != sizeof ph[0] || e.e_phnum > MAX_PHDRS ||
        !take(s, e.e_phoff, ph, e.e_phnum * sizeof ph[0]))
        return false;
    *n = e.e_phnum;
    return true;
}

static bool build_id(const struct source *s, char id[LK_BUILD_ID_HEX])
{
    Elf64_Phdr ph[MAX_PHDRS];
    size_t n = 0;
    id[0] = '\0';
    if (!read_headers(s, ph, &n))
        return false;
    for (size_t i = 0; i < n; i++)
        if (ph[i].p_type == PT_NOTE)
            take_id(s, &ph[i], id);
    return id[0] != '\0';
}

static void read_loads(struct file *f, const struct source *s)
{
    Elf64_Phdr ph[MAX_PHDRS];
    size_t n = 0;
    if (f->n_load || !read_headers(s, ph, &n))
        return;
    for (size_t i = 0; i < n && f->n_load < LK_ARRAY_LEN(f->load); i++) {
        if (ph[i].p_type != PT_LOAD)
            continue;
        f->load[f->n_load].start = ph[i].p_vaddr & ~(uint64_t)(LK_PAGE - 1);
        f->load[f->n_load].end = ph[i].p_vaddr + ph[i].p_memsz;
        f->load[f->n_load++].flags = ph[i].p_flags;
    }
}

/* ---- the list ------------------------------------------------------------------------------ */

static const char *bare_path(struct lk_arena *a, const char *path)
{
    static const char deleted[] = " (deleted)";
    const size_t n = strlen(path);
    return lk_ends_with(path, deleted) ? lk_arena_strndup(a, path, n - (sizeof deleted - 1)) : path;
}

static uint64_t key_of(const char *path)
{
    return lk_hash_str(LK_HASH_INIT, path);
}

static struct file *file_of(struct lk_core_files *f, const struct lk_core_mapped *m)
{
    uint64_t at;
    return lk_map_get(&f->by_path, key_of(m->path), &at) ? &f->v.v[at] : NULL;
}

static void add_mapped(struct lk_core_files *f, const struct lk_core_mapped *m)
{
    struct file *file = file_of(f, m);
    if (!file) {
        if (f->v.n >= MAX_FILES || m->path[0] != '/')
            return;
        lk_map_put(&f->by_path, key_of(m->path), f->v.n);
        file = lk_vec_push(&f->v);
        file->fd = -1;
        file->path = bare_path(f->arena, m->path);
        file->shown = lk_text_clean(f->arena, file->path, strlen(file->path), MAX_SHOWN);
    }
    const struct source s = { .core = f->core, .base = m->start, .fd = -1 };
    if (m->offset == 0 && !file->base) {
        file->base = m->start;
        build_id(&s, file->id);
        read_loads(file, &s);
    }
}

struct lk_core_files *lk_core_files_create(const struct lk_core_image *c,
                                           const struct lk_core_places *places)
{
    struct lk_core_files *f = lk_xcalloc(1, sizeof *f);
    f->arena = lk_arena_create();
    f->core = c;
    f->places = *places;
    f->places.exe = places->exe ? lk_arena_strdup(f->arena, places->exe) : NULL;
    f->places.sysroot = places->sysroot ? lk_arena_strdup(f->arena, places->sysroot) : NULL;
    f->program = SIZE_MAX;
    for (size_t i = 0; i < c->mapped.n; i++)
        add_mapped(f, &c->mapped.v[i]);
    /* Where its program headers or its first instruction are is the program. */
    const uint64_t marks[] = { lk_core_auxv(c, AT_PHDR), lk_core_auxv(c, AT_ENTRY) };
    for (size_t i = 0; i < LK_ARRAY_LEN(marks) && f->program == SIZE_MAX; i++) {
        const struct lk_core_mapped *m = marks[i] ? lk_core_mapped_at(c, marks[i]) : NULL;
        const struct file *file = m ? file_of(f, m) : NULL;
        f->program = file ? (size_t)(file - f->v.v) : SIZE_MAX;
    }
    return f;
}

void lk_core_files_destroy(struct lk_core_files *f)
{
    if (!f)
        return;
    for (size_t i = 0; i < f->v.n; i++)
        lk_fd_close(f->v.v[i].fd);
    lk_free(f->v.v);
    lk_map_deinit(&f->by_path);
    lk_arena_destroy(f->arena);
    lk_free(f);
}

const char *lk_core_program(const struct lk_core_files *f)
{
    return f->program < f->v.n ? f->v.v[f->program].path : NULL;
}

int lk_core_program_fd(const struct lk_core_files *f)
{
    return f->program < f->v.n ? f->v.v[f->program].fd : -1;
}

/* ---- opening ------------------------------------------------------------------------------- */

static int open_below(const char *root, const char *path)
{
    struct stat st;
    const int dir = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    const int fd = dir < 0 ? -1 : lk_reopen_regular(lk_open_in_root(dir, path), &st);
    const int saved = errno;
    if (dir >= 0)
        close(dir);
    errno = saved;
    return lk_fd_hold(fd);
}

/* The file is the one that was mapped; else it is closed and why is said. */
static bool is_the_one(const struct lk_core_files *f, struct file *file, int fd, const char *place)
{
    char id[LK_BUILD_ID_HEX];
    const struct source s = { .core = f->core, .fd = fd };
    if (!build_id(&s, id))
        lk_error_set(&file->why, LK_ERR_BAD_DATA,
                     "%s has no build id, the core's %s has %s: it is not used", place,
                     lk_base_name(file->shown), file->id);
    else if (strcmp(id, file->id) == 0)
        return true;
    else
        lk_error_set(&file->why, LK_ERR_BAD_DATA,
                     "%s is another file: its build id is %s, the core's %s has %s", place, id,
                     lk_base_name(file->shown), file->id);
    lk_fd_close(fd);
    return false;
}

static bool try_place(const struct lk_core_files *f, struct file *file, const char *root)
{
    char place[MAX_SHOWN + 512];
    const int fd = open_below(root, file->path);
    snprintf(place, sizeof place, "%s%s", strcmp(root, "/") == 0 ? "" : root, file->shown);
    if (fd < 0) {
        if (!file->why.code)
            lk_error_os(&file->why, errno, "%s, which the core leaves out", place);
        return false;
    }
    file->fd = is_the_one(f, file, fd, place) ? fd : -1;
    return file->fd >= 0;
}

static bool try_exe(const struct lk_core_files *f, struct file *file)
{
    struct stat st;
    const char *exe = f->places.exe;
    const int fd = lk_fd_hold(lk_reopen_regular(open(exe, O_PATH | O_CLOEXEC), &st));
    if (fd < 0)
        return lk_error_os(&file->why, errno, "%s", exe);
    file->fd = is_the_one(f, file, fd, exe) ? fd : -1;
    return file->fd >= 0;
}

/* A server that does not answer is asked once, not for each library. */
static bool try_debuginfod(struct lk_core_files *f, struct file *file)
{
    bool late;
    const int fd = lk_fd_hold(lk_debuginfod_find(file->id, &late));
    f->places.debuginfod = !late;
    if (fd < 0)
        return false;
    file->fd = is_the_one(f, file, fd, "what debuginfod gave") ? fd : -1;
    return file->fd >= 0;
}

static void look_for(struct lk_core_files *f, struct file *file)
{
    file->tried = true;
    if (!file->id[0]) {
        lk_error_set(&file->why, LK_ERR_BAD_DATA,
                     "%s: its build id is not in the core, so no file can be told to be it",
                     file->shown);
        return;
    }
    const bool found =
        (f->places.exe && f->program < f->v.n && file == &f->v.v[f->program] && try_exe(f, file)) ||
        (f->places.sysroot && try_place(f, file, f->places.sysroot)) || try_place(f, file, "/") ||
        (f->places.debuginfod && try_debuginfod(f, file));
    if (!found)
        return;
    const struct source s = { .core = f->core, .fd = file->fd };
    read_loads(file, &s);
    file->why = (struct lk_error){ 0 };
}

/* What has no id is no ELF file, or its first page is not in the core: of the latter kind only
 * those with code matter. */
void lk_core_files_look(struct lk_core_files *f)
{
    for (size_t i = 0; i < f->v.n; i++)
        if (!f->v.v[i].tried && f->v.v[i].id[0])
            look_for(f, &f->v.v[i]);
}

int lk_core_file_at(struct lk_core_files *f, const struct lk_core_mapped *m, struct lk_error *err)
{
    struct file *file = file_of(f, m);
    if (file && !file->tried)
        look_for(f, file);
    if (file && file->fd >= 0)
        return file->fd;
    if (file && err)
        *err = file->why;
    else
        lk_error_set(err, LK_ERR_BAD_DATA, "what is mapped there is no file");
    return -1;
}

uint32_t lk_core_file_flags(struct lk_core_files *f, const struct lk_core_mapped *m)
{
    struct file *file = file_of(f, m);
    if (file && !file->n_load && file->id[0])
        (void)lk_core_file_at(f, m, NULL);
    for (size_t i = 0; file && file->base && i < file->n_load; i++) {
        const uint64_t in = m->start - file->base + file->load[0].start;
        if (in >= file->load[i].start && in < file->load[i].end)
            return file->load[i].flags;
    }
    return 0;
}

bool lk_core_files_check(struct lk_core_files *f, struct lk_error *err)
{
    if (!f->places.exe)
        return true;
    if (f->program >= f->v.n)
        return lk_error_set(err, LK_ERR_BAD_DATA,
                            "%s: which program the core is of is not in the core", f->places.exe);
    struct file *file = &f->v.v[f->program];
    if (!file->id[0])
        look_for(f, file);
    else if (try_exe(f, file))
        file->tried = true;
    if (file->fd >= 0)
        return true;
    *err = file->why;
    return false;
}

/* ---- what the process names ---------------------------------------------------------------- */

/*
 * A core may be another user's, who chose the name: what only we may read is not shown to whoever
 * reads the report. And what has been changed since is not what ran.
 */
static bool may_be_shown(const struct lk_core_files *f, const struct stat *st)
{
    return ((st->st_mode & S_IROTH) || st->st_uid == f->places.owner ||
            f->places.owner == geteuid()) &&
           st->st_mtime <= f->places.written;
}

int lk_core_open_path(const struct lk_core_files *f, const char *path, struct lk_error *err)
{
    struct stat st;
    int fd = -1;
    if (path[0] == '/' && f->places.sysroot)
        fd = open_below(f->places.sysroot, path);
    if (path[0] == '/' && fd < 0)
        fd = open_below("/", path);
    if (fd >= 0 && fstat(fd, &st) == 0 && may_be_shown(f, &st))
        return fd;
    lk_error_os(err, fd < 0 ? errno : EACCES, "a file that the core names");
    lk_fd_close(fd);
    return -1;
}

void lk_core_files_tell(const struct lk_core_files *f, void (*told)(const char *why, void *arg),
                        void *arg)
{
    for (size_t i = 0; i < f->v.n; i++)
        if (f->v.v[i].why.code)
            told(f->v.v[i].why.text, arg);
}
