/* What a program was started with, as it stands at the bottom of its first stack. */
#ifndef LK_PROCESS_CORE_START_H
#define LK_PROCESS_CORE_START_H

#include "process/core/image.h"

struct lk_core_start {
    char **argv; /* raw; NULL not in the core */
    size_t argc;
    const char *test; /* raw: the value of LK_TEST_VARIABLE; NULL not set, or not in the core */
};

/** Strings belong to the arena. */
void lk_core_start_read(const struct lk_core_image *c, struct lk_arena *a,
                        struct lk_core_start *ret);

#endif
