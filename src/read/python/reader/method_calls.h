/*
 * On which objects a frame's code calls a method of some name. "This view releases something" is
 * worth little; "all that it releases is a semaphore, not the lock in question" clears it.
 */
#ifndef LK_READ_PYTHON_READER_METHOD_CALLS_H
#define LK_READ_PYTHON_READER_METHOD_CALLS_H

#include "read/python/interpreter/interpreter.h"

/**
 * Whether f's code calls obj's method of that name, as far as the names it goes by tell now.
 * LK_NO: all places that load an attribute of that name do so from objects that are resolved, are
 * not obj, and do not hand the call on to it. LK_YES: at least one place does it on obj, or on an
 * object that holds obj (a Condition around a lock). LK_TRI_UNKNOWN: some object cannot be told (a
 * computed one, an unbound name, one bound more than once or in a loop), a method is code of the
 * program that calls a method of that name in turn, or the code cannot be read.
 */
enum lk_tri lk_py_calls_method_on(struct lk_py *py, const struct lk_pyf *f, const char *method,
                                  lk_addr obj);
/** The same of the places that f may still come to: those behind its current instruction, or in a
 * loop around that. */
enum lk_tri lk_py_will_call_method_on(struct lk_py *py, const struct lk_pyf *f, const char *method,
                                      lk_addr obj);

/**
 * True when f has obj as its work: past its current instruction it calls the method on it before
 * the name it has it by is bound again, or once and in no loop. Who waits in a loop for something
 * to happen, and then always tells the same object, has not.
 */
bool lk_py_will_call_method_once(struct lk_py *py, const struct lk_pyf *f, const char *method,
                                 lk_addr obj);

/** The same of a callable that is yet to be called: obj's own method, or code that calls one of
 * that name. */
enum lk_tri lk_py_callable_reaches(struct lk_py *py, lk_addr callable, const char *method,
                                   lk_addr obj);
/** The objects on which f may still call the method, as far as they can be told; how many. */
size_t lk_py_receivers_ahead(struct lk_py *py, const struct lk_pyf *f, const char *method,
                             lk_addr *ret, size_t max);
/** The same of the places that lie behind it. */
size_t lk_py_receivers_behind(struct lk_py *py, const struct lk_pyf *f, const char *method,
                              lk_addr *ret, size_t max);
/** At how many places before its current instruction f's code calls it on obj. */
int64_t lk_py_calls_before(struct lk_py *py, const struct lk_pyf *f, const char *method,
                           lk_addr obj);

#endif
