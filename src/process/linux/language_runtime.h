/* Which language runtime a process runs, from its program and its mappings. */
#ifndef LK_PROCESS_LINUX_LANGUAGE_RUNTIME_H
#define LK_PROCESS_LINUX_LANGUAGE_RUNTIME_H

#include "snapshot/snapshot.h"

/** LK_RUNTIME_NATIVE when it is none of the known ones. dir: the folder
 * that answers for it. */
enum lk_runtime lk_runtime_find(int dir);

#endif
