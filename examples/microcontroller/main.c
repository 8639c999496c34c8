/* Replays a recording, prints what is recognized, and what it costs. */
#include "board.h"
#include "recording.h"
#include "zoo_stream.h"

static zoo_stream stream;

#define ROWS ((int)(sizeof recording / sizeof *recording))
#define STEPS 20

static void print_number(uint32_t number)
{
    char digits[12];
    int place = 11;
    digits[place] = 0;
    do {
        digits[--place] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    print(digits + place);
}

static void say(const char *name, uint32_t number)
{
    print(name);
    print(" ");
    print_number(number);
    print("\n");
}

static void show(int row, const char *text)
{
    print_number((uint32_t)row / 50);
    print(" s: ");
    print(text);
    print("\n");
}

static void read_row(int row, float *values)
{
    for (int i = 0; i < 3; ++i)
        values[i] = (float)recording[row][i] * 0.01F;
}

static void replay(void)
{
    const char *shown = 0;
    zoo_stream_init(&stream);
    for (int row = 0; row < ROWS; ++row) {
        float values[3];
        read_row(row, values);
        if (zoo_stream_push(&stream, (double)row / ZOO_RATE, values) > 0 && zoo_text(&stream.prediction) != shown)
            show(row, shown = zoo_text(&stream.prediction));
    }
}

static void measure(void)
{
    static float frame[ZOO_FRAME * 3];
    float probabilities[ZOO_CLASSES];
    for (int row = 0; row < ZOO_FRAME; ++row)
        read_row(row, frame + 3 * row);
#if ZOO_RECURRENT
    static zoo_state state;
    zoo_init(&state);
    start_counting();
    for (int step = 0; step < STEPS; ++step)
        zoo_step(frame, &state, probabilities);
    say("instructions a step:", instructions() / STEPS);
    say("bytes of state:", sizeof state);
#else
    start_counting();
    zoo_window(frame, probabilities);
    say("instructions a step:", instructions());
    say("bytes of state:", 0);
#endif
    say("bytes of stack of a step:", stack_bytes());
}

int main(void)
{
    measure();
    replay();
    say("bytes of a stream:", sizeof stream);
    say("bytes of stack:", stack_bytes());
    return 0;
}
