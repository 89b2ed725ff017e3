/*
 * uWSGI's harakiri: the master kills a worker that serves one request for so long
 * (core/master_checks.c), without a master an alarm does (core/utils.c set_harakiri). The module
 * uwsgi, which only its interpreters have, holds all options that were given, wherever they stood
 * (plugins/python/python_plugin.c init_uwsgi_embedded_module): opt, a dict of str to bytes, or to a
 * list of them where one was repeated.
 */
#include "read/servers/uwsgi.h"

#include <stdlib.h>

#include "read/python/interpreter/container.h"
#include "read/python/interpreter/scalar.h"

enum { MAX_TIMES = 16, MAX_SECONDS = 1000000 };

void lk_uwsgi_read_timeout(struct lk_py *py)
{
    size_t n = 0;
    lk_addr opt = lk_py_module_attr(py, "uwsgi", "opt");
    if (!opt)
        return;
    lk_addr value = lk_py_dict_get(py, opt, "harakiri");
    const lk_addr *times = value ? lk_py_items(py, value, MAX_TIMES, &n) : NULL;
    const char *text = value ? lk_py_bytes_text(py, times && n ? times[n - 1] : value) : NULL;
    if (value && !text)
        return;
    const int64_t seconds = text ? strtoll(text, NULL, 10) : 0;
    if (seconds >= 0 && seconds <= MAX_SECONDS)
        py->s->supervisor_timeout_ms = seconds * 1000;
}
