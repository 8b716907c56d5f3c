/* SPDX-License-Identifier: Apache-2.0 */
/* lexer.h - the words of one MOF text. */
#ifndef MOFC_LEXER_H
#define MOFC_LEXER_H

#include "model.h"

enum mof_token {
	TOKEN_END,		/* of the text, and for ever after an error */
	TOKEN_NAME,
	TOKEN_STRING,		/* text: unescaped; neighbours are joined */
	TOKEN_CHAR,
	TOKEN_INTEGER,		/* text: as decimal */
	TOKEN_REAL,
	TOKEN_PRAGMA,		/* "#pragma" */
	TOKEN_SIGN,		/* text: one of { } [ ] ( ) : ; , = $ */
};

struct mof_lexer {
	struct mof_model *model;
	struct mof_place place;		/* of the token */
	const char *at, *end;
	unsigned line;			/* of at */
	enum mof_token token;
	const char *text;		/* of the token, in the arena */
	size_t length;
};

/* text need not end with a zero; it stays the caller's. The first token is read. */
void mof_lexer_init(struct mof_lexer *lexer, struct mof_model *model, const char *file, const char *text, size_t size);

void mof_next_token(struct mof_lexer *lexer);

/* An error at the token: "... is expected, not ...". Returns false. */
bool mof_expected(struct mof_lexer *lexer, const char *what);

bool mof_at_sign(const struct mof_lexer *lexer, char sign);
bool mof_at_word(const struct mof_lexer *lexer, const char *word);

/* If it is there, it is read. */
bool mof_take_sign(struct mof_lexer *lexer, char sign);
bool mof_take_word(struct mof_lexer *lexer, const char *word);

/* What has to be there is read; else an error and false. */
bool mof_need_sign(struct mof_lexer *lexer, char sign);
const char *mof_need_name(struct mof_lexer *lexer, const char *what);	/* NULL: an error */

#endif
