/*
 * Parents by proc_pid_stat(5), field 4, of all processes in one look; then down from the root,
 * breadth first.
 */
#include "process/linux/process_tree.h"

#include <stdlib.h>

#include "process/linux/procfs.h"
#include "util/vec.h"

enum { MAX_PROCESSES = 1 << 20 };

struct process {
    pid_t pid, parent;
};

struct processes {
    struct process *v;
    size_t n, cap;
};

static pid_t parent_of(int64_t pid)
{
    struct lk_procfs_stat st;
    return lk_procfs_stat_of((pid_t)pid, &st) ? st.ppid : -1;
}

static bool add_process(int64_t pid, void *arg)
{
    struct processes *all = arg;
    const pid_t parent = parent_of(pid);
    if (parent >= 0)
        lk_vec_add(all, ((struct process){ (pid_t)pid, parent }));
    return all->n < MAX_PROCESSES;
}

static int by_parent(const void *a, const void *b)
{
    const struct process *x = a, *y = b;
    return x->parent != y->parent ? (x->parent > y->parent) - (x->parent < y->parent)
                                  : (x->pid > y->pid) - (x->pid < y->pid);
}

static size_t first_child(const struct processes *all, pid_t parent)
{
    size_t low = 0, high = all->n;
    while (low < high) {
        const size_t mid = low + (high - low) / 2;
        if (all->v[mid].parent < parent)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static bool listed(const pid_t *pids, size_t n, pid_t pid)
{
    for (size_t i = 0; i < n; i++)
        if (pids[i] == pid)
            return true;
    return false;
}

size_t lk_tree_list(pid_t root, pid_t *pids, size_t max)
{
    struct processes all = { 0 };
    size_t n = 0;
    if (!max || parent_of(root) < 0)
        return 0;
    lk_procfs_each_id(add_process, &all, AT_FDCWD, "/proc");
    if (all.n)
        qsort(all.v, all.n, sizeof *all.v, by_parent);
    pids[n++] = root;
    /* Breadth first. Ids that were given anew while we looked could close a circle, so nobody is
     * listed twice. */
    for (size_t at = 0; at < n; at++)
        for (size_t i = first_child(&all, pids[at]);
             i < all.n && all.v[i].parent == pids[at] && n < max; i++)
            if (!listed(pids, n, all.v[i].pid))
                pids[n++] = all.v[i].pid;
    lk_free(all.v);
    return n;
}
