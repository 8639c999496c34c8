"""Export: artifacts that are run and compared with Keras before they get their names."""
