/*
 * The suite's own binary as the program that benchmarks start: a static musl
 * executable is at hand wherever guestbench runs.
 */
#ifndef GUESTBENCH_SELF_H
#define GUESTBENCH_SELF_H

/* Remembers how to reach the binary; argv0 is used where /proc is absent. */
void self_init(const char *argv0);

/* An open descriptor of the binary (close-on-exec), or -1. */
int self_fd(void);

/* execve of the binary; returns only on failure, with errno set. */
void self_exec(char *const argv[]);

/*
 * Runs one of the hidden commands that benchmarks execute (--exit0, --mm-child
 * MIB [MODE], --script FILE, --list DIR, --cat FILE; MODE is an enum memory_touch_mode).
 * Returns its exit status, or -1 if argv holds none of them.
 */
int self_command(int argc, char **argv);

#endif
