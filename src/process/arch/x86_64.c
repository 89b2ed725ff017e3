/*
 * What x86-64 is like under Linux.
 */
#include "process/arch/x86_64.h"

#include <assert.h>
#include <elf.h>
#include <linux/audit.h>
#include <string.h>

/*
 * DWARF numbers and which are kept: psABI, "DWARF Register Number Mapping" and figure 3.4. Words:
 * struct user_regs_struct of arch/x86/include/asm/user_64.h.
 */
enum { REG_FP = 8 };
static const struct lk_arch_register registers[] = {
    [LK_REG_PC] = { 16, 16, false }, /* rip */
    [LK_REG_SP] = { 7, 19, true },   /* rsp */
    { 0, 10, false },                /* rax */
    { 1, 12, false },                /* rdx */
    { 2, 11, false },                /* rcx */
    { 3, 5, true },                  /* rbx */
    { 4, 13, false },                /* rsi */
    { 5, 14, false },                /* rdi */
    [REG_FP] = { 6, 4, true },       /* rbp */
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

static bool take(const uint8_t **p, const uint8_t *end, const char *bytes, size_t n)
{
    if ((size_t)(end - *p) < n || memcmp(*p, bytes, n) != 0)
        return false;
    *p += n;
    return true;
}

/* As gcc and clang begin a function that has a frame pointer: endbr64; push %rbp; mov %rsp,%rbp;
 * push of registers that it gives back; sub $n,%rsp. */
static int64_t frame_size(const uint8_t *code, size_t n)
{
    const uint8_t *p = code, *end = code + n;
    int32_t room = 0;
    int64_t pushed = 0;
    take(&p, end, "\xf3\x0f\x1e\xfa", 4);
    if (!take(&p, end, "\x55", 1) ||
        (!take(&p, end, "\x48\x89\xe5", 3) && !take(&p, end, "\x48\x8b\xec", 3)))
        return -1;
    for (; end - p > 1; pushed += 8) {
        const unsigned prefix = *p == 0x41;
        if (p[prefix] < 0x50 || p[prefix] > 0x57)
            break;
        p += 1 + prefix;
    }
    if (end - p < 7)
        return -1;
    if (take(&p, end, "\x48\x83\xec", 3))
        room = *p < 0x80 ? *p : *p - 0x100;
    else if (take(&p, end, "\x48\x83\xc4", 3)) /* 128 is shorter as add $-128 */
        room = -(int8_t)*p;
    else if (take(&p, end, "\x48\x81\xec", 3))
        memcpy(&room, p, sizeof room);
    return room < 0 ? -1 : pushed + room;
}

/* "call rel32" is e8; "call r/m64" is ff /2 with what its ModRM byte says of its length. */
static enum lk_call_form call_before(const uint8_t *code, size_t n, int64_t *distance)
{
    int32_t rel;
    if (n >= 5 && code[n - 5] == 0xe8) {
        memcpy(&rel, code + n - 4, sizeof rel);
        *distance = rel;
        return LK_DIRECT_CALL;
    }
    for (size_t len = 2; len <= 7 && len <= n; len++) {
        const uint8_t *p = code + n - len, modrm = p[1], mod = modrm >> 6, rm = modrm & 7;
        static const uint8_t displacement[] = { 0, 1, 4, 0 };
        const size_t sib = mod != 3 && rm == 4, disp = mod == 0 && rm == 5 ? 4 : displacement[mod];
        if (p[0] == 0xff && (modrm >> 3 & 7) == 2 && len == 2 + sib + disp)
            return LK_INDIRECT_CALL;
    }
    return LK_NO_CALL;
}

/* pop; add $n,%rsp; ret */
static int64_t way_back(const uint8_t *code, size_t n)
{
    const uint8_t *p = code, *end = code + n;
    int64_t bytes = 0;
    while (end - p >= 7) {
        const unsigned prefix = *p == 0x41;
        int32_t room;
        if (*p == 0xc3)
            return bytes;
        if (p[prefix] >= 0x58 && p[prefix] <= 0x5f && *p != 0x5c) {
            bytes += 8;
            p += 1 + prefix;
        } else if (take(&p, end, "\x48\x83\xc4", 3) && (int8_t)*p >= 0) {
            bytes += *p++;
        } else if (take(&p, end, "\x48\x81\xc4", 3)) {
            memcpy(&room, p, sizeof room);
            bytes += room;
            p += sizeof room;
            if (room < 0)
                return -1;
        } else {
            return -1;
        }
    }
    return -1;
}

/* "jmp rel8" is eb, "jmp rel32" e9, "jmp *disp32(%rip)" ff 25. What only looks like one leads
 * somewhere else. */
static bool jumps_to(const uint8_t *code, size_t n, lk_addr at, lk_addr to)
{
    int32_t rel;
    for (size_t i = 0; i + 5 <= n; i++) {
        memcpy(&rel, code + i + 1, sizeof rel);
        if ((code[i] == 0xe9 && at + i + 5 + (uint64_t)(int64_t)rel == to) ||
            (code[i] == 0xeb && at + i + 2 + (uint64_t)(int64_t)(int8_t)code[i + 1] == to))
            return true;
    }
    return false;
}

static lk_addr jump_slot(const uint8_t *code, size_t n, lk_addr at)
{
    const uint8_t *p = code, *end = code + n;
    int32_t rel;
    take(&p, end, "\xf3\x0f\x1e\xfa", 4);
    if (p < end && *p == 0xf2) /* bnd */
        p++;
    if (!take(&p, end, "\xff\x25", 2) || end - p < 4)
        return 0;
    memcpy(&rel, p, sizeof rel);
    return at + (uint64_t)(p + 4 - code) + (uint64_t)(int64_t)rel;
}

const struct lk_arch lk_arch_x86_64 = {
    .name = "x86-64",
    .machine = EM_X86_64,
    .audit = AUDIT_ARCH_X86_64,
    .registers = registers,
    .n_registers = LK_ARRAY_LEN(registers),
    .regset_words = REGSET_WORDS,
    /* orig_rax, rax; rdi, rsi, rdx, r10, r8, r9; fs_base */
    .call = { .number = 15,
              .result = 10,
              .args = { 14, 13, 12, 7, 9, 8 },
              .thread_pointer = 21 },
    .syscalls = lk_x86_64_syscalls,
    .n_syscalls = LK_X86_64_SYSCALLS,
    .syscall_bytes = SYSCALL_BYTES,
    .loaded_numbers = loaded_numbers,
    .frame_pointer = REG_FP,
    .frame_size = frame_size,
    .call_before = call_before,
    .way_back = way_back,
    .jumps_to = jumps_to,
    .jump_slot = jump_slot,
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
