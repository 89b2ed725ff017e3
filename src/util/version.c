/*
 * The version of program and library. Its one source is LOOPKNOT_VERSION in include/loopknot.h,
 * which the Makefile and the pkg-config file read too.
 */
#include "util/version.h"

#include "loopknot.h"

const char *lk_tool_version(void)
{
    return LOOPKNOT_VERSION;
}
