/* SPDX-License-Identifier: Apache-2.0 */
/* http.h - one POST over HTTP without encryption. Blocking. */
#ifndef XDC_CLI_HTTP_H
#define XDC_CLI_HTTP_H

#include "cli/cli.h"

/*
 * Sends body with these headers, each ended by "\r\n", to an address that deliver_url_read takes (asserted). The body
 * of the answer, to be closed by the caller, and its status; NULL after a message: there is none.
 */
FILE *cli_http_post(const char *url, const char *headers, const char *body, unsigned *status);

#endif
