"""Patches of photographs: data, simulator, metrics and reports of autoencoders."""
