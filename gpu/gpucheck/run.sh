#!/bin/sh
# Runs gpucheck, which lies beside this script, on a machine with an NVIDIA GPU and its
# driver, and nothing else of attune. Build it where there is Go, and take both along:
#
#   go build -o gpu/gpucheck/gpucheck ./gpu/gpucheck
#   scp gpu/gpucheck/gpucheck gpu/gpucheck/run.sh HOST: && ssh HOST ./run.sh > gpu.md
#
# What it prints goes into bench/RESULTS.md under "GPU". Ten minutes at the most: two
# for the checks and measurements, and two for each tool of compute-sanitizer, if that
# is installed (it comes with the CUDA toolkit). Exit status 0: all agree and are clean.
set -u
check=$(dirname "$0")/gpucheck
failed=0
timeout 150 "$check" "$@" || failed=1
if ! command -v compute-sanitizer >/dev/null; then
	echo
	echo "compute-sanitizer is not installed: not run."
	exit $failed
fi
echo
echo "| compute-sanitizer | |"
echo "|---|---|"
for tool in memcheck initcheck synccheck racecheck; do
	log=$(mktemp)
	timeout 110 compute-sanitizer --tool $tool --error-exitcode 9 "$check" -sanitize >"$log" 2>&1
	case $? in
	0) verdict=clean ;;
	124) verdict="not finished after 110 s" ;;
	*) verdict="**$(grep -m1 '=========.*\(Error\|Invalid\|hazard\|Uninit\|Barrier\)' "$log" || tail -1 "$log")**" failed=1 ;;
	esac
	echo "| $tool | $verdict |"
	rm -f "$log"
done
exit $failed
