//! The answers of tests/vectors/reserve.json: accounts of a real chain, read by Python too.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use serde_json::{json, Value};
use xstocks_reserve::{
    Account, Address, Asset, AssetState, Backing, Code, Config, Custodian, Error, Mint, Statements, Terms,
};

const VECTORS: &str = include_str!("../../../tests/vectors/reserve.json");
const LACKING: &str = include_str!("../../../tests/vectors/lacking.json");

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
    let (program, program_data) = (read(&case["program"]), read(&case["program_data"]));
    let code = Code::read(&program_id, program.account(), program_data.account())?;
    let authority: Option<Address> =
        case["upgrade_authority"].as_str().map(|_| hex(&case["upgrade_authority"]).try_into().unwrap());
    let min_timelock_secs = case["min_timelock_secs"].as_u64().unwrap();
    let terms = Terms { min_timelock_secs, upgrade_authority: authority.as_ref() };
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
        "enforced": asset.is_enforced(&config, &code, &terms),
        "state": state,
        "paused": config.paused() | asset.paused(),
        "holds": asset.holds(),
        "multiplier_bits": asset.multiplier_bits_at(now_ts).to_string(),
        "supply_raw": backing.supply_raw.to_string(),
        "ceiling_raw": backing.statements.ceiling_raw.to_string(),
        "unseen_raw": backing.statements.unseen_raw.to_string(),
        "fully_backed": backing.is_full(),
        "shortfall_raw": backing.shortfall_raw().to_string(),
        "lacks_less_than_nano": backing.lacks_less_than_nano().to_string(),
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

#[test]
fn what_shares_lack_meets_the_golden_vectors() {
    let vectors: Value = serde_json::from_str(LACKING).unwrap();
    let vectors = vectors.as_array().unwrap();
    assert!(vectors.len() > 500);
    for vector in vectors {
        let number = |name: &str| vector[name].as_u64().unwrap();
        // The claim is of circulating tokens alone, or of redeemed ones but one.
        for unseen_raw in [0, number("claimed_raw") - 1] {
            let backing = Backing {
                supply_raw: number("claimed_raw") - unseen_raw,
                statements: Statements {
                    shares_nano: number("shares_nano"),
                    fresh_raw: 0,
                    unseen_raw,
                    ceiling_raw: 0,
                    newest_age_secs: None,
                    oldest_age_secs: None,
                },
                multiplier_bits: number("multiplier_bits"),
                decimals: u8::try_from(number("decimals")).unwrap(),
            };
            assert_eq!(backing.lacks_less_than_nano(), number("lacks_less_than_nano"), "{vector}");
        }
    }
}

#[test]
fn what_is_fully_backed_lacks_nothing_and_what_no_number_says_lacks_all() {
    let statements = Statements {
        shares_nano: u64::MAX,
        fresh_raw: 10,
        unseen_raw: 3,
        ceiling_raw: 7,
        newest_age_secs: None,
        oldest_age_secs: None,
    };
    let one = 1.0f64.to_bits();
    let lacks = |supply_raw, multiplier_bits, decimals| {
        Backing { supply_raw, statements, multiplier_bits, decimals }.lacks_less_than_nano()
    };
    assert_eq!((lacks(7, one, 9), lacks(8, one, 9)), (0, 1));
    for (supply_raw, multiplier_bits, decimals) in [
        (u64::MAX - 2, one, 9), // with the unseen ones beyond 64 bits
        (u64::MAX - 3, one, 8), // its worth is
        (u64::MAX - 3, f64::MAX.to_bits(), 9),
        (8, one, 10),
        (8, 0, 9),
        (8, (-1.0f64).to_bits(), 9),
        (8, f64::NAN.to_bits(), 9),
        (8, f64::INFINITY.to_bits(), 9),
    ] {
        assert_eq!(lacks(supply_raw, multiplier_bits, decimals), u64::MAX, "{supply_raw} {multiplier_bits} {decimals}");
    }
    assert_eq!(lacks(u64::MAX - 3, f64::MIN_POSITIVE.to_bits(), 0), 1);
}
