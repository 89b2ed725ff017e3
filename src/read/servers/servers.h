/* What is known of particular servers: pools of their own, a supervisor's timeout. */
#ifndef LK_READ_SERVERS_SERVERS_H
#define LK_READ_SERVERS_SERVERS_H

#include "read/python/interpreter/interpreter.h"

void lk_py_read_servers(struct lk_py *py);

#endif
