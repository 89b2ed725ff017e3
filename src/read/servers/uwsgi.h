/* uWSGI's own timeout. */
#ifndef LK_READ_SERVERS_UWSGI_H
#define LK_READ_SERVERS_UWSGI_H

#include "read/python/interpreter/interpreter.h"

/** Sets supervisor_timeout_ms where the interpreter is uWSGI's: 0 without harakiri. */
void lk_uwsgi_read_timeout(struct lk_py *py);

#endif
