/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nbd.h - the NBD server: hosts read and write volumes over it. A connection is a fiber on the reactor of its
 * listener until it has named an export; transmission then runs on the reactor of that volume, and the rest comes
 * back here.
 *
 * The server knows exports by the functions of struct nbd_exports alone, which the control plane gives; those run on
 * the reactor that made the server, and may suspend.
 */
#ifndef XDC_HOST_NBD_H
#define XDC_HOST_NBD_H

#include "rt/net.h"
#include "rt/rt.h"
#include "volume/volume.h"

#define NBD_EXPORT_NAME_SIZE		256u
#define NBD_EXPORT_DESCRIPTION_SIZE	256u

struct nbd_export {
	struct volume *volume;		/* stays open until the export is released */
	uint64_t size;			/* bytes */
	bool writable;			/* when it is attached; the volume has the last word on each request */
	bool zero_is_fast;		/* the volume makes holes, so zeroes need not be written */
	char name[NBD_EXPORT_NAME_SIZE];
	char description[NBD_EXPORT_DESCRIPTION_SIZE];	/* for people; may be empty */
	void *attachment;		/* of the control plane: what release ends */
};

struct nbd_exports {
	/*
	 * Fills *out in with the volume of this id or name, and attaches a host to it, if that is asked for: while it
	 * is attached the volume is not closed or deleted; else out->volume is of no use. -ENOENT, -EPERM (hosts may
	 * not have it: a target), -ESHUTDOWN, -ENOMEM. May suspend.
	 */
	int (*find)(void *arg, const char *name, bool attach, struct nbd_export *out);

	/* The host is gone. Must not fail; may suspend. */
	void (*release)(void *arg, struct nbd_export *export);

	/*
	 * Calls each for every export that hosts may see, until each returns non-zero, which is then the result. Must
	 * not suspend, and each does not.
	 */
	int (*list)(void *arg, int (*each)(void *each_arg, const char *name, const char *description), void *each_arg);
	void *arg;
};

/* How a plain stream becomes an encrypted one, when a client asks for it. */
struct nbd_tls {
	/* Does the handshake of TLS. 0: *out owns plain from here on; else plain is still the caller's. Suspends. */
	int (*wrap)(void *arg, struct rt_stream *plain, struct rt_stream **out);
	void *arg;
};

struct nbd_server_options {
	struct nbd_exports exports;
	const struct nbd_tls *tls;	/* NULL: STARTTLS is refused. Lives as long as the server */
	unsigned connections_max;	/* more are closed at once */
};

struct nbd_server;

/* -ENOMEM. */
RT_MUST_CHECK int nbd_server_create(const struct nbd_server_options *options, struct nbd_server **out);

/*
 * Serves what comes in at the listener, which belongs to the server from here on (also on an error). With
 * tls_required clients get no further than STARTTLS in the clear. -ENOMEM.
 */
RT_MUST_CHECK int nbd_server_listen(struct nbd_server *server, struct rt_listener *listener, bool tls_required);

/*
 * Accepts nothing more, gives the requests under way NBD_DRAIN_NS to finish, closes all connections, releases their
 * exports and frees the server. Suspends, shielded. NULL is allowed.
 */
void nbd_server_destroy(struct nbd_server *server);

#define NBD_DRAIN_NS	(2 * RT_SECOND)

/*
 * Memory of requests under way, on all reactors together; but no less on each than two requests of the largest size
 * need. A connection that needs more than there is is not read from until others have given some back (nbd_budget.h).
 */
#define NBD_MEMORY_TOTAL	((size_t)256 << 20)
#define NBD_MEMORY_LEAST	((size_t)72 << 20)

#endif
