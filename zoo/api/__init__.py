"""The public functions, by subject: models, data, training, devices; each checks names, files and settings first."""
