/*
 * What the stations of one sample read, and mentions: the same address always gives the same
 * entity.
 */
#ifndef LK_READ_PYTHON_READER_ENTITIES_H
#define LK_READ_PYTHON_READER_ENTITIES_H

#include "read/python/interpreter/interpreter.h"

void lk_py_read_loops(struct lk_py *py); /* running loops, loops in frames and module globals */
/** Mentions: the same address always gives the same entity; reads it when new. */
struct lk_ref lk_py_loop(struct lk_py *py, lk_addr obj, enum lk_found_by found_by);
void lk_py_read_tasks(struct lk_py *py); /* all tasks, their loops, await chains */
struct lk_ref lk_py_task(struct lk_py *py, lk_addr obj);
void lk_py_read_waits(struct lk_py *py); /* what each thread and task waits for */
/* who uses a file that it or another thread waits to lock */
void lk_py_read_files(struct lk_py *py);
void lk_py_read_owners(struct lk_py *py); /* who holds which lock */
/* asyncio or concurrent; a Task gives its task */
struct lk_ref lk_py_future(struct lk_py *py, lk_addr obj);
struct lk_ref lk_py_executor(struct lk_py *py, lk_addr obj);
struct lk_ref lk_py_lock(struct lk_py *py, lk_addr obj); /* any synchronisation object */

#endif
