/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lookup.h - from the text of an address to what sockets take, private to the real backend. Names are asked for in the
 * network, which may not answer for minutes, as when a site burns: nobody waits for that longer than he wants to.
 */
#ifndef XDC_RT_LOOKUP_H
#define XDC_RT_LOOKUP_H

#include <netinet/in.h>
#include <sys/un.h>

#include "rt/rt.h"

#define LOOKUP_ADDRESSES_MAX	8U
#define LOOKUP_THREADS_MAX	64U

union socket_address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	struct sockaddr_un local;
};

struct lookup {
	union socket_address addresses[LOOKUP_ADDRESSES_MAX];
	socklen_t lengths[LOOKUP_ADDRESSES_MAX];
	unsigned count;
};

/*
 * -EINVAL: no address, or the name does not exist; -EHOSTUNREACH; -ENOMEM; -EAGAIN: LOOKUP_THREADS_MAX names are being
 * asked for already; -ETIMEDOUT, -ECANCELED: the fiber's limit, or it was cancelled; what asks goes on by itself and
 * then ends. A name suspends; all else does not.
 */
RT_MUST_CHECK int lookup_to_connect(const char *text, struct lookup *out);

/* Blocks, also for a name: on a helper thread. Errors as above. */
RT_MUST_CHECK int lookup_to_listen(const char *text, struct lookup *out);

#endif
