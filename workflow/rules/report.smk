import json
import subprocess
import tempfile

import yaml
from snakemake.exceptions import WorkflowError


def write_report():
    """Make Snakemake's own report of what was just built; a failure of it is said, and loses no result."""
    finished = targets_finished()
    if not finished:
        return  # only a part was asked for
    # The default job must not show through, so what was resolved replaces it.
    options = "--replace-workflow-config --nolock --quiet all --snakefile"
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as settings:
        yaml.safe_dump(config, settings)
        settings.flush()
        command = [sys.executable, "-m", "snakemake", "--report", paths.REPORT]
        command += ["--report-stylesheet", CHECKOUT / "workflow" / "report" / "report.css"]
        command += ["--configfile", settings.name, *options.split(), workflow.main_snakefile, "--", *finished]
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    if done.returncode:
        print(done.stderr, file=sys.stderr)
        print("graft: the report could not be made; the results are whole", file=sys.stderr)
    else:
        print(f"report: {paths.REPORT}", file=sys.stderr)


def targets_finished():
    """Return the targets whose results are all there: those of the runs, and the model table."""
    results = {"all": results_of_all_runs(None)}
    if job.config.model_table:
        results["model_table"] = results_of_model_table(None)
    return [target for target, files in results.items() if all(map(os.path.exists, files))]


def figures_that_failed():
    """Return a sentence for each figure in whose place a note stands; the next run draws it again."""
    sentences = []
    for run in job.runs:
        failed = Path(paths.FAILED_FIGURES.format(run=run))
        for figure, reason in (json.loads(failed.read_text()) if failed.is_file() else {}).items():
            log = paths.log("draw_figures", run)
            sentences.append(f"graft: the figure {figure} of {run} could not be drawn ({reason}); see {log}")
    return sentences


if workflow.is_main_process:
    remember()  # all rules have been read, and with them the code that they depend on


onsuccess:
    write_report()
    if figures_that_failed():
        raise WorkflowError("\n".join(figures_that_failed()))
