#!/usr/bin/env bash
# Makes the answers that the README shows: small stories in a cgroup of their own, recorded and asked about. Needs root.
#   bash setup/answers.sh            prints them
#   bash setup/answers.sh README.md  puts them between the answer markers of that file
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

root=$(mktemp -d)
hierarchy=/sys/fs/cgroup/unified
[ -e $hierarchy/cgroup.procs ] || hierarchy=/sys/fs/cgroup
cgroup=$hierarchy/snooprec-answers-$$
export SNOOPREC_DB=$root/answers.db
snooprec() { node dist/bin/snooprec.js "$@"; }
snoopq() { node dist/bin/snoopq.js "$@"; }
inside() { (echo "$BASHPID" >"$cgroup/cgroup.procs" && exec "$@"); }

# A cgroup with 40 MiB, in whichever hierarchy the memory controller is.
old=/sys/fs/cgroup/memory
if [ -e $old/memory.limit_in_bytes ]; then
  small=$old/answers-$$
else
  echo +memory >$hierarchy/cgroup.subtree_control
  small=$cgroup-small
fi
finish() {
  snooprec stop >/dev/null
  [ ! -e "$cgroup/cgroup.kill" ] || echo 1 >"$cgroup/cgroup.kill"
  sleep 0.2
  rmdir "$small" "$cgroup"
  rm -r "$root"
}
mkdir "$cgroup" "$small"
trap finish EXIT
if [ -e "$small/memory.limit_in_bytes" ]; then
  echo 40M >"$small/memory.limit_in_bytes"
else
  echo 40M >"$small/memory.max"
  echo 0 >"$small/memory.swap.max"
fi
mkdir "$root/bin"
# script NAME: makes a shell script of standard input.
script() { { echo '#!/bin/sh' && cat; } >"$root/bin/$1" && chmod +x "$root/bin/$1"; }
# pid NAME: waits for a story to tell a pid.
pid() {
  until [ -s "$root/$1" ]; do sleep 0.05; done
  cat "$root/$1"
}
snooprec start --cgroup "$cgroup" >/dev/null

# 1. A job kills what is in its way.
script nightly-cleanup <<'SCRIPT'
pkill -9 -P "$1" sleep
SCRIPT
inside sh -c 'sleep 1000 & echo $! >"$0/victim"; echo $$ >"$0/parent"; wait; :' "$root" &
pid parent >/dev/null
sleep 0.3
inside "$root/bin/nightly-cleanup" "$(pid parent)"
wait

# 2. A container is stopped: its first process has no handler for SIGTERM, so that is dropped; two seconds later SIGKILL.
script stop-web <<'SCRIPT'
kill -TERM "$1"
sleep 2
kill -KILL "$1"
SCRIPT
inside unshare --pid --fork sh -c "sleep 1000; : $$" 2>"$root/unshare" &
until container=$(pgrep -f "^sh -c sleep 1000; : $$\$"); do sleep 0.05; done
sleep 0.3
inside "$root/bin/stop-web" "$container"
wait

# 3. Memory runs out.
grow() {
  for procs in "$small/cgroup.procs" "$cgroup/cgroup.procs"; do echo "$BASHPID" >"$procs"; done
  echo "$BASHPID" >"$root/grower"
  exec tail /dev/zero
}
if [ "${small#"$old"}" = "$small" ]; then
  grow() {
    echo "$BASHPID" >"$small/cgroup.procs"
    echo "$BASHPID" >"$root/grower"
    exec tail /dev/zero
  }
  snooprec stop >/dev/null
  snooprec start --cgroup "$cgroup" --cgroup "$small" >/dev/null
fi
(grow) || true

# 4. A worker asked to die with its pool, and the pool is killed.
script pool <<'SCRIPT'
setpriv --pdeathsig TERM sleep 2000 &
echo $! >"$1/worker"
wait
SCRIPT
inside "$root/bin/pool" "$root" &
pid worker >/dev/null
sleep 0.3
inside pkill -9 -x pool
wait

# 5. A build exits with 137, because it tells so of a compiler that was killed.
script build <<'SCRIPT'
echo $$ >"$1/build"
sleep 3000
exit $?
SCRIPT
inside "$root/bin/build" "$root" &
pid build >/dev/null
sleep 0.3
inside pkill -9 -P "$(pid build)" sleep
wait
sleep 0.6

# What stands above the scripts differs on every machine and is left out, and so are the names of this one.
clean() {
  sed "/^Ancestry/s/\(← nightly-cleanup([0-9]*)\).*/\1 ← …/
    s|$root/bin|/usr/local/bin|g; s|$PWD|/srv|g; s|/answers-$$|/app|g; s|/snooprec-answers-$$-small|/app|g"
}
# sentence QUESTION PID: the first paragraph of an answer.
sentence() { snoopq "$1" "$2" --utc | sed -n 1p | clean | fold -s -w 110; }
# example TITLE QUESTION PID
example() { printf '%s\n\n    $ sudo snoopq %s %s\n%s\n\n' "$1" "$2" "$3" "$(sentence "$2" "$3" | sed 's/^/    /; s/ *$//')"; }

# put MARKER TEXT FILE: the text between the markers of a file.
put() {
  { sed "/<!-- $1 -->/q" "$3"; printf '\n%s\n\n' "$2"; sed -n "/<!-- \/$1 -->/,\$p" "$3"; } >"$root/readme"
  cat "$root/readme" >"$3"
}

victim=$(pid victim)
first=$(printf '$ sudo snoopq who-killed %s\n' "$victim"; snoopq who-killed "$victim" --utc | clean | { IFS= read -r line; fold -s -w 110 <<<"$line"; cat; })
others=$(
  example 'A container was stopped:' who-killed "$container"
  example 'Memory ran out:' who-killed "$(pid grower)"
  example 'A worker died because its parent did:' who-killed "$(pid worker)"
  example 'An exit status of 137 that was no kill:' why-exit "$(pid build)"
)
if [ $# -eq 0 ]; then
  printf '%s\n\n%s\n' "$first" "$others"
else
  put answer "$(sed 's/^/    /; s/ *$//' <<<"$first")" "$1"
  put answers "$others" "$1"
fi
