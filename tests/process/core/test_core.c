/*
 * Cores made by hand: what is refused, and in which words; what is left of one without files. Real
 * ones are tested in tests/e2e/cores.py, damaged ones in tests/fuzz/fuzz_core.c.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h> /* needs the three above */

#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "process/core/core.h"
#include "snapshot/builder.h"

enum { DATA = 0x10000, REGS = 112, PID = 32 };

/* A core with one thread and one page of memory, of which only the first half is in the file. */
struct core {
    Elf64_Ehdr e;
    Elf64_Phdr ph[2];
    Elf64_Nhdr note;
    char name[8];
    uint8_t status[336];
    uint8_t data[2 * LK_PAGE];
};

static struct core make(void)
{
    const struct lk_arch *arch = lk_arch_own();
    struct core c = {
        .e = { .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, 1 },
               .e_type = ET_CORE,
               .e_machine = arch->machine,
               .e_phoff = offsetof(struct core, ph),
               .e_phentsize = sizeof(Elf64_Phdr),
               .e_phnum = 2 },
        .ph = { { .p_type = PT_NOTE, .p_offset = offsetof(struct core, note) },
                { .p_type = PT_LOAD,
                  .p_flags = PF_R | PF_W,
                  .p_offset = offsetof(struct core, data),
                  .p_vaddr = DATA,
                  .p_filesz = 2 * LK_PAGE,
                  .p_memsz = 3 * LK_PAGE } },
        .note = { 5, sizeof c.status, NT_PRSTATUS },
        .name = "CORE",
    };
    const int32_t tid = 42;
    const uint64_t number = 0, result = (uint64_t)-512;
    c.ph[0].p_filesz = sizeof c.note + sizeof c.name + sizeof c.status;
    memcpy(c.status + PID, &tid, sizeof tid);
    memcpy(c.status + REGS + 8 * arch->call.number, &number, sizeof number);
    memcpy(c.status + REGS + 8 * arch->call.result, &result, sizeof result);
    c.data[LK_PAGE] = 0x5a;
    return c;
}

static struct lk_process *open_bytes(const void *bytes, size_t n, struct lk_error *err)
{
    char path[40];
    const int fd = memfd_create("core", MFD_CLOEXEC);
    assert_int_equal(write(fd, bytes, n), n);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    struct lk_process *t = lk_core_open(&(struct lk_core_request){ .file = path }, err);
    close(fd);
    return t;
}

static void refused(const struct core *c, size_t n, const char *word)
{
    struct lk_error err = { 0 };
    assert_null(open_bytes(c, n, &err));
    if (!strstr(err.text, word))
        fail_msg("%s, not %s", err.text, word);
    assert_null(strchr(err.text, '\n'));
}

static void what_is_no_core(void **state)
{
    struct core c = make();
    (void)state;
    refused(&c, 10, "is no core file");
    c.e.e_ident[EI_CLASS] = ELFCLASS32;
    refused(&c, sizeof c, "32-bit");
    c = make();
    c.e.e_machine = EM_NONE;
    refused(&c, sizeof c, "another machine");
    c = make();
    c.e.e_type = ET_DYN;
    refused(&c, sizeof c, "a program or library");
    c = make();
    c.e.e_phentsize = 1;
    refused(&c, sizeof c, "make no sense");
    c = make();
    c.note.n_type = NT_AUXV;
    refused(&c, sizeof c, "names no thread");
    c = make();
    refused(&c, offsetof(struct core, ph) + 4, "list of segments is not whole");
}

static void what_is_in_it(void **state)
{
    const struct core c = make();
    struct lk_error err = { 0 };
    struct lk_process *t = open_bytes(&c, sizeof c, &err);
    struct lk_thread_list list = { 0 };
    struct lk_snapshot *s = lk_snapshot_create();
    struct lk_watched watched;
    uint8_t byte;
    (void)state;
    assert_non_null(t);
    assert_true(lk_process_is_moment(t));
    assert_int_equal(lk_process_pid(t), 42);
    assert_true(lk_read_u8(t, DATA + LK_PAGE, &byte));
    assert_int_equal(byte, 0x5a);
    assert_false(lk_read_u8(t, DATA + 2 * LK_PAGE, &byte)); /* left out */
    assert_int_equal(lk_read_failed(t).os_errno, ENODATA);
    lk_read_watch(t);
    assert_false(lk_read_u8(t, DATA + 3 * LK_PAGE, &byte)); /* not mapped */
    assert_int_equal(lk_read_failed(t).os_errno, EFAULT);
    assert_true(lk_process_threads(t, &list, true, &err));
    assert_int_equal(list.n, 1);
    assert_int_equal(list.v[0].tid, 42);
    assert_int_equal(list.v[0].state, 'S');
    assert_true(list.v[0].syscall_known);
    assert_true(lk_process_identify(t, s, &err));
    assert_int_equal(s->limits.n, 1);
    assert_int_equal(s->epoll_fds, LK_UNKNOWN);
    assert_int_equal(s->own_handlers, LK_TRI_UNKNOWN);
    assert_false(lk_process_watched(t, 3, &watched));
    assert_null(lk_process_machine(t));
    lk_free(list.v);
    lk_snapshot_destroy(s);
    lk_process_destroy(t);
}

static void what_was_cut_off(void **state)
{
    const struct core c = make();
    struct lk_error err = { 0 };
    struct lk_process *t = open_bytes(&c, sizeof c - LK_PAGE, &err);
    struct lk_snapshot *s = lk_snapshot_create();
    uint8_t byte;
    (void)state;
    assert_non_null(t);
    assert_true(lk_read_u8(t, DATA, &byte));
    assert_false(lk_read_u8(t, DATA + LK_PAGE, &byte));
    assert_true(lk_process_identify(t, s, &err));
    assert_int_equal(s->limits.n, 2);
    assert_non_null(strstr(s->limits.v[1].text, "cut off"));
    lk_snapshot_destroy(s);
    lk_process_destroy(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_no_core),
        cmocka_unit_test(what_is_in_it),
        cmocka_unit_test(what_was_cut_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
