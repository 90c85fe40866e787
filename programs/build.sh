#!/usr/bin/env bash
# Builds programs/deploy/xstocks_mint.so with upstream Rust and writes deploy/BUILD.json.
#   ./build.sh           build, and replace the checked-in program
#   ./build.sh --check   build, and compare with the checked-in program: the same compiler must give the same bytes;
#                        with another compiler it says so and where the rebuilt program is
# It takes rustc from $RUSTC, else /usr/bin/rustc, and sbpf-linker from $SBPF_LINKER, else PATH.
# Exit codes: 0 built or equal (or another compiler), 1 differs or does not build, 2 something is missing.
set -euo pipefail
cd "$(dirname "$0")"

name=xstocks_mint
target=bpfel-unknown-none
committed=deploy/$name.so
built=target/$target/release/lib$name.so
record=deploy/BUILD.json

missing() {
    echo "build.sh: $1" >&2
    echo "  remedy: $2" >&2
    exit 2
}

mode=build
case "${1:-}" in
    "") ;;
    --check) mode=check ;;
    *) missing "unknown argument $1" "./build.sh or ./build.sh --check" ;;
esac

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
# The sources that decide the bytes: names and contents, in a fixed order.
source_hash=$(find Cargo.toml Cargo.lock .cargo/config.toml $name/Cargo.toml $name/src -type f -print0 | LC_ALL=C sort -z |
    xargs -0 sha256sum | sha256sum | cut -d ' ' -f 1)

# One crate type only: beside an rlib cargo leaves link-time optimisation out, and the linker needs it.
# No folder of this machine gets into the bytes: built in another folder they are equal.
RUSTC=$rustc CARGO_TARGET_BPFEL_UNKNOWN_NONE_LINKER=$linker CARGO_INCREMENTAL=0 \
    cargo rustc --locked --quiet --release --target $target --package $name --lib --crate-type cdylib || {
    echo "build.sh: the build failed (see above)" >&2
    exit 1
}

# The linker writes lib<name>.so or <name>.so, by its version.
[ -f "$built" ] || built=target/$target/release/$name.so
[ -f "$built" ] || built=target/deploy/$name.so
hash=$(sha256sum "$built" | cut -d ' ' -f 1)

if [ $mode = build ]; then
    mkdir -p deploy
    cp "$built" "$committed"
    cat > $record <<JSON
{
  "program": "$name.so",
  "sha256": "$hash",
  "source_sha256": "$source_hash",
  "rustc": "$rustc_version",
  "llvm": "$llvm_version",
  "linker": "$linker_version"
}
JSON
    echo "built $committed, sha256 $hash"
    exit 0
fi

recorded() { sed -n "s/^ *\"$1\": \"\(.*\)\",\{0,1\}$/\1/p" $record; }
[ -f "$committed" ] && [ -f $record ] || { echo "build.sh: $committed or $record is not there" >&2; exit 1; }
[ "$(sha256sum $committed | cut -d ' ' -f 1)" = "$(recorded sha256)" ] || {
    echo "build.sh: $committed is not the program that $record records" >&2
    exit 1
}
if [ "$source_hash" != "$(recorded source_sha256)" ]; then
    echo "build.sh: the sources changed after $committed was built; run programs/build.sh" >&2
    exit 1
fi
if [ "$rustc_version|$llvm_version|$linker_version" != "$(recorded rustc)|$(recorded llvm)|$(recorded linker)" ]; then
    echo "another compiler: $rustc_version, LLVM $llvm_version, $linker_version"
    echo "the record has:   $(recorded rustc), LLVM $(recorded llvm), $(recorded linker)"
    echo "not compared; the rebuilt program is programs/$built (sha256 $hash)"
    exit 0
fi
if [ "$hash" = "$(recorded sha256)" ]; then
    echo "equal: $committed, sha256 $hash"
else
    echo "build.sh: the same compiler gives other bytes: programs/$built (sha256 $hash), recorded $(recorded sha256)" >&2
    exit 1
fi
