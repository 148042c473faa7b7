/*
 * Messages as AIM9's IPC tests send them: one process writes a message to one
 * descriptor and reads it from another; sizes go round a list of 31.
 */
#ifndef GUESTBENCH_IPC_MESSAGES_H
#define GUESTBENCH_IPC_MESSAGES_H

#include "core/bench.h"

enum { MESSAGE_MOST = 2048, MESSAGE_SIZES = 31 };

extern char message_out[MESSAGE_MOST], message_in[MESSAGE_MOST];

/* Fills the outgoing buffer from the seed. */
void message_prepare(struct bench_run *run);

/* count messages. */
void message_exchange(struct bench_run *run, int to, int from, int count);

/* Writes and reads exactly size bytes; interrupted calls are repeated. */
void message_write(struct bench_run *run, int fd, const void *data, size_t size);
void message_read(struct bench_run *run, int fd, void *data, size_t size);

/* What arrived last is what was sent, and the bytes add up. To be called after each sample. */
void message_verify(struct bench_run *run);

#endif
