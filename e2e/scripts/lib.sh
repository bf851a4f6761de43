# Shared by the scripts beside it; sourced, not run.
# shellcheck shell=bash disable=SC2034

# A failing command inside $(...) ends the script too.
shopt -s inherit_errexit

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cluster="$root/e2e/cluster/cluster"
cache=${MCPFLEET_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/mcpfleet}
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$cache/target}
export PATH="$cache/tools/bin:$PATH"
rust_target=x86_64-unknown-linux-musl
binaries="$CARGO_TARGET_DIR/$rust_target/debug"

step() { printf '\n\033[1m==> %s\033[0m\n' "$*" >&2; }
say() { printf '    %s\n' "$*" >&2; }
die() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# Images keep their public names, so that examples run unchanged; tags follow the content, so that a
# rebuilt image is a new one to Kubernetes.
repository=${IMAGE_REPOSITORY:-ghcr.io/mcpfleet}
version=0.1.0
images_dir="$cache/images"
