#!/usr/bin/env bash
# Installs the library of a build directory into a folder of its own, builds tests/embed/outside against it by CMake and
# by pkg-config, and runs both. Usage: outside.sh BUILD_DIRECTORY C++_COMPILER [FLAG…]
set -euo pipefail
build=$1
compiler=$2
shift 2
flags=$*
source=$(cd "$(dirname "$0")/outside" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cmake --install "$build" --prefix "$work/prefix" --component development >"$work/install.log"
cmake -S "$source" -B "$work/cmake" -DCMAKE_PREFIX_PATH="$work/prefix" -DCMAKE_CXX_COMPILER="$compiler" \
  -DCMAKE_CXX_FLAGS="$flags" >"$work/configure.log" || { cat "$work/configure.log"; exit 1; }
cmake --build "$work/cmake"
"$work/cmake/outside"

PKG_CONFIG_PATH=$(dirname "$(find "$work/prefix" -name kilat.pc)")
export PKG_CONFIG_PATH
read -ra options < <(pkg-config --define-variable=prefix="$work/prefix" --cflags --libs kilat)
# shellcheck disable=SC2086 # flags are words
"$compiler" $flags "$source/program.cc" -o "$work/by_pkg_config" "${options[@]}"
"$work/by_pkg_config"
