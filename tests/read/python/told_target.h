/*
 * Programs in Python that say about themselves what a reader must find, in one line of JSON with
 * their "version"; then they wait until their input is closed. Run by every interpreter that is
 * there, also those of build/matrix, each in its own root.
 */
#ifndef LK_TESTS_READ_PYTHON_TOLD_TARGET_H
#define LK_TESTS_READ_PYTHON_TOLD_TARGET_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <glob.h>
#include <jansson.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "read/python/interpreter/runtime.h"
#include "read/python/interpreter/thread_states.h"

struct program {
    pid_t pid;
    int in; /* it ends when this is closed */
    json_t *truth;
    int version;
};

static void run(const char *root, const char *python, const char *script)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", root ? "/tmp/loopknot" : "tests/read/python", script);
    if (root && (chroot(root) != 0 || chdir("/") != 0))
        _exit(127);
    execl(python, python, path, (char *)NULL);
    _exit(127);
}

/* root: NULL for this one. */
static bool start(struct program *p, const char *root, const char *python, const char *script)
{
    int in[2], out[2];

    assert_int_equal(pipe2(in, O_CLOEXEC), 0);
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    p->pid = fork();
    if (p->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(in[0], STDIN_FILENO);
        dup2(out[1], STDOUT_FILENO);
        run(root, python, script);
    }
    close(in[0]);
    close(out[1]);
    p->in = in[1];
    FILE *f = fdopen(out[0], "r");
    p->truth = json_loadf(f, JSON_DISABLE_EOF_CHECK, NULL);
    fclose(f);
    if (!p->truth)
        return false;
    json_t *v = json_object_get(p->truth, "version");
    p->version = LK_PYVER((int)json_integer_value(json_array_get(v, 0)),
                          (int)json_integer_value(json_array_get(v, 1)));
    return true;
}

static void end(struct program *p)
{
    close(p->in);
    kill(p->pid, SIGKILL);
    waitpid(p->pid, NULL, 0);
    json_decref(p->truth);
}

static bool copy_into(const char *root, const char *const *scripts)
{
    char cmd[1024];
    bool copied = true;
    for (; *scripts && copied; scripts++) {
        snprintf(cmd, sizeof cmd,
                 "mkdir -p '%s/tmp/loopknot' && cp tests/read/python/%s '%s/tmp/loopknot/'", root,
                 *scripts, root);
        copied = system(cmd) == 0;
    }
    return copied;
}

/* Calls fn for every interpreter; returns how many there were. scripts: the program and what it
 * imports, ended by NULL. */
static unsigned each_python(const char *const *scripts,
                            void (*fn)(struct program *, const char *label))
{
    static const char *const patterns[] = { "/usr/bin/python3", "~/.pyenv/versions/3.*/bin/python3",
                                            "build/matrix/*/usr/bin/python3.?",
                                            "build/matrix/*/usr/bin/python3.??" };
    unsigned n = 0;

    for (size_t i = 0; i < LK_ARRAY_LEN(patterns); i++) {
        glob_t g;
        bool rooted = i >= 2;
        if (glob(patterns[i], GLOB_TILDE, NULL, &g) != 0 || (rooted && geteuid() != 0))
            continue;
        for (size_t k = 0; k < g.gl_pathc; k++) {
            char *root = lk_xstrdup(g.gl_pathv[k]), *python = strstr(root, "/usr/bin/");
            char *path = lk_xstrdup(rooted ? python : root);
            struct program p = { 0 };
            if (rooted)
                *python = '\0';
            if (!rooted || copy_into(root, scripts)) {
                if (!start(&p, rooted ? root : NULL, path, scripts[0]))
                    fail_msg("%s did not start", g.gl_pathv[k]);
                if (lk_layout_find(p.version)) {
                    fn(&p, g.gl_pathv[k]);
                    n++;
                }
                end(&p);
            }
            lk_free(root);
            lk_free(path);
        }
        globfree(&g);
    }
    return n;
}

static struct lk_snapshot *read_threads(struct lk_py *py, struct lk_process *t)
{
    struct lk_snapshot *s = lk_snapshot_create();
    struct lk_thread_list list = { 0 };

    assert_true(lk_process_threads(t, &list, true, NULL));
    for (size_t i = 0; i < list.n; i++)
        lk_snapshot_thread(s, list.v[i].tid, NULL);
    lk_free(list.v);
    lk_py_begin(py, s);
    lk_py_read_threads(py);
    return s;
}

#endif
