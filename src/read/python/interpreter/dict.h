/* A keys table opened for reading: the shape shared by dicts and by the attributes kept inside
 * objects. */
#ifndef LK_READ_PYTHON_INTERPRETER_DICT_H
#define LK_READ_PYTHON_INTERPRETER_DICT_H

#include "read/python/interpreter/interpreter.h"

struct lk_dict_view {
    lk_addr keys, entries;
    lk_addr values;  /* split table: first value; 0 = values stand in the entries */
    int64_t n;       /* entries used, bounded */
    lk_addr indices; /* by hash: of entries, each of index_size bytes, signed; size of them */
    uint64_t size;
    uint32_t index_size;
    uint32_t entry_size, key_at;
};

/** Opens a PyDictKeysObject; v->values is left 0. False when implausible. */
bool lk_py_keys_open(struct lk_py *py, lk_addr keys, struct lk_dict_view *v);
lk_addr lk_py_view_get(struct lk_py *py, const struct lk_dict_view *v, const char *name);
void lk_py_view_each(struct lk_py *py, const struct lk_dict_view *v,
                     bool (*fn)(struct lk_py *, lk_addr, lk_addr, void *), void *arg);

#endif
