/* Which threads work with a locked file: their frames name a file object that has its descriptor.
 */
#include "read/python/stdlib/file_object.h"

#include "read/python/interpreter/attribute.h"
#include "read/python/interpreter/class.h"
#include "read/python/interpreter/frame.h"
#include "read/python/interpreter/interpreter.h"
#include "read/python/interpreter/thread_lookup.h"
#include "read/python/interpreter/type.h"

enum {
    FILE_FIRST = 16, /* Modules/_io: fileio.c fd, bufferedio.c raw are the first fields */
    /* textio.c: int ok, detached; Py_ssize_t chunk_size; PyObject *buffer (3.8 to 3.15) */
    TEXT_BUFFER = 32,
    MAX_WRAPPED = 4, /* text over buffer over raw, and tempfile's around it */
    MAX_WANTED = 16, /* threads that wait for a file lock of their own process */
};

struct wanted {
    size_t waiters[MAX_WANTED]; /* threads */
    size_t n;
    struct lk_ref thread; /* whose frames are looked at */
};

/* The object inside of a file object; 0. */
static lk_addr wrapped(struct lk_py *py, lk_addr file)
{
    static const char *const buffered[] = { "BufferedWriter", "BufferedReader", "BufferedRandom" };
    if (lk_py_isinstance(py, file, "_io", "TextIOWrapper"))
        return lk_py_ptr(py, lk_py_field(py, file, TEXT_BUFFER));
    for (size_t i = 0; i < LK_ARRAY_LEN(buffered); i++)
        if (lk_py_isinstance(py, file, "_io", buffered[i]))
            return lk_py_ptr(py, lk_py_field(py, file, FILE_FIRST));
    return lk_py_isinstance(py, file, "tempfile", "_TemporaryFileWrapper")
               ? lk_py_attr(py, file, "file")
               : 0;
}

static int64_t fd_of(struct lk_py *py, lk_addr file)
{
    int32_t fd;
    for (int i = 0; file && i < MAX_WRAPPED; i++) {
        if (lk_py_isinstance(py, file, "_io", "FileIO"))
            return lk_read_i32(py->t, lk_py_field(py, file, FILE_FIRST), &fd) && fd >= 0 ? fd : -1;
        file = wrapped(py, file);
    }
    return -1;
}

static bool note_local(struct lk_py *py, const char *name, lk_addr value, void *arg)
{
    struct wanted *w = arg;
    int64_t fd = fd_of(py, value);
    (void)name;
    for (size_t i = 0; fd >= 0 && i < w->n; i++)
        if (py->s->threads.v[w->waiters[i]].os.lock_fd == fd)
            lk_refs_add(py->s, &py->s->threads.v[w->waiters[i]].lock_users, w->thread);
    return true;
}

void lk_py_read_files(struct lk_py *py)
{
    struct lk_snapshot *s = py->s;
    struct wanted w = { .n = 0 };

    for (size_t i = 0; i < s->threads.n && w.n < MAX_WANTED; i++) {
        const struct lk_syscall_wait *os = &s->threads.v[i].os;
        if ((os->locked_by == LK_LOCKED_SELF || os->locked_by == LK_LOCKED_SHARED) &&
            os->lock_fd >= 0)
            w.waiters[w.n++] = i;
    }
    for (size_t i = 0; w.n && i < s->threads.n; i++) {
        const struct lk_pyframes *frames = lk_py_frames_of_thread(py, i);
        w.thread = lk_ref_make(LK_KIND_THREAD, i);
        for (size_t k = 0; frames && k < frames->n; k++)
            lk_py_local_each(py, &frames->v[k], note_local, &w);
    }
}
