/* The capture behind struct loopknot_capture. */
#ifndef LK_API_CAPTURE_H
#define LK_API_CAPTURE_H

#include "loopknot.h"

struct lk_capture;

/** c may be NULL. */
struct lk_capture *lk_api_capture(struct loopknot_capture *c);

#endif
