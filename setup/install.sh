#!/usr/bin/env bash
# Installs what is missing to build and run snooprec, and nothing that is there: packages of the distribution, then the
# npm packages. start.sh and test.sh source it; it may be called alone. Without root it says what root has to run.
# Leaves the shell in the checkout, with BPFTOOL exported and give_back_files to be called at the end.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

say() { printf 'setup: %s\n' "$*"; }
die() {
  printf 'setup: %s\n' "$@" >&2
  exit 1
}
have() { command -v "$1" >/dev/null 2>&1; }
have_file() { compgen -G "$1" >/dev/null; }

check_machine() {
  [ "$(uname -s)" = Linux ] || die "snooprec records Linux processes: this is $(uname -s)"
  have node || die "Node.js 20 or newer is needed, and npm: https://nodejs.org/en/download"
  local version
  version=$(node -p process.versions.node)
  [ "${version%%.*}" -ge 20 ] || die "Node.js 20 or newer is needed, $(command -v node) is $version: https://nodejs.org/en/download"
  have npm || die "npm is missing: it comes with Node.js, or as the package npm"
}

# Whether the npm packages are there, as the lock file wants them.
npm_is_fresh() {
  [ -e node_modules/.package-lock.json ] && [ ! package-lock.json -nt node_modules/.package-lock.json ]
}

# Its binary is made for one version of Node, so that another Node needs another one.
sqlite_loads() {
  node -e "new (require('better-sqlite3'))(':memory:')" >/dev/null 2>&1
}

find_bpftool() { BPFTOOL=$(node setup/build.mjs --bpftool 2>/dev/null) && export BPFTOOL; }

# The names, in Debian's words, of what is missing.
missing_packages() {
  have clang || echo clang
  have_file '/usr/include/bpf/bpf_helpers.h' || echo libbpf-dev
  have_file '/usr/lib*/libbpf.so.1' || have_file '/usr/lib/*/libbpf.so.1' || echo libbpf1
  have_file '/usr/include/stdio.h' || echo libc6-dev
  find_bpftool || echo bpftool
  if [ -n "${NEEDED_BY_TESTS-}" ]; then
    # They look at recordings with other people's eyes, too.
    have sqlite3 || echo sqlite3
    # Without these the tests of reports and graphs skip themselves. Elsewhere than on Debian a browser is no plain package.
    if [ "$(id -u)" = 0 ] && grep -q '^ID=debian' /etc/os-release; then
      have chromium || echo chromium
      have dot || echo graphviz
      # For the package: the rules it must obey, and a fresh system to install it into.
      have lintian || echo lintian
      have debootstrap || echo debootstrap
    fi
  fi
  if ! npm_is_fresh || ! sqlite_loads; then
    # better-sqlite3 is compiled where its ready-made binary cannot be fetched.
    have g++ || echo g++
    have make || echo make
    have python3 || echo python3
    have_file '/etc/ssl/certs/ca-certificates.crt' || have_file '/etc/ssl/cert*.pem' || echo ca-certificates
  fi
}

apt_get() {
  DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 \
    apt-get -q -o DPkg::Lock::Timeout=300 "$@" </dev/null >"$log" 2>&1
}

# On Ubuntu 24.04 bpftool is not a package of its own: it is in the kernel's tools.
apt_name() {
  if [ "$1" = bpftool ] && ! apt-cache show bpftool >/dev/null 2>&1; then echo linux-tools-common linux-tools-generic; else echo "$1"; fi
}

install_with_apt() {
  local log name found packages=()
  if [ "$(id -u)" != 0 ]; then
    die "missing: $*" "run once as root:  sudo npm start  (or: sudo apt-get install -y $*)"
  fi
  log=$(mktemp)
  apt_get update || say "apt-get update failed: trying with the lists that are there"
  for name in "$@"; do read -ra found <<<"$(apt_name "$name")" && packages+=("${found[@]}"); done
  say "installing ${packages[*]}"
  if ! apt_get install -y --no-install-recommends "${packages[@]}"; then
    tail -n 15 "$log" >&2
    rm -f "$log"
    die "apt-get could not install ${packages[*]}"
  fi
  rm -f "$log"
}

install_packages() {
  local missing
  mapfile -t missing < <(missing_packages)
  if [ ${#missing[@]} -gt 0 ]; then
    if have apt-get; then
      install_with_apt "${missing[@]}"
    elif have dnf; then
      die "missing (in Debian's words): ${missing[*]}" \
        "run: sudo dnf install clang libbpf-devel libbpf glibc-devel bpftool gcc-c++ make python3 sqlite"
    elif have pacman; then
      die "missing (in Debian's words): ${missing[*]}" "run: sudo pacman -S --needed clang libbpf bpf gcc make python sqlite"
    else
      die "missing (in Debian's words): ${missing[*]}" "install them with your package manager"
    fi
  fi
  find_bpftool || die "no bpftool that runs was found" "set BPFTOOL to the path of one"
}

install_npm_packages() {
  if ! npm_is_fresh; then
    say "installing the npm packages; better-sqlite3 may have to be compiled: a minute or two"
    # NODE_ENV=production in the caller's environment must not leave the compiler out.
    npm ci --include=dev --no-audit --no-fund --loglevel=error </dev/null || die "npm ci failed"
    touch node_modules/.package-lock.json
  fi
  if ! sqlite_loads; then
    say "compiling better-sqlite3 for Node $(node -p process.versions.node)"
    npm rebuild better-sqlite3 --ignore-scripts=false --loglevel=error </dev/null || die "npm rebuild better-sqlite3 failed"
    sqlite_loads || die "better-sqlite3 does not load: $(node -e "new (require('better-sqlite3'))(':memory:')" 2>&1 | grep -m1 Error)"
  fi
}

# What root made in a directory of somebody else belongs to them: `sudo npm test` must not make `npm test` fail.
give_back_files() {
  local owner path
  [ "$(id -u)" = 0 ] || return 0
  owner=$(stat -c %u:%g .)
  for path in dist node_modules bpf/wire.gen.ts; do
    [ -e "$path" ] || continue
    if [ -n "$(find "$path" ! -uid "${owner%:*}" -print -quit)" ]; then chown -Rh "$owner" "$path"; fi
  done
}

check_machine
trap give_back_files EXIT
install_packages
install_npm_packages
