/* gunicorn's own timeout. */
#ifndef LK_READ_SERVERS_GUNICORN_H
#define LK_READ_SERVERS_GUNICORN_H

#include "read/python/interpreter/interpreter.h"

/** f: the worker's run(); sync: it is a sync worker's. Sets supervisor_timeout_ms. */
void lk_gunicorn_read_timeout(struct lk_py *py, const struct lk_pyf *f, bool sync);

#endif
