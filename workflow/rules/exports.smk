from snakemake.settings.types import DeploymentMethod

from graft.exporting.packages import check_installed


def exports_of_run(wildcards):
    """Return the row of every export that a run lists."""
    return [paths.EXPORT_ROW.format(run=wildcards.run, export=name) for name in job.exports(wildcards.run)]


def exports_of_all_runs(wildcards):
    """Return the tables of exports that the default target builds: of the runs that list any."""
    return [paths.EXPORTS.format(run=run) for run in job.runs if job.exports(run)]


def check_exports():
    """End the run here, in one line, where an export that is listed needs packages that are not installed."""
    if DeploymentMethod.CONDA in workflow.deployment_settings.deployment_method:
        return  # jobs have an environment of their own
    try:
        for run in job.runs:
            for name in job.exports(run):
                check_installed(job.export(run, name), run)
    except UserError as error:
        print(f"graft: {error}", file=sys.stderr)
        raise SystemExit(1) from None


if workflow.is_main_process:
    check_exports()


wildcard_constraints:
    export="(onnx|litert|openvino|saved_model)(-float16|-int8)?",


rule export_model:
    input:
        requirements=os.path.relpath(f"{workflow.basedir}/envs/requirements-predict.txt"),
        model=paths.MODEL,
        predictions=paths.PREDICTIONS,
        pixels=of_run(paths.PIXELS),
        manifest=of_run(paths.MANIFEST),
        split=of_run(paths.SPLIT),
    output:
        folder=directory(paths.EXPORT),
        table=paths.EXPORT_ROW,
    log:
        paths.log("export_model", "{run}-{export}"),
    benchmark:
        paths.benchmark("export_model", "{run}-{export}")
    conda:
        "../../envs/exports.yaml"
    threads: 2
    resources:
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
    params:
        code=code_of("export_model.py"),
        settings=settings_of("export"),
    message:
        "Exporting {wildcards.run} as {wildcards.export}"
    shell:
        "python $GRAFT_SCRIPTS/export_model.py --run {wildcards.run} --settings {params.settings:q} --model {input.model}"
        " --predictions {input.predictions} --pixels {input.pixels} --manifest {input.manifest} --split {input.split}"
        " --requirements {input.requirements} --output {output.folder} --table {output.table} --threads {threads}"
        " 2>&1 | tee {log}"


rule join_exports:
    input:
        tables=exports_of_run,
    output:
        table=report(
            paths.EXPORTS,
            caption="../report/exports.rst",
            category="{run}",
            subcategory="Tables",
            labels={"stage": "last", "table": "exports"},
        ),
    log:
        paths.log("join_exports", "{run}"),
    localrule: True
    conda:
        "../../envs/graft.yaml"
    params:
        code=code_of("join_exports.py"),
    message:
        "Tabling the exports of {wildcards.run}"
    shell:
        "python $GRAFT_SCRIPTS/join_exports.py --tables {input.tables} --output {output.table} 2>&1 | tee {log}"
