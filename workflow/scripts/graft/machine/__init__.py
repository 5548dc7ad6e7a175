"""The machine that a job runs on: its GPUs, threads and framework, and lines of progress."""
