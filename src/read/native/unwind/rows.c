/*
 * The call frame information of each pc, decoded once, and what follows from it alone: whether
 * execution can be there, and whether a frame is the outermost (an undefined return address: System
 * V ABI, "Register Save Area"; _start and clone3 of glibc say so).
 */
#include "read/native/unwind/unwind_internal.h"

#define MAX_ROWS 65536

void lk_rows_forget(struct lk_unwinder *u)
{
    u->rows.n = u->exprs.n = 0;
    lk_map_clear(&u->row_of_pc);
}

const struct lk_row *lk_row_at(struct lk_unwinder *u, lk_addr pc)
{
    uint64_t i;
    if (lk_map_get(&u->row_of_pc, pc, &i))
        return &u->rows.v[i];
    if (u->rows.n >= MAX_ROWS)
        lk_rows_forget(u);
    struct lk_row *row = lk_vec_push(&u->rows);
    lk_map_put(&u->row_of_pc, pc, u->rows.n - 1);
    const struct lk_mapping *map = lk_process_mapping_at(u->t, pc);
    const struct lk_module *m = lk_module_at(&u->modules, pc);
    row->code = map && map->prot[2] == 'x';
    if (row->code && m)
        lk_cfi_row(u, m, pc, row);
    return row;
}

bool lk_unwind_is_code(struct lk_unwinder *u, lk_addr pc)
{
    return lk_row_at(u, pc)->code;
}

bool lk_unwind_is_outermost(struct lk_unwinder *u, const struct lk_frame_key *key)
{
    const struct lk_row *row = lk_row_at(u, key->pc - !key->exact);
    return row->ok && row->kind[LK_REG_PC] == LK_RULE_UNDEFINED;
}
