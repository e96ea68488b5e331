# shellcheck shell=bash
# Named steps with their output in build/logs/, a line of progress meanwhile and a table at the end. Sourced by ./run and
# ./test. A step is a command; it runs with no standard input in a process group of its own, so that it can be ended whole.

KILAT_LOGS=build/logs
step_pid=""
step_names=()
declare -A step_seconds step_result
step_failures=0

# Ends the running step when the script is interrupted.
steps_interrupted() {
  [[ -n $step_pid ]] && kill -TERM -- "-$step_pid" 2>/dev/null
  printf '\ninterrupted\n' >&2
  exit 130
}

steps_begin() {
  mkdir -p "$KILAT_LOGS"
  trap steps_interrupted INT TERM HUP
}

# The last line of a log, short enough for one row of a terminal.
last_line() { tail -n 1 "$1" 2>/dev/null | tr -d '\r\033' | cut -c 1-"${2:-90}"; }

# Shows that a step is alive: on a terminal one line that rewrites itself, elsewhere a line a minute.
step_progress() {
  local name=$1 log=$2 seconds=$3
  if [[ -t 1 ]]; then
    printf '\r\033[K   %4ds  %s' "$seconds" "$(last_line "$log")"
  elif ((seconds > 0 && seconds % 60 == 0 && seconds != step_shown)); then
    step_shown=$seconds
    printf '   … %s: %d s: %s\n' "$name" "$seconds" "$(last_line "$log")"
  fi
}

# What the runners themselves say at the end: ctest, GoogleTest, node --test, unittest, libFuzzer, and our own tools.
step_summary() {
  sed 's/\x1b\[[0-9;]*m//g' "$1" |
    grep -E '^([0-9]+% tests passed|\[  (PASSED|FAILED)  \]|(ℹ|#) (tests|pass|fail|skipped|todo) |Ran [0-9]+ tests|== |Total Test time)' |
    tail -n 24 | sed 's/^/   /'
}

# What ctest said of the tests that failed: each with its output, which ends where another test starts or ends.
ctest_failures() {
  awk '/^ *[0-9]+\/[0-9]+ +Test +#/ { failed = !/ Passed +[0-9.]+ sec$/ } /^ +Start +[0-9]+:/ { failed = 0 } failed' "$1"
}

# step_failure LOG: what failed. node --test repeats it at the end of its log under a heading, ctest prints it in between;
# elsewhere the end has to do.
step_failure() {
  local lines="${KILAT_TAIL:-60}"
  if grep -q '^✖ failing tests:' "$1"; then
    sed -n '/^✖ failing tests:/,$p' "$1" | head -n "$lines"
  elif grep -q '^The following tests FAILED:' "$1"; then
    sed -n '/^The following tests FAILED:/,$p' "$1" | head -n "$lines"
    ctest_failures "$1" | head -n "$lines"
  else
    tail -n "$lines" "$1"
  fi
}

# step NAME TITLE COMMAND…: runs the command; records and shows how it went. Returns the command's status.
step() {
  local name=$1 title=$2 log="$KILAT_LOGS/$1.log" begin=$SECONDS status=0
  shift 2
  step_shown=0
  printf '\n== %s: %s\n' "$name" "$title"
  set -m
  ("$@") >"$log" 2>&1 </dev/null &
  step_pid=$!
  set +m
  while kill -0 "$step_pid" 2>/dev/null; do
    step_progress "$name" "$log" $((SECONDS - begin))
    sleep 0.2
  done
  wait "$step_pid" || status=$?
  step_pid=""
  [[ -t 1 ]] && printf '\r\033[K'
  step_names+=("$name")
  step_seconds[$name]=$((SECONDS - begin))
  step_summary "$log"
  if ((status == 0)); then
    step_result[$name]=ok
    printf '   ok, %d s\n' "${step_seconds[$name]}"
  else
    step_result[$name]=FAILED
    step_failures=$((step_failures + 1))
    printf '   FAILED with status %d; from %s:\n' "$status" "$log"
    step_failure "$log" | sed 's/^/   | /'
  fi
  return "$status"
}

# step_skip NAME WHY: records that a step could not run. A skipped step counts as a failure: nothing was shown to work.
step_skip() {
  printf '\n== %s: skipped, %s\n' "$1" "$2"
  step_names+=("$1")
  step_seconds[$1]=0
  step_result[$1]="skipped, $2"
  step_failures=$((step_failures + 1))
}

steps_table() {
  local name
  printf '\n%-22s %8s  %s\n' step seconds result
  for name in "${step_names[@]}"; do
    printf '%-22s %8d  %s\n' "$name" "${step_seconds[$name]}" "${step_result[$name]}"
  done
  printf '%-22s %8d  %s\n' total "$SECONDS" "$( ((step_failures == 0)) && echo ok || echo "$step_failures not ok")"
}

# How many compilers may run at once: one a core, but no more than memory carries (Boost needs about 1 GB a compiler).
build_jobs() {
  local cores memory_mb jobs
  cores=$(nproc)
  memory_mb=$(awk '/^MemAvailable:/ { print int($2 / 1024) }' /proc/meminfo)
  jobs=$((memory_mb / 1024))
  ((jobs > cores)) && jobs=$cores
  ((jobs < 1)) && jobs=1
  echo "$jobs"
}
