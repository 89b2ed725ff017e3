/* Code of the program that no stack shows, and that may be called at any time: a server's views. */
#ifndef LK_READ_PYTHON_STDLIB_CODE_IN_REACH_H
#define LK_READ_PYTHON_STDLIB_CODE_IN_REACH_H

#include "read/python/interpreter/interpreter.h"

struct lk_reach_query {
    const struct lk_pyframes *waiter; /* of the thread that waits for the object */
    lk_addr obj;
    const char *const *methods; /* what ends the wait; NULL-terminated */
    const char *unless;         /* code that calls this too takes no part; NULL */
    bool kept;                  /* who has a container at hand in which it is kept may end it */
    bool others;                /* the waiter's own code does not count */
    unsigned *budget;           /* objects that may still be looked at */
    /* set where there is code that would end it, but is not called, or is the waiter's; may be NULL
     */
    bool *idle;
};

/**
 * Whether a function of the program may be called that calls one of the methods, and names what the
 * waiter's code has the object by. Functions that are known under their name alone, and that no
 * such function names, are in nobody's reach: what a thread ran that has ended.
 */
bool lk_py_code_is_in_reach(struct lk_py *py, const struct lk_reach_query *q);
/** Whether the waiter's own code has the object, by a variable or by a global that it names. */
bool lk_py_code_has(struct lk_py *py, const struct lk_reach_query *q);
/** The functions and methods of the program, as one sample has them. */
struct lk_program_code;
struct lk_program_code *lk_program_code_read(struct lk_py *py);
/** p may be NULL. */
void lk_program_code_free(struct lk_program_code *p);
/** What is done: one of the methods (NULL-terminated) is called, by code that does not name
 * `unless` too (NULL: whatever else it names); or an attribute is set, or an argument given by name
 * by code that names argument_of (NULL: none). */
struct lk_called {
    const char *const *methods;
    const char *unless, *sets, *argument, *argument_of;
};
/**
 * The code that these frames stand in does it, from where they stand, itself or by functions and
 * methods of the program that it names.
 * @param on  what it is done to, as far as the code tells; 0: anything.
 */
bool lk_program_code_calls(struct lk_py *py, const struct lk_program_code *p,
                           const struct lk_pyframes *frames, const struct lk_called *called,
                           lk_addr on);
/** The same of a function that is yet to be called. */
bool lk_program_code_function_calls(struct lk_py *py, const struct lk_program_code *p,
                                    lk_addr function, const struct lk_called *called, lk_addr on);
/** Some function or method of the program names it, or not all were looked at. */
bool lk_program_code_has(const struct lk_program_code *p, const struct lk_called *called);

#endif
