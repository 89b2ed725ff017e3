/* What all readers of ELF share: the kind of file that is read, whole reads, the build id. */
#ifndef LK_PROCESS_ELF_FILE_H
#define LK_PROCESS_ELF_FILE_H

#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lk_arch;

#define LK_BUILD_ID_HEX (2 * 64 + 1) /* longest build id as hex, with its NUL */

/** Reads n bytes at off; false when there are fewer. Never SIGBUS: a file that is truncated
 * meanwhile gives a short read. */
bool lk_elf_pread(int fd, uint64_t off, void *buf, size_t n);
/** A 64-bit little-endian ELF file for that CPU. */
bool lk_elf_header_ok(const Elf64_Ehdr *e, const struct lk_arch *arch);
/** GNU build id in a blob of ELF notes as hex; false when there is none. */
bool lk_elf_build_id(const uint8_t *p, size_t n, char ret[LK_BUILD_ID_HEX]);

#endif
