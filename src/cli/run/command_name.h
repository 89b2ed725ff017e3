/* How a command is named in reports: its arguments joined as a user would type them, secrets
 * hidden. */
#ifndef LK_CLI_RUN_COMMAND_NAME_H
#define LK_CLI_RUN_COMMAND_NAME_H

/** malloc'ed; the caller frees it. */
char *lk_command_name(char **argv);

#endif
