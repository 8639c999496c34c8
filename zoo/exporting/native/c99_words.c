int32_t zoo_id(const char *word)
{
    for (int32_t id = 0; id < ZOO_WORDS; ++id) {
        int i = 0;
        while (word[i] != 0 && word[i] == zoo_words[id][i])
            ++i;
        if (word[i] == zoo_words[id][i])
            return id;
    }
    return -1;
}

int zoo_next_word(const int32_t *restrict ids, float *restrict probabilities)
{
    float read[ZOO_READ], hidden[ZOO_HIDDEN];
    for (int i = 0; i < ZOO_CONTEXT; ++i)
        if (ids[i] < 0 || ids[i] >= ZOO_WORDS)
            return -1;
    for (int i = 0; i < ZOO_CONTEXT; ++i)
        zoo_row(&zoo_embedding, ids[i], read + i * ZOO_EMBEDDING);
    zoo_hidden(read, hidden);
    zoo_dense(&zoo_logits, hidden, probabilities);
    zoo_softmax(probabilities, ZOO_WORDS);
    return 0;
}
