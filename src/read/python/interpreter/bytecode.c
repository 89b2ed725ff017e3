/*
 * Code as instructions: split linearly by the table of its version (opcode_table.c), jumps followed
 * to the instructions they lead to.
 */
#include "read/python/interpreter/bytecode.h"

#include "read/python/interpreter/code.h"
#include "read/python/interpreter/layout_table.h"
#include "util/memory.h"

enum {
    MAX_CODE_BYTES = 1 << 20,
    MAX_EXTENDED = 3,        /* an argument has 32 bits */
    RELEASE_CANDIDATE = 0xc, /* sys.hexversion: bytecode is frozen from here on */
};

void lk_py_decoded_deinit(struct lk_decoded *d)
{
    lk_free(d->v);
    lk_free(d->begins);
    lk_free(d->target);
    lk_free(d->loops);
    *d = (struct lk_decoded){ 0 };
}

static bool split(const struct lk_optable *t, const uint8_t *code, struct lk_decoded *d)
{
    struct lk_opinfo info[256];
    uint32_t arg = 0, start = 0;
    unsigned extended = 0;

    lk_py_opcodes_expand(t, info);
    for (size_t i = 0; i < d->units;) {
        const struct lk_opinfo *op = &info[code[2 * i]];
        arg = arg << 8 | code[2 * i + 1];
        if (op->cls == LK_OPC_INVALID || i + 1 + op->caches > d->units)
            return false;
        if (op->cls == LK_OPC_EXTENDED) {
            if (++extended > MAX_EXTENDED)
                return false;
            i++;
            continue;
        }
        d->v[d->n++] =
            (struct lk_insn){ .start = start, .at = (uint32_t)i, .arg = arg, .cls = op->cls };
        d->begins[start] = 1;
        i += 1u + op->caches;
        start = (uint32_t)i;
        arg = extended = 0;
    }
    return extended == 0;
}

int64_t lk_py_jump_target(const struct lk_optable *t, const struct lk_insn *in, int64_t next)
{
    int64_t bytes = (int64_t)in->arg * t->jump_unit;

    if (bytes & 1)
        return -1;
    switch (in->cls) {
    case LK_OPC_JUMP: return next + bytes / 2;
    case LK_OPC_JUMP_BACK: return next - bytes / 2;
    default: return bytes / 2;
    }
}

static bool follow_jumps(const struct lk_optable *t, struct lk_decoded *d)
{
    for (size_t i = 0; i < d->n; i++) {
        const struct lk_insn *in = &d->v[i];
        if (in->cls != LK_OPC_JUMP && in->cls != LK_OPC_JUMP_BACK &&
            in->cls != LK_OPC_JUMP_ABSOLUTE)
            continue;
        int64_t to = lk_py_jump_target(t, in, i + 1 < d->n ? d->v[i + 1].start : (int64_t)d->units);
        if (to < 0 || to >= (int64_t)d->units || !d->begins[to])
            return false;
        d->target[to] = 1;
        if (to <= in->at) {
            d->loops[to]++;
            d->loops[in->at + 1]--;
        }
    }
    for (size_t i = 1; i < d->units; i++)
        d->loops[i] += d->loops[i - 1];
    return true;
}

bool lk_py_decode(const struct lk_optable *t, const uint8_t *code, size_t n_bytes,
                  struct lk_decoded *ret)
{
    *ret = (struct lk_decoded){ .units = n_bytes / 2 };
    if (n_bytes == 0 || n_bytes > MAX_CODE_BYTES || n_bytes % 2)
        return false;
    ret->v = lk_xcalloc(ret->units, sizeof *ret->v);
    ret->begins = lk_xcalloc(ret->units, 1);
    ret->target = lk_xcalloc(ret->units, 1);
    ret->loops = lk_xcalloc(ret->units + 1, sizeof *ret->loops);
    if (split(t, code, ret) && follow_jumps(t, ret))
        return true;
    lk_py_decoded_deinit(ret);
    return false;
}

const struct lk_optable *lk_py_decode_code(struct lk_py *py, const struct lk_pycode *c,
                                           struct lk_decoded *ret)
{
    const struct lk_optable *t = lk_py_opcodes(py->layout.version);
    const unsigned level = py->version_hex >> 4 & 15;
    if (!t || level < RELEASE_CANDIDATE || c->code_bytes <= 0 || c->code_bytes > MAX_CODE_BYTES)
        return NULL;
    uint8_t *code = lk_xmalloc((size_t)c->code_bytes);
    const bool ok = lk_read(py->t, c->start, code, (size_t)c->code_bytes) &&
                    lk_py_decode(t, code, (size_t)c->code_bytes, ret);
    lk_free(code);
    return ok ? t : NULL;
}
