#include "db_rows.h"

#include <stdio.h>
#include <string.h>

#include "core/random.h"

static void fill_letters(uint64_t *random, char *text, size_t size)
{
    for (size_t i = 0; i + 1 < size; i++)
        text[i] = (char)('a' + random_below(random, 26));
    text[size - 1] = '\0';
}

void db_row_make(uint64_t seed, int32_t key, struct db_row *row)
{
    uint64_t random = seed ^ (uint64_t)(uint32_t)key << 32;
    memset(row, 0, sizeof *row);
    row->key = key;
    row->integer = (int32_t)random_below(&random, 1000000000);
    row->balance = (int32_t)random_below(&random, 1000000) - 500000;
    row->single = (float)random_below(&random, 1 << 20) / 16;
    row->number = (double)random_below(&random, 1u << 31) / 64;
    snprintf(row->decimal, sizeof row->decimal, "%u.%02u", random_below(&random, 10000000),
             random_below(&random, 100));
    snprintf(row->date, sizeof row->date, "%04u-%02u-%02u", 1900 + random_below(&random, 100),
             1 + random_below(&random, 12), 1 + random_below(&random, 28));
    fill_letters(&random, row->code, sizeof row->code);
    fill_letters(&random, row->name, sizeof row->name);
    fill_letters(&random, row->address, sizeof row->address);
}

bool db_row_matches(uint64_t seed, int32_t key, const struct db_row *row)
{
    struct db_row expected;
    db_row_make(seed, key, &expected);
    return row->key == expected.key && row->integer == expected.integer &&
           row->single == expected.single && row->number == expected.number &&
           strcmp(row->decimal, expected.decimal) == 0 && strcmp(row->date, expected.date) == 0 &&
           strcmp(row->code, expected.code) == 0 && strcmp(row->name, expected.name) == 0 &&
           strcmp(row->address, expected.address) == 0;
}
