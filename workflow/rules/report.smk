import subprocess
import tempfile

import yaml

REPORT = "results/report.html"


def write_report():
    """Make Snakemake's own report of what was just built; a failure of it is said, and loses no result."""
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as settings:
        yaml.safe_dump(config, settings)
        settings.flush()
        command = [sys.executable, "-m", "snakemake", "--report", REPORT, "--configfile", settings.name]
        command += ["--replace-workflow-config"]  # the default job must not show through
        command += ["--snakefile", str(workflow.main_snakefile), "--nolock", "--quiet", "all"]
        done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        print(done.stderr, "graft: the report could not be made; the results are whole", sep="\n", file=sys.stderr)
    else:
        print(f"report: {REPORT}", file=sys.stderr)


onsuccess:
    write_report()
