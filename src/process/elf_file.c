/*
 * What all readers of ELF share: which files are read at all, reads that are whole or fail, and the
 * build id. Format: gABI, "ELF Header" and "Note Section"; NT_GNU_BUILD_ID as ld and lld write it
 * (their --build-id).
 */
#include "process/elf_file.h"

#include <string.h>
#include <unistd.h>

#include "process/arch/arch.h"
#include "util/base.h"

bool lk_elf_pread(int fd, uint64_t off, void *buf, size_t n)
{
    for (size_t done = 0; done < n;) {
        ssize_t got = pread(fd, (char *)buf + done, n - done, (off_t)(off + done));
        if (got <= 0)
            return false;
        done += (size_t)got;
    }
    return true;
}

bool lk_elf_header_ok(const Elf64_Ehdr *e, const struct lk_arch *arch)
{
    return !memcmp(e->e_ident, ELFMAG, SELFMAG) && e->e_ident[EI_CLASS] == ELFCLASS64 &&
           e->e_ident[EI_DATA] == ELFDATA2LSB && e->e_machine == arch->machine;
}

bool lk_elf_build_id(const uint8_t *p, size_t n, char ret[2 * 64 + 1])
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
