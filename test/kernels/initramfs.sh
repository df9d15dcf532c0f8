# The machine inside: node, what was built, the test tools, the few programs that tests run, and every library that these
# load. It has no disk, so no kernel needs a module for it. Sourced by run.sh, from the root of the checkout.

PROGRAMS=(sh true sleep cat cp mv mkdir mount dirname sed tee setpriv setsid unshare sqlite3)

# Makes $1/initramfs.
make_initramfs() {
  local root=$1/root name path
  mkdir -p "$root"/{dev,proc,sys,tmp,run,etc,usr/{bin,sbin,lib,lib64}}
  for name in bin sbin lib lib64; do ln -s "usr/$name" "$root/$name"; done
  for name in "${PROGRAMS[@]}"; do
    path=$(type -P "$name") || die "the machine inside needs $name"
    add_program "$root" "$path" "/usr/bin/$name"
  done
  add_program "$root" "$(node -p process.execPath)" /usr/bin/node
  path=$(ldconfig -p | sed -n 's/.*libbpf\.so\.1 .*=> //p' | head -n 1)
  add_program "$root" "$path" "$path"
  add_project "$root" "$root/snooprec"
  printf 'root:x:0:0::/:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n' >"$root/etc/passwd"
  install -m 755 test/kernels/init "$root/init"
  (cd "$root" && find . | cpio --quiet -o -H newc) >"$1/initramfs"
}

# Into $1 a program or library $2, as $3, and the libraries that it needs, where they are here.
add_program() {
  local library
  [ -e "$1$3" ] || install -D -m 755 "$2" "$1$3"
  for library in $(ldd "$2" 2>/dev/null | grep -oE '/[^ ]+'); do
    [ -e "$1$library" ] || install -D -m 755 "$library" "$1$library"
  done
}

# Into $1, as $2, what was built and the npm packages that it loads; of those only what can be loaded.
add_project() {
  local addon
  mkdir -p "$2"
  cp -a --parents package.json setup/skips.mjs migrations/*.sql "$2"
  find dist -path dist/kernels -prune -o -path dist/bpf/'*.o' -prune -o -type f ! -name '*.d.ts' ! -name '*.map' -print0 |
    xargs -0 cp -a --parents -t "$2"
  npm ls --omit=dev --all --parseable | sed "1d; s|^$PWD/||" |
    xargs -I '{}' find '{}' -type f -regex '.*\.\(js\|cjs\|mjs\|json\|node\)' ! -path '*/musl*' ! -path '*/obj*' -print0 |
    xargs -0 cp -a --parents -t "$2"
  while read -r -d '' addon; do add_program "$1" "$addon" "${addon#"$1"}"; done < <(find "$2" -name '*.node' -print0)
}
