#!/usr/bin/env bash
# Builds the native core with AddressSanitizer + UndefinedBehaviorSanitizer, then with ThreadSanitizer, and drives it
# through tests/native/exercise.cpp. Any finding ends the script with a status other than 0.
set -euo pipefail
cd "$(dirname "$0")/../.."
build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT
compiler=${CXX:-g++}
flags="-std=c++20 -g -Isrc/native -Wall -Wextra -Wno-psabi -Wno-maybe-uninitialized"
kernel_flags="-ffp-contract=fast -fno-math-errno -fno-trapping-math -fno-exceptions"

isas=portable
definitions=""
if [ "$(uname -m)" = x86_64 ]; then
  definitions=-DHG_X86
  grep -qw avx2 /proc/cpuinfo && isas="$isas avx2"
  grep -qw avx512bw /proc/cpuinfo && isas="$isas avx512"
fi

exercise() { # name, optimization, sanitizer flags, instruction sets to run
  local name=$1 level=$2 sanitizer=$3 run=$4 objects=()
  local common="$flags $definitions $level $sanitizer -fno-omit-frame-pointer"
  compile_kernels() {
    $compiler $common $kernel_flags "$@" -c src/native/kernels.cpp
  }
  compile_kernels -DHG_ISA=portable -DHG_BYTES=16 -o "$build/portable-$name.o"
  objects+=("$build/portable-$name.o")
  if [ -n "$definitions" ]; then
    compile_kernels -mavx2 -mfma -DHG_ISA=avx2 -DHG_BYTES=32 -o "$build/avx2-$name.o"
    compile_kernels -mavx512f -mavx512dq -mavx512vl -mavx512bw -mfma -DHG_ISA=avx512 -DHG_BYTES=64 -o "$build/avx512-$name.o"
    objects+=("$build/avx2-$name.o" "$build/avx512-$name.o")
  fi
  $compiler $common -o "$build/exercise-$name" tests/native/exercise.cpp src/native/isa.cpp src/native/pool.cpp \
    "${objects[@]}" -lpthread
  echo "== $name: $run"
  "$build/exercise-$name" $run
}

export ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1
export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
export TSAN_OPTIONS=halt_on_error=1
exercise address-undefined -O1 "-fsanitize=address,undefined -fno-sanitize-recover=all" "$isas"
exercise thread -O1 -fsanitize=thread "${isas##* }"
echo "no findings"
