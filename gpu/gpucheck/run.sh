#!/bin/sh
# Runs gpucheck, which lies beside this script, on a machine with an NVIDIA GPU and its
# driver, with all of attune's checks and measurements that fit into ten minutes:
#
#   go build -o gpu/gpucheck/gpucheck ./gpu/gpucheck
#   go run ./gpu/gpucheck/variants
#   scp -r gpu/gpucheck/gpucheck gpu/gpucheck/run.sh gpu/gpucheck/choices bench/gpu_torch.py HOST:
#   ssh HOST ./run.sh
#
# The report goes to standard output as it comes, and to gpu.md in $OUT (or out), beside
# each row in full and what the tools said. PyTorch is measured where python3 has it,
# compute-sanitizer and ncu run where they are. Options go to gpucheck (-list tells the
# plan). Exit status 0: all agrees and all goals are met; 2: not so; 1: nothing ran.
set -u
here=$(cd "$(dirname "$0")" && pwd)
out=${OUT:-out}
torch=
for file in "$here/gpu_torch.py" "$here/../../bench/gpu_torch.py"; do
	[ -f "$file" ] && torch=$file && break
done
# PyTorch brings cuBLASLt along, which no loader would find.
site=$(python3 -c 'import sysconfig; print(sysconfig.get_path("purelib"))' 2>/dev/null)
for file in "$site"/nvidia/*/lib/libcublasLt.so.*; do
	[ -f "$file" ] && export LD_LIBRARY_PATH="${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}${file%/*}" && break
done
exec "$here/gpucheck" -limit 9m -torch "$torch" -variants "$here/choices" -logs "$out" "$@"
