/* SPDX-License-Identifier: Apache-2.0 */
/*
 * system.h - the whole life of one storage system: its state, volumes, copy services and everything it listens on. Used
 * by xdcd and by the scenarios of the simulator alike; knows no signals, no arguments and no backend of rt.
 */
#ifndef XDC_SYSTEM_H
#define XDC_SYSTEM_H

#include "control/control.h"
#include "host/nbd.h"
#include "rt/net.h"

#define SYSTEM_NBD_MAX	16u

/* An address to listen on, or a listener that was handed over (then address is for the log); neither: none. */
struct system_listener {
	const char *address;
	struct rt_listener *inherited;
};

/* How streams become encrypted ones; all may be NULL: plain. */
struct system_tls {
	/* NBD, asked for by clients. */
	const struct nbd_tls *nbd;
	bool nbd_required;		/* on listeners that are reached from other machines */

	/* Links: as copy_config.wrap; and for a connection that came in, with the system that it proved to be. */
	int (*link_connect)(void *arg, struct rt_stream *plain, struct rt_stream **out);
	int (*link_accept)(void *arg, struct rt_stream *plain, struct rt_stream **out, const char **identity);
	void *link_arg;
};

struct system_options {
	const char *state_folder;
	const char *id;
	struct system_listener control, link;
	const char *link_address;	/* NULL: that on which the link listens */
	struct system_listener nbd[SYSTEM_NBD_MAX];
	unsigned nbd_count;
	struct system_tls tls;		/* what it points to outlives the system */
	struct link_timing link_timing;	/* zeros: link_timing_default */
};

struct system;

/*
 * Starts the system; when it returns 0, it serves. Listeners that were handed over are taken: what is NULL in the
 * options afterwards belongs to the system, the rest is still the caller's. -1 and the fault, with nothing left
 * running: FAULT_INVALID_PARAMETER when the options do not fit the state. On reactor 0; suspends. Texts of the options
 * are copied.
 */
RT_MUST_CHECK int system_start(struct system_options *options, struct system **out, struct fault *fault);

/* Stops it in order: hosts, managers, other systems, copy services, volumes, metadata. Suspends. */
void system_stop(struct system *system);

/* Lives as long as the system. For scenarios that call operations directly. Does not suspend. */
struct control *system_control(struct system *system);

/* Where the link listens, with the port that was chosen. NULL: it does not. Does not suspend. */
const char *system_link_address(const struct system *system);

#endif
