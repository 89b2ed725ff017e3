/* Files that somebody else names: opened below a root, and only if they are regular ones. */
#ifndef LK_PROCESS_REGULAR_FILE_H
#define LK_PROCESS_REGULAR_FILE_H

#include <sys/stat.h>

/** An O_PATH descriptor, which opens nothing yet; path is resolved as if root were /. -1 with
 * errno. */
int lk_open_in_root(int root, const char *path);
/** Turns an O_PATH descriptor into one for reading if it is a regular file, which st then tells of;
 * closes it in any case. -1 with errno; -1 is passed through. */
int lk_reopen_regular(int path_fd, struct stat *st);

#endif
