"""Activity: recordings of motion sensors, windows, recognizers' metrics and reports."""
