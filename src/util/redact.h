/*
 * Hides secrets in command lines before they enter a snapshot. Deliberately a little too eager: a
 * hidden value costs a reader little, a shown password much. What is hidden, and the near misses
 * that stay readable, stands in redact.c.
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

#endif
