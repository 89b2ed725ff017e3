/*
 * Stacks of real processes: a forked child with known functions on its stack (slept where it
 * sleeps, stack pointer and pc alone), signal frames, and a mixed Python/C process whose every
 * frame must agree with libunwind's.
 */
#include "read/native/unwind/unwind.h"

#include <dlfcn.h>
#include <errno.h>
#include <libunwind-ptrace.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "read/native/elf/dynamic_symbol.h"
#include "util/text.h"

#if defined(__clang__)
#define OPAQUE __attribute__((noinline, optnone))
#else
#define OPAQUE __attribute__((noipa, optimize("omit-frame-pointer")))
#endif

/* ---- what the children do ------------------------------------------------------------- */

static int never[2]; /* a pipe that nobody writes to */
static volatile int sink;
static const int middle_line = __LINE__ + 16; /* of the call in lkt_middle */

OPAQUE static int lkt_inner(int fd)
{
    volatile char pad[200];
    char c;
    pad[7] = (char)fd;
    /* Not read(): a sanitizer's wrapper of it needs rbp to unwind, which is not known of a sleeping
     * thread. */
    sink += (int)syscall(SYS_read, fd, &c, 1);
    return pad[7];
}

OPAQUE static int lkt_middle(int fd)
{
    volatile int keep = fd;
    int r = lkt_inner(fd);
    return r + keep;
}

OPAQUE static int lkt_outer(int fd)
{
    volatile long pad[32];
    pad[3] = fd;
    return lkt_middle(fd) + (int)pad[3];
}

OPAQUE static void block_in_read(void)
{
    sink += lkt_outer(never[0]);
}

OPAQUE static void lkt_wait_for_nothing(void)
{
    sem_t s;
    sem_init(&s, 0, 0);
    sem_wait(&s);
    sink++;
}

OPAQUE static void *thread_body(void *arg)
{
    lkt_wait_for_nothing();
    sink++;
    return arg;
}

OPAQUE static void block_in_thread(void)
{
    pthread_t id;
    pthread_create(&id, NULL, thread_body, NULL);
    pthread_join(id, NULL);
    sink++;
}

OPAQUE static void lkt_handler(int sig)
{
    sink += sig;
    sink += lkt_inner(never[0]);
    sink++;
}

OPAQUE static void lkt_interrupted(void)
{
    raise(SIGUSR1);
    sink++;
}

OPAQUE static void block_in_handler(void)
{
    static char other_stack[65536];
    const stack_t alt = { .ss_sp = other_stack, .ss_size = sizeof other_stack };
    struct sigaction sa = { .sa_handler = lkt_handler, .sa_flags = SA_ONSTACK };
    sigaltstack(&alt, NULL);
    sigaction(SIGUSR1, &sa, NULL);
    lkt_interrupted();
    sink++;
}

/* ---- harness -------------------------------------------------------------------------- */

struct fixture {
    pid_t pid;
    struct lk_process *t;
    struct lk_unwinder *u;
    struct lk_arena *a;
    struct lk_thread_list threads;
};

static pid_t start(void (*body)(void))
{
    if (!never[1])
        assert_int_equal(pipe(never), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        body();
        _exit(0);
    }
    return pid;
}

static bool all_asleep(const struct lk_thread_list *l)
{
    for (size_t i = 0; i < l->n; i++)
        if (!l->v[i].syscall_known || l->v[i].nr < 0)
            return false;
    return true;
}

/* Opens the process and waits until it has n threads, all asleep in system calls for good. */
static void attach(struct fixture *f, pid_t pid, size_t n)
{
    struct lk_error err = { 0 };
    *f = (struct fixture){ .pid = pid };
    f->t = lk_process_open_live(pid, &err);
    if (!f->t)
        fail_msg("%s", err.text);
    unsigned quiet = 0;
    for (int tries = 0; quiet < 3; tries++) {
        assert_true(tries < 1000);
        usleep(10000);
        lk_process_begin_sample(f->t);
        assert_true(lk_process_threads(f->t, &f->threads, true, &err));
        quiet = f->threads.n == n && all_asleep(&f->threads) ? quiet + 1 : 0;
    }
    f->u = lk_unwinder_create(f->t, &err);
    assert_non_null(f->u);
    f->a = lk_arena_create();
}

static void detach(struct fixture *f)
{
    lk_unwinder_destroy(f->u);
    lk_arena_destroy(f->a);
    lk_process_destroy(f->t);
    lk_free(f->threads.v);
    kill(f->pid, SIGKILL);
    waitpid(f->pid, NULL, 0);
}

static struct lk_regs asleep(const struct lk_thread_facts *t)
{
    struct lk_regs r = { .known = 1u << LK_REG_SP | 1u << LK_REG_PC };
    r.reg[LK_REG_SP] = t->sp;
    r.reg[LK_REG_PC] = t->pc;
    return r;
}

static struct lk_natstack *stack_of(struct fixture *f, size_t i)
{
    const struct lk_regs r = asleep(&f->threads.v[i]);
    return lk_unwind(f->u, &r, f->a);
}

/* The names occur on the stack in this order, innermost first; index of the last. */
static unsigned assert_order(const struct lk_natstack *s, const char *const *names, size_t n)
{
    unsigned i = 0, at = 0;
    for (size_t k = 0; k < n; k++, i++) {
        while (i < s->n && (!s->frames[i].function || strcmp(s->frames[i].function, names[k])))
            i++;
        if (i == s->n)
            fail_msg("%s is not on the stack where it should be", names[k]);
        at = i;
    }
    return at;
}

/* ---- tests ---------------------------------------------------------------------------- */

static void names_of_a_child_asleep_in_read(void **state)
{
    static const char *const expected[] = { "lkt_inner",     "lkt_middle", "lkt_outer",
                                            "block_in_read", "main",       "_start" };
    struct fixture f;
    (void)state;
    attach(&f, start(block_in_read), 1);
    struct lk_natstack *s = stack_of(&f, 0);
    assert_false(s->truncated);
    assert_order(s, expected, LK_ARRAY_LEN(expected));
    unsigned at = assert_order(s, expected, 2);
    assert_string_equal(s->frames[at].module, "test_unwind");
    assert_false(s->frames[at].system);
    assert_true(s->frames[at].func_offset > 0);
    assert_true(s->frames[0].system);
    assert_string_equal(s->frames[0].module, "libc.so.6");
    assert_non_null(s->frames[0].build_id);
    assert_ptr_equal(s, stack_of(&f, 0)); /* equal stacks are one */

    lk_unwind_lines(f.u, &s, 1, f.a);
    assert_non_null(s->frames[at].file);
    assert_true(lk_ends_with(s->frames[at].file, "test_unwind.c"));
    assert_int_equal(s->frames[at].line, middle_line);
    assert_null(s->frames[0].file);
    detach(&f);
}

static void the_same_after_refresh(void **state)
{
    struct fixture f;
    (void)state;
    attach(&f, start(block_in_read), 1);
    struct lk_natstack *s = stack_of(&f, 0);
    lk_process_begin_sample(f.t);
    lk_unwinder_refresh(f.u);
    struct lk_arena *other = lk_arena_create();
    const struct lk_regs r = asleep(&f.threads.v[0]);
    struct lk_natstack *again = lk_unwind(f.u, &r, other);
    assert_ptr_not_equal(s, again);
    assert_int_equal(s->n, again->n);
    for (unsigned i = 0; i < s->n; i++) {
        assert_int_equal(s->frames[i].offset, again->frames[i].offset);
        if (s->frames[i].function) {
            assert_string_equal(s->frames[i].function, again->frames[i].function);
            assert_ptr_not_equal(s->frames[i].function, again->frames[i].function);
        }
    }
    lk_arena_destroy(other);
    detach(&f);
}

static void a_thread_asleep_in_futex(void **state)
{
    static const char *const main_thread[] = { "block_in_thread", "main" };
    static const char *const other[] = { "lkt_wait_for_nothing", "thread_body" };
    struct fixture f;
    (void)state;
    attach(&f, start(block_in_thread), 2);
    for (size_t i = 0; i < 2; i++) {
        struct lk_natstack *s = stack_of(&f, i);
        bool is_main = f.threads.v[i].tid == f.pid;
        assert_int_equal(f.threads.v[i].nr, SYS_futex);
        assert_false(s->truncated);
        assert_order(s, is_main ? main_thread : other, 2);
    }
    detach(&f);
}

static void through_a_signal_frame_on_another_stack(void **state)
{
    static const char *const expected[] = { "lkt_inner", "lkt_handler", "lkt_interrupted",
                                            "block_in_handler", "main" };
    struct fixture f;
    (void)state;
    attach(&f, start(block_in_handler), 1);
    struct lk_natstack *s = stack_of(&f, 0);
    assert_false(s->truncated);
    assert_order(s, expected, LK_ARRAY_LEN(expected));
    detach(&f);
}

#if !defined(__clang__)
#define UNOPTIMIZED __attribute__((noipa, optimize("O0", "no-omit-frame-pointer")))

/* A frame that no constant tells: its size is known only when it runs. */
UNOPTIMIZED static int lkt_variable(int n)
{
    volatile char pad[n];
    pad[0] = 1;
    char c;
    return (int)syscall(SYS_read, never[0], &c, pad[0]);
}

UNOPTIMIZED static int lkt_deep(int n)
{
    volatile long pad[600];
    pad[0] = n;
    return (n ? lkt_deep(n - 1) : lkt_variable(300)) + (int)pad[0];
}

UNOPTIMIZED static void *unoptimized_thread(void *arg)
{
    char c;
    sink += (int)syscall(SYS_read, never[0], &c, 1);
    return arg;
}

UNOPTIMIZED static void block_unoptimized(void)
{
    pthread_t id;
    pthread_create(&id, NULL, unoptimized_thread, NULL);
    sink += lkt_deep(2);
}

static void code_that_was_not_optimized(void **state)
{
    static const char *const main_thread[] = { "lkt_variable", "lkt_deep",          "lkt_deep",
                                               "lkt_deep",     "block_unoptimized", "main" };
    static const char *const other[] = { "unoptimized_thread", "start_thread" };
    struct fixture f;
    (void)state;
    attach(&f, start(block_unoptimized), 2);
    for (size_t i = 0; i < 2; i++) {
        struct lk_natstack *s = stack_of(&f, i);
        bool is_main = f.threads.v[i].tid == f.pid;
        assert_false(s->truncated);
        assert_order(s, is_main ? main_thread : other,
                     is_main ? LK_ARRAY_LEN(main_thread) : LK_ARRAY_LEN(other));
    }
    detach(&f);
}
#endif

#if defined(__x86_64__)
/*
 * As a C library without unwind tables (musl): no frame pointer, a tail call on the way, and on the
 * stack the return address of a call that led to another function.
 */
long lkt_bare(long fd, void *buf, long n);
__asm__(".text\n"
        ".type lkt_bare_read, @function\n"
        "lkt_bare_read: push %rbx; sub $0x20, %rsp\n"
        "lea lkt_after_other(%rip), %rax; mov %rax, 8(%rsp)\n"
        "xor %eax, %eax; syscall; mov %rax, %rbx\n"
        "add $0x20, %rsp; pop %rbx; ret\n"
        ".size lkt_bare_read, . - lkt_bare_read\n"
        ".type lkt_bare_entry, @function\n"
        "lkt_bare_entry: jmp lkt_bare_read\n"
        ".size lkt_bare_entry, . - lkt_bare_entry\n"
        ".type lkt_other, @function\n"
        "lkt_other: ret\n"
        ".size lkt_other, . - lkt_other\n"
        ".globl lkt_bare\n"
        ".type lkt_bare, @function\n"
        "lkt_bare: push %r12; sub $0x40, %rsp\n"
        "call lkt_other\n"
        "lkt_after_other: call lkt_bare_entry\n"
        "mov %rax, %r12; add $0x40, %rsp; pop %r12; ret\n"
        ".size lkt_bare, . - lkt_bare\n");

OPAQUE static void block_in_bare(void)
{
    char c;
    sink += (int)lkt_bare(never[0], &c, 1);
}

static void code_without_unwind_tables(void **state)
{
    static const char *const expected[] = { "lkt_bare_read", "lkt_bare", "block_in_bare", "main" };
    struct fixture f;
    (void)state;
    attach(&f, start(block_in_bare), 1);
    assert_order(stack_of(&f, 0), expected, LK_ARRAY_LEN(expected));
    detach(&f);
}
#endif

static void no_stack_without_a_stack_pointer(void **state)
{
    struct fixture f;
    (void)state;
    attach(&f, start(block_in_read), 1);
    struct lk_regs r = asleep(&f.threads.v[0]);
    r.known = 1u << LK_REG_PC;
    struct lk_natstack *s = lk_unwind(f.u, &r, f.a);
    assert_int_equal(s->n, 1);
    assert_true(s->truncated);
    r.known = 0;
    s = lk_unwind(f.u, &r, f.a);
    assert_int_equal(s->n, 0);
    assert_true(s->truncated);
    detach(&f);
}

/* A dynamic symbol of the first file whose name begins like this; 0. */
static lk_addr symbol_in(struct lk_process *t, const char *file, const char *symbol)
{
    size_t n = 0;
    const struct lk_mapping *m = lk_process_maps(t, &n, NULL);
    lk_addr ret = 0;
    for (size_t i = 0; m && i < n && !ret; i++) {
        const char *slash = strrchr(m[i].path, '/');
        struct lk_elf e;
        if (m[i].offset != 0 || !lk_starts_with(slash ? slash + 1 : m[i].path, file) ||
            !lk_elf_open(&e, t, &m[i]))
            continue;
        ret = lk_elf_dynsym(&e, symbol);
        lk_elf_close(&e);
    }
    return ret;
}

static void names_in_the_vdso(void **state)
{
    struct fixture f;
    (void)state;
    attach(&f, start(block_in_read), 1);
    struct lk_regs r = asleep(&f.threads.v[0]);
    r.reg[LK_REG_PC] = symbol_in(f.t, "[vdso]", "__vdso_time");
    assert_true(r.reg[LK_REG_PC] != 0);
    struct lk_natstack *s = lk_unwind(f.u, &r, f.a);
    assert_true(s->n >= 1);
    assert_string_equal(s->frames[0].module, "[vdso]");
    assert_true(s->frames[0].system);
    assert_string_equal(s->frames[0].function, "time"); /* a weak alias of __vdso_time */
    detach(&f);
}

/* ---- against libunwind ---------------------------------------------------------------- */

static const char mixed[] =
    "import ctypes, os, threading, time\n"
    "libc = ctypes.CDLL(None)\n"
    "CMP = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)\n"
    "lock = threading.Lock(); lock.acquire()\n"
    "def down(n, leaf):\n"
    "    if n == 0: return leaf()\n"
    "    def cmp(a, b):\n"
    "        down(n - 1, leaf)\n"
    "        return 0\n"
    "    libc.qsort((ctypes.c_int * 2)(), 2, 4, CMP(cmp))\n"
    "leaves = [lock.acquire, lambda: time.sleep(1000), lambda: os.read(os.pipe()[0], 1)]\n"
    "for leaf in leaves: threading.Thread(target=down, args=(4, leaf), daemon=True).start()\n"
    "down(2, lambda: threading.Event().wait())\n";

static pid_t start_python(void)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        unsetenv("LD_PRELOAD");
        execl("/usr/bin/python3", "python3", "-S", "-c", mixed, (char *)NULL);
        _exit(127);
    }
    return pid;
}

static bool stop_thread(pid_t tid, struct lk_regs *ret)
{
    uint64_t words[LK_REGSET_WORDS];
    struct iovec io = { words, sizeof words };
    int status;
    if (ptrace(PTRACE_SEIZE, tid, 0, 0) || ptrace(PTRACE_INTERRUPT, tid, 0, 0) ||
        waitpid(tid, &status, __WALL) != tid ||
        ptrace(PTRACE_GETREGSET, tid, 1 /* NT_PRSTATUS */, &io))
        return false;
    lk_arch_take_regs(lk_arch_own(), words, ret);
    return true;
}

static unsigned walk_libunwind(pid_t tid, lk_addr *pcs)
{
    unw_addr_space_t as = unw_create_addr_space(&_UPT_accessors, 0);
    void *arg = _UPT_create(tid);
    unw_cursor_t c;
    unw_word_t pc;
    unsigned n = 0;
    assert_int_equal(unw_init_remote(&c, as, arg), 0);
    do {
        unw_get_reg(&c, UNW_REG_IP, &pc);
        if (!pc)
            break;
        pcs[n++] = pc;
    } while (n < LK_UNWIND_MAX && unw_step(&c) > 0);
    _UPT_destroy(arg);
    unw_destroy_addr_space(as);
    return n;
}

static void a_mixed_python_process_agrees_with_libunwind(void **state)
{
    struct fixture f;
    (void)state;
    attach(&f, start_python(), 4);
    for (size_t i = 0; i < f.threads.n; i++) {
        lk_addr ours[LK_UNWIND_MAX], theirs[LK_UNWIND_MAX], sleeping[LK_UNWIND_MAX],
            second[LK_UNWIND_MAX];
        struct lk_regs full, known = asleep(&f.threads.v[i]);
        bool truncated, cut, cut_second;
        pid_t tid = (pid_t)f.threads.v[i].tid;
        unsigned n_sleeping = lk_unwind_walk(f.u, &known, sleeping, &cut);
        if (!stop_thread(tid, &full))
            fail_msg("ptrace: %s", strerror(errno));
        unsigned n = lk_unwind_walk(f.u, &full, ours, &truncated);
        assert_true(lk_unwinder_use(f.u, LK_UNWIND_LIBUNWIND));
        unsigned n_second = lk_unwind_walk(f.u, &full, second, &cut_second);
        assert_true(lk_unwinder_use(f.u, LK_UNWIND_AUTO));
        unsigned n_theirs = walk_libunwind(tid, theirs);
        ptrace(PTRACE_DETACH, tid, 0, 0);
        assert_false(truncated);
        assert_int_equal(n, n_theirs);
        assert_true(n >= 10);
        assert_memory_equal(ours, theirs, n * sizeof ours[0]);
        assert_int_equal(n, n_second); /* over our memory as over ptrace's */
        assert_memory_equal(ours, second, n * sizeof ours[0]);
        assert_false(cut_second);
        assert_int_equal(n, n_sleeping); /* stack pointer and pc alone reach as far */
        assert_false(cut);
        assert_memory_equal(ours, sleeping, n * sizeof ours[0]);
    }
    assert_true(symbol_in(f.t, "python", "_PyRuntime") ||
                symbol_in(f.t, "libpython", "_PyRuntime"));
    detach(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_of_a_child_asleep_in_read),
        cmocka_unit_test(the_same_after_refresh),
        cmocka_unit_test(a_thread_asleep_in_futex),
        cmocka_unit_test(through_a_signal_frame_on_another_stack),
#if !defined(__clang__)
        cmocka_unit_test(code_that_was_not_optimized),
#endif
#if defined(__x86_64__)
        cmocka_unit_test(code_without_unwind_tables),
#endif
        cmocka_unit_test(no_stack_without_a_stack_pointer),
        cmocka_unit_test(names_in_the_vdso),
        cmocka_unit_test(a_mixed_python_process_agrees_with_libunwind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
