/* Of which module and class an object is, by the names in its type and the type's bases. */
#ifndef LK_READ_PYTHON_INTERPRETER_CLASS_H
#define LK_READ_PYTHON_INTERPRETER_CLASS_H

#include "read/python/interpreter/interpreter.h"

/** A class by the names of its module and of its own. */
struct lk_class_name {
    const char *module, *name;
};

/** True when type, or one of its bases, has this tp_name and (module != NULL) __module__ = module.
 */
bool lk_py_isinstance(struct lk_py *py, lk_addr obj, const char *module, const char *name);
/** "module.Class" of the object's type, clean, in the snapshot's arena. */
const char *lk_py_class_name(struct lk_py *py, lk_addr obj);
/** __module__ of a type: from its dict, or the dotted prefix of tp_name; "" when unknown. */
const char *lk_py_type_module(struct lk_py *py, const struct lk_pytype *ty);

#endif
