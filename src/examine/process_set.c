/*
 * Examinations in detached threads with deadlines. A thread that is given up may run on in the
 * kernel for ever, so all it touches is its own or counted (struct joint), and whoever is done last
 * frees it. What threads share is allocated with malloc(3): memory of util/memory.h belongs to the
 * thread that allocates it, and a report is handed over whole.
 */
#include "examine/process_set.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "process/capture/capture_file.h"

enum {
    /* most of an examination is waiting between looks; more would only wait for processors */
    AT_ONCE = 24,
    POLL_MS = 20, /* how long an interruption or a deadline may go unnoticed */
    /* an examination that is asked to end has that long, or half the deadline if that is more */
    LAST_CALL_MS = 1000,
};

/* Shared by the caller and all workers. A worker that was given up outlives the call, so it is
 * counted. */
struct joint {
    pthread_mutex_t mutex;
    pthread_cond_t done;
    size_t users;
};

struct job {
    struct joint *joint;
    struct lk_examine_options options;
    struct lk_joint_result result;
    volatile int stop; /* enum lk_interruption, for options.interrupted */
    uint64_t began_ms;
    enum { IDLE, AT_WORK, DONE, TAKEN, GIVEN_UP } state;
};

struct examination {
    const struct lk_examine_options *options;
    struct lk_joint_result *ret;
};

static void examine(void *arg)
{
    const struct examination *x = arg;
    x->ret->ok = lk_examine_live(x->ret->pid, x->options, &x->ret->report, &x->ret->err);
}

static void lack_memory(struct lk_joint_result *r)
{
    const pid_t pid = r->pid;
    lk_blocks_dissolve(r->blocks);
    *r = (struct lk_joint_result){ .pid = pid };
    lk_error_set(&r->err, LK_ERR_NOMEM, "out of memory: process %d was not examined", (int)pid);
}

void lk_examine_one(pid_t pid, const struct lk_examine_options *o, struct lk_joint_result *ret)
{
    struct examination x = { o, ret };
    *ret = (struct lk_joint_result){ .pid = pid };
    if (!lk_guarded(examine, &x, &ret->blocks) || (!ret->ok && ret->err.code == LK_ERR_NOMEM))
        lack_memory(ret);
    if (ret->ok)
        return;
    lk_blocks_dissolve(ret->blocks);
    ret->blocks = NULL;
}

void lk_joint_result_deinit(struct lk_joint_result *r)
{
    if (r->ok)
        lk_report_deinit(&r->report);
    lk_blocks_dissolve(r->blocks);
    memset(r, 0, sizeof *r);
}

static void leave(struct joint *j)
{
    pthread_mutex_lock(&j->mutex);
    const bool last = --j->users == 0;
    pthread_mutex_unlock(&j->mutex);
    if (!last)
        return;
    pthread_cond_destroy(&j->done);
    pthread_mutex_destroy(&j->mutex);
    free(j);
}

static void job_free(struct job *job)
{
    lk_capture_destroy(job->options.capture);
    free((void *)job->options.together);
    free((void *)job->options.project);
    free(job);
}

static uint64_t now_ms(const struct lk_examine_options *o)
{
    return o->now_ms ? o->now_ms() : lk_now_ms();
}

static void *work(void *arg)
{
    struct job *job = arg;
    struct joint *j = job->joint;
    struct lk_joint_result r = { 0 };
    lk_examine_one(job->result.pid, &job->options, &r);
    pthread_mutex_lock(&j->mutex);
    const bool late = job->state == GIVEN_UP;
    job->result = r;
    job->state = late ? GIVEN_UP : DONE;
    pthread_cond_signal(&j->done);
    pthread_mutex_unlock(&j->mutex);
    if (late) {
        lk_joint_result_deinit(&r);
        job_free(job);
    }
    leave(j);
    return NULL;
}

static void start(struct job *job)
{
    if (job->stop == LK_INTERRUPTED) {
        job->state = DONE;
        lk_error_set(&job->result.err, LK_ERR_OS, "process %d was not examined: interrupted",
                     (int)job->result.pid);
        return;
    }
    pthread_t thread;
    pthread_attr_t attr;
    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    job->began_ms = now_ms(&job->options);
    job->state = AT_WORK;
    job->joint->users++;
    const int error = pthread_create(&thread, &attr, work, job);
    pthread_attr_destroy(&attr);
    if (!error)
        return;
    job->joint->users--;
    job->state = DONE;
    lk_error_os(&job->result.err, error, "could not start a thread to examine process %d",
                (int)job->result.pid);
}

/* Asks a job that is over its deadline to end, and gives it up when it does not. */
static void enforce(struct job *job, unsigned deadline_ms)
{
    const uint64_t spent = now_ms(&job->options) - job->began_ms;
    if (!deadline_ms || spent < deadline_ms)
        return;
    if (!job->stop)
        __atomic_store_n(&job->stop, LK_DEADLINE_PASSED, __ATOMIC_RELAXED);
    if (spent < deadline_ms + LK_MAX((uint64_t)LAST_CALL_MS, (uint64_t)deadline_ms / 2))
        return;
    job->state = GIVEN_UP;
    lk_error_set(&job->result.err, LK_ERR_TIMEOUT,
                 "process %d could not be read within %u ms: it does not answer",
                 (int)job->result.pid, deadline_ms);
}

static size_t count(struct job *const *jobs, size_t n, int state)
{
    size_t ret = 0;
    for (size_t i = 0; i < n; i++)
        ret += jobs[i] && (int)jobs[i]->state == state;
    return ret;
}

static void wait_a_little(struct joint *j)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_nsec += POLL_MS * 1000000L;
    t.tv_sec += t.tv_nsec / 1000000000L;
    t.tv_nsec %= 1000000000L;
    pthread_cond_timedwait(&j->done, &j->mutex, &t);
}

/* Takes what a finished or given up job has; the job is freed by whoever is done with it last. */
static void collect(struct job **job, struct lk_joint_result *ret)
{
    *ret = (*job)->result;
    if ((*job)->state == GIVEN_UP) {
        *job = NULL;
        return;
    }
    job_free(*job);
    *job = NULL;
}

static struct joint *joint_create(void)
{
    struct joint *j = calloc(1, sizeof *j);
    pthread_condattr_t attr;
    if (!j)
        return NULL;
    pthread_mutex_init(&j->mutex, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&j->done, &attr);
    pthread_condattr_destroy(&attr);
    j->users = 1;
    return j;
}

/* A job has copies of all it reads: it may outlive the call. NULL without memory. */
static struct job *job_create(struct joint *j, pid_t pid, const struct lk_examine_options *o)
{
    struct job *job = calloc(1, sizeof *job);
    pid_t *together = calloc(o->n_together + 1, sizeof *together);
    char *project = o->project ? strdup(o->project) : NULL;
    if (!job || !together || (o->project && !project)) {
        free(job);
        free(together);
        free(project);
        return NULL;
    }
    job->joint = j;
    job->options = *o;
    lk_capture_hold(o->capture);
    job->options.interrupted = &job->stop;
    if (o->n_together)
        memcpy(together, o->together, o->n_together * sizeof *together);
    job->options.together = together;
    job->options.project = project;
    job->result.pid = pid;
    job->result.err.code = LK_ERR_OS;
    return job;
}

/* How many of the jobs could be made; the others have their result. */
static size_t create_jobs(struct joint *j, struct job **jobs, const pid_t *pids, size_t n,
                          const struct lk_examine_options *o, struct lk_joint_result *ret)
{
    size_t made = 0;
    for (size_t i = 0; i < n; i++) {
        ret[i].pid = pids[i];
        jobs[i] = job_create(j, pids[i], o);
        if (jobs[i])
            made++;
        else
            lack_memory(&ret[i]);
    }
    return made;
}

/* Starts as many as may run at once; returns the index of the first one not started. */
static size_t start_some(struct job **jobs, size_t next, size_t n)
{
    for (; next < n && count(jobs, n, AT_WORK) < AT_ONCE; next++)
        if (jobs[next])
            start(jobs[next]);
    return next;
}

/* Under the joint's mutex, but for the waits in it. */
static void attend(struct joint *j, struct job **jobs, size_t left, size_t n,
                   const struct lk_examine_options *o, unsigned deadline_ms,
                   struct lk_joint_result *ret)
{
    for (size_t next = 0; left;) {
        for (size_t i = 0; o->interrupted && *o->interrupted && i < n; i++)
            if (jobs[i] && !jobs[i]->stop)
                __atomic_store_n(&jobs[i]->stop, LK_INTERRUPTED, __ATOMIC_RELAXED);
        next = start_some(jobs, next, n);
        if (!count(jobs, n, DONE))
            wait_a_little(j);
        for (size_t i = 0; i < next; i++) {
            if (!jobs[i])
                continue;
            if (jobs[i]->state == AT_WORK)
                enforce(jobs[i], deadline_ms);
            if (jobs[i]->state == AT_WORK)
                continue;
            collect(&jobs[i], &ret[i]);
            left--;
        }
    }
}

void lk_examine_together(const pid_t *pids, size_t n, const struct lk_examine_options *o,
                         unsigned deadline_ms, struct lk_joint_result *ret)
{
    if (n == 1 && !deadline_ms) {
        lk_examine_one(*pids, o, ret);
        return;
    }
    struct joint *j = joint_create();
    struct job **jobs = calloc(n + 1, sizeof(void *));
    if (j && jobs) {
        const size_t made = create_jobs(j, jobs, pids, n, o, ret);
        pthread_mutex_lock(&j->mutex);
        attend(j, jobs, made, n, o, deadline_ms, ret);
        pthread_mutex_unlock(&j->mutex);
    }
    for (size_t i = 0; i < n && (!j || !jobs); i++) {
        ret[i].pid = pids[i];
        lack_memory(&ret[i]);
    }
    free(jobs);
    if (j)
        leave(j);
}
