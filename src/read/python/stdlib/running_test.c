/*
 * Which of unittest's tests the main thread runs: TestCase.run's self (Lib/unittest/case.py) is of
 * the test's class and has the name of its method, also while it sets up and tears down.
 */
#include "read/python/stdlib/running_test.h"

#include "read/python/interpreter/attribute.h"
#include "read/python/interpreter/class.h"
#include "read/python/interpreter/frame.h"
#include "read/python/interpreter/scalar.h"
#include "read/python/interpreter/thread_lookup.h"

static bool note_test(struct lk_py *py, const struct lk_pyf *run)
{
    const lk_addr self = lk_py_local(py, run, "self");
    const lk_addr method = self ? lk_py_attr(py, self, "_testMethodName") : 0;
    const char *name = method ? lk_py_str(py, method) : NULL;
    if (!name)
        return false;
    py->s->unit_test.name = name;
    py->s->unit_test.group = lk_py_class_name(py, self);
    return true;
}

void lk_py_read_running_test(struct lk_py *py)
{
    for (size_t i = 0; i < py->s->threads.n; i++) {
        const struct lk_pyframes *frames =
            py->s->threads.v[i].main ? lk_py_frames_of_thread(py, i) : NULL;
        for (size_t k = 0; frames && k < frames->n; k++)
            if (lk_py_frame_is(py, &frames->v[k], "run", "/unittest/case.py") &&
                note_test(py, &frames->v[k]))
                return;
    }
}
