#include <stdint.h>

/* Asks the debugger for an operation of semihosting. */
int semihosting(int operation, const void *argument);

/* Prints text on the console of the debugger, by semihosting. */
void print(const char *text);

/* Ends the emulator. */
void stop(int failed);

/* Starts to count instructions. */
void start_counting(void);

/* Instructions since then, a few hundred million at most: with `-icount shift=0`, QEMU executes one a nanosecond. */
uint32_t instructions(void);

/* The most bytes of stack that were in use so far. */
uint32_t stack_bytes(void);
