"""Text: vocabulary, rows of words, simulator, metrics and reports of language models."""
