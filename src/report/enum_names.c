#include "report/enum_names.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "util/text.h"

#define UNNAMED "unknown"

static const char *name_of(const char *const *names, size_t n, unsigned value)
{
    return value < n && names[value] ? names[value] : UNNAMED;
}
#define NAME_OF(names, value) name_of(names, LK_ARRAY_LEN(names), (unsigned)(value))

const char *lk_words_safe(struct lk_arena *a, const char *s)
{
    if (!s)
        return "?";
    size_t n = 0;
    while (s[n] >= 0x20 && s[n] < 0x7f)
        n++;
    if (!s[n])
        return s;
    /* Cleaning leaves text alone that is clean already. */
    return lk_text_clean(a, s, n + strlen(s + n), SIZE_MAX);
}

/* Code point at valid UTF-8 s and the bytes it takes; any other byte counts as one character. */
static uint32_t next_char(const char *str, size_t *len)
{
    const unsigned char *s = (const unsigned char *)str;
    uint32_t cp = s[0];
    size_t n = cp >= 0xf0 ? 4 : cp >= 0xe0 ? 3 : cp >= 0xc0 ? 2 : 1;
    if (n > 1)
        cp &= 0x7fu >> n;
    *len = 1;
    for (size_t i = 1; i < n; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return '?';
        cp = cp << 6 | (s[i] & 0x3f);
    }
    *len = n;
    return cp;
}

/* The blocks that matter in practice, after Unicode's EastAsianWidth.txt (W, F) and general
 * category Mn. */
static size_t char_columns(uint32_t cp)
{
    static const struct {
        uint32_t from, to;
        size_t columns;
    } blocks[] = {
        { 0x0300, 0x036f, 0 },   { 0x0483, 0x0489, 0 },   { 0x0591, 0x05bd, 0 },
        { 0x064b, 0x065f, 0 },   { 0x1100, 0x115f, 2 },   { 0x1ab0, 0x1aff, 0 },
        { 0x1dc0, 0x1dff, 0 },   { 0x200b, 0x200d, 0 },   { 0x20d0, 0x20f0, 0 },
        { 0x2e80, 0x303e, 2 },   { 0x3041, 0xa4cf, 2 },   { 0xac00, 0xd7a3, 2 },
        { 0xf900, 0xfaff, 2 },   { 0xfe00, 0xfe0f, 0 },   { 0xfe20, 0xfe2f, 0 },
        { 0xfe30, 0xfe6f, 2 },   { 0xff00, 0xff60, 2 },   { 0xffe0, 0xffe6, 2 },
        { 0x1f300, 0x1f64f, 2 }, { 0x1f680, 0x1f6ff, 2 }, { 0x1f900, 0x1faff, 2 },
        { 0x20000, 0x3fffd, 2 }, { 0xe0100, 0xe01ef, 0 },
    };
    if (cp < 0x300)
        return 1;
    for (size_t i = 0; i < LK_ARRAY_LEN(blocks); i++)
        if (cp >= blocks[i].from && cp <= blocks[i].to)
            return blocks[i].columns;
    return 1;
}

/* The longest prefix of at most `columns` columns, in bytes; what it takes is added to *used. */
static size_t prefix(const char *s, size_t columns, size_t *used)
{
    size_t at = 0;
    while (s[at]) {
        size_t len, wide = char_columns(next_char(s + at, &len));
        if (*used + wide > columns)
            break;
        *used += wide;
        at += len;
    }
    return at;
}

size_t lk_words_columns(const char *s, size_t n)
{
    size_t used = 0;
    for (size_t at = 0, len; at < n && s[at]; at += len)
        used += char_columns(next_char(s + at, &len));
    return used;
}

const char *lk_words_cut(struct lk_arena *a, const char *s, size_t columns)
{
    s = lk_words_safe(a, s);
    size_t used = 0;
    if (!s[prefix(s, columns, &used)])
        return s;
    used = 3;
    return lk_arena_printf(a, "%.*s...", (int)prefix(s, LK_MAX(columns, 4u), &used), s);
}

const char *lk_words_duration(struct lk_arena *a, int64_t ms)
{
    if (ms == LK_UNKNOWN)
        return "an unknown time";
    if (ms == LK_FOREVER)
        return "for ever";
    ms = LK_MAX(ms, 0);
    const int64_t s = ms / 1000, min = s / 60, h = min / 60;
    if (ms < 1000)
        return lk_arena_printf(a, "%" PRId64 " ms", ms);
    if (s < 10)
        return lk_arena_printf(a, "%" PRId64 ".%" PRId64 " s", s, ms % 1000 / 100);
    if (s < 120)
        return lk_arena_printf(a, "%" PRId64 " s", s);
    if (min < 120)
        return lk_arena_printf(a, "%" PRId64 " min", min);
    if (h < 48)
        return lk_arena_printf(a, "%" PRId64 " h %" PRId64 " min", h, min % 60);
    return lk_arena_printf(a, "%" PRId64 " days", h / 24);
}

const char *lk_words_number(struct lk_arena *a, int64_t n)
{
    if (n == LK_UNKNOWN)
        return "an unknown number of";
    char digits[24];
    const int len = snprintf(digits, sizeof digits, "%" PRId64, n);
    const int first = n < 0;
    char *ret = lk_arena_alloc(a, sizeof digits * 2), *to = ret;
    for (int i = 0; i < len; i++) {
        if (i > first && (len - i) % 3 == 0)
            *to++ = ',';
        *to++ = digits[i];
    }
    return ret;
}

const char *lk_words_count(struct lk_arena *a, int64_t n, const char *one)
{
    const char *end = n == 1 ? "" : lk_ends_with(one, "ss") ? "es" : "s";
    return lk_arena_printf(a, "%s %s%s", lk_words_number(a, n), one, end);
}

const char *lk_words_upper(struct lk_arena *a, const char *s)
{
    char *up = lk_arena_strdup(a, s);
    for (char *c = up; *c; c++)
        if (*c >= 'a' && *c <= 'z')
            *c = (char)(*c - 'a' + 'A');
    return up;
}

const char *lk_words_thread_state_name(enum lk_thread_state s)
{
    static const char *const names[] = {
        [LK_TS_LOOP_IDLE] = "loop-idle", [LK_TS_FUTURE_WAIT] = "future-wait",
        [LK_TS_LOCK_WAIT] = "lock-wait", [LK_TS_QUEUE_WAIT] = "queue-wait",
        [LK_TS_IO_WAIT] = "io-wait",     [LK_TS_SLEEP] = "sleep",
        [LK_TS_JOIN] = "join",           [LK_TS_GIL_WAIT] = "gil-wait",
        [LK_TS_PARKED] = "parked",       [LK_TS_EXECUTOR_IDLE] = "executor-idle",
        [LK_TS_RUNNING] = "running",     [LK_TS_STOPPED] = "stopped",
        [LK_TS_UNKNOWN] = "unknown",
    };
    return NAME_OF(names, s);
}

const char *lk_words_role(enum lk_role r)
{
    static const char *const names[] = {
        [LK_ROLE_OTHER] = "other",
        [LK_ROLE_LOOP] = "loop",
        [LK_ROLE_REQUEST] = "request-worker",
        [LK_ROLE_EXECUTOR] = "executor-worker",
    };
    return (unsigned)r < LK_ARRAY_LEN(names) ? names[r] : "other";
}

const char *lk_words_read(enum lk_read r)
{
    static const char *const names[] = {
        [LK_READ_RACY] = "racy",
        [LK_READ_ASLEEP] = "asleep",
        [LK_READ_STOPPED] = "stopped",
    };
    /* What is not known to be consistent is not claimed to be. */
    return (unsigned)r < LK_ARRAY_LEN(names) ? names[r] : "racy";
}

const char *lk_words_os_wait(enum lk_os_wait w)
{
    static const char *const names[] = {
        [LK_OS_NONE] = "none",     [LK_OS_FUTEX] = "futex",       [LK_OS_SOCKET] = "socket",
        [LK_OS_PIPE] = "pipe",     [LK_OS_FILE] = "file",         [LK_OS_CHILD] = "child",
        [LK_OS_TIMER] = "timer",   [LK_OS_SELECTOR] = "selector", [LK_OS_EVENTFD] = "eventfd",
        [LK_OS_SIGNAL] = "signal", [LK_OS_SYSV] = "sysv-ipc",     [LK_OS_OTHER] = "other",
    };
    return (unsigned)w < LK_ARRAY_LEN(names) ? names[w] : "other";
}

const char *lk_words_wait_kind(enum lk_wait_kind k)
{
    static const char *const names[] = {
        [LK_WAIT_NONE] = "none",
        [LK_WAIT_UNKNOWN] = "unknown",
        [LK_WAIT_LOCK] = "lock",
        [LK_WAIT_CONDITION] = "condition",
        [LK_WAIT_EVENT] = "event",
        [LK_WAIT_SEMAPHORE] = "semaphore",
        [LK_WAIT_BARRIER] = "barrier",
        [LK_WAIT_QUEUE_GET] = "queue-get",
        [LK_WAIT_QUEUE_PUT] = "queue-put",
        [LK_WAIT_QUEUE_JOIN] = "queue-join",
        [LK_WAIT_FUTURE] = "future",
        [LK_WAIT_JOIN] = "join",
        [LK_WAIT_GIL] = "gil",
        [LK_WAIT_IMPORT] = "import",
        [LK_WAIT_SELECTOR] = "selector",
        [LK_WAIT_EXECUTOR_IDLE] = "executor-idle",
        [LK_WAIT_IO] = "io",
        [LK_WAIT_SLEEP] = "sleep",
        [LK_WAIT_CHILD] = "child",
        [LK_WAIT_SIGNAL] = "signal",
        [LK_WAIT_READY] = "ready",
    };
    return NAME_OF(names, k);
}

const char *lk_words_loop_run(enum lk_loop_run r)
{
    static const char *const names[] = {
        [LK_LOOP_RUNNING] = "running",           [LK_LOOP_STOPPED] = "stopped",
        [LK_LOOP_NEVER_RUN] = "never-run",       [LK_LOOP_CLOSED] = "closed",
        [LK_LOOP_LOST_IN_FORK] = "lost-in-fork", [LK_LOOP_UNKNOWN] = "unknown",
    };
    return NAME_OF(names, r);
}

const char *lk_words_task_state(enum lk_task_state s)
{
    static const char *const names[] = {
        [LK_TASK_PENDING] = "pending",
        [LK_TASK_RUNNING] = "running",
        [LK_TASK_DONE] = "done",
        [LK_TASK_CANCELLED] = "done",
    };
    return (unsigned)s < LK_ARRAY_LEN(names) ? names[s] : "pending";
}

const char *lk_words_future_state(enum lk_future_state s)
{
    static const char *const names[] = {
        [LK_FUTURE_PENDING] = "pending",
        [LK_FUTURE_RUNNING] = "running",
        [LK_FUTURE_DONE] = "done",
        [LK_FUTURE_CANCELLED] = "cancelled",
    };
    return (unsigned)s < LK_ARRAY_LEN(names) ? names[s] : NULL;
}

const char *lk_words_owner_by(enum lk_owner_by o)
{
    static const char *const names[] = {
        [LK_OWNER_NONE] = "none",
        [LK_OWNER_FIELD] = "field",
        [LK_OWNER_VALUE_STACK] = "value-stack",
        [LK_OWNER_FREE] = "none",
    };
    return (unsigned)o < LK_ARRAY_LEN(names) ? names[o] : "none";
}

const char *lk_words_extern_kind(enum lk_extern_kind k)
{
    static const char *const names[] = {
        [LK_EXT_OUTSIDE] = "outside",
        [LK_EXT_TIMER] = "timer",
        [LK_EXT_CHILD] = "child",
        [LK_EXT_FILE] = "file",
        [LK_EXT_SELF_LISTENER] = "self-listener",
        [LK_EXT_UNKNOWN] = "unknown",
    };
    return NAME_OF(names, k);
}

const char *lk_words_kind(enum lk_kind k)
{
    static const char *const names[] = {
        [LK_KIND_NONE] = "nothing",      [LK_KIND_THREAD] = "thread",   [LK_KIND_LOOP] = "loop",
        [LK_KIND_TASK] = "task",         [LK_KIND_FUTURE] = "future",   [LK_KIND_LOCK] = "lock",
        [LK_KIND_EXECUTOR] = "executor", [LK_KIND_EXTERN] = "external",
    };
    return NAME_OF(names, k);
}

/* What the kernel alone says, where the program's own reason was not found out. */
static enum lk_thread_state state_by_kernel(const struct lk_thread *t)
{
    switch (t->os.on) {
    case LK_OS_SOCKET: return t->os.listening ? LK_TS_PARKED : LK_TS_IO_WAIT;
    case LK_OS_PIPE:
    case LK_OS_FILE:
    case LK_OS_CHILD:
    case LK_OS_SELECTOR: return LK_TS_IO_WAIT;
    case LK_OS_TIMER: return LK_TS_SLEEP;
    case LK_OS_SIGNAL: return LK_TS_PARKED;
    case LK_OS_NONE:
    case LK_OS_FUTEX:
    case LK_OS_EVENTFD:
    case LK_OS_SYSV:
    case LK_OS_OTHER: break;
    }
    return LK_TS_UNKNOWN;
}

enum lk_thread_state lk_words_thread_state(const struct lk_thread *t, bool blamed)
{
    static const enum lk_thread_state states[] = {
        [LK_WAIT_NONE] = LK_TS_PARKED,          [LK_WAIT_UNKNOWN] = LK_TS_UNKNOWN,
        [LK_WAIT_LOCK] = LK_TS_LOCK_WAIT,       [LK_WAIT_CONDITION] = LK_TS_PARKED,
        [LK_WAIT_EVENT] = LK_TS_PARKED,         [LK_WAIT_SEMAPHORE] = LK_TS_LOCK_WAIT,
        [LK_WAIT_BARRIER] = LK_TS_LOCK_WAIT,    [LK_WAIT_QUEUE_GET] = LK_TS_QUEUE_WAIT,
        [LK_WAIT_QUEUE_PUT] = LK_TS_QUEUE_WAIT, [LK_WAIT_QUEUE_JOIN] = LK_TS_QUEUE_WAIT,
        [LK_WAIT_FUTURE] = LK_TS_FUTURE_WAIT,   [LK_WAIT_JOIN] = LK_TS_JOIN,
        [LK_WAIT_GIL] = LK_TS_GIL_WAIT,         [LK_WAIT_IMPORT] = LK_TS_LOCK_WAIT,
        [LK_WAIT_SELECTOR] = LK_TS_LOOP_IDLE,   [LK_WAIT_EXECUTOR_IDLE] = LK_TS_EXECUTOR_IDLE,
        [LK_WAIT_IO] = LK_TS_IO_WAIT,           [LK_WAIT_SLEEP] = LK_TS_SLEEP,
        [LK_WAIT_CHILD] = LK_TS_IO_WAIT,        [LK_WAIT_SIGNAL] = LK_TS_PARKED,
        [LK_WAIT_READY] = LK_TS_RUNNING,
    };
    /* A running thread may show our own short stop as 't'. */
    if (t->kstate == 'T' || (t->kstate == 't' && !t->running))
        return LK_TS_STOPPED;
    if (t->running || (t->wait.kind == LK_WAIT_NONE && t->kstate == 'R'))
        return LK_TS_RUNNING;
    if (t->wait.kind == LK_WAIT_NONE && t->os.on == LK_OS_NONE && !t->os.syscall)
        return t->moved ? LK_TS_RUNNING : LK_TS_UNKNOWN;
    if (t->wait.kind == LK_WAIT_UNKNOWN)
        return state_by_kernel(t);
    /* No runtime's wait, but the kernel may tell what a native thread sleeps for. */
    if (t->wait.kind == LK_WAIT_NONE && state_by_kernel(t) != LK_TS_UNKNOWN)
        return state_by_kernel(t);
    if (t->wait.kind == LK_WAIT_IO && t->os.listening)
        return LK_TS_PARKED;
    enum lk_thread_state s =
        (unsigned)t->wait.kind < LK_ARRAY_LEN(states) ? states[t->wait.kind] : LK_TS_UNKNOWN;
    return s == LK_TS_PARKED && blamed && t->wait.kind != LK_WAIT_NONE ? LK_TS_LOCK_WAIT : s;
}
