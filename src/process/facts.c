/*
 * The questions in C's own types over the one way of asking: each function makes a key, and says
 * what stands for an answer that is not known. What the facts rest on stands with who answers them.
 */
#include "process/facts.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "process/process_impl.h"

int lk_process_ask(struct lk_process *t, enum lk_fact what, const struct lk_key *key,
                   struct lk_arena *a, void *ret)
{
    return t->ops->ask ? t->ops->ask(t->impl, what, key, a, ret) : ENOTSUP;
}

bool lk_process_answers(const struct lk_process *t)
{
    return t->ops->ask != NULL;
}

static bool ask(struct lk_process *t, enum lk_fact what, const struct lk_key *key,
                struct lk_arena *a, void *ret)
{
    return lk_process_ask(t, what, key, a, ret) == 0;
}

/* ---- of the examined process --------------------------------------------------------- */

static bool no_identity(int why, int64_t pid, struct lk_error *err)
{
    return why == ENOENT || why == ESRCH
               ? lk_error_set(err, LK_ERR_NO_PROCESS, "no process %d", (int)pid)
               : lk_error_os(err, why, "process %d was not examined", (int)pid);
}

bool lk_process_identify(struct lk_process *t, struct lk_snapshot *s, struct lk_error *err)
{
    const int why = lk_process_ask(t, LK_FACT_IDENTITY, &(struct lk_key){ 0 }, s->arena, s);
    return !why || no_identity(why, t->pid, err);
}

int lk_process_ran_out(struct lk_process *t)
{
    int why = 0;
    return ask(t, LK_FACT_RAN_OUT, &(struct lk_key){ 0 }, NULL, &why) ? why : 0;
}

bool lk_process_lives_on(struct lk_process *t)
{
    bool lives = true;
    return !ask(t, LK_FACT_LIVES_ON, &(struct lk_key){ 0 }, NULL, &lives) || lives;
}

bool lk_process_throttle(struct lk_process *t, struct lk_throttle *ret)
{
    return ask(t, LK_FACT_THROTTLE, &(struct lk_key){ 0 }, NULL, ret);
}

void lk_process_halt(struct lk_process *t, const struct lk_thread_list *threads, struct lk_arena *a,
                     struct lk_process_halt *ret)
{
    (void)ask(t, LK_FACT_HALT, &(struct lk_key){ .given = threads }, a, ret);
}

void lk_process_call(struct lk_process *t, const struct lk_thread_facts *f, struct lk_arena *a,
                     struct lk_syscall_wait *ret)
{
    const struct lk_key key = { .n = f->tid, .given = f };
    if (!ask(t, LK_FACT_CALL, &key, a, ret))
        *ret = lk_syscall_wait_none;
}

bool lk_process_fd(struct lk_process *t, int64_t fd, struct lk_arena *a,
                   struct lk_syscall_wait *ret)
{
    return ask(t, LK_FACT_FD, &(struct lk_key){ .n = fd }, a, ret);
}

const char *lk_process_fd_name(struct lk_process *t, int64_t fd, struct lk_arena *a)
{
    const char *ret = NULL;
    return ask(t, LK_FACT_FD_NAME, &(struct lk_key){ .n = fd }, a, &ret) ? ret : NULL;
}

int64_t lk_process_unread(struct lk_process *t, int64_t fd)
{
    int64_t ret;
    return ask(t, LK_FACT_UNREAD, &(struct lk_key){ .n = fd }, NULL, &ret) ? ret : LK_UNKNOWN;
}

int64_t lk_process_quiet_ms(struct lk_process *t, int64_t fd)
{
    int64_t ret;
    return ask(t, LK_FACT_QUIET_MS, &(struct lk_key){ .n = fd }, NULL, &ret) ? ret : LK_UNKNOWN;
}

bool lk_process_watched(struct lk_process *t, int64_t epfd, struct lk_watched *ret)
{
    return ask(t, LK_FACT_WATCHED, &(struct lk_key){ .n = epfd }, NULL, ret);
}

bool lk_process_connections(struct lk_process *t, struct lk_arena *a, struct lk_connections *ret)
{
    return ask(t, LK_FACT_CONNECTIONS, &(struct lk_key){ 0 }, a, ret);
}

void lk_process_listeners(struct lk_process *t, struct lk_snapshot *s)
{
    s->listeners.n = 0;
    s->listens = LK_TRI_UNKNOWN;
    (void)ask(t, LK_FACT_LISTENERS, &(struct lk_key){ 0 }, s->arena, s);
}

int64_t lk_process_backlog_asks(struct lk_process *t, uint64_t inode)
{
    int64_t ret;
    const struct lk_key key = { .n = (int64_t)inode };
    return ask(t, LK_FACT_BACKLOG_ASKS, &key, NULL, &ret) ? ret : LK_UNKNOWN;
}

void lk_process_surroundings(struct lk_process *t, struct lk_arena *a, struct lk_surroundings *ret)
{
    if (!ask(t, LK_FACT_SURROUNDINGS, &(struct lk_key){ 0 }, a, ret))
        *ret = lk_surroundings_none;
}

const char *lk_process_unit(struct lk_process *t, struct lk_arena *a)
{
    const char *ret = NULL;
    lk_process_extra(t);
    const bool known = ask(t, LK_FACT_UNIT, &(struct lk_key){ 0 }, a, &ret);
    lk_process_extra_end(t);
    return known ? ret : NULL;
}

int64_t lk_process_our_child(struct lk_process *t)
{
    int64_t ret = 0;
    lk_process_extra(t);
    const bool known = ask(t, LK_FACT_OUR_CHILD, &(struct lk_key){ 0 }, NULL, &ret);
    lk_process_extra_end(t);
    return known ? ret : 0;
}

bool lk_process_shares_pids(struct lk_process *t)
{
    bool ret;
    return ask(t, LK_FACT_SHARES_PIDS, &(struct lk_key){ 0 }, NULL, &ret) && ret;
}

bool lk_process_has_file(struct lk_process *t, const char *path)
{
    bool ret;
    return ask(t, LK_FACT_HAS_FILE, &(struct lk_key){ .text = path }, NULL, &ret) && ret;
}

enum lk_child_does lk_process_child_work(struct lk_process *t, int64_t pid)
{
    enum lk_child_does ret;
    return ask(t, LK_FACT_CHILD_WORK, &(struct lk_key){ .pid = pid }, NULL, &ret)
               ? ret
               : LK_CHILD_UNKNOWN;
}

bool lk_process_child_idles(struct lk_process *t, int64_t pid, const char *pipe, lk_addr futex)
{
    bool ret;
    const struct lk_key key = { .pid = pid, .n = (int64_t)futex, .text = pipe };
    return ask(t, LK_FACT_CHILD_IDLES, &key, NULL, &ret) && ret;
}

const char *lk_process_child_fills(struct lk_process *t, int64_t pid, struct lk_arena *a)
{
    const char *ret = NULL;
    return ask(t, LK_FACT_CHILD_FILLS, &(struct lk_key){ .pid = pid }, a, &ret) ? ret : NULL;
}

static bool is_among(int number, const int *v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (v[i] == number)
            return true;
    return false;
}

bool lk_signal_is_usual(int number)
{
    static const int usual[] = { SIGINT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, 32, 33 };
    return is_among(number, usual, LK_ARRAY_LEN(usual));
}

bool lk_signal_is_of_timers(int number)
{
    static const int timers[] = { SIGALRM, SIGVTALRM, SIGPROF };
    return is_among(number, timers, LK_ARRAY_LEN(timers));
}

/* ---- what is worked out above the door ------------------------------------------------ */

bool lk_process_recall(struct lk_process *t, enum lk_fact what, const struct lk_key *key,
                       struct lk_arena *a, void *ret, int *why)
{
    if (!t->ops->recall)
        return false;
    *why = t->ops->recall(t->impl, what, key, a, ret);
    return true;
}

bool lk_process_recalls(const struct lk_process *t)
{
    return t->ops->recall != NULL;
}

void lk_process_keep(struct lk_process *t, enum lk_fact what, const struct lk_key *key, int why,
                     const void *value)
{
    if (t->ops->keep)
        t->ops->keep(t->impl, what, key, why, value);
}

void lk_process_aside(struct lk_process *t)
{
    t->aside++;
}

void lk_process_aside_end(struct lk_process *t)
{
    t->aside--;
}

/* ---- of a machine -------------------------------------------------------------------- */

const struct lk_machine *lk_process_machine(const struct lk_process *t)
{
    return t->machine;
}

int lk_machine_ask(const struct lk_machine *m, enum lk_fact what, const struct lk_key *key,
                   struct lk_arena *a, void *ret)
{
    return m ? m->ask(m->impl, what, key, a, ret) : ENOTSUP;
}

static bool known(const struct lk_machine *m, enum lk_fact what, const struct lk_key *key,
                  struct lk_arena *a, void *ret)
{
    return lk_machine_ask(m, what, key, a, ret) == 0;
}

bool lk_machine_stat(const struct lk_machine *m, int64_t pid, int64_t tid,
                     struct lk_stat_facts *ret)
{
    return known(m, LK_FACT_STAT, &(struct lk_key){ .pid = pid, .n = tid }, NULL, ret);
}

uint64_t lk_machine_started(const struct lk_machine *m, int64_t pid)
{
    uint64_t ret;
    return known(m, LK_FACT_STARTED, &(struct lk_key){ .pid = pid }, NULL, &ret) ? ret : 0;
}

bool lk_machine_times_run(const struct lk_machine *m, int64_t pid, int64_t tid, uint64_t *ret)
{
    return known(m, LK_FACT_TIMES_RUN, &(struct lk_key){ .pid = pid, .n = tid }, NULL, ret);
}

void lk_machine_program(const struct lk_machine *m, int64_t pid, struct lk_arena *a,
                        struct lk_program_facts *ret)
{
    if (!known(m, LK_FACT_PROGRAM, &(struct lk_key){ .pid = pid }, a, ret))
        *ret = (struct lk_program_facts){ 0 };
}

bool lk_machine_has_variable(const struct lk_machine *m, int64_t pid, const char *variable)
{
    bool ret;
    const struct lk_key key = { .pid = pid, .text = variable };
    return known(m, LK_FACT_HAS_VARIABLE, &key, NULL, &ret) && ret;
}

bool lk_machine_children(const struct lk_machine *m, int64_t pid, struct lk_arena *a,
                         struct lk_pids *ret)
{
    return known(m, LK_FACT_CHILDREN, &(struct lk_key){ .pid = pid }, a, ret);
}

const char *lk_machine_fd_name(const struct lk_machine *m, int64_t pid, int64_t fd,
                               struct lk_arena *a)
{
    const char *ret = NULL;
    const struct lk_key key = { .pid = pid, .n = fd };
    return known(m, LK_FACT_PID_FD_NAME, &key, a, &ret) ? ret : NULL;
}

bool lk_machine_pipe_ends(const struct lk_machine *m, const struct lk_pipe_names *of,
                          struct lk_arena *a, struct lk_pipe_ends *ret)
{
    return known(m, LK_FACT_PIPE_ENDS, &(struct lk_key){ .given = of }, a, ret);
}

bool lk_machine_lock_owner(const struct lk_machine *m, int64_t pid, int64_t fd, bool by_flock,
                           int64_t *owner)
{
    const struct lk_key key = { .pid = pid, .n = fd, .m = by_flock };
    return known(m, LK_FACT_LOCK_OWNER, &key, NULL, owner);
}

bool lk_machine_identify(const struct lk_machine *m, int64_t pid, struct lk_snapshot *s,
                         struct lk_error *err)
{
    const int why =
        lk_machine_ask(m, LK_FACT_IDENTITY_OF, &(struct lk_key){ .pid = pid }, s->arena, s);
    return !why || no_identity(why, pid, err);
}
