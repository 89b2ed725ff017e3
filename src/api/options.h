/* A program's options, which may be of an older or newer header, as this library knows them. */
#ifndef LK_API_OPTIONS_H
#define LK_API_OPTIONS_H

#include "examine/examine.h"
#include "loopknot.h"
#include "process/core/core.h"

/** o may be NULL. False with err when it asks for what this library does not have. ret borrows what
 * o points to. */
LK_MUST_CHECK bool lk_api_options(const struct loopknot_options *o, struct lk_examine_options *ret,
                                  struct lk_error *err);

/** The same for a core. */
LK_MUST_CHECK bool lk_api_core(const struct loopknot_core *given, struct lk_core_request *ret,
                               struct lk_error *err);
/** The same for how to render. */
LK_MUST_CHECK bool lk_api_render(const struct loopknot_render *how, struct loopknot_render *ret);

#endif
