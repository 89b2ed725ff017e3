/* The machine that this program runs on: lk_machine_here() of process/facts.h. */
#ifndef LK_PROCESS_LINUX_MACHINE_H
#define LK_PROCESS_LINUX_MACHINE_H

#include "process/facts.h"

#endif
