# shellcheck shell=bash
# Which Debian 12 packages Kilat needs, and how the missing ones are installed. Sourced by ./run and ./test.
# An entry "name|command" counts as present when the command is there, whoever brought it: a machine may have Node.js
# from elsewhere, and then Debian's npm package could not be installed beside it.

# shellcheck disable=SC2034 # the lists are read by the scripts that source this file

# What building and running the server takes.
KILAT_RUN_PACKAGES=(
  ca-certificates g++ cmake ninja-build ccache mold
  libboost1.81-dev libboost-json1.81-dev libsimdjson-dev libtomlplusplus-dev libcli11-dev libspdlog-dev
  libssl-dev zlib1g-dev libcurl4-openssl-dev libsqlite3-dev libcjose-dev libjansson-dev pkg-config
  "nodejs|node" "npm|npm"
)

# What the tests take besides.
KILAT_TEST_PACKAGES=(
  git python3 shellcheck
  libgtest-dev libgmock-dev libbenchmark-dev
  clang-19 libclang-rt-19-dev clang-format-19 clang-tidy-19
  redis-server chromium prometheus openssl "nginx-light|nginx" haproxy groff-base
)

# missing_packages ENTRY…: prints the names that are not installed.
missing_packages() {
  local entry name command status
  for entry in "$@"; do
    name=${entry%%|*}
    command=${entry#*|}
    if [[ $entry == *"|"* ]] && command -v "$command" >/dev/null 2>&1; then continue; fi
    status=$(dpkg-query -W -f='${db:Status-Status}' "$name" 2>/dev/null) || status=""
    [[ $status == installed ]] || printf '%s\n' "$name"
  done
}

# unlock_root ENTRY…: where packages are missing and a person without root sits at a terminal, lets sudo ask for the
# password now: the steps themselves run without a terminal. Everywhere else nothing ever asks.
unlock_root() {
  if [[ $(id -u) -ne 0 && -t 0 && -z ${CI:-} ]] && command -v sudo >/dev/null 2>&1 && [[ -n $(missing_packages "$@") ]]; then
    echo "Some packages are missing; sudo installs them."
    sudo -v
  fi
}

# as_root COMMAND…: runs it as root, or fails; never asks.
as_root() {
  if [[ $(id -u) -eq 0 ]]; then "$@"; else sudo -n "$@"; fi
}

# install_packages ENTRY…: installs what is missing; does not touch apt when nothing is.
install_packages() {
  local -a missing
  if ! command -v dpkg-query >/dev/null 2>&1; then
    echo "This script knows Debian 12 only. Install the equivalents of: ${*%%|*}" >&2
    return 1
  fi
  mapfile -t missing < <(missing_packages "$@")
  if [[ ${#missing[@]} -eq 0 ]]; then
    echo "all packages are installed"
    return 0
  fi
  echo "installing: ${missing[*]}"
  # A package list may be days old or, in a container image, empty: installing from it would ask for files that are gone.
  if as_root env DEBIAN_FRONTEND=noninteractive apt-get update -q -o DPkg::Lock::Timeout=300 &&
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends \
      -o DPkg::Lock::Timeout=300 -o Dpkg::Options::=--force-confold "${missing[@]}"; then
    return 0
  fi
  echo "Could not install the packages. As root, run: apt-get update && apt-get install ${missing[*]}" >&2
  return 1
}
