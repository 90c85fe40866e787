//! The answers of tests/vectors/reserve.json: accounts of a real chain, read by Python too.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use serde_json::{json, Value};
use xstocks_reserve::{Account, Address, Asset, AssetState, Config, Custodian, Error, Mint};

const VECTORS: &str = include_str!("../../../tests/vectors/reserve.json");

fn hex(text: &Value) -> Vec<u8> {
    let text = text.as_str().unwrap();
    assert!(text.len().is_multiple_of(2));
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

/// An account of the file.
struct Read {
    address: Address,
    owner: Address,
    data: Vec<u8>,
}

impl Read {
    fn new(account: &Value) -> Self {
        let address = |name: &str| hex(&account[name]).try_into().unwrap();
        Self { address: address("address"), owner: address("owner"), data: hex(&account["data"]) }
    }

    fn account(&self) -> Account<'_> {
        Account { address: &self.address, owner: &self.owner, data: &self.data }
    }
}

fn answers(vectors: &Value, case: &Value) -> Result<Value, Error> {
    let program_id: Address = hex(&vectors["program_id"]).try_into().unwrap();
    let read = |name: &Value| Read::new(&vectors["accounts"][name.as_str().unwrap()]);
    let (config, asset, mint) = (read(&case["config"]), read(&case["asset"]), read(&case["mint"]));
    let config = Config::read(&program_id, config.account())?;
    let asset = Asset::read(&program_id, asset.account())?;
    let mint = Mint::read(mint.account())?;
    let custodians = case["custodians"].as_array().unwrap().iter();
    let custodians: Vec<Option<Custodian>> = custodians
        .map(|name| Custodian::read(&program_id, read(name).account()).map(Some))
        .collect::<Result<_, Error>>()?;
    let now_ts = case["now_ts"].as_i64().unwrap();
    let backing = asset.backing(now_ts, &mint, &custodians)?;
    let state = match asset.state() {
        AssetState::Halted => "HALTED",
        AssetState::Active => "ACTIVE",
        AssetState::Retired => "RETIRED",
        AssetState::Released => "RELEASED",
    };
    Ok(json!({
        "enforced": asset.is_enforced(&config),
        "state": state,
        "paused": config.paused() | asset.paused(),
        "holds": asset.holds(),
        "multiplier_bits": asset.multiplier_bits_at(now_ts).to_string(),
        "supply_raw": backing.supply_raw.to_string(),
        "ceiling_raw": backing.statements.ceiling_raw.to_string(),
        "unseen_raw": backing.statements.unseen_raw.to_string(),
        "fully_backed": backing.is_full(),
        "newest_age_secs": backing.statements.newest_age_secs,
        "oldest_age_secs": backing.statements.oldest_age_secs,
    }))
}

#[test]
fn the_vectors_are_met() {
    let vectors: Value = serde_json::from_str(VECTORS).unwrap();
    let cases = vectors["cases"].as_array().unwrap();
    assert!(cases.len() >= 46);
    for case in cases {
        match answers(&vectors, case) {
            Ok(answers) => assert_eq!(answers, case["expect"], "{}", case["name"]),
            Err(error) => {
                assert_eq!(format!("{error:?}"), case["error"].as_str().unwrap_or("none"), "{}", case["name"])
            }
        }
    }
}
