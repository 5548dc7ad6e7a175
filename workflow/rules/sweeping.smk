# What sweeps and the model table consist of, and what can be said of them before any job runs.
import re

from graft.config.keys import canonical
from graft.config.model_table import FINETUNED
from graft.network.missing import why_missing


def sweeps_to_build():
    """Return the names of the sweeps that `runs` lists."""
    return [name for name in job.config.runs if name in job.sweeps]


def results_of_sweeps(wildcards):
    """Return the rankings of the sweeps that choose."""
    return [paths.RANKING.format(sweep=name) for name in sweeps_to_build() if job.sweeps[name].choose != "none"]


def files_of_sweep(pattern):
    """Return an input function: a file of every run of a sweep."""

    def files(wildcards):
        return [pattern.format(run=run.name) for run in job.runs_of_sweep(wildcards.sweep)]

    return files


def tell_plan():
    """Say what the sweeps will cost before anything runs."""
    from graft.planning.plan import plan_lines

    for name in sweeps_to_build():
        for line in plan_lines(job, name, RESULTS):
            print(line, file=sys.stderr)


if workflow.is_main_process:
    tell_plan()


def weights_file_of(run):
    """Return where the weights of a run's backbone lie."""
    return paths.WEIGHTS.format(backbone=backbone_key(run.experiment.backbone))


def networks_missing():
    """Return the runs of the model table whose weights could not be fetched, and why."""
    why = {run.name: why_missing(Path(placed(weights_file_of(run)))) for run in job.runs_of_table}
    return {name: reason for name, reason in why.items() if reason}


def networks_there():
    """Return the runs of the model table but for those whose weights could not be fetched."""
    missing = networks_missing()
    return [run for run in job.runs_of_table if run.name not in missing]


def evaluations_of_networks(wildcards):
    """Return every network's evaluation.csv."""
    return [paths.EVALUATION.format(run=run.name) for run in networks_there()]


def timings_of_networks(wildcards):
    """Return every network's timing, in the same order."""
    return [paths.TIMING.format(backbone=backbone_key(run.experiment.backbone)) for run in networks_there()]


def benchmarks_of_networks(wildcards):
    """Return where the benchmark of every network's features lies, in the same order."""
    names = [f"{run.experiment.dataset}-{features_key(run.embedding)}" for run in networks_there()]
    return [placed(paths.benchmark("embed_images", name)) for name in names]


def every_core(wildcards):
    """Return all cores of this machine, so that nothing runs beside a timing; elsewhere the threads that are timed."""
    own = job.config.model_table.threads if job.config.model_table else 2
    return max(own, workflow.resource_settings.cores or own) if on_this_machine() else own


def results_of_model_table(wildcards):
    """Return the model table, and its best networks fine-tuned, if they are asked for."""
    if job.config.model_table is None:
        print(
            "graft: there is no model_table in the configuration; add --configfile config/model_table.yaml",
            file=sys.stderr,
        )
        raise SystemExit(1)
    tuned = [paths.MODEL_TABLE_FINETUNED] if job.config.model_table.finetune else []
    return [paths.MODEL_TABLE, *tuned]


def runs_to_finetune(wildcards):
    """Return the runs of the best networks, fine-tuned, once the table is there."""
    from graft.judging.model_table import best_runs

    table = checkpoints.tabulate_networks.get().output.table
    return [f"{run}{FINETUNED}" for run in best_runs(Path(table), job.config.model_table.finetune)]


def files_of_finetuned(pattern):
    """Return an input function: a file of every network's run that is fine-tuned."""

    def files(wildcards):
        return [pattern.format(run=run) for run in runs_to_finetune(wildcards)]

    return files


def tell_model_table():
    """Say which networks the table goes without."""
    for name, reason in networks_missing().items():
        print(f"graft: the model table goes without {name}: {reason}", file=sys.stderr)


if workflow.is_main_process:
    tell_model_table()
