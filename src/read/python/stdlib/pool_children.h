/* The child processes of a pool: what their parent's snapshot says of them. */
#ifndef LK_READ_PYTHON_STDLIB_POOL_CHILDREN_H
#define LK_READ_PYTHON_STDLIB_POOL_CHILDREN_H

#include "read/python/interpreter/interpreter.h"

struct lk_pool_children {
    int64_t first; /* the lowest pid */
    size_t n;
    enum lk_child_does does; /* of those that were asked, the most */
};

/** Adds one, and asks the kernel what it does. */
void lk_pool_child_add(struct lk_py *py, struct lk_pool_children *c, int64_t pid);
/** The party that they are together; NONE without any. */
struct lk_ref lk_pool_children_extern(struct lk_py *py, const struct lk_pool_children *c);

#endif
