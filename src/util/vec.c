/* The one function that grows every vector. */
#include "util/vec.h"

void lk_vec_grow_(void **v, size_t *cap, size_t n, size_t size)
{
    if (n < *cap)
        return;
    size_t want = *cap ? *cap * 2 : 8;
    if (want <= n || want > SIZE_MAX / size)
        lk_out_of_memory();
    *v = lk_xrealloc(*v, want * size);
    *cap = want;
}
