# Kernels of Debian's releases, kept in ~/.cache/snooprec/kernels/SUITE; remove that to get newer ones. Sourced by run.sh.

KERNELS=${XDG_CACHE_HOME:-$HOME/.cache}/snooprec/kernels

# Prints the path of the kernel of release $1. Says why if it cannot be had.
fetch_kernel() {
  local directory=$KERNELS/$1
  if [ ! -s "$directory/vmlinuz" ]; then
    mkdir -p "$directory"
    bash test/kernels/download.sh "$1" "$directory" >"$directory/log" 2>&1 || {
      say "skipped: no kernel of $1: $(tail -n 1 "$directory/log")" >&2
      return 1
    }
  fi
  echo "$directory/vmlinuz"
}

# The release that a kernel image says it is (Documentation/arch/x86/boot.rst, kernel_version).
kernel_version() {
  local at
  at=$(od -An -tu2 -j 526 -N 2 "$1")
  tail -c "+$((at + 513))" "$1" | head -c 80 | cut -d ' ' -f 1 | sed q
}
