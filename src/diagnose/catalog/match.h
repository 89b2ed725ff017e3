/*
 * Lookups in the catalog and in a user's rows. user may be NULL everywhere.
 */
#ifndef LK_DIAGNOSE_CATALOG_MATCH_H
#define LK_DIAGNOSE_CATALOG_MATCH_H

#include "diagnose/catalog/frames.h"

/**
 * What the table says of a code object, whose strings must not be NULL: sets c->marks and c->call.
 * qualnames: the target's Python has qualified names (3.11 on); else only their last part is
 * compared.
 */
void lk_pattern_mark(const struct lk_patterns *user, struct lk_code *c, bool qualnames);
/** True when a module or package of this top-level name is a framework or a library that user code
 * calls. */
bool lk_pattern_is_framework(const char *name, size_t length);
/** True when a package of the user's file has this file. */
bool lk_pattern_is_users_framework(const struct lk_patterns *user, const char *path);
/** Name of the blocking call that a native frame is; NULL when the table does not know it. *by_user
 * (may be NULL): the user's. */
const struct lk_call_pattern *lk_pattern_native(const struct lk_patterns *user,
                                                const struct lk_natframe *f, bool *by_user);
/** True when a native function, or all of that library, stands between a program and what it waits
 * for. Each may be NULL. */
bool lk_pattern_is_native_wrapper(const char *function, const char *module);
/** The same of a function made in C that Python code calls: "module:name", or a symbol (struct
 * lk_wait); the user's only. */
const struct lk_call_pattern *lk_pattern_callee(const struct lk_patterns *user, const char *callee);
/** The same of a system call by name; NULL. Built-in: none, since every system call has a name of
 * its own. */
const struct lk_call_pattern *lk_pattern_syscall(const struct lk_patterns *user, const char *name);
/** What is known of a native frame below which the GIL is kept in a wait; NULL. */
const struct lk_gil_keeper *lk_pattern_gil_keeper(const struct lk_natframe *f);
/** True when path ends with suffix at a folder boundary. */
bool lk_path_ends_with(const char *path, const char *suffix);

#endif
