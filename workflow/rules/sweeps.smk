# Sweeps: what they will cost, and which setting wins.
import re

from graft.config.keys import canonical
from graft.config.model_table import FINETUNED
from graft.network.missing import why_missing


wildcard_constraints:
    sweep="|".join(map(re.escape, job.sweeps)) or "(?!)",


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
        for line in plan_lines(job, name, Path("results")):
            print(line, file=sys.stderr)


if workflow.is_main_process:
    tell_plan()


rule rank_sweep:
    input:
        predictions=files_of_sweep(paths.PREDICTIONS),
    output:
        ranking=report(
            paths.RANKING,
            caption="../report/sweep.rst",
            category="Sweeps",
            labels={"sweep": "{sweep}"},
        ),
    log:
        paths.log("rank_sweep", "{sweep}"),
    localrule: True
    conda:
        "../../envs/graft.yaml"
    params:
        code=code_of("rank_sweep.py"),
        settings=settings_of("sweep"),
    message:
        "Ranking the runs of {wildcards.sweep}"
    shell:
        "python $GRAFT_SCRIPTS/rank_sweep.py --settings {params.settings:q} --predictions {input.predictions}"
        " --ranking {output.ranking} 2>&1 | tee {log}"


# The model table: config/model_table.yaml, `make table`.


def weights_file_of(run):
    """Return where the weights of a run's backbone lie."""
    return paths.WEIGHTS.format(backbone=backbone_key(run.experiment.backbone))


def networks_missing():
    """Return the runs of the model table whose weights could not be fetched, and why."""
    why = {run.name: why_missing(Path(weights_file_of(run))) for run in job.runs_of_table}
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
    return [paths.benchmark("embed_images", name) for name in names]


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


rule model_table:
    input:
        results_of_model_table,
    localrule: True
    message:
        "The model table is in results/model_table"


rule time_network:
    output:
        timing=paths.TIMING,
    log:
        paths.log("time_network", "{backbone}"),
    conda:
        "../../envs/graft.yaml"
    threads: every_core
    resources:
        gpu=gpus_of_job,
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
        runtime=lambda wildcards, attempt: 30 * attempt,
    params:
        code=code_of("time_network.py"),
        settings=settings_of("timing"),
    message:
        "Timing {wildcards.backbone}"
    shell:
        "python $GRAFT_SCRIPTS/time_network.py --settings {params.settings:q} --output {output.timing} --gpus {resources.gpu}"
        " 2>&1 | tee {log}"


checkpoint tabulate_networks:
    input:
        evaluations=evaluations_of_networks,
        timings=timings_of_networks,
    output:
        table=report(
            paths.MODEL_TABLE,
            caption="../report/model_table.rst",
            category="Model table",
            labels={"what": "table: every network"},
        ),
        figure=report(
            "results/model_table/accuracy_and_time.png",
            caption="../report/model_table.rst",
            category="Model table",
            labels={"what": "figure: accuracy against milliseconds"},
        ),
        page=report(
            "results/model_table/page.html",
            caption="../report/model_table.rst",
            category="Model table",
            labels={"what": "page: which network"},
        ),
        latex="results/model_table/table.tex",
        recommendation="results/model_table/recommendation.txt",
    log:
        paths.log("tabulate_networks"),
    localrule: True
    conda:
        "../../envs/graft.yaml"
    params:
        code=code_of("tabulate_networks.py"),
        settings=settings_of("model_table"),
        embedded=benchmarks_of_networks,
        missing=lambda wildcards: canonical(networks_missing()),
    message:
        "Laying the networks side by side"
    shell:
        "python $GRAFT_SCRIPTS/tabulate_networks.py --settings {params.settings:q} --evaluations {input.evaluations}"
        " --timings {input.timings} --embedded {params.embedded} --missing {params.missing:q} --table {output.table}"
        " --figure {output.figure} --latex {output.latex} --page {output.page}"
        " --recommendation {output.recommendation} 2>&1 | tee {log}"


rule compare_finetuned:
    input:
        table=paths.MODEL_TABLE,
        evaluations=files_of_finetuned(paths.EVALUATION),
        models=files_of_finetuned(paths.MODEL),
    output:
        table=report(
            paths.MODEL_TABLE_FINETUNED,
            caption="../report/model_table_finetuned.rst",
            category="Model table",
            labels={"what": "table: the best networks, fine-tuned"},
        ),
    log:
        paths.log("compare_finetuned"),
    localrule: True
    conda:
        "../../envs/graft.yaml"
    params:
        code=code_of("compare_finetuned.py"),
        settings=settings_of("model_table"),
    message:
        "Comparing the best networks, fine-tuned, with their probes"
    shell:
        "python $GRAFT_SCRIPTS/compare_finetuned.py --settings {params.settings:q} --table {input.table} --evaluations {input.evaluations}"
        " --output {output.table} 2>&1 | tee {log}"
