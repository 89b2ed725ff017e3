/*
 * The row of our own CPU against what this machine's headers say, and the table of system calls.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h> /* needs the three above */

#include <elf.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <unistd.h>

#include "process/arch/syscalls.h"

static void own_row(void **state)
{
    Elf64_Ehdr head;
    (void)state;
    FILE *f = fopen("/proc/self/exe", "r");
    assert_non_null(f);
    assert_int_equal(fread(&head, sizeof(head), 1, f), 1);
    fclose(f);
    assert_ptr_equal(lk_arch_find(head.e_machine), lk_arch_own());
    assert_null(lk_arch_find(EM_NONE));
    assert_null(lk_arch_find(EM_386));
}

static void calls_by_number(void **state)
{
    static const struct {
        int64_t nr;
        const char *name;
        enum lk_call call;
    } some[] = {
        { SYS_read, "read", LK_CALL_READ },
        { SYS_futex, "futex", LK_CALL_FUTEX },
        { SYS_ppoll, "ppoll", LK_CALL_POLL },
        { SYS_epoll_pwait, "epoll_pwait", LK_CALL_EPOLL },
        { SYS_restart_syscall, "restart_syscall", LK_CALL_RESTART },
        { SYS_clock_nanosleep, "clock_nanosleep", LK_CALL_SLEEP },
        { SYS_wait4, "wait4", LK_CALL_WAIT4 },
        { SYS_writev, "writev", LK_CALL_WRITE },
        { SYS_getpid, "getpid", LK_CALL_OTHER },
    };
    struct lk_syscall c;
    (void)state;
    for (size_t i = 0; i < LK_ARRAY_LEN(some); i++) {
        assert_true(lk_syscall_find(lk_arch_own(), some[i].nr, &c));
        assert_string_equal(c.name, some[i].name);
        assert_int_equal(c.call, some[i].call);
    }
    assert_false(lk_syscall_find(lk_arch_own(), -1, &c));
    assert_false(lk_syscall_find(lk_arch_own(), 1999, &c));
    assert_false(lk_syscall_find(lk_arch_own(), INT64_MAX, &c));
    assert_false(lk_syscall_find(lk_arch_own(), INT64_MIN, &c));
}

/* bsearch finds each only where the table is sorted: so many of our own calls block. */
static void calls_that_block(void **state)
{
    struct lk_syscall c;
    size_t n = 0;
    (void)state;
    for (int64_t nr = 0; nr < 2000; nr++)
        n += lk_syscall_find(lk_arch_own(), nr, &c) && c.call != LK_CALL_OTHER;
    assert_int_equal(n, 70);
    c = lk_syscall_named("no_such_call");
    assert_int_equal(c.call, LK_CALL_OTHER);
    assert_int_equal(c.fd, -1);
}

/* The same registers as the kernel's header names them. */
static void calls_of_registers(void **state)
{
    union {
        struct user_regs_struct r;
        uint64_t words[LK_REGSET_WORDS];
    } u = { 0 };
    const struct lk_arch *arch = lk_arch_own();
    static const int64_t broken_off[] = { -EINTR, -512, -513, -514, -516 };
    uint64_t args[6];
    int64_t nr;
    (void)state;
    u.r.orig_rax = SYS_futex;
    u.r.rdi = 1, u.r.rsi = 2, u.r.rdx = 3, u.r.r10 = 4, u.r.r8 = 5, u.r.r9 = 6;
    u.r.fs_base = 7;
    assert_int_equal(u.words[arch->call.thread_pointer], 7);
    for (size_t i = 0; i < LK_ARRAY_LEN(broken_off); i++) {
        u.r.rax = (uint64_t)broken_off[i];
        assert_true(lk_arch_take_call(arch, u.words, &nr, args));
        assert_int_equal(nr, SYS_futex);
    }
    for (uint64_t i = 0; i < 6; i++)
        assert_int_equal(args[i], i + 1);
    u.r.rax = 0; /* it has returned */
    assert_false(lk_arch_take_call(arch, u.words, &nr, args));
    u.r.rax = (uint64_t)-EAGAIN;
    assert_false(lk_arch_take_call(arch, u.words, &nr, args));
    u.r.rax = (uint64_t)-512;
    u.r.orig_rax = UINT64_MAX; /* it was in none */
    assert_false(lk_arch_take_call(arch, u.words, &nr, args));
    u.r.orig_rax = 1 << 20;
    assert_false(lk_arch_take_call(arch, u.words, &nr, args));
}

static void numbers_in_code(void **state)
{
    uint32_t v[4];
    (void)state;
    static const uint8_t nothing[40];
    assert_int_equal(lk_arch_own()->loaded_numbers(nothing, sizeof nothing, v, 4), 0);
    assert_int_equal(lk_arch_own()->loaded_numbers(nothing, 0, v, 4), 0);
#ifdef __x86_64__
    static const uint8_t poll[] = { 0xb8, 1,    0,   0, 0, /* mov $1, %eax */
                                    0xb8, 7,    0,   0, 0, /* mov $7, %eax */
                                    0x90, 0x0f, 0x05 };
    assert_int_equal(lk_arch_own()->loaded_numbers(poll, sizeof poll, v, 4), 2);
    assert_int_equal(v[0], 7);
    assert_int_equal(v[1], 1);
    assert_int_equal(lk_arch_own()->loaded_numbers(poll, sizeof poll, v, 1), 1);
    assert_int_equal(lk_arch_own()->loaded_numbers(poll + 5, sizeof poll - 5, v, 4), 1);
    assert_int_equal(lk_arch_own()->loaded_numbers(poll, sizeof poll - 1, v, 4), 0);
#endif
}

#ifdef __x86_64__
static int64_t size_of(const char *code, size_t n)
{
    uint8_t bytes[48] = { 0 };
    memcpy(bytes, code, n);
    return lk_arch_own()->frame_size(bytes, sizeof bytes);
}
#endif

static void frames_in_code(void **state)
{
    static const uint8_t nothing[16];
    int64_t distance = 0;
    (void)state;
    assert_int_equal(lk_arch_own()->frame_size(nothing, sizeof nothing), -1);
    assert_int_equal(lk_arch_own()->frame_size(nothing, 0), -1);
    assert_int_equal(lk_arch_own()->call_before(nothing, sizeof nothing, &distance), LK_NO_CALL);
    assert_int_equal(lk_arch_own()->call_before(nothing, 0, &distance), LK_NO_CALL);
    assert_int_equal(lk_arch_own()->way_back(nothing, 0), -1);
    assert_int_equal(lk_arch_own()->way_back(nothing, sizeof nothing), -1);
#ifdef __x86_64__
#define CODE(s) s, sizeof(s) - 1
    assert_int_equal(size_of(CODE("\x55\x48\x89\xe5")), 0);
    assert_int_equal(size_of(CODE("\x55\x48\x89\xe5\x48\x83\xec\x20")), 0x20);
    assert_int_equal(size_of(CODE("\xf3\x0f\x1e\xfa\x55\x48\x89\xe5\x48\x83\xc4\x80")), 128);
    /* push %r12; push %rbx; sub $0x110,%rsp */
    assert_int_equal(size_of(CODE("\x55\x48\x89\xe5\x41\x54\x53\x48\x81\xec\x10\x01\0\0")), 0x120);
    assert_int_equal(size_of(CODE("\x55\x53\x48\x83\xec\x08")), -1); /* no frame pointer */
    assert_int_equal(size_of(CODE("\x55\x48\x89\xe5\x48\x81\xec\0\0\0\x80")), -1);

    static const struct {
        uint8_t code[8];
        enum lk_call_form form;
    } rows[] = {
        { { 0x90, 0x90, 0x90, 0xe8, 0xfc, 0xff, 0xff, 0xff }, LK_DIRECT_CALL },
        { { 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0xff, 0xd0 }, LK_INDIRECT_CALL }, /* *%rax */
        { { 0x90, 0x90, 0x90, 0x90, 0x90, 0x41, 0xff, 0xd4 }, LK_INDIRECT_CALL }, /* *%r12 */
        { { 0x90, 0x90, 0xff, 0x15, 1, 2, 3, 4 }, LK_INDIRECT_CALL },             /* *4(%rip) */
        { { 0x90, 0x90, 0x90, 0x90, 0xff, 0x54, 0x24, 8 }, LK_INDIRECT_CALL },    /* *8(%rsp) */
        { { 0x90, 0xff, 0x94, 0x24, 1, 2, 3, 4 }, LK_INDIRECT_CALL },
        { { 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0xff, 0xe0 }, LK_NO_CALL }, /* jmp *%rax */
        { { 0x90, 0x90, 0x90, 0x90, 0x90, 0xff, 0x50, 0x08 }, LK_INDIRECT_CALL },
        { { 0x90, 0x90, 0x90, 0x90, 0xff, 0x50, 0x08, 0x90 }, LK_NO_CALL },
    };
    for (size_t i = 0; i < LK_ARRAY_LEN(rows); i++)
        assert_int_equal(lk_arch_own()->call_before(rows[i].code, 8, &distance), rows[i].form);
    assert_int_equal(lk_arch_own()->call_before(rows[0].code, 8, &distance), LK_DIRECT_CALL);
    assert_int_equal(distance, -4);
    static const struct {
        uint8_t code[24];
        int64_t bytes;
    } ends[] = {
        { { 0xc3 }, 0 },
        { { 0x5d, 0xc3 }, 8 },                                  /* pop %rbp */
        { { 0x48, 0x83, 0xc4, 0x18, 0x41, 0x5c, 0xc3 }, 0x20 }, /* add $24,%rsp; pop %r12 */
        { { 0x48, 0x81, 0xc4, 0x08, 0x01, 0, 0, 0x5b, 0xc3 }, 0x110 },
        { { 0xc9, 0xc3 }, -1 },                   /* leave: needs %rbp */
        { { 0x5c, 0xc3 }, -1 },                   /* pop %rsp */
        { { 0x48, 0x83, 0xc4, 0x80, 0xc3 }, -1 }, /* add $-128,%rsp */
        { { 0x31, 0xc0, 0xc3 }, -1 },
    };
    for (size_t i = 0; i < LK_ARRAY_LEN(ends); i++)
        assert_int_equal(lk_arch_own()->way_back(ends[i].code, sizeof ends[i].code), ends[i].bytes);
#endif
}

/* The C library that these tests run with: sizes from its headers, the tid from its memory. */
static void libc_layout(void **state)
{
    const struct lk_arch *a = lk_arch_own();
    const char *self = (const char *)pthread_self();
    pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
    pthread_rwlock_t k = PTHREAD_RWLOCK_INITIALIZER;
    int32_t word;
    (void)state;
    assert_int_equal(a->glibc.mutex.size, sizeof(pthread_mutex_t));
    assert_int_equal(a->glibc.rwlock.size, sizeof(pthread_rwlock_t));
    assert_int_equal(a->glibc.cond_size, sizeof(pthread_cond_t));
    memcpy(&word, self + a->glibc.thread.tid, 4);
    assert_int_equal(word, syscall(SYS_gettid));
    for (unsigned i = 0; i < a->glibc.thread.n_self; i++)
        assert_memory_equal(self + a->glibc.thread.self[i], &self, sizeof self);
    pthread_mutex_lock(&m);
    memcpy(&word, (char *)&m + a->glibc.mutex.owner, 4);
    assert_int_equal(word, syscall(SYS_gettid));
    pthread_mutex_unlock(&m);
    pthread_rwlock_wrlock(&k);
    memcpy(&word, (char *)&k + a->glibc.rwlock.cur_writer, 4);
    assert_int_equal(word, syscall(SYS_gettid));
    pthread_rwlock_unlock(&k);
}

/* Each place once, no number and no word twice. */
static void registers_are_distinct(void **state)
{
    const struct lk_arch *a = lk_arch_own();
    uint64_t words[LK_REGSET_WORDS];
    struct lk_regs r;
    (void)state;
    assert_true(a->n_registers <= LK_REGS_MAX && a->regset_words <= LK_REGSET_WORDS);
    for (size_t i = 0; i < LK_ARRAY_LEN(words); i++)
        words[i] = 1000 + i;
    lk_arch_take_regs(a, words, &r);
    assert_int_equal(r.known, (1u << a->n_registers) - 1);
    for (unsigned i = 0; i < a->n_registers; i++) {
        assert_true(a->registers[i].regset < a->regset_words);
        assert_int_equal(r.reg[i], 1000 + a->registers[i].regset);
        assert_int_equal(lk_arch_place(a, a->registers[i].dwarf), i);
        for (unsigned k = 0; k < i; k++)
            assert_true(r.reg[k] != r.reg[i]);
    }
    assert_int_equal(lk_arch_place(a, 200), LK_REGS_MAX);
    assert_int_equal(lk_arch_place(a, UINT64_MAX), LK_REGS_MAX);
    assert_int_equal(a->regset_words * sizeof words[0], sizeof(struct user_regs_struct));
#ifdef __x86_64__
    static const struct {
        uint64_t dwarf;
        size_t at;
        bool kept;
    } psabi[] = {
        { 0, offsetof(struct user_regs_struct, rax), false },
        { 1, offsetof(struct user_regs_struct, rdx), false },
        { 2, offsetof(struct user_regs_struct, rcx), false },
        { 3, offsetof(struct user_regs_struct, rbx), true },
        { 4, offsetof(struct user_regs_struct, rsi), false },
        { 5, offsetof(struct user_regs_struct, rdi), false },
        { 6, offsetof(struct user_regs_struct, rbp), true },
        { 8, offsetof(struct user_regs_struct, r8), false },
        { 9, offsetof(struct user_regs_struct, r9), false },
        { 10, offsetof(struct user_regs_struct, r10), false },
        { 11, offsetof(struct user_regs_struct, r11), false },
        { 12, offsetof(struct user_regs_struct, r12), true },
        { 13, offsetof(struct user_regs_struct, r13), true },
        { 14, offsetof(struct user_regs_struct, r14), true },
        { 15, offsetof(struct user_regs_struct, r15), true },
        { 7, offsetof(struct user_regs_struct, rsp), true },
        { 16, offsetof(struct user_regs_struct, rip), false },
    };
    for (size_t i = 0; i < LK_ARRAY_LEN(psabi); i++) {
        unsigned place = lk_arch_place(a, psabi[i].dwarf);
        assert_int_equal(a->registers[place].regset, psabi[i].at / 8);
        assert_int_equal(a->registers[place].kept, psabi[i].kept);
    }
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(own_row),          cmocka_unit_test(calls_by_number),
        cmocka_unit_test(calls_that_block), cmocka_unit_test(calls_of_registers),
        cmocka_unit_test(numbers_in_code),  cmocka_unit_test(frames_in_code),
        cmocka_unit_test(libc_layout),      cmocka_unit_test(registers_are_distinct),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
