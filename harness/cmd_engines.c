#include "commands.h"
#include "engine.h"

#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static error_t no_options(int key, char *arg, struct argp_state *state)
{
    (void)arg;
    if (key == ARGP_KEY_ARG)
        argp_error(state, "no argument is taken");
    return ARGP_ERR_UNKNOWN;
}

int cmd_engines(int argc, char **argv)
{
    const struct argp argp = {.parser = no_options,
                              .doc =
                                  "Probes each engine and says what works here. Exit status 0 if "
                                  "at least one does, else 1."};
    argp_parse(&argp, argc, argv, 0, NULL, NULL);
    int working = 0;
    for (size_t i = 0; i < engine_table_n; i++) {
        struct buf found = {0}, missing = {0};
        bool works = engine_table[i]->probe(side_hvm, &found, &missing) == 0;
        bool by_hand = engine_table[i]->open != NULL;
        printf("%-8s %-7s %s; %s\n", engine_table[i]->name,
               by_hand ? "by hand"
               : works ? "works"
                       : "no",
               engine_table[i]->summary, works ? found.data : missing.data);
        working += works && !by_hand;
        buf_free(&found);
        buf_free(&missing);
    }
    return working ? exit_ok : exit_not_ok;
}

int cmd_guests(int argc, char **argv)
{
    const struct argp argp = {.parser = no_options,
                              .doc =
                                  "Lists the guests of images/guests: name, architecture, memory, "
                                  "whether the image is built, description."};
    argp_parse(&argp, argc, argv, 0, NULL, NULL);
    char *dir = guest_dir();
    struct words names = {0};
    guest_names(dir, &names);
    int rc = names.n ? exit_ok : exit_trouble;
    if (!names.n)
        say("%s describes no guests", dir);
    for (size_t i = 0; i < names.n; i++) {
        struct guest *guest = guest_load(dir, names.word[i]);
        if (!guest) {
            rc = exit_trouble;
            continue;
        }
        bool built = access(guest->image, R_OK) == 0;
        printf("%-26s %-6s %5lluM  %-9s %s\n", guest->name, guest->arch, guest->memory_bytes >> 20,
               built ? "built" : "not built", guest->description);
        guest_free(guest);
    }
    words_free(&names);
    free(dir);
    return rc;
}
