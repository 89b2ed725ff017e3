/* Thread states, names, the GIL. */
#include "pyheap.h"

#include <errno.h>

#include "read/python/interpreter/thread_states.h"

/* A runtime with one interpreter and n thread states; kernel tids 100, 101, ... */
struct world {
    struct pyheap *h;
    lk_addr interp, ts[4], gil;
};

static struct world world_create(int version, size_t n)
{
    struct world w = { .h = heap_create(version) };
    const struct lk_layout *l = &w.h->py.layout;
    lk_addr rt = heap_alloc(w.h, 2048);

    w.interp = heap_alloc(w.h, 16384);
    w.h->py.runtime = rt;
    w.h->py.interp = w.interp;
    put64(w.h, rt + l->rt_interpreters_head, w.interp);
    if (l->rt_gil != LK_OFF_NONE) {
        w.gil = rt + l->rt_gil;
    } else {
        w.gil = heap_alloc(w.h, 208);
        put64(w.h, w.interp + l->is_gil, w.gil);
    }
    for (size_t i = 0; i < n; i++) {
        lk_addr pthread = heap_alloc(w.h, 0x400);
        w.ts[i] = heap_alloc(w.h, 1200);
        put64(w.h, w.ts[i] + l->ts_interp, w.interp);
        put64(w.h, w.ts[i] + l->ts_thread_id, pthread);
        put32(w.h, pthread + 0x2d0, (uint32_t)(100 + i));
        if (l->ts_native_thread_id != LK_OFF_NONE)
            put64(w.h, w.ts[i] + l->ts_native_thread_id, 100 + i);
        if (i)
            put64(w.h, w.ts[i - 1] + l->ts_next, w.ts[i]);
        lk_snapshot_thread(w.h->py.s, 100 + (int64_t)i, NULL);
    }
    put64(w.h, w.interp + l->is_threads_head, w.ts[0]);
    w.h->py.s->pid = 100;
    return w;
}

static struct lk_thread *thread(struct world *w, size_t i)
{
    return &w->h->py.s->threads.v[i];
}

static void holder_and_waiter(void **state)
{
    (void)state;
    for (size_t v = 0; v < lk_n_layouts; v++) {
        struct world w = world_create(lk_layouts[v].version, 3);
        put64(w.h, w.gil + 8, w.ts[1]);
        put32(w.h, w.gil + 16, 1);
        thread(&w, 2)->os.on = LK_OS_FUTEX;
        thread(&w, 2)->os.futex = w.gil + 64;
        thread(&w, 0)->os.on = LK_OS_FUTEX;
        thread(&w, 0)->os.futex = w.gil + 208; /* just behind it */
        lk_py_read_threads(&w.h->py);
        lk_py_read_gil(&w.h->py);
        assert_true(w.h->py.frames_complete);
        assert_true(thread(&w, 0)->python && thread(&w, 0)->main && !thread(&w, 1)->main);
        assert_true(thread(&w, 1)->holds_gil);
        assert_false(thread(&w, 0)->holds_gil || thread(&w, 2)->holds_gil);
        assert_int_equal(thread(&w, 2)->wait.kind, LK_WAIT_GIL);
        assert_int_equal(thread(&w, 2)->wait.on.n, 1);
        assert_int_equal(thread(&w, 2)->wait.on.v[0].index, 1);
        assert_int_equal(thread(&w, 0)->wait.kind, LK_WAIT_NONE);
        heap_destroy(w.h);
    }
}

/* last_holder stays set after a release. */
static void released_gil_has_no_holder(void **state)
{
    (void)state;
    struct world w = world_create(LK_PYVER(3, 12), 2);
    put64(w.h, w.gil + 8, w.ts[1]);
    thread(&w, 0)->os.on = LK_OS_FUTEX;
    thread(&w, 0)->os.futex = w.gil + 80;
    lk_py_read_threads(&w.h->py);
    lk_py_read_gil(&w.h->py);
    assert_false(thread(&w, 1)->holds_gil);
    assert_int_equal(thread(&w, 0)->wait.kind, LK_WAIT_GIL);
    assert_int_equal(thread(&w, 0)->wait.on.n, 0);
    assert_false(thread(&w, 0)->wait.complete);
    heap_destroy(w.h);
}

static void names(void **state)
{
    (void)state;
    struct world w = world_create(LK_PYVER(3, 8), 2);
    struct pyheap *h = w.h;
    uint64_t ident;
    assert_true(lk_read_u64(h->t, w.ts[1] + h->py.layout.ts_thread_id, &ident));
    uint32_t digits[] = { ident & 0x3fffffff, (uint32_t)(ident >> 30) };
    lk_addr cls = heap_type(h, "Thread", h->object, FLAG_HEAPTYPE, 32), t = heap_object(h, cls, 32),
            key = heap_int(h, false, 2, digits);
    const char *attr[] = { "_name" }, *mod[] = { "threading" }, *act[] = { "_active" };
    lk_addr name[] = { heap_str(h, "worker\n1") }, active = heap_object(h, h->dict, 48),
            module = heap_object(h, h->module, 56);
    put64(h, cls + h->py.layout.tp_dictoffset, 16);
    put64(h, t + 16, heap_dict(h, 1, attr, name));
    put64(h, active + 32, heap_keys(h, 1, &key, &t));
    put64(h, module + 16, heap_dict(h, 1, act, &active));
    put64(h, w.interp + h->py.layout.is_modules, heap_dict(h, 1, mod, &module));
    lk_py_read_threads(&h->py);
    assert_string_equal(thread(&w, 1)->name, "worker\\x0a1");
    assert_string_equal(thread(&w, 0)->name, "");
    heap_destroy(h);
}

/* A list that changed while it was read is read again; one that stays torn is said to be. */
static void torn_lists_are_read_again(void **state)
{
    (void)state;
    for (int mended = 0; mended < 2; mended++) {
        struct world w = world_create(LK_PYVER(3, 11), 3);
        lk_addr at = w.ts[1] + w.h->py.layout.ts_interp;
        uint64_t interp, seen;
        assert_true(lk_read_u64(w.h->t, at, &interp));
        put64(w.h, at, 0x1234560);
        assert_true(lk_read_u64(w.h->t, at, &seen)); /* it is in the page cache now */
        /* behind the page cache's back, as a running target does */
        if (mended)
            memcpy(w.h->bytes + (at - HEAP_BASE), &interp, sizeof interp);
        lk_py_read_threads(&w.h->py);
        assert_int_equal(w.h->py.frames_complete, mended);
        bool told = strstr(w.h->py.s->limits.v[0].text, "list of Python threads") != NULL;
        assert_int_equal(told, !mended);
        if (told) { /* and where */
            const struct lk_failed_read *r = &w.h->py.s->limits.v[0].read;
            assert_int_equal(r->addr, at);
            assert_int_equal(r->size, 8);
            assert_int_equal(r->os_errno, 0);
            assert_string_equal(r->reading, "the list of thread states");
        }
        if (mended)
            assert_true(thread(&w, 0)->python && thread(&w, 1)->python && thread(&w, 2)->python);
        heap_destroy(w.h);
    }
}

/* Whose stack it is, and which read failed why. */
static void an_unreadable_frame_is_told_with_its_address(void **state)
{
    (void)state;
    for (size_t v = 0; v < lk_n_layouts; v++) {
        struct world w = world_create(lk_layouts[v].version, 3);
        const struct lk_layout *l = &w.h->py.layout;
        const lk_addr nowhere = UINT64_C(0x6f0000001000);
        const bool cframes = l->frame_kind == LK_FRAME_CFRAME;
        const uint32_t of = l->frame_kind == LK_FRAME_OBJECT ? l->ts_frame : l->ts_current_frame;
        lk_addr top = w.ts[1] + of;
        for (size_t i = 0; cframes && i < 3; i++) {
            const lk_addr cframe = heap_alloc(w.h, 64);
            put64(w.h, w.ts[i] + l->ts_cframe, cframe);
            top = i == 1 ? cframe + l->cframe_current : top;
        }
        put64(w.h, top, nowhere);
        lk_py_read_threads(&w.h->py);
        assert_int_equal(w.h->py.s->limits.n, 1);
        const struct lk_limit *limit = &w.h->py.s->limits.v[0];
        assert_non_null(strstr(limit->text, "1 thread could not be read to the end"));
        assert_int_equal(limit->entity.kind, LK_KIND_THREAD);
        assert_int_equal(limit->entity.index, 1);
        assert_in_range(limit->read.addr, nowhere, nowhere + 64);
        assert_in_range(limit->read.size, 8, 256);
        assert_int_equal(limit->read.os_errno, EFAULT);
        assert_string_equal(limit->read.reading, "a frame");
        heap_destroy(w.h);
    }
}

/* After a fork the thread state may keep the parent's tid: the word in struct pthread decides. */
static void stale_native_id(void **state)
{
    (void)state;
    struct world w = world_create(LK_PYVER(3, 13), 1);
    put64(w.h, w.ts[0] + w.h->py.layout.ts_native_thread_id, 99999);
    lk_py_read_threads(&w.h->py);
    assert_true(thread(&w, 0)->python);
    assert_int_equal(w.h->py.s->limits.n, 0);
    heap_destroy(w.h);
}

/* Under musl the tid stands where glibc has none. */
static void tid_of_musl(void **state)
{
    (void)state;
    struct world w = world_create(LK_PYVER(3, 8), 3);
    const struct lk_arch *arch = lk_process_arch(w.h->t);
    for (unsigned i = 0; i < 3; i++) {
        uint64_t pthread;
        assert_true(lk_read_u64(w.h->t, w.ts[i] + w.h->py.layout.ts_thread_id, &pthread));
        put32(w.h, pthread + arch->glibc.thread.tid, 0);
        put32(w.h, pthread + arch->musl_tid, 100 + i);
    }
    lk_py_read_threads(&w.h->py);
    assert_int_equal(w.h->py.s->limits.n, 0);
    for (size_t i = 0; i < 3; i++)
        assert_true(thread(&w, i)->python);
    heap_destroy(w.h);
}

static void unknown_thread_is_a_limit(void **state)
{
    (void)state;
    struct world w = world_create(LK_PYVER(3, 13), 2);
    uint64_t pthread;
    assert_true(lk_read_u64(w.h->t, w.ts[1] + w.h->py.layout.ts_thread_id, &pthread));
    put64(w.h, w.ts[1] + w.h->py.layout.ts_native_thread_id, 555);
    put32(w.h, pthread + 0x2d0, 555);
    lk_py_read_threads(&w.h->py);
    assert_true(w.h->py.frames_complete);
    assert_false(thread(&w, 1)->python);
    assert_int_equal(w.h->py.s->limits.n, 1);
    heap_destroy(w.h);
}

/* A running thread's stack is left out and said to be missing; a stopped one's is read. */
static void running_threads_are_not_decoded(void **state)
{
    (void)state;
    struct world w = world_create(LK_PYVER(3, 13), 2);
    put64(w.h, w.ts[0] + w.h->py.layout.ts_current_frame, w.h->none); /* would be torn */
    thread(&w, 0)->running = true;
    thread(&w, 0)->read = LK_READ_RACY;
    lk_py_read_threads(&w.h->py);
    assert_int_equal(w.h->py.s->limits.n, 1);
    assert_true(lk_starts_with(w.h->py.s->limits.v[0].text, "1 running thread was not stopped"));
    assert_int_equal(thread(&w, 0)->python_stack->n, 0);
    heap_destroy(w.h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(holder_and_waiter),
        cmocka_unit_test(released_gil_has_no_holder),
        cmocka_unit_test(names),
        cmocka_unit_test(torn_lists_are_read_again),
        cmocka_unit_test(an_unreadable_frame_is_told_with_its_address),
        cmocka_unit_test(stale_native_id),
        cmocka_unit_test(tid_of_musl),
        cmocka_unit_test(unknown_thread_is_a_limit),
        cmocka_unit_test(running_threads_are_not_decoded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
