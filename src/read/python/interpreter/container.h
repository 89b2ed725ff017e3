/* Items of tuples, lists, sets, deques and dicts, and the modules in sys.modules. */
#ifndef LK_READ_PYTHON_INTERPRETER_CONTAINER_H
#define LK_READ_PYTHON_INTERPRETER_CONTAINER_H

#include "read/python/interpreter/interpreter.h"

/** Number of items of tuple, list, dict, set, deque; -1 when it is none of them or implausible. */
int64_t lk_py_len(struct lk_py *py, lk_addr obj);
/** Item i of a tuple or list; 0. */
lk_addr lk_py_item(struct lk_py *py, lk_addr seq, size_t i);
/** All items of tuple, list, set, deque (bounded by max); *n tells how many; array in the
 * snapshot's arena; NULL when none. */
lk_addr *lk_py_items(struct lk_py *py, lk_addr container, size_t max, size_t *n);
/** dict by str key; 0 when absent. */
lk_addr lk_py_dict_get(struct lk_py *py, lk_addr dict, const char *key);
/** Calls fn for every entry until it returns false; bounded. */
void lk_py_dict_each(struct lk_py *py, lk_addr dict,
                     bool (*fn)(struct lk_py *, lk_addr key, lk_addr value, void *), void *arg);
/** Module dict of sys.modules[name] in the first interpreter that has one, the main one before
 * others; 0. */
lk_addr lk_py_module_dict(struct lk_py *py, const char *name);
lk_addr lk_py_module_attr(struct lk_py *py, const char *module, const char *name);
/** The same in one of py->interpreters. */
lk_addr lk_py_module_attr_in(struct lk_py *py, size_t interpreter, const char *module,
                             const char *name);

#endif
