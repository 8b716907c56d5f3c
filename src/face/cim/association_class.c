/* SPDX-License-Identifier: Apache-2.0 */
/* Associations between classes, as the schema has them: a class may stand where it, or one above it, is referenced. */
#include "face/cim/association.h"

#include <strings.h>

static bool is_below_named(const struct cim_schema_class *class, const char *ancestor)
{
	return !ancestor || cim_schema_is_named(class, ancestor);
}

/* Has the association this one at another end than property `from`? */
static bool has_end(const struct cim_question *question, const struct cim_schema_class *association, unsigned from,
		    const struct cim_schema_class *end)
{
	for (unsigned i = 0; i < association->property_count; i++) {
		const struct cim_schema_property *property = association->properties[i];

		if (i != from && cim_question_takes_end(question, property) && property->reference_class &&
		    !strcasecmp(property->reference_class, end->name))
			return true;
	}
	return false;
}

/* Does it lead from the source: to that end, or (NULL) to any? */
static bool leads_to(const struct cim_question *question, const struct cim_schema_class *association,
		     const struct cim_schema_class *end)
{
	for (unsigned i = 0; i < association->property_count; i++) {
		const struct cim_schema_property *property = association->properties[i];

		if (cim_question_takes_role(question, property) &&
		    is_below_named(question->source->class, property->reference_class) &&
		    (!end || has_end(question, association, i, end)))
			return true;
	}
	return false;
}

static bool is_answer(const struct cim_question *question, const struct cim_schema_class *class)
{
	const struct cim_schema_class *association = NULL;

	if (question->is_reference)
		return class->is_association && leads_to(question, class, NULL) &&
		       (!question->association || cim_schema_is_a(class, question->association));
	if (question->result && !cim_schema_is_a(class, question->result))
		return false;
	while ((association = cim_schema_next_class(question->source->ns, NULL, false, association)) != NULL)
		if (association->is_association &&
		    (!question->association || cim_schema_is_a(association, question->association)) &&
		    leads_to(question, association, class))
			return true;
	return false;
}

bool cim_answer_classes(struct cim_operation_call *call, const struct cim_question *question,
			const struct xml_class_wishes *wishes)
{
	enum cim_namespace ns = question->source->ns;
	const struct cim_schema_class *class = NULL;
	struct cim_path path = { .ns = ns, .is_class = true };

	while ((class = cim_schema_next_class(ns, NULL, false, class)) != NULL && xml_flush(call->text)) {
		if (!is_answer(question, class))
			continue;
		path.class = class;
		xml_put(call->text, wishes ? "<VALUE.OBJECTWITHPATH>" : "<OBJECTPATH>");
		xml_put_path_full(call->text, &path, call->engine ? cim_engine_host(call->engine) : "localhost");
		if (wishes)
			xml_put_class(call->text, class, wishes);
		xml_put(call->text, wishes ? "</VALUE.OBJECTWITHPATH>" : "</OBJECTPATH>");
	}
	return true;
}
