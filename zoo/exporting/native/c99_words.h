extern const char *const zoo_words[ZOO_WORDS];

/* The id of a word, from 0, or -1 where the vocabulary lacks it. */
int32_t zoo_id(const char *word);

/* Reads the ids of ZOO_CONTEXT words, and writes ZOO_WORDS probabilities of the next word. Returns 0, or -1 where an
   id is not that of a word: then no probability is written. */
int zoo_next_word(const int32_t *ids, float *probabilities);
