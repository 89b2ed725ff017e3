/* Tables of members, one a type. The order of the rows is that of the bytes. */
#include "process/capture/shape_members.h"

#include <stddef.h>

#include "process/process.h"

/* A row whose kind is not its member's does not compile. */
#define TYPE_BOOL            bool
#define TYPE_CHAR            char
#define TYPE_INT             int
#define TYPE_TRI             enum lk_tri
#define TYPE_U32             uint32_t
#define TYPE_I64             int64_t
#define TYPE_U64             uint64_t
#define TYPE_TEXT            const char *
#define TYPE_SURE            const char *
#define TYPE_RAW             const char *
#define IS(type, name, what) _Generic(((struct type *)0)->name, what : 0)

#define MEMBER(type, name, kind)                                                                   \
    {                                                                                              \
        kind, offsetof(struct type, name), IS(type, name, TYPE_##kind), NULL                       \
    }
#define MEMBER_NAME(type, name)                                                                    \
    {                                                                                              \
        NAME, offsetof(struct type, name), sizeof(((struct type *)0)->name), NULL                  \
    }
#define MEMBER_WORDS(type, name)                                                                   \
    {                                                                                              \
        WORDS, offsetof(struct type, name), sizeof(((struct type *)0)->name) / 8, NULL             \
    }
#define MEMBER_ENUM(type, name, last)                                                              \
    {                                                                                              \
        ENUM, offsetof(struct type, name), (size_t)(last), NULL                                    \
    }
#define MEMBER_INSIDE(type, name, shape)                                                           \
    {                                                                                              \
        INSIDE, offsetof(struct type, name), 0, &(shape)                                           \
    }
#define MEMBER_TEXTS(type, name, count)                                                            \
    {                                                                                              \
        TEXTS, offsetof(struct type, name),                                                        \
            offsetof(struct type, count) + IS(type, count, size_t), NULL                           \
    }
#define MEMBER_MANY(type, name, count, kind, shape)                                                \
    {                                                                                              \
        kind, offsetof(struct type, name), offsetof(struct type, count) + IS(type, count, size_t), \
            &(shape)                                                                               \
    }
#define SHAPE(type, rows)                                                                          \
    {                                                                                              \
        sizeof(type), rows, sizeof(rows) / sizeof((rows)[0])                                       \
    }

/* A value for each member: one that is added makes its list too short, which the compiler says
 * (-Wmissing-field-initializers). Who makes it longer adds a row below too and raises the version
 * of the format. Of struct lk_snapshot only what identifies a process is kept. */
#define ALL_OF(type, ...)                                                                          \
    static const struct type all_of_##type __attribute__((unused)) = { __VA_ARGS__ }

ALL_OF(lk_throttle, 0, 0, 0);
ALL_OF(lk_process_halt, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
ALL_OF(lk_syscall_wait, 0, 0, 0, 0, { 0 }, 0, 0, 0, 0, 0, 0, 0, { 0, 0, 0 }, 0, 0, 0, 0, { 0 }, 0,
       0, 0, 0, 0, 0, 0, 0, { 0, 0, 0 });
ALL_OF(lk_watched, 0, { 0 });
ALL_OF(lk_connection, 0, 0, 0);
ALL_OF(lk_connections, 0, 0);
ALL_OF(lk_sharer, 0, 0, 0, 0);
ALL_OF(lk_listener, 0, 0, 0, { 0, 0, 0 }, 0, 0, 0, { 0, 0, 0 });
ALL_OF(lk_child, 0, 0, 0, 0);
ALL_OF(lk_limit, 0, { 0 }, { 0, 0, 0, 0 });
ALL_OF(lk_stat_facts, 0, 0, 0, 0);
ALL_OF(lk_program_facts, 0, 0, 0, 0);
ALL_OF(lk_pids, 0, 0, 0);
ALL_OF(lk_pipe_end, 0, 0, 0, 0);
ALL_OF(lk_pipe_ends, 0, 0, 0);
ALL_OF(lk_symbol_fact, 0, 0);
ALL_OF(lk_function_fact, 0, 0, 0);
ALL_OF(lk_functions_fact, 0, 0);
ALL_OF(lk_walk_fact, 0, 0, 0);
ALL_OF(lk_addrs, 0, 0, 0);
ALL_OF(lk_heap_fact, 0, 0, 0, 0, 0, { 0, 0, 0, 0 });
ALL_OF(lk_thread_facts, 0, { 0 }, 0, 0, 0, 0, 0, { 0 }, 0, 0, 0, 0, 0, 0, 0);
ALL_OF(lk_mapping, 0, 0, 0, 0, 0, 0, { 0 }, 0);
ALL_OF(lk_regs, 0, { 0 });
ALL_OF(lk_local, 0, 0);
ALL_OF(lk_locals, 0, 0);
ALL_OF(lk_surroundings, 0, 0, 0, 0, 0, 0, 0, 0);

/* ---- types ----------------------------------------------------------------------------------- */

static const struct member bool_members[] = { { BOOL, 0, 0, NULL } };
static const struct lk_shape a_bool = SHAPE(bool, bool_members);
static const struct member int_members[] = { { INT, 0, 0, NULL } };
static const struct lk_shape an_int = SHAPE(int, int_members);
static const struct member does_members[] = { { ENUM, 0, LK_CHILD_RUNS, NULL } };
static const struct lk_shape child_does = SHAPE(enum lk_child_does, does_members);
static const struct member i64_members[] = { { I64, 0, 0, NULL } };
static const struct lk_shape an_i64 = SHAPE(int64_t, i64_members);
static const struct member u64_members[] = { { U64, 0, 0, NULL } };
static const struct lk_shape a_u64 = SHAPE(uint64_t, u64_members);
static const struct member text_members[] = { { TEXT, 0, 0, NULL } };
static const struct lk_shape a_text = SHAPE(const char *, text_members);
static const struct member raw_members[] = { { RAW, 0, 0, NULL } };
static const struct lk_shape raw_text = SHAPE(const char *, raw_members);

static const struct member throttle_members[] = {
    MEMBER(lk_throttle, periods, U64),
    MEMBER(lk_throttle, throttled, U64),
    MEMBER(lk_throttle, usec, U64),
};
static const struct lk_shape throttle = SHAPE(struct lk_throttle, throttle_members);

/* What lk_process_halt sets and what stands before it; the throttling is worked out later. */
static const struct member halt_members[] = {
    MEMBER(lk_process_halt, job_stopped, BOOL), MEMBER(lk_process_halt, tracer_pid, I64),
    MEMBER(lk_process_halt, tracer_comm, TEXT), MEMBER(lk_process_halt, frozen, BOOL),
    MEMBER(lk_process_halt, zombie, BOOL),      MEMBER(lk_process_halt, main_gone, BOOL),
    MEMBER(lk_process_halt, d_state, I64),      MEMBER(lk_process_halt, d_where, TEXT),
};
static const struct lk_shape halt = SHAPE(struct lk_process_halt, halt_members);
static const struct member halt_states_members[] = {
    MEMBER(lk_process_halt, job_stopped, BOOL), MEMBER(lk_process_halt, zombie, BOOL),
    MEMBER(lk_process_halt, main_gone, BOOL),   MEMBER(lk_process_halt, d_state, I64),
    MEMBER(lk_process_halt, d_where, TEXT),
};
static const struct lk_shape halt_states = SHAPE(struct lk_process_halt, halt_states_members);

static const struct member syscall_wait_members[] = {
    MEMBER_ENUM(lk_syscall_wait, on, LK_OS_OTHER),
    MEMBER_ENUM(lk_syscall_wait, call, LK_OS_CALL_FLOCK),
    MEMBER(lk_syscall_wait, syscall, TEXT),
    MEMBER(lk_syscall_wait, nr, I64),
    MEMBER_WORDS(lk_syscall_wait, args),
    MEMBER(lk_syscall_wait, futex, U64),
    MEMBER(lk_syscall_wait, fd, I64),
    MEMBER(lk_syscall_wait, local, TEXT),
    MEMBER(lk_syscall_wait, peer, TEXT),
    MEMBER_ENUM(lk_syscall_wait, peer_is, LK_PEER_TREE),
    MEMBER(lk_syscall_wait, listening, BOOL),
    MEMBER(lk_syscall_wait, accepted, BOOL),
    MEMBER_MANY(lk_syscall_wait, ends_at.v, ends_at.n, ARRAY, a_u64),
    MEMBER(lk_syscall_wait, far_fd, I64),
    MEMBER(lk_syscall_wait, peer_pid, I64),
    MEMBER(lk_syscall_wait, peer_comm, TEXT),
    MEMBER(lk_syscall_wait, connecting, BOOL),
    MEMBER_WORDS(lk_syscall_wait, queues),
    MEMBER(lk_syscall_wait, path, TEXT),
    MEMBER_ENUM(lk_syscall_wait, locked_by, LK_LOCKED_OTHER),
    MEMBER(lk_syscall_wait, lock_fd, I64),
    MEMBER(lk_syscall_wait, lock_inode, U64),
    MEMBER(lk_syscall_wait, lock_holder, TEXT),
    MEMBER(lk_syscall_wait, child_pid, I64),
    MEMBER(lk_syscall_wait, timeout_ms, I64),
    MEMBER(lk_syscall_wait, left_ms, I64),
    MEMBER_MANY(lk_syscall_wait, fds.v, fds.n, ARRAY, an_i64),
};
static const struct lk_shape syscall_wait = SHAPE(struct lk_syscall_wait, syscall_wait_members);

static const struct member watched_members[] = {
    MEMBER(lk_watched, total, I64),
    MEMBER_WORDS(lk_watched, fds),
};
static const struct lk_shape watched = SHAPE(struct lk_watched, watched_members);

static const struct member connection_members[] = {
    MEMBER(lk_connection, fd, I64),
    MEMBER(lk_connection, local, SURE),
    MEMBER(lk_connection, peer, SURE),
};
static const struct lk_shape connection = SHAPE(struct lk_connection, connection_members);
static const struct member connections_members[] = {
    MEMBER_MANY(lk_connections, v, n, ARRAY, connection),
};
static const struct lk_shape connections = SHAPE(struct lk_connections, connections_members);

static const struct member sharer_members[] = {
    MEMBER(lk_sharer, pid, I64),
    MEMBER(lk_sharer, comm, SURE),
    MEMBER_ENUM(lk_sharer, does, LK_SHARE_IDLE),
};
static const struct lk_shape sharer = SHAPE(struct lk_sharer, sharer_members);
static const struct member listener_members[] = {
    MEMBER(lk_listener, inode, U64),
    MEMBER(lk_listener, listening, BOOL),
    MEMBER(lk_listener, address, TEXT),
    MEMBER_MANY(lk_listener, fds.v, fds.n, ARRAY, an_i64),
    MEMBER(lk_listener, queue, I64),
    MEMBER(lk_listener, alone, TRI),
    MEMBER_MANY(lk_listener, sharers.v, sharers.n, ARRAY, sharer),
};
static const struct lk_shape listener = SHAPE(struct lk_listener, listener_members);
static const struct member listeners_members[] = {
    MEMBER_MANY(lk_snapshot, listeners.v, listeners.n, LIST, listener),
    MEMBER(lk_snapshot, listens, TRI),
};
static const struct lk_shape listeners = SHAPE(struct lk_snapshot, listeners_members);

static const struct member child_members[] = {
    MEMBER(lk_child, pid, I64),
    MEMBER(lk_child, comm, TEXT),
    MEMBER(lk_child, threads, I64),
};
static const struct lk_shape child = SHAPE(struct lk_child, child_members);
static const struct member limit_members[] = {
    MEMBER(lk_limit, text, SURE),
    MEMBER(lk_limit, read.os_errno, INT),
    MEMBER(lk_limit, read.reading, TEXT),
};
static const struct lk_shape limit = SHAPE(struct lk_limit, limit_members);
static const struct member identity_members[] = {
    MEMBER(lk_snapshot, pid, I64),
    MEMBER(lk_snapshot, uid, I64),
    MEMBER(lk_snapshot, ppid, I64),
    MEMBER(lk_snapshot, forked, BOOL),
    MEMBER(lk_snapshot, comm, SURE),
    MEMBER(lk_snapshot, exe, TEXT),
    MEMBER(lk_snapshot, host, TEXT),
    MEMBER(lk_snapshot, boot_id, TEXT),
    MEMBER(lk_snapshot, start_time, TEXT),
    MEMBER(lk_snapshot, container, TEXT),
    MEMBER(lk_snapshot, taken_at, TEXT),
    MEMBER_TEXTS(lk_snapshot, cmdline, n_cmdline),
    MEMBER(lk_snapshot, cwd, TEXT),
    MEMBER_MANY(lk_snapshot, children.v, children.n, LIST, child),
    MEMBER(lk_snapshot, test_env, TEXT),
    MEMBER(lk_snapshot, handles_signals, TRI),
    MEMBER(lk_snapshot, caught_signals, U64),
    MEMBER(lk_snapshot, own_handlers, TRI),
    MEMBER(lk_snapshot, handles_alarm, TRI),
    MEMBER_ENUM(lk_snapshot, runtime, LK_RUNTIME_NATIVE),
    MEMBER_INSIDE(lk_snapshot, stop, halt),
    MEMBER(lk_snapshot, epoll_fds, I64),
    MEMBER_MANY(lk_snapshot, limits.v, limits.n, LIST, limit),
};
static const struct lk_shape identity = SHAPE(struct lk_snapshot, identity_members);

static const struct member stat_members[] = {
    MEMBER(lk_stat_facts, ppid, I64),
    MEMBER(lk_stat_facts, threads, I64),
    MEMBER(lk_stat_facts, state, CHAR),
    MEMBER(lk_stat_facts, start_ticks, U64),
};
static const struct lk_shape stat_facts = SHAPE(struct lk_stat_facts, stat_members);

static const struct member program_members[] = {
    MEMBER(lk_program_facts, exe, RAW),
    MEMBER(lk_program_facts, comm, RAW),
    MEMBER_TEXTS(lk_program_facts, argv, argc),
};
static const struct lk_shape program = SHAPE(struct lk_program_facts, program_members);

static const struct member pids_members[] = {
    MEMBER_MANY(lk_pids, v, n, ARRAY, an_i64),
};
static const struct lk_shape pids = SHAPE(struct lk_pids, pids_members);

static const struct member pipe_end_members[] = {
    MEMBER(lk_pipe_end, pipe, U64),
    MEMBER(lk_pipe_end, pid, I64),
    MEMBER(lk_pipe_end, reads, BOOL),
    MEMBER(lk_pipe_end, writes, BOOL),
};
static const struct lk_shape pipe_end = SHAPE(struct lk_pipe_end, pipe_end_members);
static const struct member pipe_ends_members[] = {
    MEMBER_MANY(lk_pipe_ends, v, n, ARRAY, pipe_end),
    MEMBER(lk_pipe_ends, all_seen, BOOL),
};
static const struct lk_shape pipe_ends = SHAPE(struct lk_pipe_ends, pipe_ends_members);

static const struct member symbol_members[] = {
    MEMBER(lk_symbol_fact, name, RAW),
    MEMBER(lk_symbol_fact, offset, U64),
};
static const struct lk_shape symbol = SHAPE(struct lk_symbol_fact, symbol_members);

static const struct member function_members[] = {
    MEMBER(lk_function_fact, name, RAW),
    MEMBER(lk_function_fact, file, RAW),
    MEMBER(lk_function_fact, line, INT),
};
static const struct lk_shape function = SHAPE(struct lk_function_fact, function_members);
static const struct member functions_members[] = {
    MEMBER_MANY(lk_functions_fact, v, n, ARRAY, function),
};
static const struct lk_shape functions = SHAPE(struct lk_functions_fact, functions_members);

static const struct member walk_members[] = {
    MEMBER_MANY(lk_walk_fact, v, n, ARRAY, a_u64),
    MEMBER(lk_walk_fact, truncated, BOOL),
};
static const struct lk_shape walk = SHAPE(struct lk_walk_fact, walk_members);

static const struct member heap_list_members[] = {
    MEMBER_MANY(lk_addrs, v, n, ARRAY, a_u64),
};
static const struct lk_shape heap_list = SHAPE(struct lk_addrs, heap_list_members);
static const struct member heap_members[] = {
    MEMBER_MANY(lk_heap_fact, v, n, ARRAY, heap_list),
    MEMBER(lk_heap_fact, ended, BOOL),
    MEMBER(lk_heap_fact, timed_out, BOOL),
    MEMBER(lk_heap_fact, too_many, BOOL),
    MEMBER(lk_heap_fact, failed.addr, U64),
    MEMBER(lk_heap_fact, failed.size, U64),
    MEMBER(lk_heap_fact, failed.os_errno, INT),
    MEMBER(lk_heap_fact, failed.reading, TEXT),
};
static const struct lk_shape heap = SHAPE(struct lk_heap_fact, heap_members);

static const struct member local_members[] = {
    MEMBER(lk_local, name, TEXT),
    MEMBER(lk_local, value, TEXT),
};
static const struct lk_shape a_local = SHAPE(struct lk_local, local_members);
static const struct member locals_members[] = {
    MEMBER_MANY(lk_locals, v, n, ARRAY, a_local),
};
static const struct lk_shape locals = SHAPE(struct lk_locals, locals_members);

static const struct member surroundings_members[] = {
    MEMBER(lk_surroundings, kernel, TEXT),       MEMBER(lk_surroundings, load, TEXT),
    MEMBER(lk_surroundings, machine_up_ms, I64), MEMBER(lk_surroundings, process_up_ms, I64),
    MEMBER(lk_surroundings, processors, I64),    MEMBER(lk_surroundings, memory_max, I64),
    MEMBER(lk_surroundings, memory_used, I64),   MEMBER(lk_surroundings, cpu_thousandths, I64),
};
static const struct lk_shape surroundings = SHAPE(struct lk_surroundings, surroundings_members);

static const struct member thread_members[] = {
    MEMBER(lk_thread_facts, tid, I64),
    MEMBER_NAME(lk_thread_facts, comm),
    MEMBER(lk_thread_facts, state, CHAR),
    MEMBER(lk_thread_facts, running, BOOL),
    MEMBER(lk_thread_facts, syscall_known, BOOL),
    MEMBER(lk_thread_facts, unread, INT),
    MEMBER(lk_thread_facts, nr, I64),
    MEMBER_WORDS(lk_thread_facts, args),
    MEMBER(lk_thread_facts, sp, U64),
    MEMBER(lk_thread_facts, pc, U64),
    MEMBER(lk_thread_facts, switches, U64),
    MEMBER(lk_thread_facts, run_ns, U64),
    MEMBER(lk_thread_facts, cpu_us, U64),
    MEMBER(lk_thread_facts, off_cpu_ms, I64),
    MEMBER(lk_thread_facts, start_time, U64),
};
const struct lk_shape lk_shape_thread = SHAPE(struct lk_thread_facts, thread_members);

static const struct member mapping_members[] = {
    MEMBER(lk_mapping, start, U64),     MEMBER(lk_mapping, end, U64),
    MEMBER(lk_mapping, offset, U64),    MEMBER(lk_mapping, inode, U64),
    MEMBER(lk_mapping, dev_major, U32), MEMBER(lk_mapping, dev_minor, U32),
    MEMBER_NAME(lk_mapping, prot),      MEMBER(lk_mapping, path, RAW),
};
const struct lk_shape lk_shape_mapping = SHAPE(struct lk_mapping, mapping_members);

static const struct member regs_members[] = {
    MEMBER_WORDS(lk_regs, reg),
    MEMBER(lk_regs, known, U32),
};
const struct lk_shape lk_shape_regs = SHAPE(struct lk_regs, regs_members);

/* ---- facts ----------------------------------------------------------------------------------- */

static const struct lk_shape *const shapes[LK_FACTS] = {
    [LK_FACT_IDENTITY] = &identity,
    [LK_FACT_RAN_OUT] = &an_int,
    [LK_FACT_LIVES_ON] = &a_bool,
    [LK_FACT_THROTTLE] = &throttle,
    [LK_FACT_HALT] = &halt_states,
    [LK_FACT_CALL] = &syscall_wait,
    [LK_FACT_FD] = &syscall_wait,
    [LK_FACT_FD_NAME] = &raw_text,
    [LK_FACT_UNREAD] = &an_i64,
    [LK_FACT_QUIET_MS] = &an_i64,
    [LK_FACT_WATCHED] = &watched,
    [LK_FACT_CONNECTIONS] = &connections,
    [LK_FACT_LISTENERS] = &listeners,
    [LK_FACT_SHARES_PIDS] = &a_bool,
    [LK_FACT_HAS_FILE] = &a_bool,
    [LK_FACT_CHILD_WORK] = &child_does,
    [LK_FACT_CHILD_IDLES] = &a_bool,
    [LK_FACT_CHILD_FILLS] = &a_text,
    [LK_FACT_STAT] = &stat_facts,
    [LK_FACT_STARTED] = &a_u64,
    [LK_FACT_PROGRAM] = &program,
    [LK_FACT_HAS_VARIABLE] = &a_bool,
    [LK_FACT_CHILDREN] = &pids,
    [LK_FACT_TIMES_RUN] = &a_u64,
    [LK_FACT_PID_FD_NAME] = &raw_text,
    [LK_FACT_PIPE_ENDS] = &pipe_ends,
    [LK_FACT_LOCK_OWNER] = &an_i64,
    [LK_FACT_IDENTITY_OF] = &identity,
    [LK_FACT_BACKLOG_ASKS] = &an_i64,
    [LK_FACT_UNIT] = &a_text,
    [LK_FACT_OUR_CHILD] = &an_i64,
    [LK_FACT_SYMBOL] = &symbol,
    [LK_FACT_SYMBOL_ADDRESS] = &a_u64,
    [LK_FACT_FUNCTIONS] = &functions,
    [LK_FACT_SOURCE_LINE] = &a_text,
    [LK_FACT_SECOND_WALK] = &walk,
    [LK_FACT_VARIABLE] = &a_text,
    [LK_FACT_SIGNAL_TABLE] = &a_u64,
    [LK_FACT_HEAP] = &heap,
    [LK_FACT_IS_LIBPQ_END] = &a_bool,
    [LK_FACT_LOCALS] = &locals,
    [LK_FACT_SURROUNDINGS] = &surroundings,
    [LK_FACT_REREAD] = &a_bool,
    [LK_FACT_N_READ] = &a_u64,
    [LK_FACT_STACK_PLACE] = &a_u64,
};

const struct lk_shape *lk_shape_of(enum lk_fact what)
{
    return shapes[what];
}
