/* Servers that programs wait for, as data: how each is told, asked what it does, and kept from
 * making its clients wait for ever. */
#ifndef LK_DIAGNOSE_CATALOG_SERVICES_H
#define LK_DIAGNOSE_CATALOG_SERVICES_H

#include "snapshot/snapshot.h"

struct lk_service {
    const char *name;
    int port;                   /* where it usually listens */
    const char *packages[10];   /* its clients, by the folder of their files */
    const char *modules[4];     /* ... made in C, by the beginning of their file's name */
    const char *ask, *ask_port; /* a question about connections: before and behind their ports */
    const char *port_before, *port_between; /* what stands before each port, and between two */
    const char *frees;                      /* what ends a wait there */
    const char *timeouts;                   /* what to set, as a remedy */
};

/** Told by the library that the frames of a waiter are of, innermost first, else by the port of
 * the peer ("10.0.0.7:5432"); NULL. Each may be NULL. */
const struct lk_service *lk_service_of(const struct lk_pystack *stack,
                                       const struct lk_natstack *native, const char *peer);
/** Its question about these ports. */
const char *lk_service_question(struct lk_arena *a, const struct lk_service *s,
                                const unsigned *ports, size_t n);

#endif
