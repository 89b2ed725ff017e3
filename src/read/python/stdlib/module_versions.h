/* Versions of the servers, frameworks and drivers that a process has loaded. */
#ifndef LK_READ_PYTHON_STDLIB_MODULE_VERSIONS_H
#define LK_READ_PYTHON_STDLIB_MODULE_VERSIONS_H

#include "read/python/python.h"

/** Fills s->python.modules, of the sample that was read last. They decide nothing: what cannot be
 * read is left out. */
void lk_py_read_module_versions(struct lk_py *py, struct lk_snapshot *s);

#endif
