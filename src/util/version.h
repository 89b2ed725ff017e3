/* The version as reports name it. */
#ifndef LK_UTIL_VERSION_H
#define LK_UTIL_VERSION_H

/** "0.1.0"; a static string. */
const char *lk_tool_version(void);

#endif
