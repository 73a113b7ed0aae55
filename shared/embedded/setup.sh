#!/usr/bin/env bash
# Make .venv and fetch the servers: `bash shared/embedded/setup.sh [PYTHON]`, as `make setup` does. May be
# repeated; what is there already is kept.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

python="${1:-python3.11}"

say() { printf 'setup: %s\n' "$*"; }
stop() { printf 'setup: %s\n' "$*" >&2; exit 1; }

python_is_fit() { "$1" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

java_is_fit() {
  local java="${JAVA_HOME:+$JAVA_HOME/bin/}java" version
  version="$("$java" -version 2>&1)" || return 1
  [[ "$version" =~ version\ \"([0-9]+) ]] && (( BASH_REMATCH[1] >= 17 ))
}

# The packaged mongod is linked to it, and a slim image does not have it.
curl_library_is_there() { [[ "$(PATH="$PATH:/sbin:/usr/sbin" ldconfig -p 2>/dev/null)" == *'libcurl.so.4 '* ]]; }

# Install Debian packages, never upgrade one that is there; false where that is not possible.
install() {
  local as_root=()
  command -v apt-get >/dev/null || return 1
  if [[ $EUID -ne 0 ]]; then
    sudo -n true 2>/dev/null || return 1
    as_root=(sudo -n)
  fi
  say "installing $*"
  "${as_root[@]}" apt-get update -qq || true
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-upgrade --no-install-recommends "$@" >/dev/null
}

if ! python_is_fit "$python"; then
  install python3.11 python3.11-venv && python=python3.11 && python_is_fit "$python" ||
    stop "needs Python 3.11 or newer with venv: install it (Debian: python3.11 python3.11-venv), or name yours with PYTHON="
fi

if [[ -z "${KAFKA_BOOTSTRAP_SERVERS:-}" ]]; then
  java_is_fit || { install openjdk-17-jre-headless && java_is_fit; } ||
    stop "needs Java 17 or newer: install it (Debian: openjdk-17-jre-headless), or set KAFKA_BOOTSTRAP_SERVERS to a running Kafka"
  if [[ -z "${KAFKA_HOME:-}" ]] && ! compgen -G '.fealty/servers/kafka-*/libs' >/dev/null; then
    command -v mvn >/dev/null || install maven ||
      stop "needs Maven to fetch Kafka: install it (Debian: maven), or set KAFKA_HOME to an unpacked Kafka or KAFKA_BOOTSTRAP_SERVERS to a running one"
  fi
fi

if [[ -z "${MONGODB_URL:-}" ]] && ! command -v mongod >/dev/null && [[ "$(uname -s)" == Linux ]]; then
  curl_library_is_there || install libcurl4 ||
    stop "needs libcurl for the packaged mongod: install it (Debian: libcurl4), or set MONGODB_URL to a MongoDB replica set"
fi

command -v kcat >/dev/null || install kcat || say "kcat can't be installed here: the tests that publish with it are skipped"

if ! python_is_fit .venv/bin/python || ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
  say "making .venv with $("$python" --version)"
  "$python" -m venv --clear .venv
fi

say "installing the Python packages"
.venv/bin/python -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[dev]' ||
  stop "pip could not install the packages (see above)"
.venv/bin/python -m pip install -q --disable-pip-version-check --no-deps --upgrade --target .venv/client-generator \
  -r tests/client-generator.txt || stop "pip could not install the generator of API clients (see above)"

say "fetching the servers (the first time about a minute)"
.venv/bin/python -m shared.embedded fetch || exit 1
say "ready"
