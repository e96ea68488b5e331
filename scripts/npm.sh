# shellcheck shell=bash
# Installs the locked npm packages of a folder, and does nothing when that has been done. Sourced by ./test.

# npm_install FOLDER: like `npm ci`, skipped while the stamp inside node_modules matches the lock and the Node version.
npm_install() {
  local folder=$1 stamp="$1/node_modules/.kilat-stamp" want
  want=$(
    node --version
    sha256sum <"$folder/package.json"
    sha256sum <"$folder/package-lock.json"
  )
  if [[ -f $stamp && $(<"$stamp") == "$want" ]]; then
    echo "$folder/node_modules is up to date"
    return 0
  fi
  # No package of ours needs its install script, and other people's scripts have no business on a tester's machine.
  (cd "$folder" && npm ci --no-audit --no-fund --ignore-scripts) || return 1
  printf '%s' "$want" >"$stamp"
}
