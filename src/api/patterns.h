/* What a struct loopknot_patterns holds, for the other files of this station. */
#ifndef LK_API_PATTERNS_H
#define LK_API_PATTERNS_H

#include "diagnose/catalog/frames.h"

struct loopknot_patterns;

/** NULL for NULL. */
const struct lk_patterns *lk_api_patterns(const struct loopknot_patterns *p);

#endif
