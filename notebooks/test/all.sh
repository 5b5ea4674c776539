# Sourced by install.sh: runs every test of the repository and adds them up. All
# run even when one fails; the closing line counts them.

readonly RESULTS=$BUILD/test

need_test_tools() {
	step 'install what the tests need: Chromium, clang-19, shellcheck' \
		'Install the packages chromium, clang-19 and shellcheck, or run this as root.'
	local missing=()
	command -v chromium >/dev/null || missing+=(chromium fonts-dejavu-core)
	command -v clang-19 >/dev/null || missing+=(clang-19)
	command -v shellcheck >/dev/null || missing+=(shellcheck)
	[ ${#missing[@]} -gt 0 ] || return 0
	# Where this is not root, the tests that need a missing one say that they skip.
	if can_apt; then apt_install "${missing[@]}"; else say "    not found: ${missing[*]}"; fi
}

# check NAME COMMAND...: one thing to hold, counted as one test.
check() {
	local name=$1 log=$RESULTS/$1.log outcome=passed
	shift
	"$@" >"$log" 2>&1 || outcome=failed
	printf '%s\t%s\n' "$outcome" "$name" >>"$RESULTS/checks.tsv"
	say "    $outcome: $name"
	[ "$outcome" = passed ] || head -n 60 "$log" | sed 's/^/      /'
}

formatted() {
	local out
	out=$(git ls-files -co --exclude-standard '*.go' | xargs -r "$("$GO" env GOROOT)/bin/gofmt" -l)
	[ -z "$out" ] || { printf 'not formatted: %s\n' "$out"; return 1; }
}

# Generated files (z_*) hold tables whose shape vet would rather see written by hand.
vetted() {
	local out
	out=$("$GO" vet ./... 2>&1 | grep -vE '^#|^go: downloading|(^|/)z_[a-z0-9_]*\.go:') || true
	[ -z "$out" ] || { printf '%s\n' "$out"; return 1; }
}

# The same for what the tables name although it is deprecated: cells may use it.
analysed() {
	local out
	out=$("$GO" tool staticcheck ./... 2>&1 | grep -vE '^go: downloading|(^|/)z_[a-z0-9_]*\.go:') || true
	[ -z "$out" ] || { printf '%s\n' "$out"; return 1; }
}

scripts() {
	command -v shellcheck >/dev/null || { say 'shellcheck is not installed: not checked'; return 0; }
	shellcheck -x install.sh .ci/run && shellcheck -s bash notebooks/test/all.sh
}

# What this repository must not name: where its packages were fetched from.
portable() {
	! git grep -nIE 'index-url|GOPROXY=http|"resolved": "http' -- . ':!notebooks/test/all.sh'
}

lint() {
	step 'check the code' 'The lines above say what to change.'
	check gofmt formatted
	check vet vetted
	check staticcheck analysed
	check shellcheck scripts
	check portable portable
}

# Tests of one goroutine that take long, in which the race detector can find nothing.
readonly UNRACED='TestShare|TestImagesArePacked|TestSnippetsRunAsCompiled'

# The packages that have them.
unraced() { git grep -lE "^func ($UNRACED)\(" -- '*_test.go' | sed -E 's,(.*)/.*,./\1,' | sort -u; }

# The reference that results are compared with is plain loops over what is its own, which
# the race detector makes many times slower and in which it can find nothing: that one
# package goes without. Vet has run already. One package more than there are processors,
# as some tests wait for most of their time.
go_tests() {
	local flags=(-vet=off -p "$(($(nproc) + 1))" -json -timeout 40m)
	step 'run the Go tests with the race detector' 'go test -race ./... shows them alone.'
	# The closing line counts a failure; the rest shall still run.
	{
		TENSORBOARD_PYTHON=$VENV/bin/python "$GO" test -race -gcflags=attune/gpu/ref=-race=false "${flags[@]}" -skip "^($UNRACED)\$" ./...
		unraced | xargs -r "$GO" test "${flags[@]}" -run "^($UNRACED)\$"
	} 2>"$RESULTS/go.err" | tee "$RESULTS/go.json" | "$VENV/bin/python" notebooks/test/tally.py watch || true
	cat "$RESULTS/go.err"
	check fuzz fuzzed
}

# The decoders of what strangers send, about a minute together. Inputs are counted, since
# Go 1.26 fails a target at times whose seconds end while an input is tried (go.dev/issue/75804).
fuzzed() {
	local target inputs
	for target in kernel/socket:FuzzGuard:700000 kernel/jupyter:FuzzDecode:500000 kernel/jupyter:FuzzParseConnection:200000 \
		kernel/jupyter:FuzzAppendString:60000 kernel/notebook:FuzzParse:120000; do
		inputs=${target##*:} target=${target%:*}
		"$GO" test "./${target%:*}" -run '^$' -fuzz "^${target#*:}\$" -fuzztime "${inputs}x" || return 1
	done
}

client_tests() {
	step 'run the kernel in real clients: kernel tests, notebooks, browser' \
		'.venv/bin/python -m pytest notebooks/test shows them alone.'
	"$VENV/bin/python" -m pytest notebooks/test --junitxml="$RESULTS/clients.xml" || true
	# A runner that died wrote no results: that is a failure, not silence.
	check 'clients finished' test -s "$RESULTS/clients.xml"
}

test_all() {
	local before group
	before=$(git status --porcelain)
	prepare_venv
	need_test_tools
	rm -rf "$RESULTS"
	mkdir -p "$RESULTS"
	[ $# -gt 0 ] || set -- lint go clients
	for group in "$@"; do
		case $group in
		lint) lint ;;
		go) go_tests ;;
		clients) client_tests ;;
		*) REMEDY='The groups are lint, go and clients.' fail "no group $group" ;;
		esac
	done
	step 'add up' 'The failures are listed above.'
	check 'tree unchanged' [ "$(git status --porcelain)" = "$before" ]
	"$VENV/bin/python" notebooks/test/tally.py sum "$RESULTS" || exit 1
}
