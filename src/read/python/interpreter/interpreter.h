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
    /* known_class.c's memo: 0 = not looked up, 1 = no known class, else row of lk_class_rows + 2 */
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

/** Kinds of a code's variables (pycore_code.h CO_FAST_CELL, CO_FAST_FREE): shared with other code.
 */
enum { LK_PY_LOCAL_SHARED = 0xc0 };

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
    uint8_t *local_kinds;              /* 0x20 local, LK_PY_LOCAL_SHARED */
    uint8_t *linetable, *exceptions;   /* bytes of these tables; NULL until asked for */
    int64_t linetable_n, exceptions_n; /* -1: could not be read */
    struct lk_receivers *receivers;    /* method_calls.c's memo: the methods looked for so far */
    unsigned job_call;                 /* job_result.c's memo: 0 not asked, 1 no row, row + 2 */
};

/** A loop's timer whose callback is not known to complete one future and nothing else. */
struct lk_py_timer {
    uint32_t loop; /* index */
    lk_addr callback, args;
    int64_t in_ms;
};

/** What a hub is to call that does more than go on with a greenlet. */
struct lk_hub_callback {
    lk_addr of;             /* the greenlet that is to end before; 0: something else is to happen */
    lk_addr callback, args; /* args may be 0 */
    lk_addr gives_back;     /* a semaphore, of which it gives back one unit; 0: not known */
};

/** A thread is inside of a `with` block of a semaphore of greenlets. */
struct lk_green_hold {
    lk_addr manager;
    uint32_t thread;
};

/** One of the runtime's interpreters (Include/internal/pycore_interp.h). */
struct lk_py_interpreter {
    lk_addr addr;
    lk_addr modules; /* its sys.modules; 0 while it is set up or taken down */
    int64_t id;      /* 0: the main one */
    unsigned gil;    /* index in gils */
};

/** A thread state, and whose. */
struct lk_py_tstate {
    lk_addr addr;
    size_t thread; /* index in the snapshot; SIZE_MAX: none */
};

/** A lock of interpreters: of one that has its own, or of all that share the main one's. */
struct lk_py_gil {
    lk_addr addr;
    size_t holder; /* thread index, SIZE_MAX = nobody or not known */
};

struct lk_py {
    struct lk_process *t;
    struct lk_arena *arena;  /* lives as long as py: types, names */
    struct lk_layout layout; /* the row, overlaid by debug offsets */
    lk_addr runtime;
    unsigned version_hex;
    bool readable, free_threaded, debug_build;
    struct lk_error why_not; /* why it cannot be read, and the first read that failed */
    bool passing;            /* why_not: the interpreter is just being set up or taken down */
    char build[16];
    const char *stdlib, *own_folders, *prefix; /* as in struct lk_python; see search_path.h */
    struct lk_map types;                       /* address -> struct lk_pytype * */
    uint64_t until_us; /* rehearsal: no further task is begun after this; 0 none */
    /* per sample (reset by lk_py_read) */
    struct lk_snapshot *s;
    struct lk_map codes; /* address -> struct lk_pycode *, in s->arena */
    lk_addr interp;      /* main interpreter */
    lk_addr modules;     /* its sys.modules dict */
    /* all of them, the main one first; and their thread states (lk_py_read_threads) */
    LK_VEC(struct lk_py_interpreter) interpreters;
    LK_VEC(struct lk_py_tstate) tstates;
    LK_VEC(struct lk_py_gil) gils;
    /* thread index -> struct lk_pyframes * : the raw frames of each thread, for waits and owners */
    struct lk_map frames_of;
    /* task index -> struct lk_pyframes * : of suspended greenlets, innermost first */
    struct lk_map frames_of_task;
    struct lk_map by_ident;       /* pthread ident (what Python calls thread id) -> thread index */
    struct lk_map thread_objects; /* thread index -> its threading.Thread, where there is one */
    /* each private to one of attribute.c, class.c, code.c, container.c: memos of this sample (its
     * pages do not change) */
    struct lk_map attr_index, slots, instances, class_names, modules_by_name, lines, texts, hashes;
    bool on_own_way;      /* where a replay does not follow: hashes are not learned for later */
    struct lk_map hints;  /* of container.c, kept from sample to sample */
    unsigned sample;      /* counts lk_py_read; 0 while opening */
    bool frames_complete; /* the last lk_py_read got through all thread states */
    lk_addr type_type;    /* PyType_Type */
    /* 3.8 - 3.10: of the kernel's tid in struct pthread; 0 = not calibrated */
    uint32_t tid_offset;
    lk_addr signal_table; /* of handlers, once found (stdlib/signal_handlers.c); 0 */
    char version[32];     /* "3.11.2", or what is known of it; "" */
    /* what the readers above have found in this sample (reader/reader.h); NULL outside of one */
    struct lk_reader *reader;
    /* of the last lk_py_read, for lk_py_read_at_hand */
    struct {
        struct lk_py_timer *v;
        size_t n, cap;
    } timers;
    struct {
        struct lk_hub_callback *v;
        size_t n, cap;
    } hub_callbacks;
    struct {
        struct lk_green_hold *v;
        size_t n, cap;
    } green_holds;
};

struct lk_pyframes {
    struct lk_pyf *v;
    size_t n, cap;
};

#endif
