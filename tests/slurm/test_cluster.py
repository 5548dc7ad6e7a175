"""The chain on a real Slurm, with the profile as it ships: what ran where, and the same bytes whatever happens."""

import re
import subprocess
from itertools import combinations

import pytest
from checkouts import ORDINARY, Checkout
from runs import TARGETS

GPU_SCRIPTS = {"embed_images", "train_head", "fine_tune", "predict"}
CPU_SCRIPTS = {"ingest_dataset", "pack_images"}
LOCAL_SCRIPTS = {"draw_sample", "fetch_weights", "split_dataset", "evaluate"}


def account_of(job: str) -> dict[str, str]:
    """Return what Slurm's accounting says of a job."""
    fields = "user,account,partition,state,alloctres"
    command = ["sacct", "-X", "-n", "-P", "-j", job, "-o", fields]
    line = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout.splitlines()[0]
    return dict(zip(fields.split(","), line.split("|"), strict=True))


def test_a_run_whose_submitting_process_was_killed_picks_up_and_ends_in_the_local_bytes(picked_up, local):
    assert picked_up.tables() == local.tables()
    assert set(TARGETS) <= set(picked_up.tables())
    scripts = [note.script for note in picked_up.notes("end")]
    assert scripts.count("embed_images") == 2  # once for each run: what was done stayed done


def test_gpu_rules_get_a_gpu_of_the_gpu_partition(picked_up):
    notes = [note for note in picked_up.notes("end") if note.script in GPU_SCRIPTS]
    assert {note.script for note in notes} == GPU_SCRIPTS
    for note in notes:
        job = account_of(note.job)
        assert (job["partition"], job["account"], job["user"]) == ("gpu", "lab", ORDINARY), note
        assert "gres/gpu=1" in job["alloctres"], note
        assert note.gpus in {"0", "1"}, note


def test_cpu_rules_go_to_the_cpu_partition_and_hold_no_gpu(picked_up):
    notes = [note for note in picked_up.notes("end") if note.script in CPU_SCRIPTS]
    assert {note.script for note in notes} == CPU_SCRIPTS
    for note in notes:
        job = account_of(note.job)
        assert job["partition"] == "cpu", note
        assert "gres/gpu" not in job["alloctres"], note


def test_light_rules_and_downloads_stay_on_the_submitting_machine(picked_up):
    jobs = {note.script: note.job for note in picked_up.notes("end")}
    assert {script for script, job in jobs.items() if job == "none"} == LOCAL_SCRIPTS


def test_two_gpu_jobs_run_at_once_but_never_on_one_gpu(picked_up, battered):
    spans = [span for checkout in (picked_up, battered) for span in gpu_spans(checkout)]
    together = [(one, other) for one, other in combinations(spans, 2) if one[1] < other[2] and other[1] < one[2]]
    assert together
    assert all(one[0] != other[0] for one, other in together)


def gpu_spans(checkout: Checkout) -> list[tuple[str, float, float]]:
    """Return a GPU, start and end for each GPU job that came to a good end, in seconds."""
    starts = {note.job: note for note in checkout.notes("start") if note.script in GPU_SCRIPTS}
    return [(end.gpus, starts[end.job].time, end.time) for end in checkout.notes("end") if end.script in GPU_SCRIPTS]


def test_compute_nodes_need_no_network(picked_up):
    assert {note.exits for note in picked_up.notes("end") if note.job != "none"} == {0}


def test_every_fault_struck_and_the_bytes_are_those_of_the_local_run(battered, local):
    assert list((battered.folder / "faults").glob("[!.]*")) == []
    assert battered.tables() == local.tables()


def jobs_of_fault(checkout: Checkout, script: str, word: str) -> list[str]:
    """Return the Slurm jobs that ran a script for one run, in order."""
    return [note.job for note in checkout.notes("start") if note.script == script and word in note.arguments]


@pytest.mark.parametrize(
    ("script", "words", "state"),
    [
        ("train_head", "lesson, fold 0", "CANCELLED"),
        ("train_head", "probe, fold 0", "TIMEOUT"),
        ("fine_tune", "lesson, fold 0", "FAILED"),
        ("predict", "--tag lesson", "FAILED"),  # for memory; a cluster with cgroups would say OUT_OF_MEMORY
        ("predict", "--tag probe", "FAILED"),
    ],
)
def test_a_fault_is_said_and_the_job_is_submitted_again(battered, script, words, state):
    first, second = jobs_of_fault(battered, script, words)
    assert account_of(first)["state"].startswith(state)
    assert f"SLURM-job '{first}' failed, SLURM status is: '{state}'" in battered.log()
    assert account_of(second)["state"] == "COMPLETED"


def test_what_a_job_ran_out_of_stands_in_the_log_that_the_terminal_names(battered):
    job, _ = jobs_of_fault(battered, "predict", "--tag lesson")
    log = battered.folder / f"results/logs/slurm/rule_predict/lesson/{job}.log"
    assert f"{log} (check log file(s) for error details)" in battered.log()
    assert "exceeded memory limit" in log.read_text()


def test_a_second_try_has_more_memory(battered):
    first, second = jobs_of_fault(battered, "predict", "--tag lesson")
    assert memory_of(first) == 1000
    assert memory_of(second) in {2000, 3000}  # 3000: a submission that met no controller was a try too


def memory_of(job: str) -> int:
    """Return the memory that Slurm gave a job, in MB."""
    return int(re.search(r"mem=(\d+)M", account_of(job)["alloctres"])[1])


def test_a_training_killed_in_the_middle_goes_on_from_its_checkpoint(battered, local):
    log = (battered.folder / "results" / "logs" / "fine_tune" / "lesson-fold0.log").read_text()
    assert "going on after epoch" in log
    assert "epoch 1/" not in log  # that was in the first try
    history = "results/runs/lesson/fold0/finetuned/history.csv"
    assert (battered.folder / history).read_bytes() == (local.folder / history).read_bytes()
