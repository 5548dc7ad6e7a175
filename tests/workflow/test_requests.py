"""What jobs ask for: a GPU where the machine offers one, and cores to share where it does not."""

import os

import pytest

from project import Project, quick


@pytest.fixture
def commands(tmp_path, photos):
    """Return a function from a user's CUDA_VISIBLE_DEVICES and cores to the commands that would run, by script."""

    def ask(devices: str, cores: int) -> dict[str, str]:
        environment = {"CUDA_VISIBLE_DEVICES": devices}
        project = Project(tmp_path, quick({"source": {"folder": str(photos)}}), environment)
        said = project.run("--dry-run", "--printshellcmds", "--cores", str(cores))
        lines = [line for line in said.splitlines() if " --gpus " in line]
        return {line.partition(".py ")[0].rpartition("/")[2]: line for line in lines}

    return ask


@pytest.mark.parametrize(("devices", "n_gpus"), [("", 0), ("0", 1), ("0,1", 1)])
def test_a_job_asks_for_a_gpu_where_one_is_offered(commands, devices, n_gpus):
    asked = {script: f" --gpus {n_gpus} " in line for script, line in commands(devices, 4).items()}
    assert asked == dict.fromkeys(["embed_images", "train_head", "fine_tune", "predict", "draw_figures"], True)


@pytest.mark.parametrize(("devices", "cores", "threads"), [("", 2, 1), ("", 4, 2), ("", 8, 2), ("", 1, 1), ("0", 2, 2)])
def test_short_jobs_leave_room_beside_them_on_a_processor(commands, devices, cores, threads):
    asked = commands(devices, cores)
    assert f" --threads {threads} " in asked["draw_figures"]


@pytest.mark.parametrize(("devices", "cores"), [("", 1), ("", 2), ("", 4), ("", 64), ("0", 4)])
def test_a_training_that_nothing_runs_beside_takes_all_cores_that_the_machine_has(commands, devices, cores):
    threads = 2 if devices else min(cores, len(os.sched_getaffinity(0)))
    asked = commands(devices, cores)
    for stage in ("embed_images", "train_head", "fine_tune", "predict"):
        assert f" --threads {threads} " in asked[stage], stage
