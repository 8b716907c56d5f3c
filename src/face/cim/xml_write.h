/* SPDX-License-Identifier: Apache-2.0 */
/*
 * xml_write.h - CIM-XML that is sent, valid by the CIM DTD 2.3.1: a text that grows up to a limit, and what is written
 * into it. Running out is noted in it and asked for once. Any thread.
 *
 * An answer of any size takes little memory when whoever writes it calls xml_flush between its objects: what has been
 * written goes to the client then, at the client's pace.
 */
#ifndef XDC_FACE_CIM_XML_WRITE_H
#define XDC_FACE_CIM_XML_WRITE_H

#include "face/cim/request.h"
#include "face/cim/schema.h"

struct xml_text {
	char *bytes;
	size_t used, room, limit;
	bool failed;			/* the limit was met, there was no memory, or nobody takes it any more */
	bool passed;			/* some of it has gone to the sink, and cannot be taken back */

	/* Takes the used bytes when there are enough; NULL: the text is kept whole. false: nobody wants more. */
	bool (*sink)(void *arg);
	void *sink_arg;
};

void xml_text_init(struct xml_text *text, size_t limit);
void xml_text_free(struct xml_text *text);

/*
 * Between two objects of an answer: there may be enough to be sent. false: the text has failed, so nothing more need be
 * written. It may wait for a slow client, for as long as that may be slow: what the caller holds is copies, no lock,
 * and it is not on a reactor. What goes wrong after this is cim_operation_run's failure: text->used is not reset then.
 */
bool xml_flush(struct xml_text *text);

/* As it is; with what XML needs escaped, and what it cannot say replaced by '?'. */
void xml_put(struct xml_text *text, const char *bytes);
void xml_put_bytes(struct xml_text *text, const char *bytes, size_t len);
void xml_put_escaped(struct xml_text *text, const char *value);

/* ' NAME="value"'. */
void xml_put_attribute(struct xml_text *text, const char *name, const char *value);

/* Everything before and after the IRETURNVALUE of a response. */
void xml_begin_response(struct xml_text *text, const struct cim_request *request);
void xml_end_response(struct xml_text *text, const struct cim_request *request);
/* The same of a METHODRESPONSE, for what stands in it. */
void xml_begin_method_response(struct xml_text *text, const struct cim_request *request);
void xml_end_method_response(struct xml_text *text, const struct cim_request *request);

/* Of the pull family: the context (NULL: there is nothing more to be pulled). */
void xml_end_pull_response(struct xml_text *text, const struct cim_request *request, const char *context);
void xml_put_error(struct xml_text *text, const struct cim_request *request, const struct cim_failure *failure);

/* A class as a request wants it. */
struct xml_class_wishes {
	bool local_only, qualifiers, class_origin;
	struct cim_names properties;
};
void xml_put_class(struct xml_text *text, const struct cim_schema_class *class, const struct xml_class_wishes *wishes);
void xml_put_class_name(struct xml_text *text, const struct cim_schema_class *class);

/* QUALIFIER.DECLARATION */
void xml_put_qualifier_type(struct xml_text *text, const struct cim_schema_qualifier_type *type);

#endif
