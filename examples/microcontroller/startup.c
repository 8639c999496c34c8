/* Start of the firmware: vectors, variables, the floating-point unit, and what the debugger can do for it. */
#include "board.h"

extern uint32_t data_source[], data_start[], data_end[], bss_start[], bss_end[], stack_limit[], stack_top[];

int main(void);
void reset(void);

static int semihosting(int operation, const void *argument)
{
    register int r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = argument;
    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

void print(const char *text)
{
    semihosting(0x04, text);
}

void stop(int failed)
{
    /* ADP_Stopped_ApplicationExit, or a run-time error. */
    semihosting(0x18, (const void *)(failed ? 0x20023 : 0x20026));
    for (;;)
        continue;
}

#define UNUSED_STACK 0xA5A5A5A5U

uint32_t stack_bytes(void)
{
    const uint32_t *word = stack_limit;
    while (word < stack_top && *word == UNUSED_STACK)
        ++word;
    return (uint32_t)((const char *)stack_top - (const char *)word);
}

void reset(void)
{
    const uint32_t *from = data_source;
    for (uint32_t *to = data_start; to < data_end; ++to, ++from)
        *to = *from;
    for (uint32_t *to = bss_start; to < bss_end; ++to)
        *to = 0;
    uint32_t *here = __builtin_frame_address(0);
    for (uint32_t *word = stack_limit; word < here - 16; ++word)
        *word = UNUSED_STACK;
#ifdef __ARM_FP
    /* CPACR: full access to the floating-point unit. */
    *(volatile uint32_t *)0xE000ED88 |= 0xFU << 20;
    __asm__ volatile("dsb\n\tisb");
#endif
    stop(main());
}

static void fault(void)
{
    print("fault\n");
    stop(1);
}

typedef void (*vector)(void);

__attribute__((section(".vectors"), used)) static const struct {
    uint32_t *stack;
    vector handlers[15];
} vectors = {stack_top, {reset, fault, fault, fault, fault, fault}};
