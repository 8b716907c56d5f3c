/* SPDX-License-Identifier: Apache-2.0 */
/*
 * https.h - the certificates of HTTPS: the server's own, given or made by itself, and who signs those of clients.
 * libmicrohttpd does the TLS. Made on a fiber, used by the threads of the server.
 */
#ifndef XDC_FACE_CIM_HTTPS_H
#define XDC_FACE_CIM_HTTPS_H

#include <gnutls/gnutls.h>

#include "face/cim/users.h"
#include "rt/fault.h"
#include "rt/tls.h"

struct cim_https;

/*
 * folder as of xdcd --cims-tls; NULL: that in the state folder, where a certificate for address (HOST:PORT) is made
 * when there is none. Its fingerprint is a line of the log. Suspends. -1 and the fault.
 */
RT_MUST_CHECK int cim_https_create(const char *folder, const char *state_folder, const char *address,
				   struct cim_https **out, struct fault *fault);
void cim_https_destroy(struct cim_https *https);	/* when nobody uses it; NULL is allowed */

/* For the library; they live as long as it does. authority NULL: clients are not asked for certificates. */
const struct tls_texts *cim_https_texts(const struct cim_https *https);

/* TLS 1.2 and 1.3. */
extern const char cim_https_priorities[];

/*
 * Whose certificate the client at the other end has shown: the common name of one that is signed by the authority, is
 * for clients, and good now. false: there is none, or it is not good (a line in the log says why).
 */
bool cim_https_name(struct cim_https *https, gnutls_session_t session, const char *host, char name[CIM_USER_MAX]);

#endif
