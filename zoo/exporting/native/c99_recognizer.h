extern const char *const zoo_labels[ZOO_CLASSES];

/* The number of the most probable label, or -1 where it is less probable than the threshold. */
int zoo_answer(const float *probabilities, float threshold);

/* Reads ZOO_WINDOW rows of ZOO_CHANNELS values, and writes ZOO_CLASSES probabilities. */
void zoo_window(const float *window, float *probabilities);
