/*
 * Every interpreter that is there says how its instructions are read and what its own functions do
 * (receiver_target.py); the tables, the decoder and the answers must agree with it. Then the same
 * with code and heaps that lie.
 */
#include "lying_target.h"
#include "told_target.h"

#include "read/python/interpreter/bytecode.h"
#include "read/python/interpreter/code.h"
#include "read/python/reader/method_calls.h"

enum { MAX_CODE = 1 << 16, ROUNDS = 4000, LIES = 40 };

static const char *const class_names[] = {
    [LK_OPC_OTHER] = "OTHER",
    [LK_OPC_NOP] = "NOP",
    [LK_OPC_EXTENDED] = "EXTENDED",
    [LK_OPC_FAST] = "FAST",
    [LK_OPC_FAST_FAST] = "FAST_FAST",
    [LK_OPC_DEREF] = "DEREF",
    [LK_OPC_GLOBAL] = "GLOBAL",
    [LK_OPC_NAME] = "NAME",
    [LK_OPC_ATTR] = "ATTR",
    [LK_OPC_SUPER_ATTR] = "SUPER_ATTR",
    [LK_OPC_STORE_FAST] = "STORE_FAST",
    [LK_OPC_STORE_FAST_LOAD_FAST] = "STORE_FAST_LOAD_FAST",
    [LK_OPC_STORE_FAST_STORE_FAST] = "STORE_FAST_STORE_FAST",
    [LK_OPC_STORE_DEREF] = "STORE_DEREF",
    [LK_OPC_STORE_GLOBAL] = "STORE_GLOBAL",
    [LK_OPC_STORE_NAME] = "STORE_NAME",
    [LK_OPC_STORE_ATTR] = "STORE_ATTR",
    [LK_OPC_IMPORT] = "IMPORT",
    [LK_OPC_JUMP] = "JUMP",
    [LK_OPC_JUMP_BACK] = "JUMP_BACK",
    [LK_OPC_JUMP_ABSOLUTE] = "JUMP_ABSOLUTE",
};

/* ---- tables and decoder ---------------------------------------------------------------- */

static void same_table(const struct program *p, const struct lk_optable *t, const char *label)
{
    struct lk_opinfo info[256];
    json_t *rows = json_object_get(p->truth, "rows");

    lk_py_opcodes_expand(t, info);
    for (size_t op = 0; op < 256; op++) {
        json_t *row = json_array_get(rows, op);
        if (json_is_null(row)) {
            if (info[op].cls != LK_OPC_INVALID)
                fail_msg("%s: opcode %zu is none", label, op);
            continue;
        }
        const char *cls = json_string_value(json_array_get(row, 0)),
                   *mine = class_names[info[op].cls];
        if (!mine || strcmp(cls, mine) != 0 ||
            info[op].caches != json_integer_value(json_array_get(row, 1)))
            fail_msg("%s: opcode %zu (%s) is %s with %lld caches, not %s with %u", label, op,
                     json_string_value(json_array_get(row, 2)), cls,
                     json_integer_value(json_array_get(row, 1)), mine ? mine : "none",
                     info[op].caches);
    }
}

static size_t from_hex(const char *hex, uint8_t *ret, size_t max)
{
    size_t n = 0;
    unsigned byte;
    for (; n < max && sscanf(hex + 2 * n, "%2x", &byte) == 1; n++)
        ret[n] = (uint8_t)byte;
    return n;
}

static void same_decoding(const struct lk_optable *t, const json_t *truth, const char *label,
                          size_t index)
{
    static uint8_t code[MAX_CODE];
    const json_t *at = json_object_get(truth, "at"), *targets = json_object_get(truth, "targets");
    size_t n = from_hex(json_string_value(json_object_get(truth, "code")), code, MAX_CODE),
           n_targets = 0;
    struct lk_decoded d;

    if (n == MAX_CODE)
        return;
    if (!lk_py_decode(t, code, n, &d))
        fail_msg("%s: code %zu is not decoded", label, index);
    assert_int_equal(d.n, json_array_size(at));
    for (size_t i = 0; i < d.n; i++)
        assert_int_equal(d.v[i].at * 2, json_integer_value(json_array_get(at, i)));
    for (size_t i = 0; i < d.units; i++)
        if (d.target[i])
            assert_int_equal(2 * i, json_integer_value(json_array_get(targets, n_targets++)));
    assert_int_equal(n_targets, json_array_size(targets));
    lk_py_decoded_deinit(&d);
}

static void check_code(struct program *p, const char *label)
{
    const struct lk_optable *t = lk_py_opcodes(p->version);
    json_t *codes = json_object_get(p->truth, "codes");

    assert_non_null(t);
    same_table(p, t, label);
    assert_true(json_array_size(codes) > 300);
    for (size_t i = 0; i < json_array_size(codes); i++)
        same_decoding(t, json_array_get(codes, i), label, i);
}

/* ---- answers ------------------------------------------------------------------------------- */

static const struct lk_pyframes *frames_of(struct lk_py *py, size_t thread)
{
    uint64_t at = 0;
    lk_map_get(&py->frames_of, thread, &at);
    return (const struct lk_pyframes *)(uintptr_t)at;
}

static const struct lk_pyf *frame_of(struct lk_py *py, const char *thread, const char *function)
{
    for (size_t i = 0; i < py->s->threads.n; i++) {
        const struct lk_pyframes *frames = frames_of(py, i);
        if (!frames || strcmp(py->s->threads.v[i].name, thread) != 0)
            continue;
        for (size_t k = 0; k < frames->n; k++) {
            const struct lk_pycode *c = lk_py_code(py, frames->v[k].code);
            const char *last = c ? strrchr(c->code->function, '.') : NULL;
            if (c && strcmp(last ? last + 1 : c->code->function, function) == 0)
                return &frames->v[k];
        }
    }
    return NULL;
}

static const char *word(enum lk_tri v)
{
    return v == LK_YES ? "yes" : v == LK_NO ? "no" : "unknown";
}

static void check_answers(struct program *p, const char *label)
{
    struct lk_error err = { 0 };
    struct lk_process *t = lk_process_open_live(p->pid, &err);
    assert_non_null(t);
    struct lk_py *py = lk_py_open(t, &err);
    assert_non_null(py);
    lk_process_begin_sample(t);
    struct lk_snapshot *s = read_threads(py, t);
    lk_addr lock = (lk_addr)json_integer_value(json_object_get(p->truth, "lock"));
    json_t *threads = json_object_get(p->truth, "threads");
    unsigned wrong = 0;

    for (size_t i = 0; i < json_array_size(threads); i++) {
        json_t *row = json_array_get(threads, i);
        const char *name = json_string_value(json_array_get(row, 0)),
                   *want = json_string_value(json_array_get(row, 2));
        const struct lk_pyf *f = frame_of(py, name, json_string_value(json_array_get(row, 1)));
        const char *got = f ? word(lk_py_calls_method_on(py, f, "release", lock)) : "no frame";
        if (strcmp(got, want) == 0)
            continue;
        print_error("%s: %s is %s, want %s\n", label, name, got, want);
        wrong++;
    }
    assert_true(json_array_size(threads) > 40);
    lk_snapshot_destroy(s);
    lk_py_close(py);
    lk_process_destroy(t);
    assert_int_equal(wrong, 0);
}

static void check_python(struct program *p, const char *label)
{
    check_code(p, label);
    check_answers(p, label);
}

static void every_python_agrees(void **state)
{
    (void)state;
    static const char *const scripts[] = { "receiver_target.py", "opcode_rows.py", NULL };
    unsigned n = each_python(scripts, check_python);
    print_message("%u interpreters\n", n);
    assert_true(n > 0);
}

/* ---- lies ----------------------------------------------------------------------------------- */

static void random_code_is_survived(void **state)
{
    unsigned decoded = 0;
    (void)state;
    liar.random = 88172645463325252u;

    for (size_t v = 0; v < lk_n_layouts; v++) {
        const struct lk_optable *t = lk_py_opcodes(lk_layouts[v].version);
        struct lk_opinfo info[256];
        assert_non_null(t);
        lk_py_opcodes_expand(t, info);
        for (unsigned round = 0; round < ROUNDS; round++) {
            size_t n = next_random() % (round % 2 ? 4096 : 24);
            uint8_t *exact = lk_xmalloc(n + 1); /* so that a step too far is seen */
            for (size_t i = 0; i < n; i++) {
                exact[i] = (uint8_t)next_random();
                while (i % 2 == 0 && round % 4 && info[exact[i]].cls == LK_OPC_INVALID)
                    exact[i]++;
            }
            struct lk_decoded d;
            if (lk_py_decode(t, exact, n, &d)) {
                decoded++;
                for (size_t i = 0; i < d.n; i++)
                    assert_true(d.v[i].start <= d.v[i].at && d.v[i].at < d.units);
            }
            lk_py_decoded_deinit(&d);
            lk_free(exact);
        }
    }
    assert_true(decoded > 100);
}

static void ask_all(struct lk_py *py, lk_addr lock)
{
    for (size_t i = 0; i < py->s->threads.n; i++) {
        const struct lk_pyframes *frames = frames_of(py, i);
        for (size_t k = 0; frames && k < frames->n; k++) {
            lk_py_calls_method_on(py, &frames->v[k], "release", lock);
            lk_py_calls_method_on(py, &frames->v[k], "acquire", lock);
        }
    }
}

static void a_lying_heap_is_survived(void **state)
{
    static const struct lk_process_ops ops = { .read = lying_read };
    struct lk_error err = { 0 };
    struct program p = { 0 };
    (void)state;
    assert_true(start(&p, NULL, "/usr/bin/python3", "receiver_target.py"));
    liar.pid = p.pid;
    liar.one_in = 300;
    struct lk_process *honest = lk_process_open_live(p.pid, &err);
    assert_non_null(honest);
    struct lk_py *py = lk_py_open(honest, &err);
    assert_non_null(py);
    for (unsigned i = 0; i < LIES; i++) {
        struct lk_process *bad = lk_process_create(&ops, NULL);
        uint64_t began = lk_now_ms();
        liar.salt = i;
        lk_process_begin_sample(honest);
        /* Every second time the frames are true and only what is asked of them lies. */
        py->t = i % 2 ? bad : honest;
        struct lk_snapshot *s = read_threads(py, honest);
        py->t = bad;
        ask_all(py, (lk_addr)json_integer_value(json_object_get(p.truth, "lock")));
        py->t = honest;
        lk_snapshot_destroy(s);
        lk_process_destroy(bad);
        assert_true(lk_now_ms() - began < 20000);
    }
    lk_py_close(py);
    lk_process_destroy(honest);
    end(&p);
}

static void other_versions_have_no_table(void **state)
{
    (void)state;
    assert_null(lk_py_opcodes(LK_PYVER(3, 7)));
    assert_null(lk_py_opcodes(LK_PYVER(3, 16)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_python_agrees),
        cmocka_unit_test(random_code_is_survived),
        cmocka_unit_test(a_lying_heap_is_survived),
        cmocka_unit_test(other_versions_have_no_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
