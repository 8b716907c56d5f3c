/* SPDX-License-Identifier: Apache-2.0 */
#include "face/cim/query_lex.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define DIGITS	"0123456789"
#define LETTERS	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_"

bool query_lexer_refuse(struct query_lexer *lexer, size_t at, const char *format, ...)
{
	char what[192];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	return cim_fail(lexer->failure, CIM_ERR_INVALID_QUERY, "at character %zu: %s", at + 1, what);
}

bool query_lexer_expected(struct query_lexer *lexer, const char *what)
{
	if (lexer->word.kind == WORD_END)
		return query_lexer_refuse(lexer, lexer->word.at, "expected %s, found the end", what);
	return query_lexer_refuse(lexer, lexer->word.at, "expected %s, found %.40s", what, lexer->word.text);
}

static bool take(struct query_lexer *lexer, enum query_word_kind kind, size_t len)
{
	lexer->word.kind = kind;
	lexer->word.text = arena_copy_bytes(lexer->arena, lexer->text + lexer->at, len);
	lexer->at += len;
	return lexer->word.text || cim_fail(lexer->failure, CIM_ERR_FAILED, "out of memory");
}

/* A quote in a text is doubled, or stands behind a backslash, as does a backslash. */
static bool take_text(struct query_lexer *lexer, enum query_word_kind kind)
{
	const char *from = lexer->text + lexer->at;
	char quote = *from++, *to = arena_take(lexer->arena, strlen(from) + 1);

	lexer->word.kind = kind;
	lexer->word.text = to;
	if (!to)
		return cim_fail(lexer->failure, CIM_ERR_FAILED, "out of memory");
	for (;; from++) {
		if (!*from)
			return query_lexer_refuse(lexer, lexer->word.at, "a text does not end");
		if (*from == '\\' && (from[1] == '\\' || from[1] == '\'' || from[1] == '"'))
			from++;
		else if (*from == quote && from[1] == quote)
			from++;
		else if (*from == quote)
			break;
		*to++ = *from;
	}
	lexer->at = (size_t)(from + 1 - lexer->text);
	return true;
}

static bool take_number(struct query_lexer *lexer)
{
	const char *text = lexer->text + lexer->at;
	size_t sign = strspn(text, "+-") ? 1 : 0, whole = sign + strspn(text + sign, DIGITS), len = whole;

	if (whole == sign + 1 && text[sign] == '0' && (text[whole] | 0x20) == 'x')
		return take(lexer, WORD_INTEGER, whole + 1 + strspn(text + whole + 1, DIGITS "abcdefABCDEF"));
	if (text[len] == '.' && strspn(text + len + 1, DIGITS))
		len += 1 + strspn(text + len + 1, DIGITS);
	if ((text[len] | 0x20) == 'e') {
		size_t exponent = strspn(text + len + 1, "+-") ? 2 : 1;

		if (strspn(text + len + exponent, DIGITS))
			len += exponent + strspn(text + len + exponent, DIGITS);
	}
	return take(lexer, len > whole ? WORD_REAL : WORD_INTEGER, len);
}

static bool is_number(const char *text)
{
	size_t sign = strspn(text, "+-") ? 1 : 0;

	return strspn(text + sign, DIGITS) > 0;
}

static bool take_sign(struct query_lexer *lexer)
{
	static const char *const signs[] = { "<>", "<=", ">=", "::", "!=", "(", ")", ",", ".", "*", "[", "]", "=",
					     "<", ">" };
	const char *text = lexer->text + lexer->at;

	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++)
		if (!strncmp(text, signs[i], strlen(signs[i])))
			return take(lexer, WORD_SIGN, strlen(signs[i]));
	if (*text >= ' ' && *text <= '~')
		return query_lexer_refuse(lexer, lexer->at, "'%c' begins nothing", *text);
	return query_lexer_refuse(lexer, lexer->at, "the byte 0x%02x begins nothing", (unsigned char)*text);
}

bool query_lexer_next(struct query_lexer *lexer)
{
	const char *text;

	lexer->at += strspn(lexer->text + lexer->at, " \t\r\n");
	text = lexer->text + lexer->at;
	lexer->word.at = lexer->at;
	if (!*text) {
		lexer->word.kind = WORD_END;
		lexer->word.text = "";
		return true;
	}
	if (strspn(text, LETTERS))
		return take(lexer, WORD_NAME, strspn(text, LETTERS DIGITS));
	if (is_number(text))
		return take_number(lexer);
	if (*text == '\'' || *text == '"')
		return take_text(lexer, WORD_TEXT);
	if (*text == '#' && (text[1] == '\'' || text[1] == '"')) {
		lexer->at++;
		return take_text(lexer, WORD_SYMBOL);
	}
	return take_sign(lexer);
}
