/* What is a secret in an address: who calls (RFC 3986, 3.2.1), and paths that are keys. */
#ifndef LK_UTIL_REDACT_URL_H
#define LK_UTIL_REDACT_URL_H

#include <stdbool.h>
#include <stddef.h>

/** With s[i] at "://": the password, or the name before the host where that is the key. Sets the
 * range to hide. Reads no further than the next "://". */
bool lk_redact_url_user(const char *s, size_t i, size_t *from, size_t *to);
/** With s[i] at '/': the part of a webhook's path that is its key. */
bool lk_redact_webhook(const char *s, size_t i, size_t *from, size_t *to);

#endif
