/* One client of the file server's load: does the steps in the current directory and checks them. */
#ifndef GUESTBENCH_FILESERVER_CLIENT_H
#define GUESTBENCH_FILESERVER_CLIENT_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "fileload.h"
#include "latency.h"

/* In shared memory: what remains between the processes that do a client's work. */
struct fileserver_client {
    struct fileload load;
    struct latency flush;
    uint64_t bytes_read, bytes_written, steps;
    bool failed;
    int error;     /* errno value; 0: a wrong result */
    char what[64]; /* what failed */
    double expected, got;
};

/*
 * Makes the directories and the files that exist at the start, below the
 * current directory. Returns false with the error in client.
 */
bool fileserver_make_files(struct fileserver_client *client);

/* Opens the files that the books say are open. Returns false with the error in client. */
bool fileserver_open_files(struct fileserver_client *client);

/* Does steps until *stop is set or one goes wrong, which is then in client. */
void fileserver_work(struct fileserver_client *client, const volatile sig_atomic_t *stop);

#endif
