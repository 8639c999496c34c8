/* Sets a state to the start of a signal. */
void zoo_init(zoo_state *state);

/* Reads ZOO_FRAME rows of ZOO_CHANNELS values, and writes ZOO_CLASSES probabilities. */
void zoo_step(const float *frame, zoo_state *state, float *probabilities);
