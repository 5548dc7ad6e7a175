#!/usr/bin/env bash
# Stop the cluster that start_slurm.sh started: its jobs, its processes by their pid files, its network, its configuration.
# Logs stay under the state folder. Whatever else runs on the machine, a munged of its own included, is left alone.
set -uo pipefail

STATE=${SLURM_STATE:-/var/tmp/graft-slurm}
RUN=$STATE/run
MARK="# written by Graft's start_slurm.sh"

name_of() { cat "/proc/$1/comm" 2>/dev/null; }

stop() { # name, seconds: a pid whose process has another name by now is not ours
    local pid i
    pid=$(cat "$RUN/$1.pid" 2>/dev/null) || return 0
    if [ "$(name_of "$pid")" = "$1" ]; then
        kill "$pid"
        for ((i = 0; i < $2 * 10; i++)); do
            [ -d "/proc/$pid" ] || break
            sleep 0.1
        done
        if [ "$(name_of "$pid")" = "$1" ]; then
            kill -9 "$pid"
            echo "stop_slurm: $1 did not stop within $2 s and was killed" >&2
        fi
    fi
    rm -f "$RUN/$1.pid"
}

cancel_jobs() { # first, so that no step outlives its daemon
    timeout 5 scontrol ping >/dev/null 2>&1 || return 0
    local i
    timeout 10 squeue -h -o %A | xargs -r timeout 10 scancel
    for ((i = 0; i < 100; i++)); do
        [ -n "$(timeout 5 squeue -h -o %A 2>/dev/null)" ] || break
        sleep 0.1
    done
}

if grep -qsF "$MARK" /etc/slurm/slurm.conf; then cancel_jobs; fi
stop slurmd 10
stop slurmctld 20
stop slurmdbd 20
stop mariadbd 30
stop munged 5
if ip netns list 2>/dev/null | grep -qw graft-slurm; then
    ip netns pids graft-slurm | xargs -r kill -9 # a job that outlived its daemon: nothing else was ever in there
    ip netns delete graft-slurm
fi
if ip link show graft-here >/dev/null 2>&1; then ip link delete graft-here; fi
for config in slurm.conf gres.conf slurmdbd.conf; do
    if grep -qsF "$MARK" "/etc/slurm/$config"; then rm -f "/etc/slurm/$config"; fi
done
