// The subcommands of `penumbra`. Each takes its own argv (argv[0] is "penumbra NAME") and returns
// the exit status of the program.
#pragma once

enum exit_status {
    exit_ok = 0,
    exit_not_ok = 1,  // run: complete, but with `not ok` points
    exit_trouble = 2, // usage, bad input, nothing could be done
    exit_guest = 3,   // run: the guest did not come to its end
    exit_hung = 4,    // run: the watchdog ended it
    exit_signal = 130 // run: Ctrl-C
};

int cmd_engines(int argc, char **argv);
int cmd_guests(int argc, char **argv);
int cmd_run(int argc, char **argv);
int cmd_boot(int argc, char **argv);
int cmd_compare(int argc, char **argv);
int cmd_exits(int argc, char **argv);
