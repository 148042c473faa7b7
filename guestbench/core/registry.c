#include "registry.h"

#include <stdio.h>
#include <string.h>

#include "random.h"

/* The linker's names for the ends of the section that BENCH_TABLE fills. */
extern const struct bench_table __start_bench_tables[], __stop_bench_tables[];

/* Puts one more benchmark behind those of its own and earlier tables. */
static void insert(const struct bench **list, int count, const struct bench *bench)
{
    int at = count;
    for (; at > 0 && strcmp(list[at - 1]->table, bench->table) > 0; at--)
        list[at] = list[at - 1];
    list[at] = bench;
}

int registry_all(const struct bench *list[REGISTRY_MAX])
{
    int count = 0;
    for (const struct bench_table *table = __start_bench_tables; table != __stop_bench_tables;
         table++) {
        for (size_t i = 0; i < table->count && count < REGISTRY_MAX; i++)
            insert(list, count++, &table->benches[i]);
    }
    return count;
}

/* Benchmarks of tables of their own that stand in a figure of the paper too. */
static const struct {
    const char *figure, *members;
} figures[] = {
    {"figure3", "web.*,db.ir,db.oltp,compile.*,mm.memorymotion"},
};

static bool in_table(const char *tables, const struct bench *bench)
{
    if (config_list_matches(tables, bench->table))
        return true;
    for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++) {
        if (config_list_matches(tables, figures[i].figure) &&
            config_list_matches(figures[i].members, bench->name))
            return true;
    }
    return false;
}

static bool table_matches(const struct config *config, const struct bench *bench)
{
    unsigned absent = BENCH_EXTRA | (strcmp(config->set, "quick") == 0 ? BENCH_LONG : 0);
    if (!config->tables)
        return config->only || !(bench->flags & absent);
    return in_table(config->tables, bench) || config_list_matches(config->tables, "all");
}

/* Each element of a list must select something by the given property. */
static int check_list(const char *list, const char *what, bool by_table,
                      const struct bench *const *all, int count, char *error, size_t size)
{
    while (list && *list) {
        char one[128];
        size_t length = strcspn(list, ",");
        snprintf(one, sizeof one, "%.*s", (int)length, list);
        bool found = by_table && strcmp(one, "all") == 0;
        for (int i = 0; i < count && !found; i++)
            found = config_list_matches(one, by_table ? all[i]->table : all[i]->name);
        if (!found) {
            snprintf(error, size, "no %s '%s'; see 'guestbench list'", what, one);
            return -1;
        }
        list += length + (list[length] == ',');
    }
    return 0;
}

static void shuffle(const struct bench **list, int count, uint64_t seed)
{
    for (int i = count - 1; i > 0; i--) {
        int j = (int)random_below(&seed, (uint32_t)i + 1);
        const struct bench *other = list[i];
        list[i] = list[j];
        list[j] = other;
    }
}

/* What is computed from others comes behind them. */
static void put_derived_last(const struct bench **list, int count)
{
    const struct bench *sorted[REGISTRY_MAX] = {0};
    int n = 0;
    for (int derived = 0; derived < 2; derived++)
        for (int i = 0; i < count; i++)
            if (!list[i]->mean_of == !derived)
                sorted[n++] = list[i];
    memcpy(list, sorted, (size_t)n * sizeof *sorted);
}

int registry_select(const struct config *config, const struct bench *list[REGISTRY_MAX],
                    char *error, size_t size)
{
    const struct bench *all[REGISTRY_MAX];
    int total = registry_all(all), count = 0;
    if (check_list(config->tables, "table", true, all, total, error, size) != 0 ||
        check_list(config->only, "benchmark", false, all, total, error, size) != 0)
        return -1;
    for (int i = 0; i < total; i++) {
        if (table_matches(config, all[i]) &&
            (!config->only || config_list_matches(config->only, all[i]->name)))
            list[count++] = all[i];
    }
    if (count == 0) {
        snprintf(error, size, "no benchmark of table '%s' is named '%s'", config->tables,
                 config->only);
        return -1;
    }
    if (config->shuffle)
        shuffle(list, count, config->seed);
    put_derived_last(list, count);
    return count;
}
