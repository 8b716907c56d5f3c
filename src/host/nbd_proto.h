/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nbd_proto.h - the NBD protocol as bytes: what clients send is parsed and checked here once, into typed structs, and
 * what the server sends is laid out here. Pure functions: no I/O, no memory, any thread. Fixed newstyle with
 * structured replies; all numbers on the wire are big-endian.
 */
#ifndef XDC_HOST_NBD_PROTO_H
#define XDC_HOST_NBD_PROTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rt/rt.h"

/* ---- bounds ---- */

#define NBD_NAME_MAX		4096u		/* bytes of an export name or a query, by the protocol */
#define NBD_OPTION_MAX		16384u		/* bytes of data of one option; more ends the connection */
#define NBD_PAYLOAD_MAX		(32u << 20)	/* bytes of one read or write */
#define NBD_BLOCK_PREFERRED	4096u

/* ---- handshake ---- */

#define NBD_GREETING_SIZE	18u
#define NBD_CLIENT_FLAGS_SIZE	4u
#define NBD_OPTION_SIZE		16u		/* header of an option */
#define NBD_OPTION_REPLY_SIZE	20u		/* header of its reply */
#define NBD_INFO_EXPORT_SIZE	12u
#define NBD_INFO_BLOCK_SIZE_SIZE 14u
#define NBD_EXPORT_NAME_REPLY_SIZE 134u		/* with the zeroes; 10 without */

enum nbd_option_code {
	NBD_OPT_EXPORT_NAME = 1,
	NBD_OPT_ABORT = 2,
	NBD_OPT_LIST = 3,
	NBD_OPT_STARTTLS = 5,
	NBD_OPT_INFO = 6,
	NBD_OPT_GO = 7,
	NBD_OPT_STRUCTURED_REPLY = 8,
	NBD_OPT_LIST_META_CONTEXT = 9,
	NBD_OPT_SET_META_CONTEXT = 10,
};

enum nbd_option_reply_code {
	NBD_REP_ACK = 1,
	NBD_REP_SERVER = 2,
	NBD_REP_INFO = 3,
	NBD_REP_META_CONTEXT = 4,
};
#define NBD_REP_ERR_UNSUP	UINT32_C(0x80000001)
#define NBD_REP_ERR_POLICY	UINT32_C(0x80000002)
#define NBD_REP_ERR_INVALID	UINT32_C(0x80000003)
#define NBD_REP_ERR_PLATFORM	UINT32_C(0x80000004)
#define NBD_REP_ERR_TLS_REQD	UINT32_C(0x80000005)
#define NBD_REP_ERR_UNKNOWN	UINT32_C(0x80000006)
#define NBD_REP_ERR_SHUTDOWN	UINT32_C(0x80000007)

enum nbd_info_code { NBD_INFO_EXPORT, NBD_INFO_NAME, NBD_INFO_DESCRIPTION, NBD_INFO_BLOCK_SIZE };

struct nbd_client_flags {
	bool fixed_newstyle;
	bool no_zeroes;
};

/* -EPROTO: bits that were not offered. */
RT_MUST_CHECK int nbd_parse_client_flags(const uint8_t bytes[NBD_CLIENT_FLAGS_SIZE], struct nbd_client_flags *out);

struct nbd_option {
	uint32_t code;		/* enum nbd_option_code, or one that is not known */
	uint32_t len;		/* bytes of data that follow, at most NBD_OPTION_MAX */
};

/* -EPROTO: no option; -EMSGSIZE: more data than is allowed. Either way the stream is of no use any more. */
RT_MUST_CHECK int nbd_parse_option(const uint8_t bytes[NBD_OPTION_SIZE], struct nbd_option *out);

struct nbd_name {
	char text[NBD_NAME_MAX + 1];	/* ends with a zero byte; may be empty */
};

/* The data of EXPORT_NAME: the name alone. -EINVAL: longer than NBD_NAME_MAX, or zero bytes inside. */
RT_MUST_CHECK int nbd_parse_name(const uint8_t *data, size_t len, struct nbd_name *out);

struct nbd_info_query {
	struct nbd_name name;
	bool wants_name;
	bool wants_description;
	bool wants_block_size;
};

/* The data of INFO and GO. -EINVAL: lengths that do not fit, or a bad name. */
RT_MUST_CHECK int nbd_parse_info_query(const uint8_t *data, size_t len, struct nbd_info_query *out);

struct nbd_meta_query {
	struct nbd_name name;
	uint32_t queries;	/* how many were sent */
	bool allocation;	/* "base:allocation" is among them */
	bool base;		/* "base:" is among them: all of that name space, when it is a list that is asked for */
};

/* The data of LIST_META_CONTEXT and SET_META_CONTEXT. -EINVAL as above. */
RT_MUST_CHECK int nbd_parse_meta_query(const uint8_t *data, size_t len, struct nbd_meta_query *out);

/* What transmission is about, once an export was chosen. */
struct nbd_session {
	uint64_t size;		/* bytes, when it was attached */
	bool writable;
	bool structured;	/* structured replies were negotiated */
	bool block_status;	/* base:allocation was negotiated for this export */
	bool zero_is_fast;	/* zeroes that make holes cost less than writing them */
};

#define NBD_META_ALLOCATION_ID	1u	/* the id we give to base:allocation */
#define NBD_META_ALLOCATION	"base:allocation"

void nbd_put_greeting(uint8_t to[NBD_GREETING_SIZE]);
void nbd_put_option_reply(uint8_t to[NBD_OPTION_REPLY_SIZE], uint32_t option, uint32_t reply, uint32_t len);
void nbd_put_info_export(uint8_t to[NBD_INFO_EXPORT_SIZE], const struct nbd_session *session);
void nbd_put_info_block_size(uint8_t to[NBD_INFO_BLOCK_SIZE_SIZE]);

/* The answer to EXPORT_NAME; returns how many of the bytes are to be sent. */
size_t nbd_put_export_name_reply(uint8_t to[NBD_EXPORT_NAME_REPLY_SIZE], const struct nbd_session *session,
				 bool no_zeroes);

/* ---- transmission ---- */

#define NBD_COMMAND_SIZE	28u
#define NBD_SIMPLE_REPLY_SIZE	16u
#define NBD_CHUNK_SIZE		20u		/* header of a chunk */
#define NBD_DATA_CHUNK_SIZE	28u		/* header and offset of OFFSET_DATA */
#define NBD_HOLE_CHUNK_SIZE	32u		/* a whole OFFSET_HOLE */
#define NBD_ERROR_CHUNK_SIZE	26u		/* an ERROR without a text */
#define NBD_EXTENT_SIZE		8u		/* one descriptor of a block status */
#define NBD_STATUS_CHUNK_SIZE	24u		/* header and context id of BLOCK_STATUS */

enum nbd_command_code {
	NBD_CMD_READ,
	NBD_CMD_WRITE,
	NBD_CMD_DISC,
	NBD_CMD_FLUSH,
	NBD_CMD_TRIM,
	NBD_CMD_CACHE,
	NBD_CMD_WRITE_ZEROES,
	NBD_CMD_BLOCK_STATUS,
	NBD_CMD_COUNT
};

#define NBD_CMD_FLAG_FUA	1u
#define NBD_CMD_FLAG_NO_HOLE	2u
#define NBD_CMD_FLAG_DF		4u
#define NBD_CMD_FLAG_REQ_ONE	8u
#define NBD_CMD_FLAG_FAST_ZERO	16u

struct nbd_command {
	uint16_t flags;
	uint16_t code;		/* enum nbd_command_code after validation */
	uint64_t cookie;	/* the client's, given back in the reply */
	uint64_t offset;	/* bytes */
	uint32_t len;		/* bytes */
};

/* -EPROTO: no request; -EMSGSIZE: a write of more than NBD_PAYLOAD_MAX. Either way the stream is of no use any more. */
RT_MUST_CHECK int nbd_parse_command(const uint8_t bytes[NBD_COMMAND_SIZE], struct nbd_command *out);

/*
 * Everything that can be said about a command without doing it: 0, or the error of its reply: -EINVAL (code, flags,
 * length, range), -ENOSPC (writes behind the end), -EPERM (writes to what is read-only), -EOVERFLOW (reads over
 * NBD_PAYLOAD_MAX in one piece), -ENOTSUP (zeroes that are to be fast and would not be).
 */
RT_MUST_CHECK int nbd_validate_command(const struct nbd_session *session, const struct nbd_command *command);

/* The one place where errors of the engine (0 or negative) become errors of the protocol. */
uint32_t nbd_error(int rc);

void nbd_put_simple_reply(uint8_t to[NBD_SIMPLE_REPLY_SIZE], uint64_t cookie, int rc);
void nbd_put_data_chunk(uint8_t to[NBD_DATA_CHUNK_SIZE], uint64_t cookie, bool done, uint64_t offset, uint32_t len);
void nbd_put_hole_chunk(uint8_t to[NBD_HOLE_CHUNK_SIZE], uint64_t cookie, bool done, uint64_t offset, uint32_t len);
void nbd_put_error_chunk(uint8_t to[NBD_ERROR_CHUNK_SIZE], uint64_t cookie, int rc);	/* rc < 0; the last */
void nbd_put_status_chunk(uint8_t to[NBD_STATUS_CHUNK_SIZE], uint64_t cookie, uint32_t extents);	/* the last */
void nbd_put_extent(uint8_t to[NBD_EXTENT_SIZE], uint32_t len, bool data);

#endif
