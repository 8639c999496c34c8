"""Hyper-parameter searches: on one machine or many, killed and gone on with, to a preset that trains again."""
