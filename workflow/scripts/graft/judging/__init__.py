"""From predictions to results: metrics, intervals, calibration, significance, comparison."""
