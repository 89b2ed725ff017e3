/*
 * What x86-64 is like under Linux.
 */
#include "process/arch/x86_64.h"

#include <assert.h>
#include <elf.h>
#include <string.h>

/*
 * DWARF numbers and which are kept: psABI, "DWARF Register Number Mapping" and figure 3.4. Words:
 * struct user_regs_struct of arch/x86/include/asm/user_64.h.
 */
static const struct lk_arch_register registers[] = {
    [LK_REG_PC] = { 16, 16, false }, /* rip */
    [LK_REG_SP] = { 7, 19, true },   /* rsp */
    { 0, 10, false },                /* rax */
    { 1, 12, false },                /* rdx */
    { 2, 11, false },                /* rcx */
    { 3, 5, true },                  /* rbx */
    { 4, 13, false },                /* rsi */
    { 5, 14, false },                /* rdi */
    { 6, 4, true },                  /* rbp */
    { 8, 9, false },                 /* r8 */
    { 9, 8, false },
    { 10, 7, false },
    { 11, 6, false },
    { 12, 3, true },
    { 13, 2, true },
    { 14, 1, true },
    { 15, 0, true }, /* r15 */
};
static_assert(LK_ARRAY_LEN(registers) <= LK_REGS_MAX, "one place each");

enum { REGSET_WORDS = 27 };
static_assert((int)REGSET_WORDS <= (int)LK_REGSET_WORDS, "the caller's buffer");

enum { SYSCALL_BYTES = 2 };

/* "syscall" is 0f 05, "mov $nr, %eax" is b8 with the number behind it. */
static size_t loaded_numbers(const uint8_t *code, size_t n, uint32_t *ret, size_t max)
{
    enum { MOV_BYTES = 5 };
    size_t found = 0;
    if (n < SYSCALL_BYTES + MOV_BYTES || code[n - 2] != 0x0f || code[n - 1] != 0x05)
        return 0;
    for (size_t i = n - SYSCALL_BYTES - MOV_BYTES + 1; i-- > 0 && found < max;)
        if (code[i] == 0xb8)
            memcpy(&ret[found++], code + i + 1, sizeof *ret);
    return found;
}

const struct lk_arch lk_arch_x86_64 = {
    .name = "x86-64",
    .machine = EM_X86_64,
    .registers = registers,
    .n_registers = LK_ARRAY_LEN(registers),
    .regset_words = REGSET_WORDS,
    .syscalls = lk_x86_64_syscalls,
    .n_syscalls = LK_X86_64_SYSCALLS,
    .syscall_bytes = SYSCALL_BYTES,
    .loaded_numbers = loaded_numbers,
    .glibc = {
        /* nptl/descr.h behind tcbhead_t, sysdeps/x86_64/nptl/tls.h */
        .thread = { .self = { 0, 0x10 }, .n_self = 2, .tid = 0x2d0, .cancelhandling = 0x308 },
        /* sysdeps/x86/nptl/bits/struct_mutex.h, unchanged since 2.3 */
        .mutex = { .lock = 0, .owner = 8, .nusers = 12, .kind = 16, .size = 40 },
        /* sysdeps/x86/nptl/bits/struct_rwlock.h */
        .rwlock = { .readers = 0,
                    .writers = 4,
                    .wrphase_futex = 8,
                    .writers_futex = 12,
                    .zeros = 16,
                    .cur_writer = 24,
                    .shared = 28,
                    .flags = 48,
                    .size = 56 },
        .cond_size = 48,
    },
    .musl_tid = 0x30,
};
