/*
 * gunicorn's own timeout: arbiter.py spawn_worker gives a worker half of --timeout; a sync worker
 * reports in between two requests only (workers/sync.py), a gthread worker's main thread whatever
 * its requests do.
 */
#include "read/servers/gunicorn.h"

#include "read/python/interpreter/attribute.h"
#include "read/python/interpreter/frame.h"
#include "read/python/interpreter/interpreter.h"
#include "read/python/interpreter/scalar.h"

enum { MAX_TIMEOUT = 1000000 }; /* seconds */

void lk_gunicorn_read_timeout(struct lk_py *py, const struct lk_pyf *f, bool sync)
{
    double half = 0;
    lk_addr self = lk_py_local(py, f, "self");
    if (sync && (!self || !lk_py_number(py, lk_py_attr(py, self, "timeout"), &half) ||
                 !(half >= 0 && half < MAX_TIMEOUT)))
        return;
    py->s->supervisor_timeout_ms = sync ? (int64_t)(half * 2000) : 0;
}
