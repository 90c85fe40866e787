//! Reads the reserve of a tokenised share from the accounts of the `xstocks_mint` program, for other programs and for
//! services: is the token fully backed now, under what ceiling, how old are the statements, which multiplier holds.
//!
//! `no_std`, no dependencies, no `unsafe`, no allocation, no panics. Everything is computed from the bytes of accounts:
//! the caller hands over data, owner and address of each, as the runtime or an RPC node gives them.
//!
//! ```
//! use xstocks_reserve::{Account, Asset, Code, Config, Custodian, Error, Mint, Terms};
//!
//! /// Whether the token may be taken as collateral: the rules are enforced on the reader's terms, nothing is on hold, the
//! /// supply is backed, and every statement that counts is at most `max_age_secs` old.
//! fn is_good_collateral(
//!     program_id: &[u8; 32], [program, program_data]: [Account; 2], terms: &Terms, config: Account, asset: Account,
//!     mint: Account, custodians: &[Account], now_ts: i64, max_age_secs: u64,
//! ) -> Result<bool, Error> {
//!     let (config, asset) = (Config::read(program_id, config)?, Asset::read(program_id, asset)?);
//!     let (mint, code) = (Mint::read(mint)?, Code::read(program_id, program, program_data)?);
//!     // An asset has at most four custodians; one that is left out counts zero.
//!     let mut read = [None; 4];
//!     for (slot, custodian) in read.iter_mut().zip(custodians) {
//!         *slot = Some(Custodian::read(program_id, *custodian)?);
//!     }
//!     let backing = asset.backing(now_ts, &mint, &read)?;
//!     let young = backing.statements.oldest_age_secs.is_some_and(|age_secs| age_secs <= max_age_secs);
//!     Ok(asset.is_enforced(&config, &code, terms) && asset.holds() == 0 && backing.is_full() && young)
//! }
//! # let nothing = Account { address: &[0; 32], owner: &[1; 32], data: &[] };
//! # let terms = Terms { min_timelock_secs: 86_400, upgrade_authority: None };
//! # let code = [nothing, nothing];
//! # let answer = is_good_collateral(&[9; 32], code, &terms, nothing, nothing, nothing, &[], 1, 60);
//! # assert_eq!(answer, Err(Error::WrongOwner));
//! ```
//!
//! Amounts are base units of the mint (`raw`); times are Unix seconds (`ts`) unless they say milliseconds (`ms`).
#![no_std]
#![forbid(unsafe_code)]
#![deny(missing_docs, rustdoc::broken_intra_doc_links)]

mod account;
mod asset;
mod backing;
mod bytes;
mod code;
mod config;
mod custodian;
mod entry;
mod error;
#[allow(missing_docs, reason = "a constant is called as the field is, and docs/reserve-account.md has them all")]
pub mod layout;
mod mint;
mod nano;

/// The examples of the README are tried as those of the documentation.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

pub use account::{Account, Address};
pub use asset::{hold, scope, Asset, AssetState};
pub use backing::{Backing, Statements};
pub use code::{Code, Terms};
pub use config::Config;
pub use custodian::Custodian;
pub use error::Error;
pub use mint::Mint;
