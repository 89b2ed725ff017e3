/* Where a process runs: kernel, load, for how long, what its control groups allow it. */
#ifndef LK_PROCESS_LINUX_SURROUNDINGS_H
#define LK_PROCESS_LINUX_SURROUNDINGS_H

#include "snapshot/process.h"

/** proc: the folder that answers for the process (lk_procfs_folder). What is not known stays so. */
void lk_surroundings_read(int proc, struct lk_arena *a, struct lk_surroundings *ret);

#endif
