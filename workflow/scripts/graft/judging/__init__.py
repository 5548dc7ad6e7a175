"""From predictions to numbers that can be believed: metrics, intervals, calibration, verdicts."""
