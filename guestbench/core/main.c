#include <unistd.h>

#include "cli.h"
#include "clock.h"
#include "env.h"
#include "init.h"
#include "self.h"

int main(int argc, char **argv)
{
    int status = self_command(argc, argv);
    if (status >= 0)
        return status;
    if (getpid() == 1) {
        env_set_boot_tsc(clock_tsc());
        self_init(argv[0]);
        init_main();
    }
    return cli_main(argc, argv);
}
