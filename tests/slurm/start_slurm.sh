#!/usr/bin/env bash
# Start a real one-node Slurm cluster with accounting and two GPUs on this machine, or leave it be if it runs.
#
# Usage: start_slurm.sh [USER...]     root and these users may submit; stop_slurm.sh stops what was started here.
#
# The cluster lives in a network namespace that has a wire to this machine and to nothing else: nobody outside reaches it,
# and every job shows that it needs no network. The GPUs are character devices that are /dev/null by another name; Slurm
# schedules them and sets CUDA_VISIBLE_DEVICES as for any other. Needs root; installs Debian's Slurm where it is missing.
set -euo pipefail

STATE=${SLURM_STATE:-/var/tmp/graft-slurm} # state, logs and pid files
GPUS=2
CPUS=8          # more than a small machine has, so that jobs overlap on any
MEMORY_MB=64000 # likewise: what Slurm hands out
HERE=203.0.113.1 CLUSTER=203.0.113.2 # TEST-NET-3: documentation only, so no network should have them (RFC 5737)
NAMESPACE=graft-slurm
MARK="# written by Graft's start_slurm.sh"
HOST=$(hostname -s)
RUN=$STATE/run LOG=$STATE/log

say() { echo "start_slurm: $*" >&2; }
fail() { say "$*"; exit 1; }

alive() { # name: does the process of that name that we started still run?
    local pid
    pid=$(cat "$RUN/$1.pid" 2>/dev/null) && [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = "$1" ]
}

wait_for() { # what, seconds, command...
    local what=$1 tries=$(($2 * 10))
    shift 2
    until "$@" >/dev/null 2>&1; do
        ((tries-- > 0)) || { tail -n 5 "$LOG"/*.log >&2; fail "$what did not come up; its log is in $LOG"; }
        sleep 0.1
    done
}

install_packages() {
    local missing=() pair
    for pair in munged:munge slurmctld:slurmctld slurmd:slurmd sbatch:slurm-client slurmdbd:slurmdbd \
        mariadbd:mariadb-server ip:iproute2; do
        command -v "${pair%:*}" >/dev/null || missing+=("${pair#*:}")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    command -v apt-get >/dev/null || fail "needs ${missing[*]}, and knows only apt-get to install them"
    say "installing ${missing[*]}"
    if [ ! -e /usr/sbin/policy-rc.d ]; then # packages must not start daemons by themselves
        trap 'rm -f /usr/sbin/policy-rc.d' EXIT
        printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
        chmod 755 /usr/sbin/policy-rc.d
    fi
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "${missing[@]}"; } >"$LOG/apt.log" 2>&1 ||
        { tail -n 20 "$LOG/apt.log" >&2; fail "apt-get failed"; }
}

write_config() { # name, mode; the text comes from standard input
    local target=/etc/slurm/$1
    mkdir -p /etc/slurm
    if [ -e "$target" ] && ! grep -qF "$MARK" "$target"; then
        fail "$target belongs to another cluster; this test needs a machine without one"
    fi
    install -m "$2" /dev/stdin "$target.new" < <(echo "$MARK" && cat)
    mv "$target.new" "$target" # at once: another run may be reading it, when the controller alone is started again
}

configure() {
    # AuthType and TRES: accounting counts GPUs. SchedulerParameters: a test need not wait for the next round.
    # MessageTimeout: how long sbatch, squeue and scancel wait for a controller that is away. Its restart on a busy machine
    # takes longer than Slurm's own 10 s, and each submission that fails uses up one of a job's tries.
    # SlurmdTimeout: a node that registers anew after the controller's restart may be called silent so long after it, and
    # lose its jobs; a test is over by then.
    # OverMemoryKill: no cgroups here, so slurmd itself looks once a second and ends what takes too much.
    write_config slurm.conf 644 <<CONF
ClusterName=graft
SlurmctldHost=$HOST($CLUSTER)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
CredType=cred/munge
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
ReturnToService=2
StateSaveLocation=$STATE/controller
SlurmdSpoolDir=$STATE/node
SlurmctldPidFile=$RUN/slurmctld.pid
SlurmdPidFile=$RUN/slurmd.pid
SlurmctldLogFile=$LOG/slurmctld.log
SlurmdLogFile=$LOG/slurmd.log
MessageTimeout=90
SlurmctldTimeout=60
SlurmdTimeout=1800
KillWait=2
MinJobAge=300
OverTimeLimit=0
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,sched_interval=2,bf_interval=2,sched_min_interval=0
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
GresTypes=gpu
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=1
JobAcctGatherParams=OverMemoryKill
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=$CLUSTER
AccountingStorageTRES=gres/gpu
SlurmdParameters=config_overrides
NodeName=$HOST NodeAddr=$CLUSTER CPUs=$CPUS RealMemory=$MEMORY_MB Gres=gpu:fake:$GPUS State=UNKNOWN
PartitionName=cpu Nodes=$HOST Default=YES MaxTime=INFINITE State=UP
PartitionName=gpu Nodes=$HOST MaxTime=INFINITE State=UP
CONF
    write_config gres.conf 644 <<CONF
NodeName=$HOST Name=gpu Type=fake File=$STATE/dev/fakegpu[0-$((GPUS - 1))]
CONF
    write_config slurmdbd.conf 600 <<CONF
AuthType=auth/munge
DbdHost=$HOST
DbdAddr=$CLUSTER
SlurmUser=root
LogFile=$LOG/slurmdbd.log
PidFile=$RUN/slurmdbd.pid
StorageType=accounting_storage/mysql
StorageHost=localhost
StorageUser=slurm
StoragePass=slurm
StorageLoc=slurm_acct_db
CONF
    local i
    for ((i = 0; i < GPUS; i++)); do [ -e "$STATE/dev/fakegpu$i" ] || mknod -m 666 "$STATE/dev/fakegpu$i" c 1 3; done
}

start_network() {
    if ip netns list | grep -qw "$NAMESPACE"; then return; fi
    if ip -o address | grep -qE "inet ($HERE|$CLUSTER)/"; then fail "this machine uses $HERE or $CLUSTER itself"; fi
    ip netns add "$NAMESPACE"
    ip link add graft-here type veth peer name graft-there netns "$NAMESPACE"
    ip address add "$HERE/30" dev graft-here
    ip link set graft-here up
    ip -n "$NAMESPACE" link set lo up
    ip -n "$NAMESPACE" address add "$CLUSTER/30" dev graft-there
    ip -n "$NAMESPACE" link set graft-there up
}

inside() { # command...: run it in the cluster's network, as a daemon of its own
    nsenter --net="/run/netns/$NAMESPACE" setsid "$@" </dev/null
}

start_munge() { # who sent a message: every part of Slurm signs with it
    if sh -c 'munge -n | unmunge' >/dev/null 2>&1; then return; fi
    if [ ! -s /etc/munge/munge.key ]; then
        install -o munge -g munge -m 600 <(head -c 128 /dev/urandom) /etc/munge/munge.key
    fi
    install -d -o munge -g munge -m 755 /run/munge
    install -d -o munge -g munge -m 700 "$STATE/munge"
    setpriv --reuid munge --regid munge --clear-groups munged --num-threads=2 \
        --pid-file="$STATE/munge/munged.pid" --log-file="$STATE/munge/munged.log" --seed-file="$STATE/munge/seed"
    wait_for munged 10 sh -c 'munge -n | unmunge'
    cp "$STATE/munge/munged.pid" "$RUN/munged.pid"
}

start_database() {
    local socket=$STATE/database/mysql.sock
    if ! alive mariadbd; then
        install -d -o mysql -g mysql -m 755 "$STATE/database"
        [ -d "$STATE/database/mysql" ] || mariadb-install-db --no-defaults --user=mysql --datadir="$STATE/database" \
            --auth-root-authentication-method=socket --skip-test-db >"$LOG/mariadb-install.log" 2>&1
        setsid mariadbd --no-defaults --user=mysql --datadir="$STATE/database" --skip-networking --socket="$socket" \
            --log-error="$STATE/database/error.log" --innodb-buffer-pool-size=32M --innodb-log-file-size=16M \
            --innodb-flush-log-at-trx-commit=0 --innodb-lock-wait-timeout=900 --performance-schema=OFF \
            </dev/null >/dev/null 2>&1 &
        echo $! >"$RUN/mariadbd.pid"
        wait_for mariadbd 30 mariadb-admin --no-defaults --socket="$socket" ping
        mariadb --no-defaults --socket="$socket" -e "CREATE DATABASE IF NOT EXISTS slurm_acct_db;
            CREATE USER IF NOT EXISTS 'slurm'@'localhost' IDENTIFIED BY 'slurm';
            GRANT ALL ON slurm_acct_db.* TO 'slurm'@'localhost';"
    fi
    if ! alive slurmdbd; then
        rm -f "$RUN/slurmdbd.pid"
        MYSQL_UNIX_PORT=$socket inside slurmdbd >>"$LOG/slurmdbd.out.log" 2>&1
        wait_for slurmdbd 30 sacctmgr -n list cluster
    fi
}

add_users() { # each may use the account lab
    local user
    sacctmgr -n list cluster format=cluster%30 | grep -qw graft || sacctmgr -i add cluster graft >/dev/null
    sacctmgr -n list account format=account%30 | grep -qw lab ||
        sacctmgr -i add account lab Description=lab Organization=lab >/dev/null
    for user in root "$@"; do
        sacctmgr -n list association user="$user" format=account%30 | grep -qw lab ||
            sacctmgr -i add user "$user" account=lab >/dev/null
    done
}

start_slurm() {
    if ! alive slurmctld; then
        rm -f "$RUN/slurmctld.pid"
        inside slurmctld >>"$LOG/slurmctld.out.log" 2>&1
        wait_for slurmctld 30 scontrol ping
    fi
    if ! alive slurmd; then
        rm -f "$RUN/slurmd.pid"
        inside slurmd >>"$LOG/slurmd.out.log" 2>&1
    fi
    wait_for "the node" 30 sh -c 'sinfo -h -o %T | grep -qxE "idle|mixed|allocated|completing"'
}

[ "$(id -u)" = 0 ] || fail "a cluster of one's own needs root"
mkdir -p "$RUN" "$LOG" "$STATE/dev" "$STATE/controller" "$STATE/node"
install_packages
configure
start_network
start_munge
start_database
add_users "$@"
start_slurm
say "up: $(sinfo -h -o '%R is %T, %c CPUs, %m MB, %G' | paste -sd ';')"
