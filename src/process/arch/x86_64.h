/*
 * The row of x86-64, for the table of rows (arch.c).
 */
#ifndef LK_PROCESS_ARCH_X86_64_H
#define LK_PROCESS_ARCH_X86_64_H

#include "process/arch/arch.h"

extern const struct lk_arch lk_arch_x86_64;

/* its system calls by number: x86_64_syscalls.c */
enum { LK_X86_64_SYSCALLS = 468 };
extern const char *const lk_x86_64_syscalls[LK_X86_64_SYSCALLS];

#endif
