#!/usr/bin/env bash
# `npm run test:kernels`: the kernel tests of signals, execs, exits and the OOM killer on kernels that this machine does not
# run: Debian's, booted by QEMU without hardware help, with nothing inside but node, what was built and the test tools.
#   npm run test:kernels -- [SUITE…]    of which releases of Debian; without: bookworm (Linux 6.1)
#   SNOOPREC_KERNELS_LIMIT=1800         seconds that one kernel may take
# What the machine inside says is kept in dist/kernels/SUITE.log. Exit status: 0 all passed, 1 something failed, 77 nothing
# could be tried, and why.
set -euo pipefail
NEEDED_BY_TESTS=yes
. "$(dirname "${BASH_SOURCE[0]}")/../../setup/install.sh"
. test/kernels/kernel.sh
. test/kernels/initramfs.sh

NOTHING_TRIED=77
skip() {
  say "skipped: $*"
  exit $NOTHING_TRIED
}
missing=()
have qemu-system-x86_64 || missing+=(qemu-system-x86)
have cpio || missing+=(cpio)
[ "$(uname -m)" = x86_64 ] || skip "other kernels are booted on x86-64 machines only"
have apt-get || skip "kernels come from Debian's archive, by apt-get, which is missing"
[ ${#missing[@]} = 0 ] || (install_with_apt "${missing[@]}") || skip "no other kernel can be booted without ${missing[*]}"
node setup/build.mjs

limit=${SNOOPREC_KERNELS_LIMIT:-1800}
logs=dist/kernels
work=$(mktemp -d)
trap 'rm -rf "$work"; give_back_files' EXIT
mkdir -p "$logs"

# Boots kernel $1 with the initramfs, what it says going to file $2.
#   mitigations, init_on_alloc, audit: what they cost natively they cost twentyfold here
#   norandmaps: QEMU keeps the code that it translated by its address, so the next node finds that of the last one
#   no_timer_check: with busy neighbours the kernel's test of the timer fails, and it panics
boot() {
  timeout "$limit" qemu-system-x86_64 -accel tcg,thread=multi,tb-size=512 -cpu max -smp 2 -m 2G \
    -nodefaults -display none -no-reboot -serial "file:$2" -kernel "$1" -initrd "$work/initramfs" \
    -append "console=ttyS0 quiet panic=-1 mitigations=off init_on_alloc=0 audit=0 norandmaps no_timer_check" \
    </dev/null
}

# What the log of one kernel comes to: the lines that test/kernels/init marked, and what failed. False: not all passed.
judge() {
  sed -n 's/^#kernels# /  /p' "$1"
  if grep -q '^#kernels# all passed$' "$1"; then return 0; fi
  grep -q '^#kernels# ' "$1" || tail -n 30 "$1"
  sed -n '/failing tests:$/,/^#kernels#/p' "$1"
  return 1
}

# Boots the kernel of release $1 and tells how that went. False: not all passed.
try() {
  local kernel=$2 log=$logs/$1.log began=$SECONDS ended=0
  say "$1: Linux $(kernel_version "$kernel"); what the machine inside says goes to $PWD/$log"
  boot "$kernel" "$log" || ended=$?
  sed -i 's/\r//' "$log"
  [ $ended != 124 ] || echo "#kernels# ended after $limit s, unfinished" >>"$log"
  if judge "$log"; then
    say "$1: passed, $((SECONDS - began)) s"
  else
    say "$1: FAILED, $((SECONDS - began)) s"
    return 1
  fi
}

[ $# -gt 0 ] || set -- bookworm
make_initramfs "$work"
tried=0 failed=0
for suite in "$@"; do
  kernel=$(fetch_kernel "$suite") || continue
  tried=$((tried + 1))
  try "$suite" "$kernel" || failed=1
done
[ $tried -gt 0 ] || exit $NOTHING_TRIED
exit $failed
