/* What the files of this folder share of an open core. */
#ifndef LK_PROCESS_CORE_CORE_INTERNAL_H
#define LK_PROCESS_CORE_CORE_INTERNAL_H

#include "process/core/files.h"

struct lk_core {
    struct lk_process *process; /* it, as readers have it */
    struct lk_core_image *image;
    struct lk_core_files *files;
    const char *name; /* of the file, clean; in the image's arena */
    struct lk_core_places places;
};

#endif
