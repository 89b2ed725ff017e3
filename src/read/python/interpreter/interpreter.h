/*
 * Shared by the files of the python station only. Objects are addresses (lk_addr); 0 is NULL. All
 * getters are bounded and return false (or 0) when something is not readable or not of the expected
 * type: a hostile heap costs entries in `limits`, never a crash, a hang or a guess.
 */
#ifndef LK_READ_PYTHON_INTERPRETER_INTERPRETER_H
#define LK_READ_PYTHON_INTERPRETER_INTERPRETER_H

#include "read/python/interpreter/layout_table.h"
#include "read/python/python.h"
#include "snapshot/builder.h"
#include "util/map.h"
#include "util/text.h"

enum {
    LK_PY_MAX_STR = 1024,      /* bytes of one string */
    LK_PY_MAX_ITEMS = 1 << 20, /* of one container */
    LK_PY_MAX_FRAMES = 2000,   /* of one stack */
    LK_PY_MAX_THREADS = 65536,
    LK_PY_MAX_TASKS = 4 << 20,
    LK_PY_MAX_CHAIN = 1000, /* awaits */
    LK_PY_MAX_MRO = 64,
};

/** One Python frame in the target while being read: enough to find locals and the value stack. */
struct lk_pyf {
    lk_addr addr; /* PyFrameObject (<= 3.10) or _PyInterpreterFrame */
    lk_addr code; /* PyCodeObject */
    lk_addr globals;
    lk_addr localsplus; /* address of the first slot */
    lk_addr stack_base; /* address of the first value-stack slot */
    int lasti;          /* bytes; -1 not started */
    int stack_depth;    /* -1 unknown */
    bool generator;     /* frame of a generator/coroutine (owner == 1, or f_gen) */
    lk_addr gen;        /* that object; 0 */
    bool entry;         /* a C call boundary lies between this frame and its caller */
};

/** Cached facts of a type object. */
struct lk_pytype {
    lk_addr addr;
    const char *name; /* tp_name, clean */
    lk_addr base;
    uint64_t flags;
    int64_t basicsize, dictoffset;
    unsigned kind; /* enum lk_pykind, by name and flags */
    lk_addr name_addr, dict, mro, metatype;
    int64_t itemsize;
    const char *module; /* NULL = not looked up yet; see lk_py_type_module */
    unsigned sample;    /* in which sample it was last compared with the target */
    /* asyncio.c's memo: 0 = not looked up, 1 = no known class, else row of lk_class_rows + 2 */
    unsigned aio_row;
};

/** What an object is, as far as the readers care. */
enum lk_pykind {
    LK_PYK_OTHER = 0,
    LK_PYK_NONE,
    LK_PYK_STR,
    LK_PYK_INT,
    LK_PYK_BOOL,
    LK_PYK_FLOAT,
    LK_PYK_BYTES,
    LK_PYK_TUPLE,
    LK_PYK_LIST,
    LK_PYK_DICT,
    LK_PYK_SET,
    LK_PYK_DEQUE,
    LK_PYK_TYPE,
    LK_PYK_MODULE,
    LK_PYK_FUNCTION,
    LK_PYK_METHOD,
    LK_PYK_BUILTIN_METHOD,
    LK_PYK_METHOD_DESCR,
    LK_PYK_PARTIAL,
    LK_PYK_CELL,
    LK_PYK_WEAKREF,
    LK_PYK_CODE,
    LK_PYK_COROUTINE,
    LK_PYK_GENERATOR,
    LK_PYK_ASYNC_GEN,
    LK_PYK_ASYNC_GEN_ASEND,
    LK_PYK_ASYNC_GEN_ATHROW,
    LK_PYK_CORO_WRAPPER,
    LK_PYK_ANEXT,
    LK_PYK_FUTUREITER,
    LK_PYK_TASK,
    LK_PYK_FUTURE,
    LK_PYK_TASKSTEP,
    LK_PYK_TASKWAKEUP,
    LK_PYK_LOCK,
    LK_PYK_RLOCK,
    LK_PYK_SIMPLEQUEUE,
};

/** Cached facts of a code object, beyond what the snapshot holds. */
struct lk_pycode {
    const struct lk_code *code; /* the snapshot's view */
    int nlocalsplus, stacksize, nfreevars;
    lk_addr names, kinds;   /* localsplusnames tuple and kinds bytes (3.11+) */
    lk_addr fingerprint[3]; /* name, line table, filename pointers: tells a reused address */
    lk_addr addr;
    int nlocals, firsttraceable; /* firsttraceable: code units */
    unsigned flags;
    lk_addr start; /* first instruction */
    int64_t code_bytes;
    /* nlocalsplus names; NULL until asked for, see lk_py_code_locals */
    const char **local_names;
    uint8_t *local_kinds;              /* 0x20 local, 0x40 cell, 0x80 free */
    uint8_t *linetable, *exceptions;   /* bytes of these tables; NULL until asked for */
    int64_t linetable_n, exceptions_n; /* -1: could not be read */
    struct lk_receivers *receivers;    /* receiver.c's memo: the methods looked for so far */
};

struct lk_py {
    struct lk_process *t;
    struct lk_arena *arena;  /* lives as long as py: types, names */
    struct lk_layout layout; /* the row, overlaid by debug offsets */
    lk_addr runtime;
    unsigned version_hex;
    bool readable, free_threaded, debug_build;
    char why_not[300];
    char build[16];
    const char *stdlib;
    struct lk_map types; /* address -> struct lk_pytype * */
    uint64_t until_us;   /* rehearsal: no further task is begun after this; 0 none */
    /* per sample (reset by lk_py_read) */
    struct lk_snapshot *s;
    struct lk_map codes; /* address -> struct lk_pycode *, in s->arena */
    lk_addr interp;      /* main interpreter */
    lk_addr modules;     /* its sys.modules dict */
    /* thread index -> struct lk_pyframes * : the raw frames of each thread, for waits and owners */
    struct lk_map frames_of;
    /* task index -> struct lk_pyframes * : await chain's raw frames */
    struct lk_map frames_of_task;
    struct lk_map by_ident;       /* pthread ident (what Python calls thread id) -> thread index */
    struct lk_map thread_objects; /* thread index -> its threading.Thread, where there is one */
    /* private to object.c and frame.c: memos of this sample (its pages do not change) */
    struct lk_map attr_index, slots, instances, class_names, modules_by_name, lines, texts;
    struct lk_map hints;  /* of container.c, kept from sample to sample */
    unsigned sample;      /* counts lk_py_read; 0 while opening */
    bool frames_complete; /* the last lk_py_read got through all thread states */
    lk_addr type_type;    /* PyType_Type */
    /* of this sample; more interpreters with a GIL of their own are not looked at */
    lk_addr gils[16];
    size_t gil_holder[16]; /* thread index, SIZE_MAX = nobody or not known */
    unsigned n_gils;
    /* 3.8 - 3.10: of the kernel's tid in struct pthread; 0 = not calibrated */
    uint32_t tid_offset;
    char version[32]; /* "3.11.2", or what is known of it; "" */
    /* what asyncio.c and the files behind it have found in this sample; NULL outside of one */
    struct lk_reader *reader;
};
struct lk_pyframes {
    struct lk_pyf *v;
    size_t n, cap;
};

/** Where per-sample results go: the snapshot's arena, or py's own while there is no sample. */
struct lk_arena *lk_py_arena(struct lk_py *py);
/** A 64-bit word of the target that holds a plausible object address; 0 otherwise. */
lk_addr lk_py_ptr(struct lk_py *py, lk_addr at);

/* ---- object.c : types, containers, attributes ---------------------------------------- */
/** Type of an object; NULL when unreadable or implausible. Pointer lives as long as py. */
const struct lk_pytype *lk_py_type(struct lk_py *py, lk_addr obj);
const struct lk_pytype *lk_py_type_at(struct lk_py *py, lk_addr type);
enum lk_pykind lk_py_kind(struct lk_py *py, lk_addr obj);
/** True when type, or one of its bases, has this tp_name and (module != NULL) __module__ = module.
 */
bool lk_py_isinstance(struct lk_py *py, lk_addr obj, const char *module, const char *name);
/** "module.Class" of the object's type, clean, in the snapshot's arena. */
const char *lk_py_class_name(struct lk_py *py, lk_addr obj);
/** __module__ of a type: from its dict, or the dotted prefix of tp_name; "" when unknown. */
const char *lk_py_type_module(struct lk_py *py, const struct lk_pytype *ty);

/** str as clean text in the snapshot's arena; NULL when it is no str. */
const char *lk_py_str(struct lk_py *py, lk_addr obj);
/** Raw bytes of a str when pure ASCII, for comparing; false otherwise or when longer than max - 1.
 */
bool lk_py_str_raw(struct lk_py *py, lk_addr obj, char *ret, size_t max);
bool lk_py_str_eq(struct lk_py *py, lk_addr obj, const char *s);
/** int or bool that fits 64 bits. */
bool lk_py_int(struct lk_py *py, lk_addr obj, int64_t *ret);
bool lk_py_float(struct lk_py *py, lk_addr obj, double *ret);
/** int or float as a double; None gives false. */
bool lk_py_number(struct lk_py *py, lk_addr obj, double *ret);
/** LK_YES / LK_NO for True / False (or an int), unknown otherwise. */
enum lk_tri lk_py_bool(struct lk_py *py, lk_addr obj);
bool lk_py_is_none(struct lk_py *py, lk_addr obj);

/** Number of items of tuple, list, dict, set, deque; -1 when it is none of them or implausible. */
int64_t lk_py_len(struct lk_py *py, lk_addr obj);
/** Item i of a tuple or list; 0. */
lk_addr lk_py_item(struct lk_py *py, lk_addr seq, size_t i);
/** All items of tuple, list, set, deque (bounded by max); *n tells how many; array in the
 * snapshot's arena; NULL when none. */
lk_addr *lk_py_items(struct lk_py *py, lk_addr container, size_t max, size_t *n);
/** dict by str key; 0 when absent. */
lk_addr lk_py_dict_get(struct lk_py *py, lk_addr dict, const char *key);
/** Calls fn for every entry until it returns false; bounded. */
void lk_py_dict_each(struct lk_py *py, lk_addr dict,
                     bool (*fn)(struct lk_py *, lk_addr key, lk_addr value, void *), void *arg);

/** Instance attribute by name, wherever it is stored (dict, inline values, managed dict, slots); 0
 * when absent. Not class attributes. */
lk_addr lk_py_attr(struct lk_py *py, lk_addr obj, const char *name);
/** Class attribute through the bases; 0. */
lk_addr lk_py_type_attr(struct lk_py *py, const struct lk_pytype *ty, const char *name);
/** Calls fn for every instance attribute in the instance's dict or inline values. */
void lk_py_attr_each(struct lk_py *py, lk_addr obj,
                     bool (*fn)(struct lk_py *, lk_addr key, lk_addr value, void *), void *arg);

/** Functions and callables. */
lk_addr lk_py_function_code(struct lk_py *py, lk_addr func);
/** Value of a free variable in a function's closure; 0. */
lk_addr lk_py_closure(struct lk_py *py, lk_addr func, const char *name);
/* bound method, Python or builtin (func = 0 then) */
bool lk_py_method(struct lk_py *py, lk_addr m, lk_addr *func, lk_addr *self);
/** Name of a builtin method, method descriptor or function; "" unknown. In the snapshot's arena. */
const char *lk_py_callable_name(struct lk_py *py, lk_addr callable);
bool lk_py_partial(struct lk_py *py, lk_addr p, lk_addr *func, lk_addr *args);
lk_addr lk_py_weakref(struct lk_py *py, lk_addr ref);
lk_addr lk_py_cell(struct lk_py *py, lk_addr cell);

/** Module dict of sys.modules[name]; 0. */
lk_addr lk_py_module_dict(struct lk_py *py, const char *name);
lk_addr lk_py_module_attr(struct lk_py *py, const char *module, const char *name);

/* ---- frame.c : code, lines, locals, value stack -------------------------------------- */
const struct lk_pycode *lk_py_code(struct lk_py *py, lk_addr code);
/** Makes names and kinds of all locals, cells and free variables available in c; false when
 * unreadable. */
bool lk_py_code_locals(struct lk_py *py, const struct lk_pycode *c);
/** A copy of frames in the snapshot's arena, for frames_of and frames_of_task. */
struct lk_pyframes *lk_py_frames_keep(struct lk_py *py, const struct lk_pyframes *frames);
/** Fills f from a frame address; false when implausible. is_shim is set for C boundary frames to be
 * skipped. */
bool lk_py_frame(struct lk_py *py, lk_addr addr, struct lk_pyf *f, lk_addr *caller, bool *is_shim);
/** All frames of one thread state, innermost first, shims skipped; appended to ret, whose v is
 * malloc'd (reuse with n = 0, free). */
bool lk_py_thread_frames(struct lk_py *py, lk_addr tstate, struct lk_pyframes *ret,
                         bool *truncated);
int lk_py_line(struct lk_py *py, const struct lk_pyf *f);
/** A local, cell or free variable by name (cells are opened); 0. */
lk_addr lk_py_local(struct lk_py *py, const struct lk_pyf *f, const char *name);
/** Calls fn for every named local with a value. */
void lk_py_local_each(struct lk_py *py, const struct lk_pyf *f,
                      bool (*fn)(struct lk_py *, const char *name, lk_addr value, void *),
                      void *arg);
/** Value-stack slot i (0 = bottom), tags removed; 0. */
lk_addr lk_py_stack_slot(struct lk_py *py, const struct lk_pyf *f, int i);
/** Objects whose `with` body f is inside (bound __exit__ / __aexit__ selves) by the exact rule;
 * returns how many. */
size_t lk_py_held_managers(struct lk_py *py, const struct lk_pyf *f, lk_addr *ret, size_t max);
/**
 * The object of the blocking method call pending in f (lock.acquire(), with lock: entering,
 * queue.get() ...), from the operand pattern above the exception-table depth; *method gets the
 * method's name. 0 when not found.
 */
lk_addr lk_py_pending_self(struct lk_py *py, const struct lk_pyf *f, char *method, size_t max);
/** A candidate for the pending call: slot (0 = bottom of the value stack), its object and the
 * method's name. */
struct lk_pypending {
    int slot;
    lk_addr self;
    char method[32];
};
/** All candidates, best first: with an unknown stack depth stale slots can look like one, a second
 * witness (futex address) decides. */
size_t lk_py_pending_candidates(struct lk_py *py, const struct lk_pyf *f, struct lk_pypending *ret,
                                size_t max);
/** Converts to the snapshot's frame. */
struct lk_pyframe lk_py_snapshot_frame(struct lk_py *py, const struct lk_pyf *f);
/** The `def` line of a function object as a frame. False when it is no Python function (method,
 * partial: unwrapped). */
bool lk_py_callable_frame(struct lk_py *py, lk_addr callable, struct lk_pyframe *ret);
bool lk_py_frame_is(struct lk_py *py, const struct lk_pyf *f, const char *function,
                    const char *file_suffix);

/* ---- coroutine.c --------------------------------------------------------------------- */
enum lk_gen_state {
    LK_GEN_UNKNOWN = 0,
    LK_GEN_CREATED,
    LK_GEN_SUSPENDED,
    LK_GEN_EXECUTING,
    LK_GEN_FINISHED
};
enum lk_gen_state lk_py_gen_state(struct lk_py *py, lk_addr gen);
/** Frame of a generator, coroutine or async generator; false when finished. */
bool lk_py_gen_frame(struct lk_py *py, lk_addr gen, struct lk_pyf *f);
/** What a suspended coroutine awaits; 0 when none. */
lk_addr lk_py_gen_awaits(struct lk_py *py, lk_addr gen, const struct lk_pyf *f);
/**
 * Follows the await chain from coro (outermost) inwards. frames: outermost first. *leaf: the object
 * at the end that is no coroutine (a future's iterator gives the future; 0 when none), *leaf_type
 * its class name when it is something unknown. Frames are appended to `frames`, whose v is malloc'd
 * (reuse with n = 0, free).
 */
bool lk_py_await_chain(struct lk_py *py, lk_addr coro, struct lk_pyframes *frames, lk_addr *leaf,
                       const char **leaf_type, bool *truncated);

/* ---- runtime.c / thread.c ------------------------------------------------------------ */
/** Reads thread states into s->threads (names, ident, stacks, holds_gil) and py->frames_of. */
void lk_py_read_threads(struct lk_py *py);
/** Starts a sample: forgets the last one and looks up interpreter and sys.modules again. */
void lk_py_begin(struct lk_py *py, struct lk_snapshot *s);
/** After lk_py_read_threads: GIL waiters by futex address. */
void lk_py_read_gil(struct lk_py *py);

/* ---- asyncio.c, future.c, executor.c, lock.c, wait.c ---------------------------------- */
void lk_py_read_loops(struct lk_py *py); /* running loops, loops in frames and module globals */
void lk_py_read_tasks(struct lk_py *py); /* all tasks, their loops, await chains */
void lk_py_read_waits(struct lk_py *py); /* what each thread and task waits for */
/* who uses a file that it or another thread waits to lock */
void lk_py_read_files(struct lk_py *py);
void lk_py_read_owners(struct lk_py *py); /* who holds which lock */
/** Mentions: the same address always gives the same entity; reads it when new. */
struct lk_ref lk_py_loop(struct lk_py *py, lk_addr obj, enum lk_found_by found_by);
struct lk_ref lk_py_task(struct lk_py *py, lk_addr obj);
/* asyncio or concurrent; a Task gives its task */
struct lk_ref lk_py_future(struct lk_py *py, lk_addr obj);
struct lk_ref lk_py_executor(struct lk_py *py, lk_addr obj);
struct lk_ref lk_py_lock(struct lk_py *py, lk_addr obj); /* any synchronisation object */

#endif
