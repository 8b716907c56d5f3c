/* SPDX-License-Identifier: Apache-2.0 */
/* query_lex.h - the words of a query: what query_parse.c reads one after the other. */
#ifndef XDC_FACE_CIM_QUERY_LEX_H
#define XDC_FACE_CIM_QUERY_LEX_H

#include "face/cim/query.h"

enum query_word_kind {
	WORD_END,
	WORD_NAME,		/* also SELECT, AND and so on: which of them it is decides the place */
	WORD_INTEGER, WORD_REAL,
	WORD_TEXT,		/* in quotes */
	WORD_SYMBOL,		/* #'...' */
	WORD_SIGN,		/* one of ( ) , . * [ ] :: = <> < <= > >= */
};

struct query_word {
	enum query_word_kind kind;
	const char *text;		/* in the arena; of a text without its quotes */
	size_t at;			/* which byte of the query it begins with */
};

struct query_lexer {
	struct cim_arena *arena;
	const char *text;
	size_t at;
	struct query_word word;		/* that is to be read next */
	struct cim_failure *failure;
};

/* Goes to the next word (from the beginning: to the first). false: there is none that could be one. */
bool query_lexer_next(struct query_lexer *lexer);

/* "at character N: expected WHAT, found WORD": CIM_ERR_INVALID_QUERY. Returns false. */
bool query_lexer_expected(struct query_lexer *lexer, const char *what);

/* "at character N: ..." */
__attribute__((format(printf, 3, 4)))
bool query_lexer_refuse(struct query_lexer *lexer, size_t at, const char *format, ...);

#endif
