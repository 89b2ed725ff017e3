/*
 * What belongs to a CPU: one constant row each, chosen by the machine in the ELF header of the
 * target's program. No other folder names a CPU; who needs such a fact asks the row of the process
 * (lk_process_arch).
 */
#ifndef LK_PROCESS_ARCH_ARCH_H
#define LK_PROCESS_ARCH_ARCH_H

#include "util/base.h"

/** No program of any CPU here gets memory above without asking for it: 2^47 on x86-64, also with
 * five-level page tables (the kernel's Documentation/arch/x86/x86_64/5level-paging.rst). */
#define LK_USER_END (UINT64_C(1) << 47)

/** Places of the two registers that every CPU has; those of the others are the row's. */
enum { LK_REG_PC, LK_REG_SP, LK_REGS_MAX = 17 };

/** Registers of one thread, each at its place. For a sleeping thread only pc and sp are known. */
struct lk_regs {
    uint32_t known; /* bit i: reg[i] is known */
    uint64_t reg[LK_REGS_MAX];
};

enum { LK_REGSET_WORDS = 27 }; /* most of any CPU */

struct lk_arch_register {
    uint8_t
        dwarf; /* its number in call frame information; the pc's: column of the return address */
    uint8_t regset; /* which word of the kernel's NT_PRSTATUS it is */
    bool kept;      /* a called function gives it back as it was */
};

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

/** Whether instructions are a call, and of what. */
enum lk_call_form { LK_NO_CALL = 0, LK_INDIRECT_CALL, LK_DIRECT_CALL };

struct lk_arch {
    const char *name;
    uint16_t machine; /* EM_* of elf.h, 64-bit and little-endian */
    uint32_t audit;   /* AUDIT_ARCH_* of linux/audit.h: whose system calls a filter sees */

    const struct lk_arch_register *registers; /* by place */
    unsigned n_registers;
    unsigned regset_words; /* of NT_PRSTATUS, 8 bytes each */
    /* Words of it: the number of the system call that the thread is in (negative: it is in none),
     * what the call has returned, its arguments, and where the thread's own storage begins */
    struct {
        uint8_t number, result, args[6], thread_pointer;
    } call;

    /* names by number; NULL where the kernel has none. What each waits for: syscalls.h */
    const char *const *syscalls;
    size_t n_syscalls;
    unsigned syscall_bytes; /* of the instruction that enters the kernel */
    /* What may be a number loaded for a system call, in code that ends with its instruction: the
     * nearest first, at most max of them. None when it does not end with one. */
    size_t (*loaded_numbers)(const uint8_t *code, size_t n, uint32_t *ret, size_t max);

    /* Frames of functions that keep a frame pointer, where it cannot be had from a register */
    unsigned frame_pointer; /* its place */
    /* Bytes from the stack pointer to where the frame pointer points, behind the first instructions
     * of a function; -1 when they set none up, or in no way that is known. */
    int64_t (*frame_size)(const uint8_t *code, size_t n);
    /* The code that ends here is a call: what it calls, counted from its end. */
    enum lk_call_form (*call_before)(const uint8_t *code, size_t n, int64_t *distance);
    /* Bytes from the stack pointer to the return address, of a function that is about to give back
     * what it has on the stack and return; -1 when it does not do just that. */
    int64_t (*way_back)(const uint8_t *code, size_t n);
    /* Some instruction of the code, which begins at `at`, jumps to `to`. */
    bool (*jumps_to)(const uint8_t *code, size_t n, lk_addr at, lk_addr to);
    /* The code begins with a jump to where a word points, as a stub of a procedure linkage table:
     * the word's address; 0 when it does not. */
    lk_addr (*jump_slot)(const uint8_t *code, size_t n, lk_addr at);

    struct lk_glibc_layout glibc;
    uint16_t musl_tid; /* in musl's struct pthread (src/internal/pthread_impl.h), 1.2 */
};

/** NULL for a machine that has no row. */
const struct lk_arch *lk_arch_find(uint16_t machine);
/** The CPU that loopknot was built for: nothing else runs beside it as a 64-bit process. */
const struct lk_arch *lk_arch_own(void);

/** Place of the register with that DWARF number; LK_REGS_MAX when it is not looked at. */
unsigned lk_arch_place(const struct lk_arch *arch, uint64_t dwarf);
/**
 * The call in which a thread sleeps whose registers these are, as /proc/PID/task/TID/syscall would
 * show it. False: it sleeps in none. A call that was broken off so that the registers could be
 * taken has returned one of the kernel's codes for that (include/linux/errno.h), or EINTR.
 */
bool lk_arch_take_call(const struct lk_arch *arch, const uint64_t *regset, int64_t *nr,
                       uint64_t args[6]);
/** From what PTRACE_GETREGSET gave for NT_PRSTATUS. */
void lk_arch_take_regs(const struct lk_arch *arch, const uint64_t *regset, struct lk_regs *ret);

#endif
