/*
 * Growing array. Declare  struct { T *v; size_t n, cap; } name;  (LK_VEC(T)),
 * zero it, push, lk_free(name.v). Not thread safe.
 */
#ifndef LK_UTIL_VEC_H
#define LK_UTIL_VEC_H

#include "util/arena.h"

#define LK_VEC(T)                                                                                  \
    struct {                                                                                       \
        T *v;                                                                                      \
        size_t n, cap;                                                                             \
    }

/** Makes room for one more element, zeroes it and evaluates to a pointer to it. */
#define lk_vec_push(vec)                                                                           \
    (lk_vec_grow_((void **)&(vec)->v, &(vec)->cap, (vec)->n, sizeof(*(vec)->v)),                   \
     memset(&(vec)->v[(vec)->n], 0, sizeof(*(vec)->v)), &(vec)->v[(vec)->n++])

/** Appends a value. */
#define lk_vec_add(vec, value) (*lk_vec_push(vec) = (value))

void lk_vec_grow_(void **v, size_t *cap, size_t n, size_t size);

#include <string.h>

#endif
