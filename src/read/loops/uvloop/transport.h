/* The descriptor of a transport that uvloop made. */
#ifndef LK_READ_LOOPS_UVLOOP_TRANSPORT_H
#define LK_READ_LOOPS_UVLOOP_TRANSPORT_H

#include "read/python/reader/reader.h"

/** LK_UNKNOWN when the object is no stream transport of uvloop. */
int64_t lk_uvloop_transport_fd(struct lk_py *py, lk_addr transport);

#endif
