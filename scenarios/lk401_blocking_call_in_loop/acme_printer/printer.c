/* The library below the driver: waits until the printer has taken a label, which it never does. */
#include <semaphore.h>

static sem_t taken;

int lp_wait_taken(void)
{
    int status = sem_init(&taken, 0, 0);
    while (status == 0)
        status = sem_wait(&taken) ? 0 : 1;
    return status;
}
