#!/usr/bin/env bash
# Commands as a server runs them, LOOPS times: a third always the same (monitoring, timers), a third with a name of its own
# (administration, scripts), the rest of a build, with long command lines. Each is `true` under another name: what counts is
# what is recorded of it.
set -euo pipefail
loops=$1
here=$(mktemp -d)
trap 'rm -r "$here"' EXIT
for name in cat df ps systemctl grep rsync git tar cc1 as; do cp /bin/true "$here/$name"; done
PATH=$here:$PATH
i=0
while [ "$i" -lt "$loops" ]; do
  "$here/cat" /proc/loadavg
  df -P /
  ps -eo pid,ppid,stat,comm
  systemctl is-active nginx.service
  "$here/grep" -c "session opened for user deploy$i" /var/log/auth.log
  rsync -a --delete "/srv/www/site$((i % 50))/" "backup@backup.example.org:/srv/backup/site$i/"
  git -C "/srv/git/project$((i % 20)).git" rev-list --objects --stdin --not "--all=$i" --quiet
  tar -czf "/var/backups/home-$i.tar.gz" -C /home "user$i"
  cc1 -quiet -imultiarch x86_64-linux-gnu -I include -I "src/module$((i % 30))" -D NDEBUG -D "VERSION=\"1.$i\"" \
    "src/module$((i % 30))/file$i.c" -quiet -dumpdir build/ -dumpbase "file$i.c" -dumpbase-ext .c -mtune=generic \
    -march=x86-64 -g -O2 -Wall -Wextra -fPIC -fasynchronous-unwind-tables -o "/tmp/cc$i.s"
  as -I include -I "src/module$((i % 30))" --64 -o "build/file$i.o" "/tmp/cc$i.s"
  i=$((i + 1))
done
