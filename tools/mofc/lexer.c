/* SPDX-License-Identifier: Apache-2.0 */
#include "lexer.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Text of one token as long as it grows. */
struct growing {
	char *text;
	size_t length, size;
};

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (unsigned char)c >= 0x80;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* 16: it is none. */
static unsigned hex_digit(char c)
{
	if (is_digit(c))
		return (unsigned)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned)(c - 'a') + 10;
	return c >= 'A' && c <= 'F' ? (unsigned)(c - 'A') + 10 : 16;
}

static void fail(struct mof_lexer *lexer, const char *what)
{
	mof_complain(lexer->model, (struct mof_place){ lexer->place.file, lexer->line }, "%s", what);
}

static void skip_line(struct mof_lexer *lexer)
{
	while (lexer->at < lexer->end && *lexer->at != '\n')
		lexer->at++;
}

/* Behind the slash and the star. */
static void skip_comment(struct mof_lexer *lexer)
{
	for (lexer->at += 2; lexer->end - lexer->at >= 2; lexer->at++) {
		if (lexer->at[0] == '*' && lexer->at[1] == '/') {
			lexer->at += 2;
			return;
		}
		lexer->line += lexer->at[0] == '\n';
	}
	fail(lexer, "the comment does not end");
	lexer->at = lexer->end;
}

static void skip_space(struct mof_lexer *lexer)
{
	while (lexer->at < lexer->end) {
		bool two = lexer->end - lexer->at >= 2;

		if (two && lexer->at[0] == '/' && lexer->at[1] == '/')
			skip_line(lexer);
		else if (two && lexer->at[0] == '/' && lexer->at[1] == '*')
			skip_comment(lexer);
		else if (*lexer->at && strchr(" \t\r\n\f", *lexer->at))
			lexer->line += *lexer->at++ == '\n';
		else
			return;
	}
}

static bool grow(struct mof_lexer *lexer, struct growing *word, char c)
{
	size_t size = word->size ? word->size * 2 : 64;
	char *text;

	if (word->length + 1 >= word->size) {
		text = mof_allocate(lexer->model, size);
		if (!text)
			return false;
		if (word->length)
			memcpy(text, word->text, word->length);
		word->text = text;
		word->size = size;
	}
	word->text[word->length++] = c;
	word->text[word->length] = '\0';
	return true;
}

/* A character by its UCS-2 number, as UTF-8. */
static bool grow_unicode(struct mof_lexer *lexer, struct growing *word, unsigned number)
{
	if (number < 0x80)
		return grow(lexer, word, (char)number);
	if (number < 0x800)
		return grow(lexer, word, (char)(0xC0 | number >> 6)) &&
		       grow(lexer, word, (char)(0x80 | (number & 0x3F)));
	return grow(lexer, word, (char)(0xE0 | number >> 12)) &&
	       grow(lexer, word, (char)(0x80 | (number >> 6 & 0x3F))) &&
	       grow(lexer, word, (char)(0x80 | (number & 0x3F)));
}

/* Behind the backslash and the x: 1 to 4 digits. */
static bool read_hex_escape(struct mof_lexer *lexer, struct growing *word)
{
	unsigned number = 0, digits = 0;

	while (digits < 4 && lexer->at < lexer->end && hex_digit(*lexer->at) < 16) {
		number = number * 16 + hex_digit(*lexer->at++);
		digits++;
	}
	if (!number || (number >= 0xD800 && number < 0xE000)) {
		fail(lexer, "\\x needs 1 to 4 hexadecimal digits of a character");
		return false;
	}
	return grow_unicode(lexer, word, number);
}

static bool read_escape(struct mof_lexer *lexer, struct growing *word)
{
	static const char letters[] = "btnfr\"'\\", meant[] = "\b\t\n\f\r\"'\\";
	const char *letter;

	lexer->at++;
	if (lexer->at == lexer->end || !*lexer->at) {
		fail(lexer, "the string does not end");
		return false;
	}
	if (*lexer->at == 'x' || *lexer->at == 'X') {
		lexer->at++;
		return read_hex_escape(lexer, word);
	}
	letter = strchr(letters, *lexer->at++);
	if (!letter) {
		fail(lexer, "an escape is one of \\b \\t \\n \\f \\r \\\" \\' \\\\ \\xHHHH");
		return false;
	}
	return grow(lexer, word, meant[letter - letters]);
}

/* One literal with its quotes appended to word. */
static bool read_quoted(struct mof_lexer *lexer, struct growing *word, char quote)
{
	for (lexer->at++; lexer->at < lexer->end && *lexer->at != quote;) {
		if ((unsigned char)*lexer->at < ' ') {
			fail(lexer, "a string ends on its line: a quote is expected");
			return false;
		}
		if (*lexer->at == '\\' ? !read_escape(lexer, word) : !grow(lexer, word, *lexer->at++))
			return false;
	}
	if (lexer->at == lexer->end) {
		fail(lexer, "the string does not end");
		return false;
	}
	lexer->at++;
	return true;
}

static void read_string(struct mof_lexer *lexer)
{
	struct growing word = { "", 0, 0 };

	lexer->token = TOKEN_STRING;
	do {
		if (!read_quoted(lexer, &word, '"'))
			return;
		skip_space(lexer);
	} while (lexer->at < lexer->end && *lexer->at == '"');
	lexer->text = word.text;
	lexer->length = word.length;
}

static void read_char(struct mof_lexer *lexer)
{
	struct growing word = { "", 0, 0 };
	size_t characters = 0;

	lexer->token = TOKEN_CHAR;
	if (!read_quoted(lexer, &word, '\''))
		return;
	for (size_t i = 0; i < word.length; i++)
		characters += ((unsigned char)word.text[i] & 0xC0) != 0x80;
	if (characters != 1)
		fail(lexer, "one character is expected between quotes");
	lexer->text = word.text;
	lexer->length = word.length;
}

/* The digits of a number in a base, and where they end. False: it does not fit in 64 bits. */
static bool read_digits(const char *at, const char *end, unsigned base, uint64_t *number)
{
	for (*number = 0; at < end; at++)
		if (__builtin_mul_overflow(*number, base, number) ||
		    __builtin_add_overflow(*number, hex_digit(*at), number))
			return false;
	return true;
}

static bool all_below(const char *at, const char *end, unsigned base)
{
	if (at == end)
		return false;
	for (; at < end; at++)
		if (hex_digit(*at) >= base)
			return false;
	return true;
}

/* 0x1F, 0101b, 017, 42, each with a sign perhaps; else a real. */
static void read_number(struct mof_lexer *lexer)
{
	const char *start = lexer->at, *digits, *stop;
	bool minus = *start == '-', fits;
	char text[32];
	uint64_t number;
	unsigned base = 10;

	if (*start == '-' || *start == '+')
		lexer->at++;
	digits = lexer->at;
	while (lexer->at < lexer->end && (is_letter(*lexer->at) || is_digit(*lexer->at) || *lexer->at == '.' ||
	       ((*lexer->at == '-' || *lexer->at == '+') && (lexer->at[-1] == 'e' || lexer->at[-1] == 'E'))))
		lexer->at++;
	stop = lexer->at;
	if (stop - digits > 2 && digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X')) {
		base = 16;
		digits += 2;
	} else if (stop - digits > 1 && (stop[-1] == 'b' || stop[-1] == 'B')) {
		base = 2;
		stop--;
	} else if (stop - digits > 1 && all_below(digits, stop, 8) && digits[0] == '0') {
		base = 8;
	}
	if (!all_below(digits, stop, base)) {
		lexer->token = TOKEN_REAL;
		lexer->text = mof_copy_text(lexer->model, start, (size_t)(lexer->at - start));
		lexer->length = (size_t)(lexer->at - start);
		if (lexer->text && strspn(lexer->text, "+-0123456789.eE") != lexer->length)
			fail(lexer, "a number is expected");
		return;
	}
	lexer->token = TOKEN_INTEGER;
	fits = read_digits(digits, stop, base, &number);
	if (!fits || (minus && number > (uint64_t)INT64_MAX + 1)) {
		fail(lexer, "the number does not fit in 64 bits");
		return;
	}
	snprintf(text, sizeof(text), "%s%" PRIu64, minus && number ? "-" : "", number);
	lexer->length = strlen(text);
	lexer->text = mof_copy_text(lexer->model, text, lexer->length);
}

static void read_word(struct mof_lexer *lexer, enum mof_token token)
{
	const char *start = lexer->at++;

	while (lexer->at < lexer->end && (is_letter(*lexer->at) || is_digit(*lexer->at)))
		lexer->at++;
	lexer->token = token;
	lexer->length = (size_t)(lexer->at - start);
	lexer->text = mof_copy_text(lexer->model, start, lexer->length);
	if (token == TOKEN_PRAGMA && lexer->text && strcasecmp(lexer->text, "#pragma"))
		fail(lexer, "#pragma is expected");
}

static void read_token(struct mof_lexer *lexer)
{
	char c = *lexer->at;

	if (is_letter(c)) {
		read_word(lexer, TOKEN_NAME);
	} else if (c == '#') {
		read_word(lexer, TOKEN_PRAGMA);
	} else if (c == '"') {
		read_string(lexer);
	} else if (c == '\'') {
		read_char(lexer);
	} else if (is_digit(c) || c == '-' || c == '+' || c == '.') {
		read_number(lexer);
	} else if (c && strchr("{}[]():;,=$", c)) {
		lexer->token = TOKEN_SIGN;
		lexer->text = mof_copy_text(lexer->model, &c, 1);
		lexer->length = 1;
		lexer->at++;
	} else {
		fail(lexer, "this character has no meaning in MOF");
	}
}

void mof_next_token(struct mof_lexer *lexer)
{
	skip_space(lexer);
	lexer->place.line = lexer->line;
	lexer->token = TOKEN_END;
	lexer->text = "";
	lexer->length = 0;
	if (!lexer->model->error[0] && lexer->at < lexer->end)
		read_token(lexer);
	if (lexer->model->error[0]) {
		lexer->token = TOKEN_END;
		lexer->text = "";
		lexer->at = lexer->end;
	}
}

void mof_lexer_init(struct mof_lexer *lexer, struct mof_model *model, const char *file, const char *text, size_t size)
{
	*lexer = (struct mof_lexer){
		.model = model, .place = { file, 1 }, .at = text, .end = text + size, .line = 1,
	};
	mof_next_token(lexer);
}

bool mof_expected(struct mof_lexer *lexer, const char *what)
{
	if (lexer->token == TOKEN_END)
		return mof_complain(lexer->model, lexer->place, "%s is expected, not the end of the file", what);
	return mof_complain(lexer->model, lexer->place, "%s is expected, not '%.40s'", what, lexer->text);
}

bool mof_at_sign(const struct mof_lexer *lexer, char sign)
{
	return lexer->token == TOKEN_SIGN && lexer->text[0] == sign;
}

bool mof_at_word(const struct mof_lexer *lexer, const char *word)
{
	return lexer->token == TOKEN_NAME && !strcasecmp(lexer->text, word);
}

bool mof_take_sign(struct mof_lexer *lexer, char sign)
{
	bool there = mof_at_sign(lexer, sign);

	if (there)
		mof_next_token(lexer);
	return there;
}

bool mof_take_word(struct mof_lexer *lexer, const char *word)
{
	bool there = mof_at_word(lexer, word);

	if (there)
		mof_next_token(lexer);
	return there;
}

bool mof_need_sign(struct mof_lexer *lexer, char sign)
{
	char what[4] = { '\'', sign, '\'', '\0' };

	return mof_take_sign(lexer, sign) || mof_expected(lexer, what);
}

const char *mof_need_name(struct mof_lexer *lexer, const char *what)
{
	const char *name = lexer->text;

	if (lexer->token != TOKEN_NAME) {
		mof_expected(lexer, what);
		return NULL;
	}
	mof_next_token(lexer);
	return name;
}
