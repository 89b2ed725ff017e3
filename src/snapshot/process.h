/* The process as a whole: whether it can run at all, its runtime, what it supervises. */
#ifndef LK_SNAPSHOT_PROCESS_H
#define LK_SNAPSHOT_PROCESS_H

#include "snapshot/ref.h"

/** Facts found from /proc before any ptrace (LK501). NULL / 0 = not the case. */
struct lk_process_halt {
    bool job_stopped; /* state T */
    int64_t tracer_pid;
    const char *tracer_comm;
    bool frozen;            /* cgroup freezer */
    bool zombie, main_gone; /* leader is a zombie while threads live */
    double throttled_share; /* of the periods while watched, 0..1 */
    int64_t throttled_ms;
    int64_t d_state;     /* threads in uninterruptible sleep, in every sample */
    const char *d_where; /* kernel function or system call of the first of them */
};

/** Where it runs; what decides nothing, and whoever reads a report of elsewhere wants to know. */
struct lk_surroundings {
    const char *kernel; /* "Linux 6.1.0-13"; NULL */
    const char *load;   /* of 1, 5 and 15 minutes, "0.37 0.87 1.95"; NULL */
    int64_t machine_up_ms, process_up_ms;
    int64_t processors; /* that it may run on */
    /* what its control groups allow: bytes, and thousandths of a processor; LK_FOREVER no limit */
    int64_t memory_max, memory_used, cpu_thousandths;
};
extern const struct lk_surroundings lk_surroundings_none; /* nothing is known */

/** A module that is loaded, and its __version__. */
struct lk_module_version {
    const char *name, *version;
};

/** Language runtimes; of Python alone are the stacks read. */
enum lk_runtime {
    LK_RUNTIME_UNKNOWN = 0,
    LK_RUNTIME_PYTHON,
    LK_RUNTIME_PYPY,
    LK_RUNTIME_JVM,
    LK_RUNTIME_GO,
    LK_RUNTIME_NODE,
    LK_RUNTIME_DOTNET,
    LK_RUNTIME_RUBY,
    LK_RUNTIME_NATIVE,
};

struct lk_python {
    bool present;
    const char *version; /* "3.11.2"; NULL = not known */
    unsigned hex;        /* sys.hexversion, "3.11.2" as 0x030b02f0; 0 = not known */
    const char *build;   /* "release" | "debug" */
    enum lk_tri free_threaded;
    unsigned interpreters, gils; /* how many there are; 0 = not read */
    bool frames_read;            /* threads, loops and tasks could be read to the end */
    const char *why_not;         /* present but not read: one sentence */
    bool passing;                /* ... since its interpreter is just being set up or taken down */
    /* folder(s) of the standard library, from the target: ':'-separated; NULL */
    const char *stdlib;
    /* sys.path[0] and the folders of editable installs, ':'-separated; sys.prefix; NULL */
    const char *own_folders, *prefix;
    struct lk_module_version *modules; /* servers, frameworks, drivers */
    size_t n_modules;
};

/** What a process that waits for its children is. */
enum lk_supervisor_kind {
    LK_SUPERVISOR_PROGRAM = 0, /* starts another program; known by its own name: sudo, tini */
    LK_SUPERVISOR_SHELL,       /* that runs a command or script */
    LK_SUPERVISOR_SESSION,     /* a shell at which somebody types: what it starts is anything */
    LK_SUPERVISOR_MASTER,      /* of workers */
    LK_SUPERVISOR_OF_SERVERS,  /* starts servers, and starts them again: a reloader */
};

/** One row of what is known of supervisors; static. */
struct lk_supervisor {
    enum lk_supervisor_kind kind;
    const char *name;  /* "gunicorn master", "flask --debug reloader", "shell", "sudo", ... */
    const char *child; /* what a child of it is: "gunicorn worker"; NULL: anything */
};

#endif
