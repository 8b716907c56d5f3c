/* SPDX-License-Identifier: Apache-2.0 */
#include "system.h"

#include <errno.h>
#include <string.h>

#include "control/parse.h"
#include "copy/copy.h"
#include "face/cli_server.h"
#include "host/nbd_exports.h"
#include "rt/log.h"
#include "rt/mem.h"

#define NBD_CONNECTIONS_MAX	4096u
#define LINK_CONNECTIONS_MAX	1024u
/* For the handshake of TLS on a link. */
#define LINK_HANDSHAKE_NS	(10 * RT_SECOND)
/* When the system stops: for hosts' requests and administrators' commands to end by themselves, both at a time. */
#define FINISH_NS		(3 * RT_SECOND)

struct system {
	struct system_tls tls;
	struct control *control;
	struct cli_server *cli;
	struct nbd_server *nbd;
	struct rt_listener *link_listener;
	struct rt_group link_acceptor, links;	/* accepts; serves what was accepted */
};

struct control *system_control(struct system *system)
{
	return system->control;
}

const char *system_link_address(const struct system *system)
{
	return system->link_listener ? rt_listener_address(system->link_listener) : NULL;
}

/* ---- listeners ---- */

static const char *listen_remedy(int error)
{
	switch (error) {
	case -EADDRINUSE:
		return "choose another address, or end what uses it";
	case -ENOENT:
		return "make the folder of the socket";
	case -EACCES:
	case -EROFS:
		return "let the user of xdcd make it there (a port below 1024: by a socket unit), or choose another";
	case -EINVAL:
	case -EADDRNOTAVAIL:
		return "choose an address of this machine";
	default:
		return "choose another address";
	}
}

/* *out is NULL when nothing is asked for. What was handed over is taken. */
static int open_listener(struct system_listener *asked, struct rt_listener **out, struct fault *fault)
{
	int rc = 0;

	*out = asked->inherited;
	asked->inherited = NULL;
	if (!*out && asked->address)
		rc = rt_listen(asked->address, out);
	if (rc == 0)
		return 0;
	return fault_set(fault, rc == -EADDRINUSE ? FAULT_IN_USE : FAULT_FAILED, asked->address, listen_remedy(rc),
			 "cannot listen there: %s", strerrordesc_np(-rc));
}

static int out_of_memory(struct fault *fault)
{
	return fault_set(fault, FAULT_FAILED, "system", "", "out of memory");
}

/* ---- links that come in ---- */

struct link_arrival {
	struct system *system;
	struct rt_stream *stream;
};

static void serve_link(void *arg)
{
	struct link_arrival *arrival = arg;
	struct system *system = arrival->system;
	struct rt_stream *stream = arrival->stream;
	const char *identity = NULL;
	int rc = 0;

	mem_free(arrival);
	if (system->tls.link_accept) {
		RT_LIMIT(rt_now_ns() + LINK_HANDSHAKE_NS);
		rc = system->tls.link_accept(system->tls.link_arg, stream, &stream, &identity);
	}
	if (rc == 0 && rt_cancelled())
		rt_stream_close(stream);
	else if (rc == 0)
		copy_serve_link(control_copy(system->control), stream, identity);
	else
		log_line(LOG_DEBUG, "link", "a connection was refused: %s", strerrordesc_np(-rc));
}

static void begin_link(struct system *system, struct rt_stream *stream)
{
	struct link_arrival *arrival = NULL;

	if (system->links.count < LINK_CONNECTIONS_MAX)
		arrival = mem_alloc(sizeof(*arrival));
	if (arrival) {
		*arrival = (struct link_arrival){ system, stream };
		if (rt_group_start(&system->links, "link in", serve_link, arrival) == 0)
			return;
	}
	log_line(LOG_WARNING, "link", "%s: refused: %s", rt_stream_peer(stream),
		 arrival ? "no memory" : "there are as many connections as are allowed, or no memory");
	mem_free(arrival);
	rt_stream_close(stream);
}

static void accept_links(void *arg)
{
	struct system *system = arg;
	struct rt_stream *stream;

	while (rt_accept(system->link_listener, &stream) == 0)
		begin_link(system, stream);
}

/* ---- start: what is served comes after what it stands on ---- */

static int start_control(struct system *system, struct system_options *options, struct fault *fault)
{
	struct control_options control = {
		.state_folder = options->state_folder,
		.id = options->id,
		.link_address = options->link_address,
		.wrap = options->tls.link_connect,
		.wrap_arg = options->tls.link_arg,
		.link_timing = options->link_timing.ping_ms ? options->link_timing : link_timing_default,
	};

	if (open_listener(&options->link, &system->link_listener, fault))
		return -1;
	if (!control.link_address)
		control.link_address = system_link_address(system);
	return control_start(&control, &system->control, fault);
}

static int start_links(struct system *system, struct fault *fault)
{
	if (system->link_listener && rt_group_start(&system->link_acceptor, "link listener", accept_links, system) != 0)
		return out_of_memory(fault);
	return 0;
}

/* By other machines than this one. */
static bool is_reached_from_afar(const struct rt_listener *listener)
{
	struct parsed_address address;

	return parse_address(rt_listener_address(listener), &address) || !(address.is_unix || address.is_loopback);
}

static int start_nbd(struct system *system, struct system_options *options, struct fault *fault)
{
	struct nbd_server_options nbd = {
		.tls = options->tls.nbd, .connections_max = NBD_CONNECTIONS_MAX,
	};
	struct rt_listener *listener;
	bool tls_required;

	nbd_exports_of(system->control, &nbd.exports);
	if (nbd_server_create(&nbd, &system->nbd) != 0)
		return out_of_memory(fault);
	for (unsigned i = 0; i < options->nbd_count; i++) {
		if (open_listener(&options->nbd[i], &listener, fault))
			return -1;
		tls_required = options->tls.nbd_required && is_reached_from_afar(listener);
		if (nbd_server_listen(system->nbd, listener, tls_required) != 0)
			return out_of_memory(fault);
	}
	return 0;
}

static int start_cli(struct system *system, struct system_options *options, struct fault *fault)
{
	struct rt_listener *listener;

	if (open_listener(&options->control, &listener, fault))
		return -1;
	if (cli_server_create(system->control, &system->cli) != 0) {
		rt_listener_close(listener);
		return out_of_memory(fault);
	}
	if (listener && cli_server_listen(system->cli, listener) != 0)
		return out_of_memory(fault);
	return 0;
}

int system_start(struct system_options *options, struct system **out, struct fault *fault)
{
	struct system *system = mem_alloc_zeroed(sizeof(*system));

	if (!system)
		return out_of_memory(fault);
	system->tls = options->tls;
	rt_group_init(&system->link_acceptor);
	rt_group_init(&system->links);
	if (start_control(system, options, fault) || start_links(system, fault) ||
	    start_nbd(system, options, fault) || start_cli(system, options, fault)) {
		system_stop(system);
		return -1;
	}
	*out = system;
	return 0;
}

/* ---- stop: nobody comes in any more, then from the top down ---- */

void system_stop(struct system *system)
{
	int64_t until_ns = rt_now_ns() + FINISH_NS;
	RT_SHIELD();

	if (system->control)
		control_refuse_hosts(system->control);
	nbd_server_destroy(system->nbd);
	cli_server_destroy(system->cli, until_ns);
	rt_group_stop(&system->link_acceptor);
	rt_listener_close(system->link_listener);
	/* No handshake leads to a served link any more; those that are served end with the copy services. */
	rt_group_cancel(&system->links);
	control_stop(system->control);
	rt_group_stop(&system->links);
	mem_free(system);
}
