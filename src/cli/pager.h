/* What is higher than the terminal is shown page by page, as git(1) does. */
#ifndef LK_CLI_PAGER_H
#define LK_CLI_PAGER_H

#include <stdbool.h>
#include <stddef.h>

/** Whether somebody is there to turn pages: standard input, output and error are a terminal that
 * moves its cursor, in the foreground, and no CI server is recognised. */
bool pager_wanted(void);

/** Shows n bytes of text, and returns when the pager has ended. False: all fits on the screen, or
 * no pager could be started, and nothing was shown. */
bool pager_show(const char *text, size_t n);

#endif
