/*
 * Runtimes by the name of the program (/proc/PID/exe), else of a mapped library (proc_pid_maps(5)),
 * else by the sections that the Go linker writes.
 */
#include "process/linux/language_runtime.h"

#include <ctype.h>
#include <elf.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "process/linux/procfs.h"
#include "util/arena.h"
#include "util/text.h"

#define MAX_MAPS_LINES    200000u
#define MAX_SECTIONS      4096u
#define MAX_SECTION_NAMES (1u << 20)

/* File names that begin so; digits or '.' may follow. Programs first: "python3.11" needs no look at
 * the mappings. */
static const struct {
    const char *prefix;
    enum lk_runtime runtime;
} programs[] = {
    { "python", LK_RUNTIME_PYTHON }, { "pypy", LK_RUNTIME_PYPY }, { "nodejs", LK_RUNTIME_NODE },
    { "node", LK_RUNTIME_NODE },     { "ruby", LK_RUNTIME_RUBY },
};
/* Most telling first: the earliest of these that is mapped decides. */
static const struct {
    const char *prefix;
    enum lk_runtime runtime;
} libraries[] = {
    { "libpython2.", LK_RUNTIME_PYTHON },   { "libpython3", LK_RUNTIME_PYTHON },
    { "libpypy", LK_RUNTIME_PYPY },         { "libjvm.so", LK_RUNTIME_JVM },
    { "libcoreclr.so", LK_RUNTIME_DOTNET }, { "libruby", LK_RUNTIME_RUBY },
    { "libnode.so", LK_RUNTIME_NODE },
};

static bool begins(const char *name, const char *prefix)
{
    return strncmp(name, prefix, strlen(prefix)) == 0;
}

enum lk_runtime lk_runtime_of_program(const char *exe)
{
    const char *name = lk_base_name(exe);
    for (size_t i = 0; i < LK_ARRAY_LEN(programs); i++) {
        const char *rest = name + strlen(programs[i].prefix);
        if (begins(name, programs[i].prefix) &&
            (*rest == '\0' || *rest == '.' || *rest == ' ' || isdigit((unsigned char)*rest)))
            return programs[i].runtime;
    }
    return LK_RUNTIME_UNKNOWN;
}

enum lk_runtime lk_runtime_of_files(const char *(*next)(void *arg), void *arg)
{
    size_t best = LK_ARRAY_LEN(libraries);
    for (const char *path; best > 0 && (path = next(arg));)
        for (size_t i = 0; i < best; i++)
            if (begins(lk_base_name(path), libraries[i].prefix))
                best = i;
    return best < LK_ARRAY_LEN(libraries) ? libraries[best].runtime : LK_RUNTIME_UNKNOWN;
}

/* Lines of maps. */
struct lines {
    FILE *f;
    char *line; /* getline's, not ours: nothing is allocated beside it */
    size_t cap, n;
};

static const char *next_path(void *arg)
{
    struct lines *l = arg;
    while (l->n++ < MAX_MAPS_LINES && getline(&l->line, &l->cap, l->f) > 0) {
        const char *path = strchr(l->line, '/');
        if (path)
            return path;
    }
    return NULL;
}

static enum lk_runtime by_program(int dir)
{
    char exe[4096];
    return lk_procfs_link(exe, sizeof(exe), dir, "exe") > 0 ? lk_runtime_of_program(exe)
                                                            : LK_RUNTIME_UNKNOWN;
}

static enum lk_runtime by_library(int dir)
{
    struct lines l = { .f = lk_procfs_open(dir, "maps") };
    if (!l.f)
        return LK_RUNTIME_UNKNOWN;
    const enum lk_runtime ret = lk_runtime_of_files(next_path, &l);
    free(l.line);
    lk_procfs_close(l.f);
    return ret;
}

static bool read_at(int fd, void *buf, size_t n, uint64_t offset)
{
    return offset <= INT64_MAX && pread(fd, buf, n, (off_t)offset) == (ssize_t)n;
}

static bool sections_of_go(const Elf64_Shdr *sections, size_t n, const char *names, size_t size)
{
    for (size_t i = 0; i < n; i++) {
        if (sections[i].sh_name >= size)
            continue;
        const char *name = names + sections[i].sh_name;
        if (strcmp(name, ".go.buildinfo") == 0 || strcmp(name, ".gopclntab") == 0)
            return true;
    }
    return false;
}

/* The Go linker writes these sections (cmd/link/internal/ld), also into stripped programs. */
bool lk_runtime_is_go(int fd)
{
    Elf64_Ehdr head;
    if (!read_at(fd, &head, sizeof(head), 0) || memcmp(head.e_ident, ELFMAG, SELFMAG) != 0 ||
        head.e_ident[EI_CLASS] != ELFCLASS64 || head.e_shentsize != sizeof(Elf64_Shdr) ||
        head.e_shnum == 0 || head.e_shnum > MAX_SECTIONS || head.e_shstrndx >= head.e_shnum)
        return false;
    Elf64_Shdr *sections = lk_xcalloc(head.e_shnum, sizeof(*sections));
    bool go = false;
    if (read_at(fd, sections, head.e_shnum * sizeof(*sections), head.e_shoff)) {
        const Elf64_Shdr *strings = &sections[head.e_shstrndx];
        size_t size = strings->sh_size;
        if (size > 0 && size <= MAX_SECTION_NAMES) {
            char *names = lk_xcalloc(size + 1, 1);
            go = read_at(fd, names, size, strings->sh_offset) &&
                 sections_of_go(sections, head.e_shnum, names, size);
            lk_free(names);
        }
    }
    lk_free(sections);
    return go;
}

enum lk_runtime lk_runtime_find(int dir)
{
    enum lk_runtime runtime = by_program(dir);
    if (!runtime)
        runtime = by_library(dir);
    if (runtime)
        return runtime;
    int fd = lk_fd_hold(openat(dir, "exe", O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    bool go = fd >= 0 && lk_runtime_is_go(fd);
    lk_fd_close(fd);
    return go ? LK_RUNTIME_GO : LK_RUNTIME_NATIVE;
}
