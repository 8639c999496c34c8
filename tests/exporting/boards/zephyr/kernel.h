#include <stdint.h>
#include <string.h>

#include "board.h"

static inline int64_t k_uptime_get(void)
{
    return 20 * (int64_t)alias_accel0.row;
}

/* The recording ends the program. */
static inline void k_msleep(int milliseconds)
{
    alias_accel0.row += milliseconds / 20;
    if (alias_accel0.row == (int)(sizeof recording / sizeof *recording))
        stop(0);
}

static inline void printk(const char *format, ...)
{
    if (!strcmp(format, "%s\n")) {
        __builtin_va_list arguments;
        __builtin_va_start(arguments, format);
        print(__builtin_va_arg(arguments, const char *));
        __builtin_va_end(arguments);
        print("\n");
    } else {
        print(format);
    }
}
