# Source this file. `timed TITLE COMMAND...` prints the title, runs the command, and prints its duration and result.
timed() {
  local title=$1 start=$EPOCHREALTIME status=0
  shift
  echo "-- $title"
  "$@" </dev/null || status=$?
  local tenths=$(((${EPOCHREALTIME/[.,]/} - ${start/[.,]/}) / 100000))
  local verdict="done"
  if ((status)); then verdict="FAILED (exit $status)"; fi
  echo "-- $title: $verdict in $((tenths / 10)).$((tenths % 10)) s"
  return "$status"
}
