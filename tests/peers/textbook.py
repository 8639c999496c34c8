"""A subclass as Keras' guide to saving shows one, which a new process imports to load it."""

import keras

import zoo


@keras.saving.register_keras_serializable(package="textbook")
class Mine(zoo.ActivityGRU):
    """Has an argument of its own, and passes on all others."""

    def __init__(self, note="", **options):
        super().__init__(**options)
        self.note = note

    def get_config(self):
        return {**super().get_config(), "note": self.note}
