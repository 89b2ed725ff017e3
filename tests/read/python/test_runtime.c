/* Finding symbols and runtimes in real processes. */
#include <dlfcn.h>
#include <elf.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pyheap.h"
#include "read/native/elf/dynamic_symbol.h"
#include "read/native/glibc/environ.h"
#include "read/python/interpreter/runtime.h"
#include "read/python/interpreter/thread_states.h"

#define PYTHON "/usr/bin/python3"

/* Starts a program and waits for its first byte of output; its pid. */
static pid_t start(char *const argv[])
{
    int out[2];
    char c;
    assert_int_equal(pipe(out), 0);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(out[1], 1);
        close(out[0]);
        execv(argv[0], argv);
        _exit(127);
    }
    close(out[1]);
    bool ready = read(out[0], &c, 1) == 1;
    close(out[0]);
    if (!ready) {
        waitpid(pid, NULL, 0);
        return -1;
    }
    return pid;
}

static void stop(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

/* The C library of a child of ours, found through its memory: the address dlsym gives in this very
 * image. */
/* Entries of .dynsym by the file's section headers. */
static uint64_t dynsym_entries(const char *path)
{
    FILE *f = fopen(path, "re");
    Elf64_Ehdr e;
    Elf64_Shdr sh = { 0 };
    assert_non_null(f);
    assert_int_equal(fread(&e, sizeof e, 1, f), 1);
    assert_int_equal(fseek(f, (long)e.e_shoff, SEEK_SET), 0);
    for (unsigned i = 0; i < e.e_shnum && sh.sh_type != SHT_DYNSYM; i++)
        assert_int_equal(fread(&sh, sizeof sh, 1, f), 1);
    fclose(f);
    return sh.sh_type == SHT_DYNSYM ? sh.sh_size / sh.sh_entsize : 0;
}

static void symbol_in_loaded_library(void **state)
{
    (void)state;
    pid_t pid = fork();
    if (pid == 0) {
        pause();
        _exit(0);
    }
    struct lk_error err;
    struct lk_process *t = lk_process_open_live(pid, &err);
    assert_non_null(t);
    Dl_info info;
    void *expected = dlsym(RTLD_DEFAULT, "environ");
    assert_true(expected && dladdr(dlsym(RTLD_DEFAULT, "qsort"), &info));
    const struct lk_mapping *m = lk_process_mapping_at(t, (lk_addr)(uintptr_t)info.dli_fbase);
    struct lk_elf e;
    assert_non_null(m);
    assert_true(lk_elf_open(&e, t, m));
    assert_int_equal(e.fd, -1);
    assert_int_equal(lk_elf_dynsym(&e, "qsort"), (uintptr_t)dlsym(RTLD_DEFAULT, "qsort"));
    assert_int_equal(lk_elf_dynsym(&e, "no_such_symbol_anywhere"), 0);
    assert_int_equal(lk_elf_dynsym(&e, ""), 0);
    assert_int_equal(lk_elf_dynsym_count(&e), dynsym_entries(info.dli_fname));
    lk_elf_close(&e);
    lk_process_destroy(t);
    stop(pid);
}

/* Bytes that start like an ELF file and then lie. */
static void damaged_elf(void **state)
{
    (void)state;
    static uint8_t page[LK_PAGE];
    struct fake_segment seg = { HEAP_BASE, page, sizeof page };
    struct lk_process *t = fake_target(&seg, 1);
    struct lk_mapping m = { .start = HEAP_BASE, .end = HEAP_BASE + LK_PAGE, .path = "/x" };
    struct lk_elf e;
    uint64_t seed = 1;
    for (int i = 0; i < 3000; i++) {
        for (size_t k = 0; k < sizeof page; k++)
            page[k] = (uint8_t)((seed = seed * 6364136223846793005u + 1442695040888963407u) >> 56);
        memcpy(page, "\177ELF\2\1\1", 7);
        page[18] = 62; /* x86-64 */
        page[19] = 0;
        memcpy(page + 32, (uint64_t[]){ 64 }, 8);
        memcpy(page + 54, (uint16_t[]){ 56, (uint16_t)(1 + seed % 8) }, 4);
        for (int p = 0; p < 8; p++) {
            memcpy(page + 64 + 56 * p, (uint32_t[]){ p ? 1 + p % 2 : 1 }, 4);
            memcpy(page + 64 + 56 * p + 16, (uint64_t[]){ p ? seed % 2000 : 0 }, 8);
        }
        lk_process_begin_sample(t);
        if (lk_elf_open(&e, t, &m)) {
            lk_elf_dynsym(&e, "_PyRuntime");
            lk_elf_close(&e);
        }
    }
    lk_process_destroy(t);
}

/* Line of the innermost frame of the first thread, in a new sample. */
static int stack_line(struct lk_py *py, struct lk_snapshot *s)
{
    lk_process_begin_sample(py->t);
    lk_py_begin(py, s);
    lk_py_read_threads(py);
    const struct lk_pystack *stack = s->threads.v[0].python_stack;
    return stack->n ? stack->frames[0].line : 0;
}

static void real_interpreter(void **state)
{
    (void)state;
    char *argv[] = {
        PYTHON, "-c",
        "import os, time\ndef here():\n    os.write(1, b'x')\n    time.sleep(100)\nhere()", NULL
    };
    pid_t pid = access(PYTHON, X_OK) == 0 ? start(argv) : -1;
    if (pid < 0)
        skip();
    struct lk_error err;
    struct lk_process *t = lk_process_open_live(pid, &err);
    assert_non_null(t);
    struct lk_py *py = lk_py_open(t, &err);
    struct lk_snapshot *s = lk_snapshot_create();
    s->pid = pid;
    assert_non_null(py);
    lk_py_describe(py, s);
    assert_true(s->python.present);
    if (lk_py_readable(py)) {
        assert_true(lk_starts_with(s->python.version, "3."));
        assert_non_null(strstr(s->python.stdlib, "/python3."));
        lk_snapshot_thread(s, pid, NULL);
        /* Its first output comes a moment before it sleeps. */
        for (int i = 0; i < 200 && stack_line(py, s) != 4; i++)
            usleep(10000);
        assert_int_equal(stack_line(py, s), 4);
        assert_int_equal(s->threads.v[0].python_stack->n, 2);
        assert_string_equal(s->threads.v[0].python_stack->frames[0].code->function, "here");
    } else {
        assert_non_null(s->python.why_not);
        lk_py_read(py, s);
        assert_int_equal(s->limits.n, 1);
        assert_non_null(strstr(s->limits.v[0].text, s->python.why_not));
    }
    lk_snapshot_destroy(s);
    lk_py_close(py);
    lk_process_destroy(t);
    stop(pid);
}

/* What a process has put into its environment since it began, as os.environ does it. */
static void environment_as_it_is_now(void **state)
{
    (void)state;
    char *argv[] = { PYTHON, "-c",
                     "import os, time\nfor i in range(500): os.environ['LK_FILL%d' % i] = 'x' * i\n"
                     "os.environ['LK_NOW'] = 'a\\nb' + 'c' * 3000\nos.environ['LK_GONE'] = "
                     "'x'\ndel os.environ['LK_GONE']\n"
                     "os.write(1, b'x')\ntime.sleep(100)",
                     NULL };
    pid_t pid = access(PYTHON, X_OK) == 0 ? start(argv) : -1;
    if (pid < 0)
        skip();
    struct lk_error err;
    struct lk_process *t = lk_process_open_live(pid, &err);
    struct lk_arena *a = lk_arena_create();
    assert_non_null(t);
    const char *now = lk_environ_get(t, a, "LK_NOW");
    assert_non_null(now);
    assert_memory_equal(now, "a\\x0abccc", 9);
    assert_in_range(strlen(now), 1000, 1100);
    assert_null(lk_environ_get(t, a, "LK_GONE"));
    assert_null(lk_environ_get(t, a, "LK_NO"));
    assert_null(lk_environ_get(t, a, ""));
    lk_arena_destroy(a);
    lk_process_destroy(t);
    stop(pid);
}

static void no_python(void **state)
{
    (void)state;
    char *argv[] = { "/bin/sh", "-c", "echo x; exec sleep 100", NULL };
    pid_t pid = start(argv);
    struct lk_error err = { 0 };
    struct lk_process *t = lk_process_open_live(pid, &err);
    assert_non_null(t);
    assert_null(lk_py_open(t, &err));
    assert_int_equal(err.code, LK_ERR_UNSUPPORTED);
    lk_process_destroy(t);
    stop(pid);
}

static void layouts_are_consistent(void **state)
{
    (void)state;
    for (size_t i = 0; i < lk_n_layouts; i++) {
        const struct lk_layout *l = &lk_layouts[i];
        assert_ptr_equal(lk_layout_find(l->version), l);
        if (i)
            assert_int_equal(l->version, lk_layouts[i - 1].version + 1);
        if (l->frame_kind != LK_FRAME_OBJECT) {
            /* A coroutine ends with its frame, a code object with its instructions. */
            assert_int_equal(l->coroutine_size, l->gi_iframe + l->if_localsplus);
            assert_int_equal(l->code_basicsize, l->co_code_adaptive);
        }
        assert_int_equal(l->task_coro, l->task_fut_waiter + 8);
        assert_int_equal(l->task_name, l->task_coro + 8);
    }
    assert_null(lk_layout_find(LK_PYVER(3, 7)));
    assert_null(lk_layout_find(LK_PYVER(3, 16)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(symbol_in_loaded_library),
        cmocka_unit_test(damaged_elf),
        cmocka_unit_test(real_interpreter),
        cmocka_unit_test(environment_as_it_is_now),
        cmocka_unit_test(no_python),
        cmocka_unit_test(layouts_are_consistent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
