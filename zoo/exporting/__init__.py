"""Formats of exported models: SavedModel, TFLite, plain C, Kotlin and Swift, and the comparison with Keras."""
