/* The names that a piece of code has, those of the code within it among them. */
#ifndef LK_READ_PYTHON_READER_CODE_NAMES_H
#define LK_READ_PYTHON_READER_CODE_NAMES_H

#include "read/python/interpreter/interpreter.h"
#include "util/map.h"

enum { LK_CODE_MAX_NAMES = 1024 }; /* of one code object, with those inside of it */

/** Names as hashes of their text. */
struct lk_code_names {
    struct lk_map set;
    size_t n;
    bool cut; /* there are more */
};

/** Of a str in the target; 0: none. */
uint64_t lk_name_hash(struct lk_py *py, lk_addr str);
/** name may be NULL: no. */
bool lk_code_names_has(const struct lk_code_names *n, const char *name);
void lk_code_names_add(struct lk_code_names *n, uint64_t name);
/** Adds those of the code. */
void lk_code_names_read(struct lk_py *py, lk_addr code, struct lk_code_names *n);

#endif
