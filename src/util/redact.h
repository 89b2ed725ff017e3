/*
 * Hides secrets in command lines, names and source lines before they enter a snapshot. Deliberately
 * a little too eager: a hidden value costs a reader little, a shown password much. What is hidden,
 * and the near misses that stay readable, stands in redact.c.
 */
#ifndef LK_UTIL_REDACT_H
#define LK_UTIL_REDACT_H

#include "util/arena.h"

/**
 * One argument with every secret in it replaced by "***". previous is the argument before it as the
 * process has it (NULL for the first): it decides whether this one is the value of an option such
 * as --password. Not yet cleaned for display. The result belongs to the arena.
 */
char *lk_redact(struct lk_arena *a, const char *arg, const char *previous);

/**
 * The same for a name that a program chose: of a thread, a task, a test, a file. s itself where it
 * holds none, as nearly all do.
 */
const char *lk_redact_name(struct lk_arena *a, const char *s);

/** What a variable, key or field of that name holds is to be hidden. */
bool lk_redact_says_secret(const char *name);

/**
 * A line of source code: literals that a secret's name is given or compared with, passwords in
 * addresses, words that are tokens by their shape. Code that only names a secret stays. s itself
 * where it holds none.
 */
const char *lk_redact_source(struct lk_arena *a, const char *s);

#endif
