#!/usr/bin/env bash
# `sudo npm start`: from a fresh clone to a first answer. Installs, builds, puts the commands on the PATH, starts the
# recorder, has a process killed and asks who did it. Doing it again is quick and changes nothing.
#   SNOOPREC_DB  the database (default /var/lib/snooprec/snooprec.db)
#   PREFIX       the commands go to $PREFIX/bin (default /usr/local)
set -euo pipefail
if [ "$(id -u)" != 0 ]; then
  echo 'setup: loading probes into the kernel needs root: sudo npm start' >&2
  exit 1
fi
. "$(dirname "${BASH_SOURCE[0]}")/install.sh"

bin=${PREFIX:-/usr/local}/bin
mark='# made by the set-up of snooprec'

# A command is a wrapper: sudo and services find it without a PATH to node, and without the caller's Node options.
put_on_path() {
  local command=$1 target=$bin/$1 text
  text=$(printf '#!/bin/sh\n%s in %s\nunset NODE_OPTIONS NODE_PATH\nexec %q %q "$@"' \
    "$mark" "$PWD" "$(node -p process.execPath)" "$PWD/dist/bin/$command.js")
  if [ -e "$target" ] || [ -L "$target" ]; then
    grep -qsF "$mark" "$target" || die "$target is not ours: move it away, or set PREFIX to another place"
    [ "$(cat "$target")" != "$text" ] || return 0
  fi
  mkdir -p "$bin"
  printf '%s\n' "$text" >"$target.new"
  chmod 755 "$target.new"
  mv -f "$target.new" "$target"
  say "$target"
}

first_answer() {
  local pid tries
  sleep 1000 &
  pid=$!
  sleep 0.2 # or it would be killed before it is a sleep
  kill -9 "$pid"
  wait "$pid" 2>/dev/null || true
  for tries in {1..30}; do
    ! "$bin/snoopq" who-killed "$pid" --json 2>/dev/null | grep -q '"verdict": *"killed"' || break
    [ "$tries" != 30 ] || die "the recorder did not see the death of process $pid: see  snooprec status  and  snooprec check"
    sleep 0.1
  done
  printf '\n$ sleep 1000 & kill -9 %s\n$ snoopq who-killed %s\n' "$pid" "$pid"
  "$bin/snoopq" who-killed "$pid"
}

node setup/build.mjs
put_on_path snooprec
put_on_path snoopq
"$bin/snooprec" start </dev/null
first_answer
case ":$PATH:" in *":$bin:"*) ;; *) say "$bin is not in your PATH" ;; esac
cat <<'END'

What to try next:
  snoopq signals --since '5 min ago'    every signal, who sent it and what became of it
  snoopq parents sh                     which programs start shells, and how often
  snooprec status                       what is being recorded; `sudo snooprec stop` ends it
END
