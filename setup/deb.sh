#!/usr/bin/env bash
# `npm run deb`: the Debian package, with the compiled addon and probes in it, so that its users need no compiler:
# dist/deb/snooprec_VERSION_ARCH.deb. What is not made by the build lies in setup/debian/.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/install.sh"
node setup/build.mjs

version=$(node -p "require('./package.json').version")
arch=$(dpkg --print-architecture)
out=$PWD/dist/deb
root=$out/root
home=$root/usr/lib/snooprec
rm -rf "$out"
umask 022
mkdir -p "$home/dist" "$root/DEBIAN"

cp -r dist/bin "$home/dist/"
cp dist/snooprec.bpf.o "$home/dist/"
install -D -m 644 -t "$home/migrations" migrations/*.sql
node -e 'const { name, version, license, dependencies } = require("./package.json");
  console.log(JSON.stringify({ name, version, license, type: "module", dependencies }, null, 2))' >"$home/package.json"

# Of the libraries that are not bundled, what runs.
modules=$home/node_modules
for file in better-sqlite3/{package.json,lib} better-sqlite3/build/Release/better_sqlite3.node \
  bindings/{package.json,bindings.js} file-uri-to-path/{package.json,index.js} koffi/package.json \
  $(cd node_modules && find koffi -name '*.cjs' -o -name '*.js'); do
  mkdir -p "$(dirname "$modules/$file")"
  cp -r "node_modules/$file" "$modules/$file"
done
mkdir -p "$modules/@koromix"
cp -r node_modules/@koromix/koffi-linux-* "$modules/@koromix/"
rm -rf "$modules"/@koromix/*/{README.md,musl_*}
find "$modules" -name '*.node' -exec strip --strip-unneeded {} + -exec chmod 644 {} +

for command in snooprec:sbin snoopq:bin; do
  install -D -m 755 /dev/stdin "$root/usr/${command#*:}/${command%:*}" <<SH
#!/bin/sh
# Whatever the caller's environment says: no other code is loaded, least of all by root.
unset NODE_OPTIONS NODE_PATH
exec /usr/bin/node /usr/lib/snooprec/dist/bin/${command%:*}.js "\$@"
SH
done

install -D -m 644 /dev/stdin "$root/usr/lib/systemd/system/snooprec.service" < <(
  node --input-type=module -e 'import { serviceCommand, unitText } from "./dist/recorder/service-unit.js";
    process.stdout.write(unitText(serviceCommand("/usr/bin/node", "/usr/lib/snooprec/dist/bin/snooprec.js")))')
install -D -m 644 setup/debian/copyright "$root/usr/share/doc/snooprec/copyright"
gzip -9n <CHANGELOG.md | install -D -m 644 /dev/stdin "$root/usr/share/doc/snooprec/CHANGELOG.md.gz"
gzip -9n <<TEXT | install -D -m 644 /dev/stdin "$root/usr/share/doc/snooprec/changelog.gz"
snooprec ($version) unstable; urgency=medium

  * What is new: CHANGELOG.md.gz.

 -- $(sed -n 's/^Maintainer: //p' setup/debian/control)  $(git log -1 --format=%cD 2>/dev/null || date -R)
TEXT
install -D -m 644 setup/debian/lintian-overrides "$root/usr/share/lintian/overrides/snooprec"
for page in dist/man/*; do
  [ -e "$page" ] || continue
  gzip -9n <"$page" | install -D -m 644 /dev/stdin "$root/usr/share/man/man${page##*.}/$(basename "$page").gz"
done

install -m 755 -t "$root/DEBIAN" setup/debian/{postinst,prerm,postrm}
abi=$(node -p 'process.versions.node.split(".")[0]')
sed -e "s/@VERSION@/$version/; s/@ARCH@/$arch/; s/@NODE@/$abi/; s/@NEXT_NODE@/$((abi + 1))/" \
  -e "s/@KB@/$(du -sk --exclude=DEBIAN "$root" | cut -f1)/" setup/debian/control >"$root/DEBIAN/control"
(cd "$root" && find usr -type f -print0 | sort -z | xargs -0 md5sum) >"$root/DEBIAN/md5sums"
dpkg-deb --root-owner-group --build "$root" "$out/snooprec_${version}_$arch.deb"
