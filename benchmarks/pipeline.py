"""Where the whole chain's time and memory go: rules, starts of Python, Snakemake; second runs; shared features.

    python benchmarks/pipeline.py                                   # 100, 1,000 and 10,000 drawn photos: 40 minutes
    python benchmarks/pipeline.py --sizes 40 --rounds 1 --sweep 2   # does it work?

Every run is Snakemake in a fresh folder, on Rootstock and the weights that ship, so that it runs anywhere. Its
processes are looked at from outside, ten times a second or less often: seconds of a rule's jobs are Snakemake's own
where the rule has a `benchmark`, and from start to last sight elsewhere; `peak_mb` is the most that one job's processes
held at once; `start_s` is what a job needs to start Python and import, and to start Keras if it does, measured apart.

    jobs            time in which at least one job ran
    of it: starts   start_s of all jobs; two that run side by side count both, so it can be more than `jobs`
    Snakemake       the rest: reading the configuration, planning, the gaps between jobs, the report
    nothing to do   the same command once more
"""

import argparse
import functools
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import timing
from chain import SCRIPTS, jobs_of_rule, run_chain
from ingest import draw

sys.path.insert(0, str(SCRIPTS))
EXPERIMENT = {"override": {"head": {"output": "softmax"}}}  # of ten classes
FIND_LIBRARY = f"import sys; sys.path.insert(0, {str(SCRIPTS)!r})"
START_KERAS = f"{FIND_LIBRARY}; from graft.machine import runtime; runtime.start(seed=0)"


def main() -> None:
    arguments = parsed()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as room:
        parts = {n_photos: [] for n_photos in arguments.sizes}
        variants = {}
        for n_photos in [*arguments.sizes, arguments.sweep_photos]:
            if not (Path(room) / str(n_photos)).exists():
                draw(Path(room) / str(n_photos), n_photos, arguments.cores)
        for n_photos in arguments.sizes:
            variants[f"{n_photos:,} photos"] = functools.partial(
                whole_run, arguments, Path(room), n_photos, parts[n_photos]
            )
        for n in (1, arguments.sweep):
            variants[f"{n} experiments"] = functools.partial(sweep, arguments, Path(room), n)
        measured = timing.rounds_of(variants, arguments.rounds)
        starts = starts_of({rule for rounds in parts.values() for each in rounds for rule in each}, arguments.rounds)
    rows = []
    for n_photos, rounds in parts.items():
        if f"{n_photos:,} photos" in measured:
            rows += rows_of_size(n_photos, rounds, measured[f"{n_photos:,} photos"], starts)
    timing.report(rows, arguments.output)
    timing.report(
        rows_of_sweep(measured, arguments.sweep), arguments.output.with_stem(arguments.output.stem + "_sweep")
    )


def parsed() -> argparse.Namespace:
    """Return the command line's settings."""
    parser = timing.parser_of(__doc__, "pipeline.csv")
    parser.add_argument("--sizes", type=int, nargs="+", default=[100, 1000, 10_000], help="numbers of photos")
    parser.add_argument("--recipe", default="lesson", help="of the runs by size; default lesson")
    parser.add_argument("--backbone", default="Rootstock", help="default Rootstock")
    parser.add_argument("--weights", default="textures", help="the backbone's; default textures, which ship")
    parser.add_argument("--size", type=int, default=96, help="pixels; default 96")
    parser.add_argument("--sweep", type=int, default=10, help="experiments that share features; default 10")
    parser.add_argument("--sweep-recipe", default="softmax", help="of those experiments; default softmax")
    parser.add_argument("--sweep-photos", type=int, default=100, help="theirs; default 100")
    parser.add_argument("--cores", type=int, default=2, help="Snakemake's; default 2")
    parser.add_argument("--folder", type=Path, help="where photos and results go for the time; default: temporary")
    return parser.parse_args()


def job_of(arguments: argparse.Namespace, photos: Path, recipe: str, n_experiments: int) -> dict:
    """Return a configuration: one dataset, and experiments that differ in their seed alone."""
    backbone = {"name": arguments.backbone, "weights": arguments.weights, "size": arguments.size}
    experiment = {"dataset": "photos", "recipe": recipe, "backbone": backbone, "seeds": n_experiments, **EXPERIMENT}
    return {
        "runs": ["measured"],
        "datasets": {"photos": {"source": {"folder": str(photos)}, "split": {"method": "stratified"}}},
        "experiments": {"measured": experiment},
    }


def whole_run(arguments: argparse.Namespace, room: Path, n_photos: int, parts: list[dict]) -> timing.Numbers:
    """Run the chain twice in a fresh folder; add what its jobs took to `parts`, by rule, and return the totals."""
    job, watch = job_of(arguments, room / str(n_photos), arguments.recipe, 1), Watch()
    with tempfile.TemporaryDirectory(dir=room) as folder:
        finished = run_chain(job, Path(folder), arguments.cores, look=watch.look)
        parts.append(watch.rules(Path(folder) / "results"))
        again = run_chain(job, Path(folder), arguments.cores)
    return {
        "seconds": finished.seconds,
        "in_jobs": watch.busy_seconds(),
        "again": again.seconds,
        "peak_mb": finished.peak_mb,
        "again_mb": again.peak_mb,
    }


def sweep(arguments: argparse.Namespace, room: Path, n_experiments: int) -> timing.Numbers:
    """Run experiments that share their features; return the totals, and how often photos were embedded."""
    job = job_of(arguments, room / str(arguments.sweep_photos), arguments.sweep_recipe, n_experiments)
    with tempfile.TemporaryDirectory(dir=room) as folder:
        finished = run_chain(job, Path(folder), arguments.cores)
        counts = {
            f"{rule}_jobs": float(len(jobs_of_rule(Path(folder) / "results", rule)))
            for rule in ("embed_images", "train_head")
        }
    return {"seconds": finished.seconds, "peak_mb": finished.peak_mb, **counts}


class Watch:
    """Looks at a Snakemake's processes: which script each runs, since when, until when, in what memory."""

    def __init__(self):
        self.jobs: dict[tuple[int, float], dict] = {}

    def look(self, pid: int) -> None:
        """See what runs now below a process."""
        seen = set()
        for child in timing.tree_of(pid)[1:]:  # parents before their children
            rule, start = rule_of(child), start_of(child)
            if rule and start and child not in seen:
                family = timing.tree_of(child)  # a script's own workers are part of it
                seen.update(family)
                job = self.jobs.setdefault((child, start), {"rule": rule, "start": start, "peak_mb": 0.0})
                job["end"] = time.clock_gettime(time.CLOCK_BOOTTIME)
                job["peak_mb"] = max(job["peak_mb"], sum(map(timing.proportional_bytes, family)) / 1e6)

    def rules(self, results: Path) -> dict[str, timing.Numbers]:
        """Return jobs, seconds and peak memory of each rule, in the order in which they began."""
        table = {}
        for rule in dict.fromkeys(job["rule"] for job in sorted(self.jobs.values(), key=lambda job: job["start"])):
            jobs = [job for job in self.jobs.values() if job["rule"] == rule]
            told = [float(row["s"]) for row in jobs_of_rule(results, rule)]
            table[rule] = {
                "jobs": len(told or jobs),
                "seconds": sum(told or [job["end"] - job["start"] for job in jobs]),
                "peak_mb": max(job["peak_mb"] for job in jobs),
            }
        return table

    def busy_seconds(self) -> float:
        """Return the time in which at least one job ran."""
        return covered([(job["start"], job["end"]) for job in self.jobs.values() if job["rule"] != "report"])


def covered(spans: list[tuple[float, float]]) -> float:
    """Return the length that spans of time cover together.

    >>> covered([(0.0, 2.0), (1.0, 3.0), (5.0, 6.0)])
    4.0
    """
    total, reached = 0.0, float("-inf")
    for start, end in sorted(spans):
        total += max(0.0, end - max(start, reached))
        reached = max(reached, end)
    return total


def rule_of(pid: int) -> str | None:
    """Return the rule whose script a process runs, `report` for Snakemake's report, or None for anything else."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    except OSError:  # it just ended
        return None
    if "python" not in Path(words[0]).name:
        return None
    if "snakemake" in words and "--report" in words:
        return "report"
    script = next((Path(word) for word in words[1:2] if word.endswith(".py")), None)
    return script.stem if script and (SCRIPTS / script.name).exists() else None


def start_of(pid: int) -> float | None:
    """Return when a process began, in seconds since the machine did, or None if it just ended."""
    try:
        after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return int(after_name[19]) / os.sysconf("SC_CLK_TCK")  # proc(5): starttime is field 22, the name field 2


def starts_of(rules: set[str], rounds: int) -> dict[str, float]:
    """Return how long the script of each rule takes until it can begin to work.

    `--help` is answered once its imports are done; Keras is started later, in the scripts that say so.
    """
    from graft.code import code_files

    bare = median_seconds([sys.executable, "-c", "pass"], rounds)
    keras = median_seconds([sys.executable, "-c", START_KERAS], rounds) - bare
    starts = {}
    for rule in rules - {"report"}:
        script = SCRIPTS / f"{rule}.py"
        code = [Path(file).read_text(encoding="utf-8") for file in code_files(script.name)]
        starts_keras = any("runtime.start(" in text for text in code)
        starts[rule] = median_seconds([sys.executable, script, "--help"], rounds) + (keras if starts_keras else 0.0)
    return starts


def median_seconds(command: list, rounds: int) -> float:
    """Return the median of a command's seconds."""
    return statistics.median(timing.whole_process(command).seconds for _ in range(rounds))


def rows_of_size(
    n_photos: int, parts: list[dict], totals: list[timing.Numbers], starts: dict[str, float]
) -> list[dict]:
    """Return the rows of a number of photos: rules, then what they add up to, each with its share of the whole."""
    total = timing.medians(totals)
    rows = []
    for rule in parts[0]:
        numbers = timing.medians([each[rule] for each in parts if rule in each])
        rows.append({"part": rule, **numbers, "start_s": starts.get(rule)})
    in_starts = sum(row["jobs"] * row["start_s"] for row in rows if row["start_s"])
    in_jobs, whole = total["in_jobs"], total["seconds"]
    rows += [
        {"part": "jobs", "seconds": in_jobs},
        {"part": "of it: starts", "seconds": in_starts},
        {"part": "Snakemake", "seconds": whole - in_jobs},
        {"part": "whole", "seconds": whole, "peak_mb": total["peak_mb"]},
        {"part": "nothing to do", "seconds": total["again"], "peak_mb": total["again_mb"]},
    ]
    columns = dict.fromkeys(("part", "jobs", "seconds", "start_s", "peak_mb"))
    rows = [{"photos": n_photos} | columns | row for row in rows]
    return timing.with_ratios(rows, "seconds", rows[-2], "share_of_whole", faster_is="more")


def rows_of_sweep(measured: dict, n: int) -> list[dict]:
    """Return a row for one experiment and for several, with what each takes of the time of one alone."""
    rows = []
    for count in dict.fromkeys((1, n)):
        if f"{count} experiments" in measured:
            numbers = timing.medians(measured[f"{count} experiments"])
            rows.append({"experiments": count, **numbers, "seconds_each": numbers["seconds"] / count})
    base = rows[0] if rows and rows[0]["experiments"] == 1 else None
    return timing.with_ratios(rows, "seconds", base, "times_one", faster_is="more")


if __name__ == "__main__":
    main()
