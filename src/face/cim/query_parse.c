/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "face/cim/query_lex.h"
#include "face/cim/query_term.h"

const char *const query_language_names[QUERY_LANGUAGE_COUNT] = { "WQL", "DMTF:CQL" };

struct parser {
	struct query_lexer lexer;
	struct cim_arena *arena;
	unsigned namespaces;
	struct query *query;
	const char *alias;		/* of the class; NULL: none */
	unsigned depth;
};

/* ---- words ---- */

static bool next(struct parser *parser)
{
	return query_lexer_next(&parser->lexer);
}

static bool is_sign(const struct parser *parser, const char *sign)
{
	return parser->lexer.word.kind == WORD_SIGN && !strcmp(parser->lexer.word.text, sign);
}

static bool is_keyword(const struct parser *parser, const char *keyword)
{
	return parser->lexer.word.kind == WORD_NAME && !strcasecmp(parser->lexer.word.text, keyword);
}

static bool need_sign(struct parser *parser, const char *sign)
{
	return is_sign(parser, sign) ? next(parser) : query_lexer_expected(&parser->lexer, sign);
}

static bool need_keyword(struct parser *parser, const char *keyword)
{
	return is_keyword(parser, keyword) ? next(parser) : query_lexer_expected(&parser->lexer, keyword);
}

/* *name is in the arena. */
static bool need_name(struct parser *parser, const char *what, const char **name)
{
	if (parser->lexer.word.kind != WORD_NAME)
		return query_lexer_expected(&parser->lexer, what);
	*name = parser->lexer.word.text;
	return next(parser);
}

static bool fail_memory(struct parser *parser)
{
	return cim_fail(parser->lexer.failure, CIM_ERR_FAILED, "out of memory");
}

static void *take(struct parser *parser, size_t len)
{
	void *piece = arena_take(parser->arena, len);

	if (!piece)
		fail_memory(parser);
	return piece;
}

/* ---- names of the schema ---- */

static const struct cim_schema_class *find_class(const struct parser *parser, const char *name)
{
	const struct cim_schema_class *class = cim_schema_find_any_class(name);

	return class && class->namespaces & parser->namespaces ? class : NULL;
}

/* WQL writes the name of a class in quotes at times. */
static bool need_class(struct parser *parser, const struct cim_schema_class **class)
{
	const struct query_word word = parser->lexer.word;

	if (word.kind != WORD_NAME && word.kind != WORD_TEXT)
		return query_lexer_expected(&parser->lexer, "the name of a class");
	*class = find_class(parser, word.text);
	if (!*class)
		return query_lexer_refuse(&parser->lexer, word.at, "there is no class %.64s", word.text);
	return next(parser);
}

/* Is it the class of the query, by its name or alias? */
static bool names_instance(const struct parser *parser, const char *name)
{
	return !strcasecmp(name, parser->query->class->name) || !strcasecmp(name, "__this") ||
	       (parser->alias && !strcasecmp(name, parser->alias));
}

static bool is_embedded(const struct cim_schema_property *property)
{
	return property->type == CIM_TYPE_STRING &&
	       (cim_schema_find_qualifier(&property->qualifiers, "EmbeddedObject") ||
		cim_schema_find_qualifier(&property->qualifiers, "EmbeddedInstance"));
}

/*
 * A property of what is embedded, of any class that may be: the first that has it stands for all when types are looked
 * at. NULL: no class has it.
 */
static const struct cim_schema_property *find_embedded(const struct parser *parser,
						       const struct query_operand *operand)
{
	const struct cim_schema_class *top = operand->embedded_class;
	unsigned first = top ? top->order : 0, last = top ? top->order_last : cim_schema_class_count - 1;

	for (unsigned i = first; i <= last; i++) {
		const struct cim_schema_class *class = cim_schema_classes[i];
		const struct cim_schema_property *property = class->namespaces & parser->namespaces
			? cim_schema_find_property(class, operand->embedded) : NULL;

		if (property)
			return property;
	}
	return NULL;
}

/* ---- operands ---- */

/* One that names no property names the instance itself, or what is embedded in it: for ISA. */
struct name {
	size_t at;
	struct query_operand operand;
	const struct cim_schema_property *last;	/* whose value it is; NULL: the instance */
};

/* After CLASS. and CLASS:: the property; CLASS is the query's, or (in front of a property of it) an ancestor. */
static bool read_qualified(struct parser *parser, const char **name, const struct cim_schema_class **class)
{
	*class = NULL;
	if (!need_name(parser, "a name", name))
		return false;
	if (!is_sign(parser, "::"))
		return true;
	*class = find_class(parser, *name);
	if (!*class)
		return query_lexer_refuse(&parser->lexer, parser->lexer.word.at, "there is no class %.64s", *name);
	return next(parser) && need_name(parser, "the name of a property", name);
}

static bool read_index(struct parser *parser, struct name *name)
{
	const struct query_word *word = &parser->lexer.word;

	if (!is_sign(parser, "["))
		return true;
	if (!name->last || !name->last->is_array)
		return query_lexer_refuse(&parser->lexer, word->at, "this is no array");
	if (!next(parser))
		return false;
	if (!is_sign(parser, "*")) {
		struct cim_scalar value;

		if (word->kind != WORD_INTEGER || !cim_scalar_read(CIM_TYPE_UINT16, word->text, &value))
			return query_lexer_expected(&parser->lexer, "an index or *");
		name->operand.has_index = true;
		name->operand.index = (unsigned)value.number;
	}
	return next(parser) && need_sign(parser, "]");
}

static bool read_embedded(struct parser *parser, struct name *name)
{
	size_t at = parser->lexer.word.at;

	if (!is_embedded(name->last))
		return query_lexer_refuse(&parser->lexer, at, "%.64s holds no instance", name->last->name);
	if (!next(parser) || !read_qualified(parser, &name->operand.embedded, &name->operand.embedded_class))
		return false;
	name->last = find_embedded(parser, &name->operand);
	if (!name->last)
		return query_lexer_refuse(&parser->lexer, at, "%s has a property %.64s", name->operand.embedded_class ?
					  "neither that class nor one below it" : "no class", name->operand.embedded);
	return true;
}

static bool read_name(struct parser *parser, struct name *name)
{
	const struct cim_schema_class *class = NULL;
	const char *text;

	*name = (struct name){ .at = parser->lexer.word.at };
	if (!read_qualified(parser, &text, &class))
		return false;
	if (!class && names_instance(parser, text)) {
		if (!is_sign(parser, "."))
			return true;
		if (!next(parser) || !read_qualified(parser, &text, &class))
			return false;
	}
	name->last = cim_schema_find_property(parser->query->class, text);
	if (!name->last || (class && !cim_schema_is_a(parser->query->class, class)))
		return query_lexer_refuse(&parser->lexer, name->at, "%s has no property %.64s",
					  parser->query->class->name, text);
	name->operand.property = name->last;
	if (is_sign(parser, ".") && !read_embedded(parser, name))
		return false;
	if (!read_index(parser, name))
		return false;
	name->operand.is_array = name->last->is_array && !name->operand.has_index;
	return true;
}

/* *is_literal false: it is none, and nothing was read. */
static bool read_literal(struct parser *parser, struct query_operand *operand, bool *is_literal)
{
	const struct query_word *word = &parser->lexer.word;

	*operand = (struct query_operand){ 0 };
	*is_literal = true;
	if (word->kind == WORD_INTEGER) {
		operand->type = *word->text == '-' ? CIM_TYPE_SINT64 : CIM_TYPE_UINT64;
	} else if (word->kind == WORD_REAL) {
		operand->type = CIM_TYPE_REAL64;
	} else if (word->kind == WORD_TEXT) {
		operand->type = CIM_TYPE_STRING;
	} else if (word->kind == WORD_SYMBOL && parser->query->language == QUERY_CQL) {
		operand->type = CIM_TYPE_STRING;
		operand->symbol = word->text;
	} else if (is_keyword(parser, "TRUE") || is_keyword(parser, "FALSE")) {
		operand->type = CIM_TYPE_BOOLEAN;
	} else {
		*is_literal = false;
		return true;
	}
	if (!cim_scalar_read(operand->type, word->text, &operand->literal))
		return query_lexer_refuse(&parser->lexer, word->at, "%.40s is too large", word->text);
	return next(parser);
}

/* ---- types ---- */

enum query_family query_family_of(enum cim_type type)
{
	switch (type) {
	case CIM_TYPE_BOOLEAN:
		return QUERY_BOOLEAN;
	case CIM_TYPE_STRING:
		return QUERY_TEXT;
	case CIM_TYPE_DATETIME:
		return QUERY_TIME;
	case CIM_TYPE_REFERENCE:
		return QUERY_PATH;
	default:
		return QUERY_NUMBER;
	}
}

static const char *const family_names[] = {
	[QUERY_BOOLEAN] = "a boolean", [QUERY_NUMBER] = "a number", [QUERY_TEXT] = "a text",
	[QUERY_TIME] = "a datetime", [QUERY_PATH] = "a reference",
};

static bool settle_symbol(struct parser *parser, size_t at, const struct name *name, struct query_operand *operand)
{
	if (name->operand.embedded && !name->operand.embedded_class)
		return query_lexer_refuse(&parser->lexer, at, "of which class is that: CLASS::%.64s", name->last->name);
	if (cim_schema_value_number(&name->last->qualifiers, operand->symbol, &operand->literal.number))
		return query_lexer_refuse(&parser->lexer, at, "the value map of %.64s has no '%.64s'", name->last->name,
					  operand->symbol);
	operand->type = CIM_TYPE_UINT64;
	return true;
}

/* The literal becomes what it is as a value of what is named. */
static bool settle_literal(struct parser *parser, size_t at, const struct name *name, struct query_operand *operand)
{
	enum query_family wanted = query_family_of(name->last->type);

	if (operand->symbol && !settle_symbol(parser, at, name, operand))
		return false;
	if (wanted == QUERY_TIME && operand->type == CIM_TYPE_STRING &&
	    cim_scalar_read(CIM_TYPE_DATETIME, operand->literal.text, &operand->literal))
		operand->type = CIM_TYPE_DATETIME;
	if (query_family_of(operand->type) == wanted)
		return true;
	return query_lexer_refuse(&parser->lexer, at, "%.64s is compared with %s", name->last->name,
				  family_names[wanted]);
}

static bool check_order(struct parser *parser, size_t at, const struct cim_schema_property *property,
			const struct query_term *term)
{
	enum query_family family = query_family_of(property->type);

	if (term->order == QUERY_EQ || term->order == QUERY_NE ||
	    (family != QUERY_BOOLEAN && family != QUERY_PATH && !(term->a.is_array && term->b.is_array)))
		return true;
	return query_lexer_refuse(&parser->lexer, at, "%.64s has no order, only = and <>", property->name);
}

static bool check_names(struct parser *parser, const struct name *a, const struct name *b)
{
	enum query_family family_a = query_family_of(a->last->type), family_b = query_family_of(b->last->type);

	if (family_a == family_b)
		return true;
	return query_lexer_refuse(&parser->lexer, b->at, "%.64s is %s and %.64s is %s", a->last->name,
				  family_names[family_a], b->last->name, family_names[family_b]);
}

/* ---- conditions ---- */

static bool read_order(struct parser *parser, enum query_order *order)
{
	static const struct {
		const char *sign;
		enum query_order order;
	} orders[] = {
		{ "=", QUERY_EQ }, { "<>", QUERY_NE }, { "!=", QUERY_NE }, { "<", QUERY_LT }, { "<=", QUERY_LE },
		{ ">", QUERY_GT }, { ">=", QUERY_GE },
	};

	for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++)
		if (is_sign(parser, orders[i].sign)) {
			*order = orders[i].order;
			return next(parser);
		}
	return query_lexer_expected(&parser->lexer, "a comparison");
}

/* LITERAL = NAME is NAME = LITERAL. */
static enum query_order turned(enum query_order order)
{
	static const enum query_order orders[] = {
		[QUERY_EQ] = QUERY_EQ, [QUERY_NE] = QUERY_NE, [QUERY_LT] = QUERY_GT,
		[QUERY_LE] = QUERY_GE, [QUERY_GT] = QUERY_LT, [QUERY_GE] = QUERY_LE
	};

	return orders[order];
}

static bool need_value(struct parser *parser, const struct name *name)
{
	return name->last ||
	       query_lexer_refuse(&parser->lexer, name->at, "an instance has no value, only ISA can be asked of it");
}

static bool read_turned(struct parser *parser, size_t at, struct query_term *term)
{
	struct name name;

	term->kind = QUERY_COMPARE;
	if (!read_order(parser, &term->order) || !read_name(parser, &name) || !need_value(parser, &name))
		return false;
	term->order = turned(term->order);
	term->a = name.operand;
	return settle_literal(parser, at, &name, &term->b) && check_order(parser, name.at, name.last, term);
}

static bool read_compared(struct parser *parser, const struct name *left, struct query_term *term)
{
	size_t at;
	bool is_literal;
	struct name right;

	term->kind = QUERY_COMPARE;
	if (!read_order(parser, &term->order))
		return false;
	at = parser->lexer.word.at;
	if (!read_literal(parser, &term->b, &is_literal))
		return false;
	if (is_literal)
		return settle_literal(parser, at, left, &term->b) &&
		       check_order(parser, at, left->last, term);
	if (!read_name(parser, &right) || !need_value(parser, &right) || !check_names(parser, left, &right))
		return false;
	term->b = right.operand;
	return check_order(parser, left->at, left->last, term);
}

/* WQL has % for any bytes and _ for one; CQL . for one, and * behind it or a byte for any number of it. */
static bool make_pattern(struct parser *parser, const char *text, struct query_term *term)
{
	struct query_place *places = take(parser, (strlen(text) + 1) * sizeof(*places));
	bool is_wql = parser->query->language == QUERY_WQL;
	unsigned count = 0;

	if (!places)
		return false;
	for (; *text; text++) {
		if (is_wql) {
			places[count++] = (struct query_place){ *text, *text == '%' || *text == '_', *text == '%' };
		} else if (*text == '*' && count) {
			places[count - 1].repeated = true;
		} else {
			bool escaped = *text == '\\' && text[1];

			text += escaped;
			places[count++] = (struct query_place){ *text, !escaped && *text == '.', false };
		}
	}
	term->pattern = places;
	term->pattern_count = count;
	return true;
}

static bool read_like(struct parser *parser, const struct name *name, struct query_term *term)
{
	const char *text = parser->lexer.word.text;

	term->kind = QUERY_LIKE;
	if (name->last->type != CIM_TYPE_STRING)
		return query_lexer_refuse(&parser->lexer, name->at, "%.64s is no text", name->last->name);
	if (parser->lexer.word.kind != WORD_TEXT)
		return query_lexer_expected(&parser->lexer, "a pattern in quotes");
	return next(parser) && make_pattern(parser, text, term);
}

/* The term becomes what is not so. */
static bool negate(struct parser *parser, struct query_term *term)
{
	struct query_term *inner = take(parser, sizeof(*inner));

	if (!inner)
		return false;
	*inner = *term;
	*term = (struct query_term){ .kind = QUERY_NOT, .left = inner };
	return true;
}

static bool read_is_null(struct parser *parser, struct query_term *term)
{
	bool negated = is_keyword(parser, "NOT");

	term->kind = QUERY_IS_NULL;
	if (negated && !next(parser))
		return false;
	return need_keyword(parser, "NULL") && (!negated || negate(parser, term));
}

static bool read_isa(struct parser *parser, const struct name *name, struct query_term *term)
{
	term->kind = QUERY_ISA;
	if (name->operand.embedded || (name->last && !is_embedded(name->last)))
		return query_lexer_refuse(&parser->lexer, name->at, "%.64s holds no instance", name->last->name);
	return need_class(parser, &term->class);
}

static bool read_test(struct parser *parser, struct query_term *term)
{
	size_t at = parser->lexer.word.at;
	struct name name;
	bool is_literal;

	if (!read_literal(parser, &term->b, &is_literal))
		return false;
	if (is_literal)
		return read_turned(parser, at, term);
	/* What ANY asks for is what is meant without it. */
	if (parser->query->language == QUERY_CQL && is_keyword(parser, "ANY") && !next(parser))
		return false;
	if (!read_name(parser, &name))
		return false;
	term->a = name.operand;
	if (is_keyword(parser, "ISA"))
		return next(parser) && read_isa(parser, &name, term);
	if (!need_value(parser, &name))
		return false;
	if (is_keyword(parser, "IS"))
		return next(parser) && read_is_null(parser, term);
	if (is_keyword(parser, "LIKE"))
		return next(parser) && read_like(parser, &name, term);
	if (is_keyword(parser, "NOT"))
		return next(parser) && need_keyword(parser, "LIKE") && read_like(parser, &name, term) &&
		       negate(parser, term);
	return read_compared(parser, &name, term);
}

static const struct query_term *read_or(struct parser *parser);

static const struct query_term *read_unary(struct parser *parser)
{
	struct query_term *term = take(parser, sizeof(*term));
	bool ok;

	if (!term)
		return NULL;
	if (parser->depth == QUERY_DEPTH_MAX) {
		query_lexer_refuse(&parser->lexer, parser->lexer.word.at, "nested deeper than %u", QUERY_DEPTH_MAX);
		return NULL;
	}
	parser->depth++;
	if (is_keyword(parser, "NOT")) {
		term->kind = QUERY_NOT;
		term->left = next(parser) ? read_unary(parser) : NULL;
		ok = term->left;
	} else if (is_sign(parser, "(")) {
		const struct query_term *inner = next(parser) ? read_or(parser) : NULL;

		ok = inner && need_sign(parser, ")");
		if (ok)
			*term = *inner;
	} else {
		ok = read_test(parser, term);
	}
	parser->depth--;
	return ok ? term : NULL;
}

/* One or more of the lower kind with the keyword between them. */
static const struct query_term *read_chain(struct parser *parser, enum query_kind kind, const char *keyword,
					   const struct query_term *(*lower)(struct parser *parser))
{
	const struct query_term *left = lower(parser);

	while (left && is_keyword(parser, keyword)) {
		struct query_term *term = take(parser, sizeof(*term));

		if (!term || !next(parser))
			return NULL;
		*term = (struct query_term){ .kind = kind, .left = left, .right = lower(parser) };
		left = term->right ? term : NULL;
	}
	return left;
}

static const struct query_term *read_and(struct parser *parser)
{
	return read_chain(parser, QUERY_AND, "AND", read_unary);
}

static const struct query_term *read_or(struct parser *parser)
{
	return read_chain(parser, QUERY_OR, "OR", read_and);
}

/* ---- the query ---- */

/*
 * A name of the list, which is looked up when the class is known: [CLASS.]NAME, [CLASS.]*, or EMBEDDED.NAME, which is
 * all of what is embedded.
 */
struct selected {
	const char *name, *before;
	size_t at;
};

static bool read_selected(struct parser *parser, struct selected *selected)
{
	selected->at = parser->lexer.word.at;
	selected->name = "*";
	selected->before = NULL;
	if (is_sign(parser, "*"))
		return next(parser);
	if (!need_name(parser, "* or the name of a property", &selected->name))
		return false;
	if (!is_sign(parser, ".") && !is_sign(parser, "::"))
		return true;
	if (!next(parser))
		return false;
	selected->before = selected->name;
	selected->name = "*";
	return is_sign(parser, "*") ? next(parser) : need_name(parser, "the name of a property", &selected->name);
}

static bool read_list(struct parser *parser, struct selected *list, unsigned *count)
{
	for (*count = 0;; ) {
		if (*count == QUERY_SELECT_MAX)
			return query_lexer_refuse(&parser->lexer, parser->lexer.word.at, "more than %u names",
						  QUERY_SELECT_MAX);
		if (!read_selected(parser, &list[(*count)++]))
			return false;
		if (!is_sign(parser, ","))
			return true;
		if (!next(parser))
			return false;
	}
}

static bool settle_list(struct parser *parser, const struct selected *list, unsigned count)
{
	struct query *query = parser->query;

	query->selected = take(parser, count * sizeof(query->selected[0]));
	if (!query->selected)
		return false;
	for (unsigned i = 0; i < count; i++) {
		const struct cim_schema_property *property = list[i].before
			? cim_schema_find_property(query->class, list[i].before) : NULL;

		if (!property || !is_embedded(property))
			property = cim_schema_find_property(query->class, list[i].name);
		if (!property && !strcmp(list[i].name, "*"))
			query->selects_all = true;
		else if (property)
			query->selected[query->selected_count++] = property;
		else
			return query_lexer_refuse(&parser->lexer, list[i].at, "%s has no property %.64s",
						  query->class->name, list[i].name);
	}
	return true;
}

static bool read_alias(struct parser *parser)
{
	if (is_keyword(parser, "AS") && !next(parser))
		return false;
	if (parser->lexer.word.kind != WORD_NAME || is_keyword(parser, "WHERE"))
		return true;
	return need_name(parser, "an alias", &parser->alias);
}

static bool read_query(struct parser *parser)
{
	struct selected list[QUERY_SELECT_MAX];
	unsigned count;

	if (!next(parser) || !need_keyword(parser, "SELECT") || !read_list(parser, list, &count) ||
	    !need_keyword(parser, "FROM") || !need_class(parser, &parser->query->class) || !read_alias(parser) ||
	    !settle_list(parser, list, count))
		return false;
	if (is_keyword(parser, "WHERE")) {
		parser->query->condition = next(parser) ? read_or(parser) : NULL;
		if (!parser->query->condition)
			return false;
	}
	return parser->lexer.word.kind == WORD_END ||
	       query_lexer_expected(&parser->lexer,
				    parser->query->condition ? "AND, OR or the end" : "WHERE or the end");
}

bool query_parse(struct cim_arena *arena, unsigned namespaces, const char *language, const char *text,
		 struct query *query, struct cim_failure *failure)
{
	struct parser parser = {
		.lexer = { .arena = arena, .text = text, .failure = failure },
		.arena = arena, .namespaces = namespaces, .query = query,
	};

	*query = (struct query){ 0 };
	while (query->language < QUERY_LANGUAGE_COUNT && strcasecmp(query_language_names[query->language], language))
		query->language++;
	if (query->language == QUERY_LANGUAGE_COUNT && !strcasecmp(language, "CQL"))
		query->language = QUERY_CQL;
	if (query->language == QUERY_LANGUAGE_COUNT)
		return cim_fail(failure, CIM_ERR_QUERY_LANGUAGE_NOT_SUPPORTED,
				"there is no query language %.64s, only WQL and DMTF:CQL", language);
	if (strlen(text) > QUERY_TEXT_MAX)
		return cim_fail(failure, CIM_ERR_INVALID_QUERY, "a query has %u bytes at most", QUERY_TEXT_MAX);
	return read_query(&parser);
}
