# Which exports there are, and what can be said of them before any job runs.
from snakemake.settings.types import DeploymentMethod

from graft.exporting.packages import check_installed


def exports_of_run(wildcards):
    """Return the row of every export that a run lists."""
    return [paths.EXPORT_ROW.format(run=wildcards.run, export=name) for name in job.exports(wildcards.run)]


def check_exports():
    """End the run here, in one line, where an export that is listed needs packages that are not installed."""
    if workflow.deployment_settings.deployment_method & {DeploymentMethod.CONDA, DeploymentMethod.APPTAINER}:
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
