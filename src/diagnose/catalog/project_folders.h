/* Which folders hold the project's own code. */
#ifndef LK_DIAGNOSE_CATALOG_PROJECT_FOLDERS_H
#define LK_DIAGNOSE_CATALOG_PROJECT_FOLDERS_H

#include "snapshot/snapshot.h"

/** Folders, absolute where they could be made so, without a trailing '/'. */
struct lk_folders {
    const char **v; /* in the snapshot's arena */
    size_t n;
};

/** Those that the user has named (--project), separated by ':'; none for NULL. */
struct lk_folders lk_project_given(struct lk_snapshot *s, const char *given);
/** Else: the target's working directory, its sys.path[0] and editable installs. */
struct lk_folders lk_project_home(struct lk_snapshot *s);

/** True when path lies in folder (n bytes long), or is it. */
bool lk_path_is_below(const char *path, const char *folder, size_t n);
/** A relative file name counts from the target's working directory. */
bool lk_folders_hold(const struct lk_folders *f, const struct lk_snapshot *s, const char *file);
/**
 * The same for lk_project_home(): what lies below an environment (sys.prefix) that itself lies in
 * such a folder is none of the project's, unless a folder further in says so.
 */
bool lk_folders_are_home(const struct lk_folders *f, const struct lk_snapshot *s, const char *file);

#endif
