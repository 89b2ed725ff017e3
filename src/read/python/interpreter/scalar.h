/* str, int, float and bool as values. Text is clean (util/text.h). */
#ifndef LK_READ_PYTHON_INTERPRETER_SCALAR_H
#define LK_READ_PYTHON_INTERPRETER_SCALAR_H

#include "read/python/interpreter/interpreter.h"

/** str as clean text in the snapshot's arena; NULL when it is no str. */
const char *lk_py_str(struct lk_py *py, lk_addr obj);
/** The same of bytes, cut where they are long. */
const char *lk_py_bytes_text(struct lk_py *py, lk_addr obj);
/** Raw bytes of a str when pure ASCII, for comparing; false otherwise or when longer than max - 1.
 */
bool lk_py_str_raw(struct lk_py *py, lk_addr obj, char *ret, size_t max);
bool lk_py_str_eq(struct lk_py *py, lk_addr obj, const char *s);
/** int or bool that fits 64 bits. */
bool lk_py_int(struct lk_py *py, lk_addr obj, int64_t *ret);
bool lk_py_float(struct lk_py *py, lk_addr obj, double *ret);
/** int or float as a double; None gives false. */
bool lk_py_number(struct lk_py *py, lk_addr obj, double *ret);
/** LK_YES / LK_NO for True / False (or an int), unknown otherwise. */
enum lk_tri lk_py_bool(struct lk_py *py, lk_addr obj);
bool lk_py_is_none(struct lk_py *py, lk_addr obj);

#endif
