/* SPDX-License-Identifier: Apache-2.0 */
#include "face/cim/query.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "face/cim/path.h"
#include "face/cim/query_term.h"

#define PATTERN_MAX	(QUERY_TEXT_MAX + 1)

/* ---- truth ---- */

enum truth { NO, UNKNOWN, YES };

static enum truth truth_of(bool is_so)
{
	return is_so ? YES : NO;
}

/* What NULL has to do with it is not known. */
static enum truth not(enum truth truth)
{
	return YES - truth;
}

/* ---- comparisons ---- */

/* A value, whether of a property or a literal. */
struct element {
	enum cim_type type;
	struct cim_scalar scalar;
};

static bool is_signed(enum cim_type type)
{
	return type == CIM_TYPE_SINT8 || type == CIM_TYPE_SINT16 || type == CIM_TYPE_SINT32 || type == CIM_TYPE_SINT64;
}

static bool is_real(enum cim_type type)
{
	return type == CIM_TYPE_REAL32 || type == CIM_TYPE_REAL64;
}

static double real_of(const struct element *element)
{
	if (is_real(element->type))
		return element->scalar.real;
	return is_signed(element->type) ? (double)element->scalar.signed_number : (double)element->scalar.number;
}

static int compare_numbers(const struct element *a, const struct element *b)
{
	bool a_negative = is_signed(a->type) && a->scalar.signed_number < 0;
	bool b_negative = is_signed(b->type) && b->scalar.signed_number < 0;

	if (is_real(a->type) || is_real(b->type))
		return (real_of(a) > real_of(b)) - (real_of(a) < real_of(b));
	if (a_negative != b_negative)
		return a_negative ? -1 : 1;
	/* Of one sign both are in order as they are. */
	return (a->scalar.number > b->scalar.number) - (a->scalar.number < b->scalar.number);
}

/* false: they cannot be compared. */
static bool compare(const struct element *a, const struct element *b, int *order)
{
	enum query_family family = query_family_of(a->type);

	if (a->scalar.is_null || b->scalar.is_null || family != query_family_of(b->type))
		return false;
	switch (family) {
	case QUERY_BOOLEAN:
		*order = a->scalar.boolean - b->scalar.boolean;
		return true;
	case QUERY_NUMBER:
		*order = compare_numbers(a, b);
		return true;
	case QUERY_TEXT:
		*order = strcmp(a->scalar.text, b->scalar.text);
		return true;
	case QUERY_TIME:
		*order = (a->scalar.datetime.us > b->scalar.datetime.us) -
			 (a->scalar.datetime.us < b->scalar.datetime.us);
		return a->scalar.datetime.is_interval == b->scalar.datetime.is_interval;
	case QUERY_PATH:
		*order = !cim_path_equal(a->scalar.path, b->scalar.path);
		return true;
	}
	abort();
}

static enum truth meets_order(const struct element *a, enum query_order wanted, const struct element *b)
{
	int order;

	if (!compare(a, b, &order))
		return UNKNOWN;
	switch (wanted) {
	case QUERY_EQ:
		return truth_of(order == 0);
	case QUERY_NE:
		return truth_of(order != 0);
	case QUERY_LT:
		return truth_of(order < 0);
	case QUERY_LE:
		return truth_of(order <= 0);
	case QUERY_GT:
		return truth_of(order > 0);
	case QUERY_GE:
		return truth_of(order >= 0);
	}
	abort();
}

/* ---- operands ---- */

/* The values of an operand in one instance: of an array with an index the one, of an array all. */
struct values {
	struct cim_value value;
	unsigned first, count;
};

/* false: NULL, or there is no embedded instance, or one of another class. */
static bool get_values(const struct query_instance *instance, const struct query_operand *operand,
		       struct values *values)
{
	const struct cim_schema_property *property = operand->property;

	*values = (struct values){ .value = { .type = operand->type, .one = operand->literal }, .count = 1 };
	if (!property)
		return true;
	if (operand->embedded) {
		instance = instance->get_embedded(instance, property);
		if (!instance ||
		    (operand->embedded_class && !cim_schema_is_a(instance->class, operand->embedded_class)))
			return false;
		property = cim_schema_find_property(instance->class, operand->embedded);
	}
	if (!property || !instance->get(instance, property, &values->value) || values->value.is_null)
		return false;
	if (values->value.is_array)
		values->count = values->value.count;
	if (operand->has_index) {
		values->first = operand->index;
		return operand->index < values->count && (values->count = 1);
	}
	return true;
}

static struct element get_element(const struct values *values, unsigned index)
{
	const struct cim_value *value = &values->value;

	return (struct element){ value->type, value->is_array ? value->list[values->first + index] : value->one };
}

static enum truth compare_arrays(const struct values *a, enum query_order order, const struct values *b)
{
	bool equal = a->count == b->count;

	for (unsigned i = 0; equal && i < a->count; i++) {
		struct element of_a = get_element(a, i), of_b = get_element(b, i);

		equal = meets_order(&of_a, QUERY_EQ, &of_b) == YES;
	}
	return truth_of(equal == (order == QUERY_EQ));
}

/* Do any of a and any of b? */
static enum truth compare_each(const struct values *a, enum query_order order, const struct values *b)
{
	enum truth truth = UNKNOWN;

	for (unsigned i = 0; i < a->count; i++)
		for (unsigned j = 0; truth != YES && j < b->count; j++) {
			struct element of_a = get_element(a, i), of_b = get_element(b, j);

			truth = meets_order(&of_a, order, &of_b);
		}
	return truth;
}

static enum truth compare_operands(const struct query_term *term, const struct query_instance *instance)
{
	struct values a, b;

	if (!get_values(instance, &term->a, &a) || !get_values(instance, &term->b, &b))
		return UNKNOWN;
	if (term->a.is_array && term->b.is_array)
		return compare_arrays(&a, term->order, &b);
	return compare_each(&a, term->order, &b);
}

/* ---- patterns ---- */

/* All places that need not be there are passed. */
static void pass_repeated(const struct query_term *term, bool *at)
{
	for (unsigned i = 0; i < term->pattern_count; i++)
		if (at[i] && term->pattern[i].repeated)
			at[i + 1] = true;
}

/* Which places the text can have come to, byte by byte: no pattern takes longer than its length times the text's. */
static bool is_like(const struct query_term *term, const char *text)
{
	bool at[PATTERN_MAX + 1] = { true };

	pass_repeated(term, at);
	for (; *text; text++) {
		for (unsigned i = term->pattern_count + 1; i-- > 0; ) {
			const struct query_place *place = &term->pattern[i];
			bool here = at[i] && i < term->pattern_count && (place->any || place->byte == *text);

			at[i] = here && place->repeated;
			if (here)
				at[i + 1] = true;
		}
		pass_repeated(term, at);
	}
	return at[term->pattern_count];
}

static enum truth test_like(const struct query_term *term, const struct query_instance *instance)
{
	enum truth truth = UNKNOWN;
	struct values values;

	if (!get_values(instance, &term->a, &values) || values.value.type != CIM_TYPE_STRING)
		return UNKNOWN;
	for (unsigned i = 0; truth != YES && i < values.count; i++) {
		struct element element = get_element(&values, i);

		truth = element.scalar.is_null ? UNKNOWN : truth_of(is_like(term, element.scalar.text));
	}
	return truth;
}

/* ---- conditions ---- */

static enum truth test_isa(const struct query_term *term, const struct query_instance *instance)
{
	if (term->a.property)
		instance = instance->get_embedded(instance, term->a.property);
	return instance ? truth_of(cim_schema_is_a(instance->class, term->class)) : UNKNOWN;
}

static enum truth test_is_null(const struct query_term *term, const struct query_instance *instance)
{
	struct values values;

	return truth_of(!get_values(instance, &term->a, &values));
}

static enum truth test(const struct query_term *term, const struct query_instance *instance)
{
	enum truth left, right;

	switch (term->kind) {
	case QUERY_AND:
		left = test(term->left, instance);
		right = left == NO ? NO : test(term->right, instance);
		return left < right ? left : right;
	case QUERY_OR:
		left = test(term->left, instance);
		right = left == YES ? YES : test(term->right, instance);
		return left > right ? left : right;
	case QUERY_NOT:
		return not(test(term->left, instance));
	case QUERY_COMPARE:
		return compare_operands(term, instance);
	case QUERY_LIKE:
		return test_like(term, instance);
	case QUERY_IS_NULL:
		return test_is_null(term, instance);
	case QUERY_ISA:
		return test_isa(term, instance);
	}
	abort();
}

bool query_meets(const struct query *query, const struct query_instance *instance)
{
	return cim_schema_is_a(instance->class, query->class) &&
	       (!query->condition || test(query->condition, instance) == YES);
}

bool query_selects(const struct query *query, const struct cim_schema_property *property)
{
	if (query->selects_all)
		return true;
	for (unsigned i = 0; i < query->selected_count; i++)
		if (!strcasecmp(query->selected[i]->name, property->name))
			return true;
	return false;
}

/* ---- what may meet it at all ---- */

static bool may_embed(const struct query_term *term, const char *property, const struct cim_schema_class *class)
{
	switch (term->kind) {
	case QUERY_AND:
		return may_embed(term->left, property, class) && may_embed(term->right, property, class);
	case QUERY_OR:
		return may_embed(term->left, property, class) || may_embed(term->right, property, class);
	case QUERY_ISA:
		return !term->a.property || strcasecmp(term->a.property->name, property) ||
		       cim_schema_is_a(class, term->class) || cim_schema_is_a(term->class, class);
	default:
		return true;
	}
}

bool query_may_embed(const struct query *query, const char *property, const struct cim_schema_class *class)
{
	return !query->condition || may_embed(query->condition, property, class);
}
