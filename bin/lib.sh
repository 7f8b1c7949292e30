# Shared by the scripts in bin/: find Python, make virtual environments, install only what changed.
# Sourced with `set -euo pipefail` and $root set.

say() { printf '%s\n' "$*" >&2; }

stop() {
  say "envoi: $*"
  exit 1
}

# A Python from 3.11 on that really runs (shims of version managers may be there and not run) and has venv. Before others
# the one that $ENVOI_PYTHON names, then the operating system's own: it gets security updates, and is built with
# optimisation, which one that a version manager built often is not (measured: a third more in the thread that sends, at 20 KB).
find_python() {
  local name found="" said="" without="" own=""
  case ":$PATH:" in *:/usr/bin:*) own=/usr/bin/python3 ;; esac
  for name in ${ENVOI_PYTHON:-} $own python3.13 python3.12 python3.11 python3; do
    command -v "$name" >/dev/null 2>&1 || continue
    if found=$("$name" -c 'import sys; print("%d.%d" % sys.version_info[:2]); sys.exit(sys.version_info < (3, 11))' 2>/dev/null); then
      if "$name" -c 'import ensurepip, venv' 2>/dev/null; then
        printf '%s\n' "$name"
        return
      fi
      without=${without:-$name}
      continue
    fi
    said=${said:-$found}
  done
  if [ -n "$without" ]; then
    stop "Python's venv module is missing. Debian: apt-get install python3-venv"
  fi
  if [ -n "$said" ]; then
    stop "Python 3.11 or newer is needed; found $said only. Debian 12: apt-get install python3 python3-venv"
  fi
  stop "Python 3.11 or newer is needed; none was found. Debian 12: apt-get install python3 python3-venv"
}

# make_venv FOLDER: a virtual environment that works, made anew when its Python has gone.
make_venv() {
  local folder=$1 python
  if [ -x "$folder/bin/pip" ] && "$folder/bin/python" -c '' 2>/dev/null; then return; fi
  python=$(find_python)
  say "Making $(basename "$folder") with $("$python" --version) …"
  rm -rf "$folder"
  "$python" -m venv "$folder" || stop "The virtual environment $folder could not be made; see above."
}

# install_dependencies FOLDER LOCK: exactly what the lock file names, by hash; again only when it changed.
install_dependencies() {
  local folder=$1 lock=$2 wanted
  wanted=$(cksum <"$lock")
  [ "$(cat "$folder/.dependencies" 2>/dev/null)" = "$wanted" ] && return
  say "Installing the dependencies of $(basename "$lock") …"
  "$folder/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r "$lock" ||
    stop "The dependencies could not be installed; see above. Is there a network, and room on the disk?"
  printf '%s\n' "$wanted" >"$folder/.dependencies"
}

# install_envoi FOLDER [-e]: Envoi itself with its front end; again only when its sources changed.
install_envoi() {
  local folder=$1 editable=${2:-} wanted compiling="" missing=""
  wanted=$(fingerprint "$editable")
  [ "$(cat "$folder/.envoi" 2>/dev/null)" = "$wanted" ] && return
  if [ -z "$editable" ] && [ "${ENVOI_COMPILE:-}" != no ]; then
    missing=$("$folder/bin/python" "$root/hatch_compile.py" --missing)
    compiling="; compiling what runs for every message takes a minute or two"
  fi
  say "Building and installing Envoi$([ -n "$missing" ] || printf '%s' "$compiling") …"
  # shellcheck disable=SC2086
  "$folder/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps $editable "$root" ||
    stop "Envoi could not be built; see above."
  if [ -n "$compiling" ] && [ -z "$(compiled "$folder")" ]; then
    say "Sending is not compiled, and about a sixth slower: ${missing:-ENVOI_COMPILE=must bin/envoi says why}"
  fi
  printf '%s\n' "$wanted" >"$folder/.envoi"
}

# compiled FOLDER: where its compiled modules lie, if there are any.
compiled() (
  shopt -s nullglob
  echo "$1"/lib/python*/site-packages/envoi__mypyc.*
)

# What the installation was made from: names, sizes and times, and what it could be compiled with; an editable one needs
# only what the build reads.
fingerprint() (
  local folders=(src frontend hatch_compile.py)
  [ -n "$1" ] && folders=(frontend src/envoi/locale)
  cd "$root"
  { [ -n "$1" ] || { command -v cc gcc || true; echo /usr/include/python3*/Python.h "${ENVOI_COMPILE:-}"; }
    find "${folders[@]}" pyproject.toml hatch_build.py README.md \
    \( -name node_modules -o -name dist -o -name __pycache__ \) -prune \
    -o -type f ! -name '*.mo' -printf '%p %s %T@\n' 2>/dev/null || true; } | sort | cksum
)
