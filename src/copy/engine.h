/* SPDX-License-Identifier: Apache-2.0 */
/*
 * engine.h - what the modules of copy/ share: the copy services of one system and their parts, private to copy/. All of it
 * lives on reactor 0 unless a comment says otherwise; the parts that touch volumes do so by rt_call to the volume's reactor.
 */
#ifndef XDC_COPY_ENGINE_H
#define XDC_COPY_ENGINE_H

#include "copy/copy.h"
#include "copy/link.h"
#include "copy/link_server.h"

struct copy {
	struct copy_config config;
	struct link_server *server;
	struct list_head peers;			/* struct peer: systems that this one dials */
	struct list_head paths;			/* struct path */
	struct list_head pairs;			/* struct pair: both ends */
	struct list_head sources;		/* struct source: sessions with volumes here */
	struct list_head masters;		/* struct master: sessions started here */
	struct list_head legs;			/* struct leg: journals here */
	struct rt_group group;
	bool stopping;
};

/* ---- peers (peers.c): links by system, shared by all that use them ---- */

struct peer {
	struct list_head link;
	struct copy *copy;
	char system[XDC_SYSTEM_ID_MAX];
	struct link *to;
	struct rt_group watch;
	unsigned uses;
	uint8_t boot_id[WIRE_ID_SIZE];		/* that the pairs' acknowledgements came from; zeros: none yet */
};

/* Finds or dials; each get is given back by a put. address NULL: an existing one only. NULL: no memory, or none there. */
struct peer *peer_get(struct copy *copy, const char *system, const char *address);
void peer_put(struct peer *peer);		/* suspends when it was the last use */

/* As link_request; the own system is asked by calling the handler. -ENOTCONN also when no link to the system exists. */
RT_MUST_CHECK int copy_ask(struct copy *copy, const char *system, uint16_t type, const void *request, void *reply,
			   char why[WIRE_TEXT_SIZE]);

/* The table of all handlers of this system (copy.c). */
extern const struct link_handler copy_handlers[];

/* An event of another system (link.h). */
void copy_on_event(void *arg, struct link *link, uint16_t type, const void *event);

/* Says no: fills in why (WIRE_TEXT_SIZE) and returns error. */
__attribute__((format(printf, 3, 4))) int copy_refuse(char *why, int error, const char *format, ...);

#endif
