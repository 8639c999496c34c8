/* The firmware around main(), the same on all processors: variables, text and end, and how much of the stack was used. */
#include "board.h"

extern uint32_t data_source[], data_start[], data_end[], bss_start[], bss_end[], stack_limit[], stack_top[];

int main(void);
void start(void);

#define UNUSED_STACK 0xA5A5A5A5U

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

uint32_t stack_bytes(void)
{
    const uint32_t *word = stack_limit;
    while (word < stack_top && *word == UNUSED_STACK)
        ++word;
    return (uint32_t)((const char *)stack_top - (const char *)word);
}

void start(void)
{
    const uint32_t *from = data_source;
    for (uint32_t *to = data_start; to < data_end; ++to, ++from)
        *to = *from;
    for (uint32_t *to = bss_start; to < bss_end; ++to)
        *to = 0;
    uint32_t *here = __builtin_frame_address(0);
    for (uint32_t *word = stack_limit; word < here - 16; ++word)
        *word = UNUSED_STACK;
    stop(main());
}
