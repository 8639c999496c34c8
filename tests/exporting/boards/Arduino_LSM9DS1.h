// As much of Arduino and of its library for the LSM9DS1 as the sketch uses, on an emulated board that replays a recording.
extern "C" {
#include "board.h"
}
#include "recording.h"

static int row = 0;

static unsigned long millis() { return 20UL * static_cast<unsigned long>(row); }

struct Console {
  void begin(unsigned long) {}
  void println(const char *text) {
    print(text);
    print("\n");
  }
};
static Console Serial;

struct Accelerometer {
  int begin() { return 1; }
  int accelerationAvailable() { return 1; }
  int readAcceleration(float &x, float &y, float &z) {
    float *axes[] = {&x, &y, &z};
    for (int i = 0; i < 3; ++i) *axes[i] = static_cast<float>(recording[row][i]) / 980.665F;
    ++row;
    return 1;
  }
};
static Accelerometer IMU;

void setup();
void loop();

int main() {
  setup();
  while (row < static_cast<int>(sizeof recording / sizeof *recording)) loop();
  return 0;
}
