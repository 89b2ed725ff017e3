/*
 * Waits that cross from one examined process to another: a parent in waitpid(2), the two ends of a
 * pipe. Which process can end such a wait is asked of /proc; whether it can act is decided over all
 * processes together.
 */
#ifndef LK_EXAMINE_CROSS_PROCESS_H
#define LK_EXAMINE_CROSS_PROCESS_H

#include "process/facts.h"
#include "report/report.h"

/** Links the reports of processes that were examined at the same time, and diagnoses again those
 * that this concerns. */
void lk_examine_link(struct lk_report *reports, size_t n, const struct lk_machine *m);

#endif
