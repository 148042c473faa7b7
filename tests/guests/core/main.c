/* From the boot loader to the tests, or to the end that the command line asks for:
 * end=NAME of the table below; only=NAME runs one test, _ for a blank, * for the rest. */

#include "guest.h"

enum { MB_LOADER_MAGIC = 0x2badb002, MB_CMDLINE = 1 << 2 };

static char guest_words[256];
void guest_main(u32 magic, const u32 *info) __attribute__((noreturn));

bool on_emulator(void)
{
    char word[16];
    return word_value(guest_words, "native=", word, sizeof word) && !strcmp(word, "emulator");
}

bool tasks_exit(void)
{
    char word[8];
    return !word_value(guest_words, "tasks=", word, sizeof word) || strcmp(word, "no");
}

bool nmis_come(void)
{
    char word[8];
    return word_value(guest_words, "nmi=", word, sizeof word) && !strcmp(word, "timer");
}

static void triple_fault(void)
{
    struct {
        u16 limit;
        ulong base;
    } __attribute__((packed)) none = {0, 0};
    __asm__ volatile("lidt %0; int3" : : "m"(none));
}

static void reboot_8042(void)
{
    for (unsigned i = 0; i < 100000 && in8(0x64) & 2; i++)
        ;
    out8(0x64, 0xfe);
}

static void reboot_cf9(void)
{
    out8(0xcf9, 2);
    out8(0xcf9, 6);
}

static void reboot_port92(void)
{
    out8(0x92, in8(0x92) & 0xfe);
    out8(0x92, in8(0x92) | 1);
}

static void hang(void)
{
}

static const struct {
    const char *name;
    void (*run)(void);
} ends[] = {
    {"triple-fault", triple_fault},
    {"reboot-8042", reboot_8042},
    {"reboot-cf9", reboot_cf9},
    {"reboot-92", reboot_port92},
    {"hang", hang},
    {"poweroff", power_off},
};

static void run_end(const char *name)
{
    for (unsigned i = 0; i < array_size(ends); i++) {
        if (strcmp(ends[i].name, name))
            continue;
        print("end=%s\n", name);
        ends[i].run();
        for (;;)
            __asm__ volatile("cli; hlt");
    }
    bail_out("end=%s: unknown", name);
}

void guest_main(u32 magic, const u32 *info)
{
    char word[80];
    console_init();
    trap_init();
    pic_init(IRQ_BASE, IRQ_BASE + 8, 0xffff);
    if (magic != MB_LOADER_MAGIC)
        bail_out("boot loader magic %x", magic);
    if (info[0] & MB_CMDLINE)
        for (unsigned i = 0; i + 1 < sizeof guest_words; i++)
            if (!(guest_words[i] = ((const char *)(ulong)info[4])[i]))
                break;
    if (word_value(guest_words, "end=", word, sizeof word))
        run_end(word);
    word[0] = '\0';
    word_value(guest_words, "only=", word, sizeof word);
    for (char *c = word; *c; c++)
        *c = *c == '_' ? ' ' : *c;
    tests_run(word);
    power_off();
}
