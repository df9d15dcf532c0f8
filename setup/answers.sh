#!/usr/bin/env bash
# Makes the answers that the README shows: a small story in a cgroup of its own, recorded and asked about. Needs root.
#   bash setup/answers.sh            prints them
#   bash setup/answers.sh README.md  puts the first one between the answer markers of that file
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
finish() {
  snooprec stop >/dev/null
  [ ! -e "$cgroup/cgroup.kill" ] || echo 1 >"$cgroup/cgroup.kill"
  sleep 0.2
  rmdir "$cgroup"
  rm -r "$root"
}
mkdir "$cgroup"
trap finish EXIT
snooprec start --cgroup "$cgroup" >/dev/null

# What stands above the script differs on every machine and is left out.
ask() { snoopq who-killed "$1" --utc | sed '/^Ancestry/s/\(← nightly-cleanup([0-9]*)\).*/\1 ← …/'; }

cat >"$root/nightly-cleanup" <<'SCRIPT'
#!/bin/sh
pkill -9 -P "$1" sleep
SCRIPT
chmod +x "$root/nightly-cleanup"
inside sh -c 'sleep 1000 & echo $! >"$0/victim"; echo $$ >"$0/parent"; wait; :' "$root" &
until [ -s "$root/parent" ]; do sleep 0.05; done
sleep 0.3
inside "$root/nightly-cleanup" "$(cat "$root/parent")"
wait
sleep 0.6
answer=$(ask "$(cat "$root/victim")" | sed "s|$root|/usr/local/sbin|g; s|$PWD|/srv|g")
victim=$(cat "$root/victim")
if [ $# -eq 0 ]; then
  printf '$ snoopq who-killed %s\n%s\n' "$victim" "$answer"
else
  {
    sed '/<!-- answer -->/q' "$1"
    printf '\n    $ sudo snoopq who-killed %s\n' "$victim"
    sed 's/^/    /; s/ *$//' <<<"$answer"
    printf '\n'
    sed -n '/<!-- \/answer -->/,$p' "$1"
  } >"$root/readme"
  cat "$root/readme" >"$1"
fi
