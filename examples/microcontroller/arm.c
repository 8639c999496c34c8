/* A Cortex-M: vectors, the floating-point unit, the clock, and what the debugger can do for it. */
#include "board.h"

#define SYSTICK ((volatile uint32_t *)0xE000E010)

extern uint32_t stack_top[];

void start(void);

int semihosting(int operation, const void *argument)
{
    register int r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = argument;
    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

void start_counting(void)
{
    SYSTICK[1] = 0xFFFFFF;
    SYSTICK[2] = 0;
    SYSTICK[0] = 5;
}

uint32_t instructions(void)
{
    /* It counts down. */
    return (uint32_t)((uint64_t)(0xFFFFFF - SYSTICK[2]) * 1000000000U / TICKS_A_SECOND);
}

static void reset(void)
{
#ifdef __ARM_FP
    /* CPACR: full access to the floating-point unit. */
    *(volatile uint32_t *)0xE000ED88 |= 0xFU << 20;
    __asm__ volatile("dsb\n\tisb");
#endif
    start();
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
