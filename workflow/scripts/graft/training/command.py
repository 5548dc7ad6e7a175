"""The options that both training scripts have."""

import argparse
from pathlib import Path


def parser_of(description: str) -> argparse.ArgumentParser:
    """Return a parser with what every training of one run and fold reads, writes and may use."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--settings", required=True, help="the phase and all that it depends on, as JSON")
    parser.add_argument("--manifest", required=True, type=Path, help="manifest.csv: the order of the photos")
    parser.add_argument("--split", required=True, type=Path, help="split.csv")
    parser.add_argument("--fold", required=True, type=int, help="which fold of the split")
    parser.add_argument("--tag", required=True, help="run and fold, for the lines of progress")
    parser.add_argument("--state", required=True, type=Path, help="folder for what a killed training resumes from")
    parser.add_argument("--model", required=True, type=Path, help="the .keras file to write")
    parser.add_argument("--history", required=True, type=Path, help="the history.csv to write")
    parser.add_argument("--threads", type=int, default=0, help="processor threads; 0: all")
    parser.add_argument("--gpus", type=int, default=0, help="GPUs to use, if there are any")
    return parser
