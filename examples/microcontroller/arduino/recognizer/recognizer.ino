// Prints what the person who carries the board does: Arduino Nano 33 BLE Sense, with the library Arduino_LSM9DS1.
//
// Copy model.h, model.c, zoo_stream.h and zoo_stream.c of `zoo export --formats c99_int8` into this folder.
#include <Arduino_LSM9DS1.h>

#include "zoo_stream.h"

static zoo_stream stream;
static const char *shown = nullptr;

void setup() {
  Serial.begin(115200);
  if (!IMU.begin()) {
    Serial.println("no accelerometer");
    while (true) {
    }
  }
  zoo_stream_init(&stream);
}

void loop() {
  float sample[ZOO_CHANNELS];
  if (!IMU.accelerationAvailable()) return;
  IMU.readAcceleration(sample[0], sample[1], sample[2]);
  for (float &value : sample) value *= 9.80665F;  // from g to m/s^2
  if (zoo_stream_push(&stream, millis() / 1000.0, sample) == 0 || zoo_text(&stream.prediction) == shown) return;
  shown = zoo_text(&stream.prediction);
  Serial.println(shown);
}
