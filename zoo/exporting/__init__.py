"""Formats of exported models: SavedModel, TFLite, C++, Kotlin and Swift, and the comparison with Keras."""
