"""Writes the recording of a simulated person as a table in C: hundredths of m/s^2, 50 rows per second."""

import numpy as np

from zoo.activity import simulate

ACTIVITIES = ("walking", "sitting", "jogging")
SECONDS, RATE = 8, 50


def main() -> None:
    random = np.random.default_rng(1)
    person = simulate.Walker.draw("anyone", random)
    print("#include <stdint.h>\n\nstatic const int16_t recording[][3] = {")
    for activity in ACTIVITIES:
        for row in person.record(activity, SECONDS, RATE, random).acceleration:
            print("    {" + ", ".join(f"{round(100 * float(value))}" for value in row) + "},")
    print("};")


if __name__ == "__main__":
    main()
