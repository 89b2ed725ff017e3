/* Attributes of objects and classes, wherever they are stored; functions, methods, cells, partials.
 */
#ifndef LK_READ_PYTHON_INTERPRETER_ATTRIBUTE_H
#define LK_READ_PYTHON_INTERPRETER_ATTRIBUTE_H

#include "read/python/interpreter/interpreter.h"

/** Instance attribute by name, wherever it is stored (dict, inline values, managed dict, slots); 0
 * when absent. Not class attributes. */
lk_addr lk_py_attr(struct lk_py *py, lk_addr obj, const char *name);
/** Class attribute through the bases; 0. */
lk_addr lk_py_type_attr(struct lk_py *py, const struct lk_pytype *ty, const char *name);
/** Calls fn for every instance attribute in the instance's dict or inline values. */
void lk_py_attr_each(struct lk_py *py, lk_addr obj,
                     bool (*fn)(struct lk_py *, lk_addr key, lk_addr value, void *), void *arg);
/** One of the first `most` attributes has that value. */
bool lk_py_has_value(struct lk_py *py, lk_addr obj, lk_addr value, unsigned most);
/** The dict that its attributes are in; 0, also where they are in the object itself. */
lk_addr lk_py_attr_dict(struct lk_py *py, lk_addr obj);
/** It describes a slot: the attribute of a class with __slots__, which its instances hold. */
bool lk_py_is_slot(struct lk_py *py, lk_addr descr);
/** What obj holds in the slot that its class has under that name; 0, also where it is no slot. */
lk_addr lk_py_slot_value(struct lk_py *py, lk_addr obj, lk_addr name, lk_addr descr);
/** Where in obj the value of that slot stands; 0 where it is no slot. */
uint64_t lk_py_slot_offset(struct lk_py *py, lk_addr obj, lk_addr descr);
/** The function behind a property, staticmethod or classmethod; any other value as it is. */
lk_addr lk_py_described(struct lk_py *py, lk_addr value);
/** Functions and callables. */
lk_addr lk_py_function_code(struct lk_py *py, lk_addr func);
/** Value of a free variable in a function's closure; 0. */
lk_addr lk_py_closure(struct lk_py *py, lk_addr func, const char *name);
/* bound method, Python or builtin (func = 0 then) */
bool lk_py_method(struct lk_py *py, lk_addr m, lk_addr *func, lk_addr *self);
/** The class that a method descriptor is of; 0. */
lk_addr lk_py_descr_type(struct lk_py *py, lk_addr descr);
/** Name of a builtin method, method descriptor or function; "" unknown. In the snapshot's arena. */
const char *lk_py_callable_name(struct lk_py *py, lk_addr callable);
bool lk_py_partial(struct lk_py *py, lk_addr p, lk_addr *func, lk_addr *args);
lk_addr lk_py_weakref(struct lk_py *py, lk_addr ref);
lk_addr lk_py_cell(struct lk_py *py, lk_addr cell);

#endif
