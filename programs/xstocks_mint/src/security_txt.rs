//! Where to report a weakness, in the form that explorers find in a program's bytes (security.txt of the neodyme
//! crate solana-security-txt: begin mark, then name and value in turn, each ended by a zero byte, then end mark).

macro_rules! security_txt {
    ($($name:ident: $value:expr;)*) => {
        concat!(
            "=======BEGIN SECURITY.TXT V1=======\0",
            $(stringify!($name), "\0", $value, "\0",)*
            "=======END SECURITY.TXT V1=======\0"
        )
    };
}

const TEXT: &str = security_txt! {
    name: "xstocks_mint";
    project_url: env!("CARGO_PKG_REPOSITORY");
    // The repository's private reporting: a form that nobody but its maintainers reads.
    contacts: concat!("link:", env!("CARGO_PKG_REPOSITORY"), "/security/advisories/new");
    policy: concat!(env!("CARGO_PKG_REPOSITORY"), "/blob/main/SECURITY.md");
    preferred_languages: "en";
    source_code: env!("CARGO_PKG_REPOSITORY");
    source_release: concat!("v", env!("CARGO_PKG_VERSION"));
};

/// Kept in the program although nothing reads it (by the compiler for `used`, by a linker for being exported): its own
/// bytes, since readers search for the begin mark.
#[used]
#[no_mangle]
pub static SECURITY_TXT: [u8; TEXT.len()] = {
    let mut bytes = [0; TEXT.len()];
    bytes.copy_from_slice(TEXT.as_bytes());
    bytes
};
