/* SPDX-License-Identifier: EUPL-1.2 */
#ifndef SOBREFS_SUPPORT_GOLDEN_H
#define SOBREFS_SUPPORT_GOLDEN_H

/*
 * Texts as they should be, in files beside the tests' data. With
 * SOBRE_GOLDEN=write in the environment they are written, to be read by a
 * person before they are committed.
 */

#include "fs/base/buf.h"

/* A `say` of struct yaml_messages: appends to the struct buf `ctx`. */
void golden_say(void *ctx, const char *text);
/* Fails the test unless the file has these bytes. */
void golden_equal(const char *path, const struct buf *text);
/* The whole file, with a NUL behind; fails the test. */
char *golden_read(const char *path);

#endif
