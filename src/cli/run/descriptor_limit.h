/* The limit on open descriptors: ours is raised, and what we start gets the one that we were given.
 */
#ifndef LK_CLI_RUN_DESCRIPTOR_LIMIT_H
#define LK_CLI_RUN_DESCRIPTOR_LIMIT_H

/** As high as is allowed. First as the program starts. */
void descriptor_limit_raise(void);
/** As it was: in a child before execve, or around starting one. */
void descriptor_limit_restore(void);

#endif
