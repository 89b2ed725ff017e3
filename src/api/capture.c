/* struct loopknot_capture is the library's own struct lk_capture, under its public name. */
#include "api/capture.h"

#include <errno.h>
#include <stdio.h>

#include "process/capture/capture_file.h"

#define LK_EXPORT __attribute__((visibility("default")))

struct lk_capture *lk_api_capture(struct loopknot_capture *c)
{
    return (struct lk_capture *)c;
}

LK_EXPORT struct loopknot_capture *loopknot_capture_create(void)
{
    return (struct loopknot_capture *)lk_capture_create();
}

LK_EXPORT void loopknot_capture_destroy(struct loopknot_capture *c)
{
    lk_capture_destroy(lk_api_capture(c));
}

LK_EXPORT int loopknot_capture_write(struct loopknot_capture *c, const char *file, char *message,
                                     size_t size)
{
    struct lk_error err = { 0 };
    if (lk_capture_write(lk_api_capture(c), file, &err))
        return LOOPKNOT_OK;
    if (message && size)
        snprintf(message, size, "%s", err.text);
    errno = err.os_errno;
    return err.code == LK_ERR_NOMEM ? LOOPKNOT_NO_MEMORY : LOOPKNOT_WRITE_ERROR;
}
