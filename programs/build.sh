#!/usr/bin/env bash
# Builds the programs with upstream Rust: the .so and its BUILD.json.
#   ./build.sh [PROGRAM ...]           build, and replace what is checked in (default: all programs)
#   ./build.sh --check [PROGRAM ...]   build, and compare with what is checked in: the same compiler must give the same
#                                      bytes; with another compiler it says so and where the rebuilt program is
# Programs: xstocks_mint (deploy/), lending_gate (an example, examples/lending_gate/deploy/), lying_token, small_multisig and
# next_layout, xstocks_mint with that feature (only for tests, testing/<name>/deploy/).
# It takes rustc from $RUSTC, else /usr/bin/rustc, and sbpf-linker from $SBPF_LINKER, else PATH.
# Exit codes: 0 built or equal (or another compiler), 1 differs or does not build, 2 something is missing.
set -euo pipefail
cd "$(dirname "$0")"

target=bpfel-unknown-none
# What decides the bytes of every program, and of each the folders of its sources beside that.
shared=(Cargo.toml Cargo.lock .cargo/config.toml)
declare -A sources=(
    [xstocks_mint]="xstocks_mint"
    [lending_gate]="examples/lending_gate xstocks_reserve"
    [lying_token]="testing/lying_token"
    [small_multisig]="testing/small_multisig"
    [next_layout]="xstocks_mint"
)
declare -A deployed=(
    [xstocks_mint]="deploy"
    [lending_gate]="examples/lending_gate/deploy"
    [lying_token]="testing/lying_token/deploy"
    [small_multisig]="testing/small_multisig/deploy"
    [next_layout]="testing/next_layout/deploy"
)
# Packages of which a program is a variant, by the feature that it is called after.
declare -A variant_of=([next_layout]="xstocks_mint")

missing() {
    echo "build.sh: $1" >&2
    echo "  remedy: $2" >&2
    exit 2
}

mode=build
if [ "${1:-}" = --check ]; then
    mode=check
    shift
fi
[ $# -gt 0 ] || set -- xstocks_mint lending_gate lying_token small_multisig next_layout
for name in "$@"; do
    [ -n "${deployed[$name]:-}" ] || missing "unknown argument $name" "./build.sh [--check] [${!deployed[*]}]"
done

rustc=${RUSTC:-/usr/bin/rustc}
command -v "$rustc" >/dev/null || missing "no rustc at $rustc" \
    "apt-get install rustc-web libstd-rust-web-dev-bpf llvm-22-dev, or set RUSTC"
sysroot=$("$rustc" --print sysroot)
[ -d "$sysroot/lib/rustlib/$target" ] || missing "$rustc has no core library for $target" \
    "apt-get install libstd-rust-web-dev-bpf, or set RUSTC to a compiler that has it"
command -v cargo >/dev/null || missing "no cargo on PATH" "install rustup, or apt-get install cargo-web"
linker=${SBPF_LINKER:-$(command -v sbpf-linker || true)}
if [ -z "$linker" ] || [ ! -x "$linker" ]; then
    missing "no sbpf-linker on PATH or in SBPF_LINKER" \
        "RUSTFLAGS='-L native=/usr/lib/llvm-22/lib' LLVM_SYS_221_PREFIX=/usr/lib/llvm-22 cargo install sbpf-linker@0.2.6 --locked --no-default-features --features bpf-linker/llvm-22"
fi

rustc_version=$("$rustc" --version)
llvm_version=$("$rustc" -vV | sed -n 's/^LLVM version: //p')
linker_version=$("$linker" --version) # read whole: a pipe closed early would fail it
linker_version=${linker_version%%$'\n'*}

# source_hash NAME: of names and contents of the sources that decide the bytes, in a fixed order.
source_hash() {
    local folder files=("${shared[@]}")
    for folder in ${sources[$1]}; do files+=("$folder/Cargo.toml" "$folder/src"); done
    find "${files[@]}" -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -d ' ' -f 1
}

# compile NAME: builds it and sets `built` to the file.
compile() {
    local package=${variant_of[$1]:-$1} folder=target options=()
    if [ "$package" != "$1" ]; then folder=target/$1 options=(--features "$1" --target-dir "target/$1"); fi
    # One crate type only: beside an rlib cargo leaves link-time optimisation out, and the linker needs it.
    # No folder of this machine gets into the bytes: built in another folder they are equal.
    RUSTC=$rustc CARGO_TARGET_BPFEL_UNKNOWN_NONE_LINKER=$linker CARGO_INCREMENTAL=0 \
        cargo rustc --locked --quiet --release --target $target --package "$package" --lib --crate-type cdylib \
        "${options[@]}" || {
        echo "build.sh: $1: the build failed (see above)" >&2
        exit 1
    }
    # The linker writes lib<name>.so or <name>.so, by its version.
    for built in "$folder/$target"/release/{lib,}"$package".so "$folder"/deploy/"$package".so; do
        [ -f "$built" ] || continue
        if [ "$package" != "$1" ]; then cp "$built" "$folder/$1.so" && built=$folder/$1.so; fi
        return 0
    done
    echo "build.sh: $1: the build left no program behind" >&2
    exit 1
}

# replace NAME: the checked-in program and its record.
replace() {
    local folder=${deployed[$1]}
    mkdir -p "$folder"
    cp "$built" "$folder/$1.so"
    cat > "$folder/BUILD.json" <<JSON
{
  "program": "$1.so",
  "sha256": "$hash",
  "source_sha256": "$(source_hash "$1")",
  "rustc": "$rustc_version",
  "llvm": "$llvm_version",
  "linker": "$linker_version"
}
JSON
    echo "built $folder/$1.so, sha256 $hash"
}

# compare NAME: what is checked in with what was just built; status 1 where they differ.
compare() {
    local folder=${deployed[$1]} committed record
    committed=$folder/$1.so record=$folder/BUILD.json
    recorded() { sed -n "s/^ *\"$1\": \"\(.*\)\",\{0,1\}$/\1/p" "$record"; }
    if [ ! -f "$committed" ] || [ ! -f "$record" ]; then
        echo "build.sh: $committed or $record is not there" >&2
        return 1
    fi
    if [ "$(sha256sum "$committed" | cut -d ' ' -f 1)" != "$(recorded sha256)" ]; then
        echo "build.sh: $committed is not the program that $record records" >&2
        return 1
    fi
    if [ "$(source_hash "$1")" != "$(recorded source_sha256)" ]; then
        echo "build.sh: the sources changed after $committed was built; run programs/build.sh" >&2
        return 1
    fi
    if [ "$rustc_version|$llvm_version|$linker_version" != "$(recorded rustc)|$(recorded llvm)|$(recorded linker)" ]; then
        echo "another compiler: $rustc_version, LLVM $llvm_version, $linker_version"
        echo "the record has:   $(recorded rustc), LLVM $(recorded llvm), $(recorded linker)"
        echo "not compared; the rebuilt program is programs/$built (sha256 $hash)"
        return 0
    fi
    if [ "$hash" != "$(recorded sha256)" ]; then
        echo "build.sh: the same compiler gives other bytes: programs/$built (sha256 $hash), recorded $(recorded sha256)" >&2
        return 1
    fi
    echo "equal: $committed, sha256 $hash"
}

for name in "$@"; do
    compile "$name"
    hash=$(sha256sum "$built" | cut -d ' ' -f 1)
    if [ $mode = build ]; then replace "$name"; else compare "$name"; fi
done
