"""What the benchmarks share: interleaved rounds, medians, tables with ratios, seconds and memory of whole processes.

Needs nothing but Python, so that it also runs where a GPU machine has no more than a framework.
"""

import argparse
import csv
import json
import math
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

RESULTS = Path("results/benchmarks")
LOOK_SHARE = 0.1  # of one processor: how much the looks at a process's memory may take from what is measured
MARK = "measured: "  # begins the line in which a process tells its numbers

Numbers = dict[str, float]
Name = str | tuple


class Failed(Exception):
    """A measured process ended badly; the message is the end of what it said."""


@dataclass(frozen=True)
class Finished:
    """A process that ended well."""

    seconds: float
    peak_mb: float
    """Of all its processes together; 0 where the system does not tell (only Linux does)."""

    output: str

    def numbers(self) -> Numbers:
        """Return what it told by `tell`."""
        lines = [line for line in self.output.splitlines() if line.startswith(MARK)]
        if not lines:
            raise Failed(f"it told no numbers: {reason_in(self.output)}")
        return json.loads(lines[-1].removeprefix(MARK))


def parser_of(text: str, output: str, rounds: int = 3) -> argparse.ArgumentParser:
    """Return a parser with what every benchmark takes: --rounds and --output."""
    parser = argparse.ArgumentParser(description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=rounds, help=f"medians are of so many; default {rounds}")
    parser.add_argument("--output", type=Path, default=RESULTS / output, help=f"default {RESULTS / output}")
    return parser


def tell(**numbers: float) -> None:
    """Print what a process measured, for `Finished.numbers`."""
    print(MARK + json.dumps(numbers), flush=True)


def rounds_of(variants: dict[Name, Callable[[], Numbers]], rounds: int) -> dict[Name, list[Numbers]]:
    """Measure every variant once a round, so that a slow hour of the machine slows all of them alike.

    A variant that fails is said in a line and left out, with what it measured before.

    Returns: by name, in their order, what each that never failed measured, round by round.
    """
    measured = {name: [] for name in variants}
    for number in range(1, rounds + 1):
        for name in list(measured):
            words = name if isinstance(name, str) else ", ".join(map(str, name))
            try:
                measured[name].append(variants[name]())
            except Failed as failure:
                del measured[name]
                print(f"left out: {words}: {failure}", flush=True)
            else:
                print(f"round {number}/{rounds}: {words}: {in_words(measured[name][-1])}", flush=True)
    return measured


def in_words(numbers: Numbers) -> str:
    """Return numbers as a line.

    >>> in_words({"seconds": 1.25, "peak_mb": 700.4})
    'seconds 1.25, peak_mb 700'
    """
    return ", ".join(f"{name} {shown(value)}" for name, value in numbers.items())


def medians(rounds: list[Numbers]) -> Numbers:
    """Return each number's median over the rounds.

    >>> medians([{"seconds": 3.0}, {"seconds": 1.0}, {"seconds": 2.0}])
    {'seconds': 2.0}
    """
    return {name: statistics.median(each[name] for each in rounds) for name in rounds[0]}


def spread(rounds: list[Numbers], of: str) -> str:
    """Return the least and the greatest of a number over the rounds, as `1.0 to 3.0`."""
    values = [each[of] for each in rounds]
    return f"{shown(min(values))} to {shown(max(values))}"


def with_ratios(rows: list[dict], of: str, base: dict, name: str, faster_is: str) -> list[dict]:
    """Return rows that say how many times faster than the base row each is.

    Args:
        rows: with a column `of`.
        of: what is compared.
        base: the row that the others are compared with; None where it failed: then nothing is known.
        name: of the new column.
        faster_is: `less` for seconds, `more` for images a second.

    >>> rows = [{"seconds": 10.0}, {"seconds": 4.0}]
    >>> [row["times"] for row in with_ratios(rows, "seconds", rows[0], "times", faster_is="less")]
    [1.0, 2.5]
    """
    result = []
    for row in rows:
        pair = (row[of], base[of]) if base else (math.nan, math.nan)
        ratio = pair[0] / pair[1] if faster_is == "more" else pair[1] / pair[0]
        result.append(row | {name: ratio})
    return result


def table_of(rows: list[dict]) -> str:
    """Return rows as aligned columns, numbers to the right.

    >>> print(table_of([{"what": "a", "seconds": 1.0}, {"what": "long", "seconds": 12.5}]))
    what  seconds
    a        1.00
    long     12.5
    """
    columns = []
    for name in columns_of(rows):
        cells = [name, *(shown(row.get(name)) for row in rows)]
        is_text = any(isinstance(row.get(name), str) for row in rows)
        width = max(map(len, cells))
        columns.append([cell.ljust(width) if is_text else cell.rjust(width) for cell in cells])
    return "\n".join("  ".join(line).rstrip() for line in zip(*columns, strict=True))


def columns_of(rows: list[dict]) -> list[str]:
    """Return the names of all columns of rows, which need not have the same."""
    return list(dict.fromkeys(name for row in rows for name in row))


def shown(value: object) -> str:
    """Return a number to three digits or to the unit, other things as they are, and nothing for no number.

    >>> [shown(value) for value in (1234.5, 12.345, 1.2345, 0.95, 3, "text", None, math.nan)]
    ['1,234', '12.3', '1.23', '0.950', '3', 'text', '', '']
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if not isinstance(value, float):
        return str(value)
    size = abs(value)
    return f"{value:,.{0 if size >= 100 else 1 if size >= 10 else 2 if size >= 1 else 3}f}"


def rounded(value: object) -> object:
    """Return a number to three decimals, and other things as they are."""
    return round(value, 3) if isinstance(value, float) else value


def report(rows: list[dict], output: Path) -> None:
    """Print a table and write it as a CSV."""
    if not rows:
        raise SystemExit("nothing could be measured")
    print(f"\n{table_of(rows)}")
    output.parent.mkdir(parents=True, exist_ok=True)
    with open(output, "w", newline="") as stream:
        table = csv.DictWriter(stream, columns_of(rows), lineterminator="\n")
        table.writeheader()
        table.writerows({name: rounded(value) for name, value in row.items()} for row in rows)
    print(f"written to {output}")


def whole_process(
    command: Iterable[object],
    cwd: Path | None = None,
    env: dict[str, str] | None = None,
    look: Callable[[int], None] | None = None,
) -> Finished:
    """Run a command and return its seconds and the peak memory of all its processes, shared pages counted once.

    Args:
        command: program and arguments.
        cwd: its working folder.
        env: its environment.
        look: is called with the process's number at every look at its memory.

    Raises: Failed if it returns an error.
    """
    with tempfile.TemporaryFile() as said:
        start, peak, cost = time.perf_counter(), 0.0, 0.0
        process = subprocess.Popen([str(part) for part in command], cwd=cwd, env=env, stdout=said, stderr=said)
        try:
            while not ended(process, max(0.1, cost / LOOK_SHARE)):
                before = time.process_time()
                peak = max(peak, memory_mb(process.pid))
                if look:
                    look(process.pid)
                cost = time.process_time() - before
        finally:
            process.terminate()  # does something only where this process was interrupted
        seconds = time.perf_counter() - start
        said.seek(0)
        output = said.read().decode(errors="replace")
    if process.returncode:
        raise Failed(f"status {process.returncode}: {reason_in(output)}")
    return Finished(seconds, peak, output)


def ended(process: subprocess.Popen, patience: float) -> bool:
    """Return whether a process ends within `patience` seconds."""
    try:
        process.wait(patience)
    except subprocess.TimeoutExpired:
        return False
    return True


def reason_in(output: str) -> str:
    """Return why a program ended badly: Graft's own sentence, else the last error, else the last line.

    >>> reason_in("graft: seed is -1, which is negative")
    'graft: seed is -1, which is negative'
    """
    lines = [line.strip() for line in output.splitlines() if line.strip()] or ["it said nothing"]
    own = [line for line in lines if line.startswith("graft:")]
    errors = [line for line in lines if "Error" in line]
    return (own or errors or lines)[-1]


def memory_mb(pid: int) -> float:
    """Return the memory of a process and its descendants, in MB: anonymous pages; mapped files are not their own."""
    return sum(map(proportional_bytes, tree_of(pid))) / 1e6


def tree_of(pid: int) -> list[int]:
    """Return the numbers of a process and its descendants, fewer where one just ended."""
    found = [pid]
    for parent in found:  # grows while it is walked
        try:
            tasks = list(Path(f"/proc/{parent}/task").iterdir())
            found += [int(child) for task in tasks for child in (task / "children").read_text().split()]
        except OSError:
            continue
    return found


def proportional_bytes(pid: int) -> int:
    """Return a process's own anonymous memory and its share of what it shares."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:  # it just ended
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss_Anon:")), 0)


def steps_for(seconds: float, one_step: float) -> int:
    """Return how many steps fill a time: at least 2, so that one slow step is not the answer.

    >>> steps_for(10.0, 0.5), steps_for(10.0, 60.0)
    (20, 2)
    """
    return max(2, math.ceil(seconds / max(one_step, 1e-6)))


def images_per_second(run: Callable[[int], float | None], batch: int, seconds: float, warm_up: int = 2) -> float:
    """Return the speed of a loop, compiling and warming up left out.

    Args:
        run: does a number of steps; returns once the last is over, or returns when it was, by `time.perf_counter`.
        batch: images a step.
        seconds: how long to measure, about.
        warm_up: steps that are not counted; the first compiles.
    """
    run(warm_up)
    one_step = timed(run, 1)
    steps = steps_for(seconds, one_step)
    return batch * steps / timed(run, steps)


def timed(run: Callable[[int], float | None], steps: int) -> float:
    """Return the seconds of a number of steps."""
    start = time.perf_counter()
    return (run(steps) or time.perf_counter()) - start


def this_python(script: str, *arguments: object) -> list[str]:
    """Return the command that runs a script beside this one with this interpreter."""
    return [sys.executable, str(Path(__file__).with_name(script)), *map(str, arguments)]
