/* How far apart two words are: of what is not known the nearest that is, is named. */
#ifndef LK_UTIL_SPELLING_H
#define LK_UTIL_SPELLING_H

#include <stddef.h>

/** Letters to be inserted, left out or changed, in either case; of at most 40 letters of each. */
size_t lk_spelling_distance(const char *a, const char *b);

#endif
