/* What the running system says about itself; nothing here allocates. */
#ifndef GUESTBENCH_SYSTEM_H
#define GUESTBENCH_SYSTEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reads a small file as one line without its end. Returns false if it cannot be read or is empty. */
bool system_read_line(const char *path, char *buffer, size_t size);

/* Reads the start of a file as text. Returns the bytes read, 0 on any trouble. */
size_t system_read_text(const char *path, char *buffer, size_t size);

/* Finds "key<separators>value" at the start of a line of text; copies the rest of the line. */
bool system_find_value(const char *text, const char *key, char *value, size_t size);

/* Memory that can be had without swapping, in MiB; sysinfo(2) where /proc is absent. */
long system_available_mib(void);

/* Steal time of all CPUs in ms, -1 where it is not known. */
long system_steal_ms(void);

/* The hypervisor's 12-byte signature (CPUID 40000000h), or "none" without the hypervisor bit. */
void system_hypervisor(char signature[13]);

/* Name of the file system at path, or its magic number. Returns false if path cannot be read. */
bool system_fs_type(const char *path, char *buffer, size_t size);

/* The first loopback interface is up. */
bool system_loopback_up(void);

/* Brings "lo" up; needs root. */
bool system_loopback_raise(void);

#endif
