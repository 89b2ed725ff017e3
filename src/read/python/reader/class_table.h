/* The classes that matter to the readers. */
#ifndef LK_READ_PYTHON_READER_CLASS_TABLE_H
#define LK_READ_PYTHON_READER_CLASS_TABLE_H

#include "read/python/reader/known_class.h"

struct lk_class_row {
    const char *module, *name;
    enum lk_known_class cls;
    const char *kind; /* name in the report (locks) */
};
extern const struct lk_class_row lk_class_rows[];
extern const size_t lk_n_class_rows;

#endif
