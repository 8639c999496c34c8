/* A RISC-V processor of 32 bits: its first instructions, the counter, and what the debugger can do for it. */
#include "board.h"

void start(void);
void fault(void);

int semihosting(int operation, const void *argument)
{
    register int a0 __asm__("a0") = operation;
    register const void *a1 __asm__("a1") = argument;
    /* Between these two instructions without effect, which must not be compressed, `ebreak` calls the debugger. */
    __asm__ volatile(".balign 16\n\t.option push\n\t.option norvc\n\t"
                     "slli zero, zero, 0x1f\n\tebreak\n\tsrai zero, zero, 7\n\t.option pop"
                     : "+r"(a0)
                     : "r"(a1)
                     : "memory");
    return a0;
}

static uint32_t counter(void)
{
    uint32_t count;
    __asm__ volatile("csrr %0, minstret" : "=r"(count));
    return count;
}

static uint32_t counted_from;

void start_counting(void)
{
    counted_from = counter();
}

uint32_t instructions(void)
{
    return counter() - counted_from;
}

__attribute__((aligned(4))) void fault(void)
{
    print("fault\n");
    stop(1);
}

__attribute__((section(".vectors"), naked, used)) static void reset(void)
{
    __asm__ volatile("la sp, stack_top\n\tla t0, fault\n\tcsrw mtvec, t0\n\tj start");
}
