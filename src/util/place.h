/*
 * Where a file that the user named is to be written: the folder, opened, and the name in it. Links
 * on the way are read one by one in opened folders, so that nothing that is renamed meanwhile leads
 * elsewhere, and followed as fs.protected_symlinks has it whatever that sysctl says: in a folder
 * that everybody may write to, only those of the user, of root or of the folder's owner
 * (Documentation/admin-guide/sysctl/fs.rst).
 */
#ifndef LK_UTIL_PLACE_H
#define LK_UTIL_PLACE_H

#include <limits.h>
#include <stdbool.h>
#include <sys/stat.h>

struct lk_place {
    int folder; /* O_PATH */
    bool magic; /* name is a link of /proc to what is open already, as /dev/stdout leads to */
    char name[NAME_MAX + 1];
};

/** Finds it, whether or not the file exists; else it is no link. 0, or an errno. */
int lk_place_find(struct lk_place *p, const char *path);
void lk_place_close(struct lk_place *p);

/** stat(2) of what is there. */
int lk_place_stat(const struct lk_place *p, struct stat *st);
/** Whether lk_place_open() may open what is there, without opening it: a FIFO's reader would see
 * its writer go. 0, or an errno. */
int lk_place_access(const struct lk_place *p);
/** What is there, opened to be written to as it is: O_NONBLOCK, never a terminal's control; a
 * device, a FIFO and the like only if it is the user's or root's. -1 with errno. */
int lk_place_open(const struct lk_place *p);

/** A regular file, there already or new of mode 0644, to append to; not one of others in a folder
 * that everybody may write to (fs.protected_regular). -1 with errno. */
int lk_open_to_append(const char *path);
/** A folder of the user's that is closed to everybody else; made (mode 0700) where it is missing,
 * and then *made. -1 with errno: EPERM where it is not that. */
int lk_open_private_folder(const char *path, bool *made);

#endif
