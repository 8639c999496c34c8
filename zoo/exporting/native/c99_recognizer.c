int zoo_answer(const float *probabilities, float threshold)
{
    int best = 0;
    for (int i = 1; i < ZOO_CLASSES; ++i)
        if (probabilities[i] > probabilities[best])
            best = i;
    return probabilities[best] < threshold ? -1 : best;
}
