static void zoo_answer_state(const zoo_state *restrict state, float *restrict probabilities)
{
    zoo_dense(&zoo_logits, state->ZOO_LAST, probabilities);
    zoo_softmax(probabilities, ZOO_CLASSES);
}

void zoo_init(zoo_state *state)
{
    /* Its members are arrays of floats, and nothing else. */
    zoo_zero((float *)state, (int)(sizeof *state / sizeof(float)));
}

void zoo_step(const float *restrict frame, zoo_state *restrict state, float *restrict probabilities)
{
    zoo_advance(frame, state);
    zoo_answer_state(state, probabilities);
}

void zoo_window(const float *restrict window, float *restrict probabilities)
{
    zoo_state state;
    zoo_init(&state);
    for (int row = 0; row < ZOO_WINDOW; row += ZOO_FRAME)
        zoo_advance(window + row * ZOO_CHANNELS, &state);
    zoo_answer_state(&state, probabilities);
}
