/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wire.h - the bytes of the link protocol: handshake, frame headers, codes. docs/link-protocol.md is the same in words.
 * Pure functions over buffers: any fiber, nothing suspends. Typed messages are in wire_message.h; link.h sends them.
 *
 * Everything is little-endian. Input that is damaged or hostile gives -EBADMSG, never an assert.
 */
#ifndef XDC_COPY_WIRE_H
#define XDC_COPY_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rt/rt.h"

#define WIRE_VERSION_MIN	1u		/* the protocol versions that this program speaks */
#define WIRE_VERSION_MAX	1u

#define WIRE_SYSTEM_SIZE	16u		/* "TYPE.SERIAL", at most 15 characters, zero padded */
#define WIRE_ID_SIZE		16u		/* boot ids */
#define WIRE_TEXT_SIZE		256u		/* a sentence for people, with its end */
#define WIRE_MESSAGE_MAX	(1u << 20)	/* bytes of an encoded message */
#define WIRE_DATA_MAX		(1u << 20)	/* bytes of a volume in one data frame */

#define WIRE_FEATURE_ZSTD	1u		/* payloads of data frames may be compressed */

/* ---- handshake: the first frame in each direction, before anything else ---- */

enum wire_kind { WIRE_KIND_CONTROL = 1, WIRE_KIND_DATA = 2 };

/* The dialer says who it is, whom it wants, and what kind of connection this is. */
struct wire_hello {
	uint16_t version_min, version_max;
	char from[WIRE_SYSTEM_SIZE], to[WIRE_SYSTEM_SIZE];
	uint8_t boot_id[WIRE_ID_SIZE];	/* of the dialer: other at each start of xdcd */
	uint8_t kind;			/* enum wire_kind */
	uint16_t reactor;		/* of the dialer; 0 for a control connection */
	uint64_t generation;		/* rises with each connection of this kind and reactor within one boot id */
	uint32_t features;
	uint32_t idle_ms;		/* the dialer lets something be heard at least this often */
};

/* The acceptor agrees: from here on frames of the agreed version. */
struct wire_welcome {
	uint16_t version;
	char system[WIRE_SYSTEM_SIZE];
	uint8_t boot_id[WIRE_ID_SIZE];	/* of the acceptor */
	uint32_t features;		/* those of the dialer's that hold */
	uint32_t requests_max;		/* control: so many requests may be outstanding */
	uint32_t window_frames;		/* data: so many frames may be unacknowledged, */
	uint32_t window_bytes;		/* and so many bytes of payload */
};

enum wire_refusal {
	WIRE_REFUSED_VERSION = 1,	/* no version in common */
	WIRE_REFUSED_SYSTEM = 2,	/* the dialer wants another system than this one */
	WIRE_REFUSED_GENERATION = 3,	/* a younger connection is already there */
	WIRE_REFUSED_BUSY = 4,		/* too many connections */
	WIRE_REFUSED_IDENTITY = 5,	/* the credentials are not those of the system that the dialer says it is */
};
struct wire_refused {
	uint16_t code;			/* enum wire_refusal */
	char system[WIRE_SYSTEM_SIZE];	/* who refuses */
	char text[WIRE_TEXT_SIZE];
};

#define WIRE_HELLO_SIZE		96u
#define WIRE_ANSWER_SIZE	320u	/* WELCOME and REFUSED are of one size */

void wire_put_hello(uint8_t to[WIRE_HELLO_SIZE], const struct wire_hello *hello);
void wire_put_welcome(uint8_t to[WIRE_ANSWER_SIZE], const struct wire_welcome *welcome);
void wire_put_refused(uint8_t to[WIRE_ANSWER_SIZE], const struct wire_refused *refused);

/* 0, -EBADMSG: not a HELLO of any version of this protocol. Whether versions and ids fit is for the caller to say. */
RT_MUST_CHECK int wire_get_hello(const uint8_t from[WIRE_HELLO_SIZE], struct wire_hello *hello);

/* 0: welcome is filled in. -ECONNREFUSED: refused is. -EBADMSG. */
RT_MUST_CHECK int wire_get_answer(const uint8_t from[WIRE_ANSWER_SIZE], struct wire_welcome *welcome,
				  struct wire_refused *refused);

/* ---- frames of a control connection ---- */

enum wire_control_kind {
	WIRE_REQUEST = 1,		/* dialer to acceptor; answered by a REPLY of the same id */
	WIRE_REPLY = 2,
	WIRE_EVENT = 3,			/* acceptor to dialer; not answered */
	WIRE_PING = 4,			/* either way; answered by a PONG of the same id */
	WIRE_PONG = 5,
};

struct wire_control {
	uint8_t kind;			/* enum wire_control_kind */
	uint16_t type;			/* enum wire_message_type; 0 for PING and PONG */
	uint64_t id;			/* of the request */
	uint32_t payload_bytes;		/* at most WIRE_MESSAGE_MAX + WIRE_REPLY_PREFIX_MAX */
	uint32_t payload_crc;
};
#define WIRE_CONTROL_SIZE	32u

/*
 * The payload of a REPLY begins with its outcome: code, length of a text, the text; the message follows when code is
 * 0.
 */
#define WIRE_REPLY_PREFIX_MAX	(6u + WIRE_TEXT_SIZE)

void wire_put_control(uint8_t to[WIRE_CONTROL_SIZE], const struct wire_control *control);
RT_MUST_CHECK int wire_get_control(const uint8_t from[WIRE_CONTROL_SIZE], struct wire_control *control);

/* error: 0 or negative errno. Returns the bytes used. */
size_t wire_put_outcome(uint8_t to[WIRE_REPLY_PREFIX_MAX], int error, const char *text);
RT_MUST_CHECK int wire_get_outcome(const uint8_t *from, size_t len, int *error, char text[WIRE_TEXT_SIZE],
				   size_t *used);

/* ---- frames of a data connection ---- */

enum wire_data_kind {
	WIRE_DATA = 1,			/* dialer to acceptor: blocks of a volume */
	WIRE_MARK = 2,			/* dialer to acceptor: seq and tag hold number and digest of the DATA before */
	WIRE_ACK = 3,			/* acceptor to dialer: payload is wire_ack ranges */
	WIRE_DATA_PING = 4,
	WIRE_DATA_PONG = 5,
	WIRE_SAME = 6,			/* acceptor to dialer: what a comparison found, see wire_compare */
};

#define WIRE_DATA_JOURNAL	1u	/* for the journal of the session's leg; without it straight into the volume */
#define WIRE_DATA_ZERO		2u	/* reads as zeros; no payload */
#define WIRE_DATA_ZSTD		4u	/* payload is compressed */
#define WIRE_DATA_COMPARE	8u	/* writes nothing: payload is wire_put_sums of what should be there */

/* Of a comparison: with the newest that the far side has of each block, whatever its tag. */
#define WIRE_TAG_NEWEST		UINT64_MAX

struct wire_data {
	uint8_t kind;			/* enum wire_data_kind */
	uint16_t flags;			/* WIRE_DATA_... */
	uint64_t seq;			/* DATA: 1, 2, ... in the connection; PING, PONG: echoed; MARK: the last DATA;
					 * SAME: the DATA that asked */
	uint64_t tag;			/* DATA: number of the increment; MARK: the digest */
	uint64_t offset;		/* bytes, in the volume */
	uint16_t volume;		/* at the far side */
	uint8_t session;		/* 0: none */
	uint32_t raw_bytes;		/* of the volume; at most WIRE_DATA_MAX */
	uint32_t payload_bytes;		/* that follow the header */
	uint32_t payload_crc;
};
#define WIRE_DATA_SIZE		56u

void wire_put_data(uint8_t to[WIRE_DATA_SIZE], const struct wire_data *data);
RT_MUST_CHECK int wire_get_data(const uint8_t from[WIRE_DATA_SIZE], struct wire_data *data);

/* What came of count frames from seq first on. */
struct wire_ack {
	uint64_t first;
	uint32_t count;			/* >= 1 */
	int error;			/* 0 or negative errno, the same for all of them */
};
#define WIRE_ACK_SIZE		16u
#define WIRE_ACKS_MAX		256u	/* in one frame */

void wire_put_ack(uint8_t to[WIRE_ACK_SIZE], const struct wire_ack *ack);
RT_MUST_CHECK int wire_get_ack(const uint8_t from[WIRE_ACK_SIZE], struct wire_ack *ack);

/*
 * The running digest of a data connection: begin with 0, put in each DATA frame's header as it is on the wire (its
 * checksum covers the payload's), in order.
 */
uint64_t wire_digest(uint64_t before, const uint8_t header[WIRE_DATA_SIZE]);

/* ---- comparisons: checksums of blocks of 4 KiB, the last one may be shorter ---- */

#define WIRE_BLOCK_SIZE		4096u
#define WIRE_SUM_SIZE		16u
#define WIRE_SAME_MAX		(WIRE_DATA_MAX / WIRE_BLOCK_SIZE / 8)	/* bytes: a bit a block */

static inline uint32_t wire_blocks(uint32_t bytes)
{
	return (bytes + WIRE_BLOCK_SIZE - 1) / WIRE_BLOCK_SIZE;
}

/* Of what wire_put_sums makes of so many bytes. */
static inline uint32_t wire_sums_size(uint32_t bytes)
{
	return 8 + wire_blocks(bytes) * WIRE_SUM_SIZE;
}

/*
 * The seed, then XXH3 of 128 bits of each block with it. A seed that nobody can foresee: then nobody can make two
 * blocks that seem equal.
 */
void wire_put_sums(uint8_t *to, uint64_t seed, const void *data, uint32_t bytes);

/*
 * Sets bit i % 8 of same[i / 8] where block i of the data is the one that sums were made of; sums NULL: where it is all
 * zeros. Clears the others.
 */
void wire_compare(const uint8_t *sums, const void *data, uint32_t bytes, uint8_t same[WIRE_SAME_MAX]);

/* ---- codes: errors have the same number on every machine; what is not in the table travels as -EIO ---- */

uint32_t wire_code_of(int error);
int wire_error_of(uint32_t code);

/* ---- ids ---- */

/* A text of 1..15 printable characters without blanks. */
bool wire_is_system(const char *id);

#endif
