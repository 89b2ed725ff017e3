/*
 * What belongs to a CPU: one constant row each, chosen by the machine in the ELF header of the
 * target's program. No other folder names a CPU; who needs such a fact asks the row of the process
 * (lk_process_arch).
 */
#ifndef LK_PROCESS_ARCH_ARCH_H
#define LK_PROCESS_ARCH_ARCH_H

#include "util/base.h"

/**
 * glibc's own structures, offsets and sizes in bytes. Those that programs are compiled with never
 * change; struct pthread is the same from 2.31 on.
 */
struct lk_glibc_layout {
    struct {
        uint16_t self[2]; /* pointers to the struct itself */
        uint16_t n_self;
        uint16_t tid, cancelhandling;
    } thread; /* struct pthread */
    struct {
        uint16_t lock, owner, nusers, kind, size;
    } mutex; /* struct __pthread_mutex_s */
    struct {
        uint16_t readers, writers, wrphase_futex, writers_futex;
        uint16_t zeros; /* two words that are never set */
        uint16_t cur_writer, shared, flags, size;
    } rwlock; /* struct __pthread_rwlock_arch_t, since 2.25 */
    uint16_t cond_size;
};

struct lk_arch {
    const char *name;
    uint16_t machine; /* EM_* of elf.h, 64-bit and little-endian */

    /* names by number; NULL where the kernel has none. What each waits for: syscalls.h */
    const char *const *syscalls;
    size_t n_syscalls;
    unsigned syscall_bytes; /* of the instruction that enters the kernel */
    /* What may be a number loaded for a system call, in code that ends with its instruction: the
     * nearest first, at most max of them. None when it does not end with one. */
    size_t (*loaded_numbers)(const uint8_t *code, size_t n, uint32_t *ret, size_t max);

    struct lk_glibc_layout glibc;
    uint16_t musl_tid; /* in musl's struct pthread (src/internal/pthread_impl.h), 1.2 */
};

/** NULL for a machine that has no row. */
const struct lk_arch *lk_arch_find(uint16_t machine);
/** The CPU that loopknot was built for: nothing else runs beside it as a 64-bit process. */
const struct lk_arch *lk_arch_own(void);

#endif
