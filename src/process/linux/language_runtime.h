/* Which language runtime a process runs, from its program and its mappings. */
#ifndef LK_PROCESS_LINUX_LANGUAGE_RUNTIME_H
#define LK_PROCESS_LINUX_LANGUAGE_RUNTIME_H

#include "snapshot/snapshot.h"

/** LK_RUNTIME_NATIVE when it is none of the known ones. dir: the folder
 * that answers for it. */
enum lk_runtime lk_runtime_find(int dir);

/* Its parts, each of one thing that may be known: LK_RUNTIME_UNKNOWN where that tells nothing. */

/** By the path of the program. */
enum lk_runtime lk_runtime_of_program(const char *exe);
/** By the paths of the files that are mapped; next gives one after the other, then NULL. */
enum lk_runtime lk_runtime_of_files(const char *(*next)(void *arg), void *arg);
/** The program was made by the Go linker. */
bool lk_runtime_is_go(int fd);

#endif
