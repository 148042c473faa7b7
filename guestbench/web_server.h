/* A web server of the prefork kind: each worker process has one connection at a time. */
#ifndef GUESTBENCH_WEB_SERVER_H
#define GUESTBENCH_WEB_SERVER_H

/*
 * A worker: accepts connections of listener and answers their requests (see
 * web_files.h) from the working directory, until it is killed.
 */
void web_server_work(int listener) __attribute__((noreturn));

#endif
