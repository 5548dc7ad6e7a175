import subprocess
import tempfile

import yaml

REPORT = "results/report.html"


def write_report():
    """Make Snakemake's own report of what was just built; a failure of it is said, and loses no result."""
    if not all(map(os.path.exists, results_of_all_runs(None))):
        return  # only a part was asked for
    # The default job must not show through, so what was resolved replaces it.
    options = "--replace-workflow-config --nolock --quiet all --snakefile"
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as settings:
        yaml.safe_dump(config, settings)
        settings.flush()
        command = [sys.executable, "-m", "snakemake", "--report", REPORT]
        command += ["--configfile", settings.name, *options.split(), workflow.main_snakefile]
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    if done.returncode:
        print(done.stderr, file=sys.stderr)
        print("graft: the report could not be made; the results are whole", file=sys.stderr)
    else:
        print(f"report: {REPORT}", file=sys.stderr)


onsuccess:
    write_report()
