//! The committed IDL is what the table gives: `cargo test --features idl`.

#![allow(clippy::unwrap_used)]

use std::{path::Path, process::Command};

#[test]
fn the_committed_idl_is_the_generated_one() {
    let generated = Command::new(env!("CARGO_BIN_EXE_idl")).output().unwrap();
    assert!(generated.status.success());
    let committed = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../idl/xstocks_mint.json")).unwrap();
    assert!(
        generated.stdout == committed,
        "idl/xstocks_mint.json is stale; in programs/: cargo run -q --features idl --bin idl > ../idl/xstocks_mint.json"
    );
}
