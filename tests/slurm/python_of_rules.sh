#!/bin/sh
# What the rules call as `python` in these tests: it notes where and when a script ran, and plays a fault laid out for it.
#
# A fault is an executable faults/SCRIPT+WORD, taken by the first call of that script whose arguments hold the word. It gets
# the script's command line, and its end is the script's end.
real=$(dirname "$0")/python3
script=$(basename "$1" .py)
note() {
    event=$1
    shift
    echo "$event script=$script job=${SLURM_JOB_ID:-none} gpus=${CUDA_VISIBLE_DEVICES-unset} user=$(id -un) time=$(date +%s.%N)" \
        "exits=$(awk '$2 == "00000000"' /proc/net/route | wc -l) arguments=$*" >>notes.txt
}
note start "$@"
for fault in faults/"$script"+*; do
    [ -e "$fault" ] || continue
    case "$*" in *"${fault##*+}"*) ;; *) continue ;; esac
    if mv "$fault" "faults/.taken-by-${SLURM_JOB_ID:-none}" 2>/dev/null; then
        exec sh "faults/.taken-by-${SLURM_JOB_ID:-none}" "$real" "$@"
    fi
done
"$real" "$@"
code=$?
note end "$@"
exit $code
