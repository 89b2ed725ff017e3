/* What is known of particular servers, by the frames of their threads and by their modules. */
#include "read/servers/servers.h"

#include "read/python/interpreter/frame.h"
#include "read/python/interpreter/interpreter.h"
#include "read/python/interpreter/thread_lookup.h"
#include "read/python/reader/reader.h"
#include "read/servers/gunicorn.h"
#include "read/servers/uwsgi.h"
#include "read/servers/waitress.h"

static void read_frame(struct lk_py *py, const struct lk_pyf *f, struct lk_ref thread)
{
    lk_addr self;
    if (lk_py_frame_is(py, f, "handler_thread", "/waitress/task.py") &&
        (self = lk_py_local(py, f, "self")))
        lk_waitress_read_pool(py, self, thread);
    else if (lk_py_frame_is(py, f, "run", "/gunicorn/workers/sync.py"))
        lk_gunicorn_read_timeout(py, f, true);
    else if (lk_py_frame_is(py, f, "run", "/gunicorn/workers/gthread.py"))
        lk_gunicorn_read_timeout(py, f, false);
}

void lk_py_read_servers(struct lk_py *py)
{
    for (size_t i = 0; i < py->s->threads.n; i++) {
        const struct lk_pyframes *f = lk_py_frames_of_thread(py, i);
        for (size_t j = 0; f && j < f->n; j++)
            read_frame(py, &f->v[j], lk_ref_make(LK_KIND_THREAD, i));
    }
    lk_uwsgi_read_timeout(py);
}
