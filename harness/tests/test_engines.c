// The engines: what Bochs' texts mean, which machines have KVM, what starts the hypervisor.
#include "../bochs_text.h"
#include "../bootdisk.h"
#include "../cpu_mask.h"
#include "../demux.h"
#include "../kvm_probe.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

// Wait statuses.
enum { exit_0 = 0, exit_1 = 1 << 8, killed = 9 };

static void bochs_verdicts(void **state)
{
    (void)state;
    static const char reset[] = "00000000000i[SYS   ] bx_pc_system_c::Reset(HARDWARE) called\n";
    static const char off[] = "00000000123p[ACPI  ] >>PANIC<< ACPI control: soft power off\n";
    static const char port[] = "00000000123p[UNMAP ] >>PANIC<< Shutdown port: shutdown requested\n";
    static const char triple[] =
        "00000000123p[CPU0  ] >>PANIC<< exception(): 3rd (13) exception with no resolution\n";
    static const char option[] = "00000000000p[      ] >>PANIC<< bochsrc:3: cpu: unknown\n";
    static const struct {
        enum side side;
        int status;
        const char *text, *hv_end, *name;
        bool clean;
        int code;
    } table[] = {
        {side_native, exit_1, off, NULL, "poweroff", true, 16},
        {side_native, exit_1, triple, NULL, "triple-fault", false, 18},
        {side_native, exit_1, port, NULL, "error", false, -1},
        {side_native, exit_1, option, NULL, "error", false, -1},
        {side_native, exit_1, "", NULL, "error", false, -1},
        {side_native, exit_0, "", NULL, "ticks", false, -1},
        {side_native, killed, "", NULL, "signal-9", false, -1},
        {side_hvm, exit_1, port, "poweroff", "poweroff", true, 16},
        {side_hvm, exit_1, port, "config", "config", false, 20},
        {side_hvm, exit_1, port, "panic", "panic", false, 22},
        {side_hvm, exit_1, port, NULL, "error", false, -1},
        // The machine below switched off or was reset: not the hypervisor's doing.
        {side_hvm, exit_1, off, "poweroff", "error", false, -1},
        {side_hvm, exit_1, triple, "poweroff", "reset", false, -1},
        {side_hvm, exit_0, "", "poweroff", "ticks", false, -1},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
        char *log = xasprintf("%s%s", reset, table[i].text);
        struct ending ending = bochs_verdict(&(struct remains){.side = table[i].side,
                                                               .wait_status = table[i].status,
                                                               .hv_end = table[i].hv_end},
                                             log);
        assert_string_equal(ending.name, table[i].name);
        assert_int_equal(ending.clean, table[i].clean);
        assert_int_equal(ending.code, table[i].code);
        free(ending.report);
        free(log);
    }
}

static void bochs_reports(void **state)
{
    (void)state;
    static const char log[] =
        "00000000001e[CPU0  ] RDMSR: Unknown register 0xe7\n"
        "00000000002e[CPU0  ] VMENTER FAIL: VMCS guest non-conforming ES.RPL < ES.DPL\n"
        "00000000005i[KBD   ] internal keyboard buffer full\n"
        "00000000007p[CPU0  ] >>PANIC<< exception(): 3rd (13) exception with no resolution\n"
        "00000000007i[CPU0  ] | EIP=c151ceb9 (c151ceb7)\n"
        "00012000007i[SIM   ] quit_sim called with exit code 1\n";
    struct ending ending =
        bochs_verdict(&(struct remains){.side = side_native, .wait_status = exit_1}, log);
    assert_non_null(ending.report);
    assert_non_null(strstr(ending.report, "ES.RPL"));
    assert_non_null(strstr(ending.report, "EIP=c151ceb9"));
    assert_null(strstr(ending.report, "keyboard"));
    assert_null(strstr(ending.report, "RDMSR"));
    free(ending.report);
    assert_int_equal(bochs_ticks(log), 12000007);
    assert_int_equal(bochs_ticks(""), 0);
    assert_int_equal(bochs_ticks("\n"), 0);
}

static void bochs_model_list(void **state)
{
    (void)state;
    static const char help[] = "00000000000i[      ] LTDL_LIBRARY_PATH not set. using default\n"
                               "Supported CPU models:\n\nbx_generic\ncore2_penryn_t9600\n\n"
                               "00000000000i[SIM   ] quit_sim called\n";
    struct words models = {0};
    bochs_models(help, &models);
    assert_int_equal(models.n, 2);
    assert_string_equal(models.word[1], "core2_penryn_t9600");
    words_free(&models);
    bochs_models("no such option", &models);
    assert_int_equal(models.n, 0);
}

static void put(const char *root, const char *path, const char *text)
{
    char *full = xasprintf("%s%s", root, path);
    for (char *slash = strchr(full + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(full, 0700);
        *slash = '/';
    }
    assert_int_equal(file_replace(full, text, strlen(text)), 0);
    free(full);
}

// A machine below a folder of its own: what lacks for that side, or "".
static char *probe(enum side side, const char *flags, const char *module, const char *nested,
                   bool device)
{
    char root[] = "/tmp/penumbra-kvm.XXXXXX";
    struct buf missing = {0};
    assert_non_null(mkdtemp(root));
    char *cpuinfo = xasprintf("processor\t: 0\nflags\t\t: fpu %s pae\nbugs\t\t: vmx svm\n", flags);
    put(root, "/proc/cpuinfo", cpuinfo);
    if (module) {
        char *path = xasprintf("/sys/module/%s/parameters/nested", module);
        put(root, path, nested);
        free(path);
    }
    if (device)
        put(root, "/dev/kvm", "");
    int rc = kvm_probe_host(root, side, &missing);
    assert_int_equal(rc, missing.len ? -1 : 0);
    char *remove = xasprintf("rm -r %s", root);
    assert_int_equal(system(remove), 0);
    free(remove);
    free(cpuinfo);
    return missing.data ? missing.data : xstrdup("");
}

static void kvm_machines(void **state)
{
    (void)state;
    static const struct {
        enum side side;
        const char *flags, *module, *nested;
        bool device;
        const char *missing;
    } table[] = {
        {side_hvm, "vmx", "kvm_intel", "Y\n", true, ""},
        {side_hvm, "vmx", "kvm_intel", "1\n", true, ""},
        {side_hvm, "svm", "kvm_amd", "1\n", true, ""},
        {side_native, "vmx", "kvm_intel", "N\n", true, ""},
        {side_native, "svm", NULL, NULL, true, ""},
        {side_hvm, "vmx", "kvm_intel", "N\n", true,
         "/sys/module/kvm_intel/parameters/nested is N: nesting is off (modprobe kvm_intel "
         "nested=1)"},
        {side_hvm, "svm", "kvm_intel", "Y\n", true,
         "/sys/module/kvm_amd/parameters/nested cannot be read: module kvm_amd is not loaded"},
        {side_native, "vmx", "kvm_intel", "Y\n", false, "/dev/kvm: No such file or directory"},
        // Such as a machine whose /dev/kvm comes from a module that needs no VT-x.
        {side_hvm, "vmx_not svmx", "kvm_pvm", "Y\n", true,
         "the processor shows neither vmx nor svm in /proc/cpuinfo"},
        {side_native, "sse", NULL, NULL, false,
         "the processor shows neither vmx nor svm in /proc/cpuinfo, /dev/kvm: No such file or "
         "directory"},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
        char *missing =
            probe(table[i].side, table[i].flags, table[i].module, table[i].nested, table[i].device);
        assert_string_equal(missing, table[i].missing);
        free(missing);
    }
}

// Runs the engine's command line together; its ports are descriptors 5 to 7.
static char *command_of(const struct engine *engine, enum side side, const char *cpu, bool exact)
{
    char dir[] = "/tmp/penumbra-job.XXXXXX";
    assert_non_null(mkdtemp(dir));
    struct guest guest = {.hv = (char *)"", .memory_bytes = 64 << 20};
    struct job job = {.side = side,
                      .guest = &guest,
                      .hypervisor = "/proc/self/exe",
                      .dir = dir,
                      .hv_words = "shadow=none",
                      .cpu = cpu,
                      .exact = exact,
                      .wires = {.console = 5, .log = 6, .monitor = 7}};
    struct words argv = {0};
    assert_int_equal(engine->command(&job, &argv), 0);
    char *text = words_join(&argv);
    words_free(&argv);
    char *remove = xasprintf("rm -r %s", dir);
    assert_int_equal(system(remove), 0);
    free(remove);
    return text;
}

static void kvm_commands(void **state)
{
    (void)state;
    char *native = command_of(&engine_kvm, side_native, NULL, false);
    assert_non_null(strstr(native, " -accel kvm "));
    assert_non_null(strstr(native, " -cpu host,kvm=off,-monitor,-vmx,"));
    assert_non_null(strstr(native, ",-hypervisor,"));
    assert_null(strstr(native, "icount"));
    free(native);
    char *hvm = command_of(&engine_kvm, side_hvm, NULL, false);
    assert_non_null(strstr(hvm, " -cpu host -m 160 "));
    assert_non_null(strstr(hvm, "console=com1 log=com2 shadow=none"));
    assert_null(strstr(hvm, "icount"));
    free(hvm);
}

static void boot_configs(void **state)
{
    (void)state;
    const struct bootdisk_file files[] = {{.sectors = 425}, {.module = "seabios", .sectors = 512}};
    struct buf text = {0};
    assert_true(bootdisk_config(&text, files, 2, 2048, "mem=64M  log=com2 shadow=all,-$x"));
    assert_string_equal(text.data, "multiboot (hd0)2048+425 'mem=64M' 'log=com2' 'shadow=all,-$x'\n"
                                   "module (hd0)2473+512 seabios\nboot\n");
    text.len = 0;
    assert_false(bootdisk_config(&text, files, 2, 2048, "mem=64M '"));
    assert_false(bootdisk_config(&text, files, 2, 2048, "mem=64M\nhalt"));
    buf_free(&text);
}

// The same text in pieces of every size.
static void demux_splits(void **state)
{
    (void)state;
    static const char text[] = "TAP version 13\r\nok 1 - a@hv start x=1\r\nb\r\n@hv mark id=1\n@h"
                               "i no @@hv end end=poweroff code=16\n@hvx user@hv.example\n@hv";
    static const char console_want[] =
        "TAP version 13\r\nok 1 - ab\r\n@hi no @@hvx user@hv.example\n";
    static const char log_want[] = "@hv start x=1\r\n@hv mark id=1\n@hv end end=poweroff code=16\n";
    for (size_t piece = 1; piece < sizeof(text); piece++) {
        struct demux demux = {0};
        struct buf console = {0}, log = {0};
        for (size_t at = 0; at < sizeof(text) - 1; at += piece) {
            size_t left = sizeof(text) - 1 - at;
            demux_take(&demux, text + at, left < piece ? left : piece, &console, &log);
        }
        // The last three characters may still become a record.
        assert_string_equal(console.data, console_want);
        assert_string_equal(log.data, log_want);
        buf_free(&console);
        buf_free(&log);
    }
}

static void hw_terminal(void **state)
{
    (void)state;
    int ours = posix_openpt(O_RDWR | O_NOCTTY), console, log;
    assert_true(ours >= 0 && !grantpt(ours) && !unlockpt(ours));
    const char *name = ptsname(ours);
    struct job job = {.serial = name};
    assert_int_equal(engine_hw.open(&job, &console, &log), 0);
    assert_int_equal(log, -1);
    struct termios line;
    assert_int_equal(tcgetattr(console, &line), 0);
    assert_int_equal(cfgetispeed(&line), B115200);
    assert_int_equal(line.c_lflag & (ICANON | ECHO | ISIG), 0);
    assert_int_equal(line.c_iflag & (ICRNL | IXON), 0);
    static const char sent[] = "a\r\nb\003c";
    char got[16] = "";
    assert_int_equal(write(ours, sent, sizeof(sent)), sizeof(sent));
    usleep(50000);
    assert_int_equal(read(console, got, sizeof(got)), sizeof(sent));
    assert_memory_equal(got, sent, sizeof(sent));
    close(console);
    close(ours);
    job.serial = "/nonexistent/ttyS0";
    assert_int_equal(engine_hw.open(&job, &console, &log), -1);
    job.serial = "/tmp";
    assert_int_equal(engine_hw.open(&job, &console, &log), -1);
    job.serial = NULL;
    assert_int_equal(engine_hw.open(&job, &console, &log), -1);
}

static void hw_endings(void **state)
{
    (void)state;
    static const struct {
        bool complete;
        const char *hv_end, *name;
        bool clean;
        int code;
    } table[] = {{true, NULL, "poweroff", true, 16},
                 {false, NULL, "cut", false, -1},
                 {false, "config", "config", false, 20},
                 {false, "panic", "panic", false, 22},
                 {true, "poweroff", "poweroff", true, 16}};
    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
        struct ending ending = engine_hw.ending(
            &(struct remains){.complete = table[i].complete, .hv_end = table[i].hv_end});
        assert_string_equal(ending.name, table[i].name);
        assert_int_equal(ending.clean, table[i].clean);
        assert_int_equal(ending.code, table[i].code);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bochs_verdicts),   cmocka_unit_test(bochs_reports),
        cmocka_unit_test(bochs_model_list), cmocka_unit_test(kvm_machines),
        cmocka_unit_test(kvm_commands),     cmocka_unit_test(boot_configs),
        cmocka_unit_test(demux_splits),     cmocka_unit_test(hw_terminal),
        cmocka_unit_test(hw_endings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
