#!/usr/bin/env bash
# `npm test`: all tests but the long ones, those on the real kernel too. Without root or BTF these skip themselves and say why.
#   npm test -- WORD…    only tests whose names match; a word with a slash chooses files: test/kernel/
#   --long               the long ones instead, *.long.test.ts: `npm run test:faults`
set -euo pipefail
NEEDED_BY_TESTS=yes
. "$(dirname "${BASH_SOURCE[0]}")/install.sh"
node setup/build.mjs

names=() paths=() long=no
for word in "$@"; do
  case $word in
    --long) long=yes ;;
    -*) names+=("$word") ;;
    */*) paths+=("$word") ;;
    *) names+=("--test-name-pattern=$word") ;;
  esac
done

# By the sources: dist may hold a test whose source is gone.
files=()
while read -r source; do
  case $source in *.long.test.ts) is_long=yes ;; *) is_long=no ;; esac
  [ $is_long = $long ] || continue
  wanted=$((${#paths[@]} == 0))
  for path in "${paths[@]}"; do case $source in *"$path"*) wanted=1 ;; esac; done
  [ "$wanted" = 0 ] || files+=("dist/${source%.ts}.js")
done < <(find test -name '*.test.ts')
[ ${#files[@]} -gt 0 ] || die "no test file matches ${paths[*]-}"

# One file at a time: two recorders at once would measure each other. Node before 20.10 has no such option.
serial=--test-concurrency=1
node "$serial" --version >/dev/null 2>&1 || serial=
skips=$(mktemp)
status=0
run() { # FILE…
  node --test ${serial:+"$serial"} "${names[@]}" \
    --test-reporter=spec --test-reporter-destination=stdout \
    --test-reporter=./setup/skips.mjs --test-reporter-destination="$skips" \
    "$@" </dev/null || status=$?
  cat "$skips"
}
run "${files[@]}"

# What older kernels need must give the same rows: the tests of signals and execs again, in each other way to record.
again=()
for file in "${files[@]}"; do
  [[ $file =~ /kernel/(counts|exec|hostile|killed|mechanisms|oom|scope|targets)\.test ]] && again+=("$file")
done
if [ ${#again[@]} -gt 0 ] && [ "$(id -u)" = 0 ] && [ -z "${SNOOPREC_TEST_CAPTURE-}${SNOOPREC_TEST_TRANSPORT-}" ]; then
  for ways in 'hash ring' 'regs perf' 'hash perf'; do
    export SNOOPREC_TEST_CAPTURE=${ways% *} SNOOPREC_TEST_TRANSPORT=${ways#* }
    echo "again with --capture $SNOOPREC_TEST_CAPTURE --transport $SNOOPREC_TEST_TRANSPORT:"
    run "${again[@]}"
  done
fi
rm -f "$skips"
exit "$status"
