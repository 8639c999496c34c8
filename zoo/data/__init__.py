"""Data: from files to batches. HDF5 enters in `hdf5`, batches leave through `pipeline`."""
