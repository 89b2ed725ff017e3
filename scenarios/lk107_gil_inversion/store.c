/*
 * A C extension whose lookup() keeps the GIL while it waits for a mutex of its own, and whose refresh() gives the GIL up,
 * takes the mutex and then wants the GIL back. careful_lookup() gives the GIL up first.
 */
#define PY_SSIZE_T_CLEAN
#include <pthread.h>
#include <Python.h>
#include <unistd.h>

static pthread_mutex_t table = PTHREAD_MUTEX_INITIALIZER;
static volatile int refreshing, looking_up;

static PyObject *lookup(PyObject *self, PyObject *args)
{
    (void)self, (void)args;
    looking_up = 1;
    pthread_mutex_lock(&table);
    pthread_mutex_unlock(&table);
    Py_RETURN_NONE;
}

static PyObject *careful_lookup(PyObject *self, PyObject *args)
{
    (void)self, (void)args;
    looking_up = 1;
    Py_BEGIN_ALLOW_THREADS pthread_mutex_lock(&table);
    pthread_mutex_unlock(&table);
    Py_END_ALLOW_THREADS Py_RETURN_NONE;
}

/* Takes the mutex; returns once a lookup has begun, or with its argument 0 at once. */
static PyObject *refresh(PyObject *self, PyObject *args)
{
    int wait = 1;
    (void)self;
    if (!PyArg_ParseTuple(args, "|i", &wait))
        return NULL;
    Py_BEGIN_ALLOW_THREADS pthread_mutex_lock(&table);
    refreshing = 1;
    while (wait && !looking_up)
        usleep(1000);
    usleep(1000);
    Py_END_ALLOW_THREADS pthread_mutex_unlock(&table);
    Py_RETURN_NONE;
}

static PyObject *is_refreshing(PyObject *self, PyObject *args)
{
    (void)self, (void)args;
    return PyBool_FromLong(refreshing);
}

static PyMethodDef methods[] = {
    { "lookup", lookup, METH_NOARGS, NULL },
    { "careful_lookup", careful_lookup, METH_NOARGS, NULL },
    { "refresh", refresh, METH_VARARGS, NULL },
    { "is_refreshing", is_refreshing, METH_NOARGS, NULL },
    { NULL, NULL, 0, NULL },
};

static struct PyModuleDef module = { PyModuleDef_HEAD_INIT, "store", NULL, -1, methods, NULL, NULL, NULL, NULL };

PyMODINIT_FUNC PyInit_store(void)
{
    return PyModule_Create(&module);
}
