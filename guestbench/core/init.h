/* guestbench as the first process of a guest. */
#ifndef GUESTBENCH_INIT_H
#define GUESTBENCH_INIT_H

/* Sets the guest up, runs what the kernel's command line asks for, powers off. */
void init_main(void) __attribute__((noreturn));

#endif
