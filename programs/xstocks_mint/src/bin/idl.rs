//! Prints the IDL (Anchor spec 0.1.0) from the table: `cargo run --features idl --bin idl > ../idl/xstocks_mint.json`.

use serde_json::{json, Map, Value};
use xstocks_mint::{
    args::ARG_STRUCTS,
    error::ERRORS,
    events::{EVENTS, ITEMS, LIST_EVENTS},
    hash::sha256_const,
    schema::{Account, Field, Instruction, Layout, Repeat, Repeated, Seed, Struct, Ty},
    state::{AttesterKey, Authorities, Bucket, Entry, Policy, STATES},
    table::instructions,
};

/// Names the address a localnet loads the program at; nobody holds a key of it.
const LOCALNET_ADDRESS_TAG: &[u8] = b"xstocks_mint localnet program v1";

fn base58(bytes: &[u8; 32]) -> String {
    const ALPHABET: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    let mut digits: Vec<u8> = Vec::new();
    for byte in bytes {
        let mut carry = u32::from(*byte);
        for digit in &mut digits {
            carry += u32::from(*digit) << 8;
            *digit = u8::try_from(carry % 58).unwrap_or(0);
            carry /= 58;
        }
        while carry > 0 {
            digits.push(u8::try_from(carry % 58).unwrap_or(0));
            carry /= 58;
        }
    }
    let zeros = bytes.iter().take_while(|b| **b == 0).count();
    let indexes = std::iter::repeat_n(0u8, zeros).chain(digits.into_iter().rev());
    indexes.filter_map(|i| ALPHABET.get(usize::from(i)).map(|c| char::from(*c))).collect()
}

fn ty(ty: &Ty) -> Value {
    match ty {
        Ty::U8 => json!("u8"),
        Ty::U16 => json!("u16"),
        Ty::U32 => json!("u32"),
        Ty::U64 => json!("u64"),
        Ty::I64 => json!("i64"),
        Ty::Pubkey => json!("pubkey"),
        Ty::Bytes => json!("bytes"),
        Ty::String => json!("string"),
        Ty::Array(of, count) => json!({ "array": [self::ty(of), count] }),
        Ty::Vec(of) => json!({ "vec": self::ty(of) }),
        Ty::Defined(name) => json!({ "defined": { "name": name } }),
    }
}

fn docs(object: &mut Map<String, Value>, docs: &[&str]) {
    if !docs.is_empty() {
        object.insert("docs".into(), docs.iter().map(|line| line.trim()).collect());
    }
}

fn field(field: &Field) -> Value {
    let mut object = Map::new();
    object.insert("name".into(), json!(field.name));
    docs(&mut object, field.docs);
    object.insert("type".into(), ty(&field.ty));
    Value::Object(object)
}

fn account(account: &Account) -> Value {
    let mut object = Map::new();
    object.insert("name".into(), json!(account.name));
    docs(&mut object, account.docs);
    for (key, set) in
        [("writable", account.spec.writable), ("signer", account.spec.signer), ("optional", account.optional)]
    {
        if set {
            object.insert(key.into(), json!(true));
        }
    }
    if !account.spec.roles.is_empty() {
        object.insert("roles".into(), account.spec.roles.iter().map(|role| role.field()).collect());
    }
    if let Some(address) = &account.spec.address {
        object.insert("address".into(), json!(base58(address.as_array())));
    }
    if !account.spec.seeds.is_empty() {
        let seeds: Vec<Value> = account
            .spec
            .seeds
            .iter()
            .map(|seed| match seed {
                Seed::Const(bytes) => json!({ "kind": "const", "value": bytes }),
                Seed::Account(path) => json!({ "kind": "account", "path": path }),
                Seed::Arg(path) => json!({ "kind": "arg", "path": path }),
            })
            .collect();
        object.insert("pda".into(), json!({ "seeds": seeds }));
    }
    Value::Object(object)
}

/// Accounts behind the named ones. Like `roles` and `timelocked` no part of the IDL's specification: clients that do not
/// know it pass over it.
fn repeated(group: &Repeated) -> Value {
    let mut object = Map::new();
    object.insert("accounts".into(), group.accounts.iter().map(account).collect());
    let repeat = match group.repeat {
        Repeat::Between(min, max) => json!({ "min": min, "max": max }),
        Repeat::PerItemOf(argument) => json!({ "per": argument }),
    };
    object.insert("repeat".into(), repeat);
    if let Some(key) = group.ascending_by {
        object.insert("ascending_by".into(), json!(key));
    }
    Value::Object(object)
}

fn instruction(instruction: &Instruction) -> Value {
    let mut object = Map::new();
    object.insert("name".into(), json!(instruction.name));
    docs(&mut object, instruction.docs);
    object.insert("discriminator".into(), json!(instruction.discriminator));
    if instruction.is_timelocked() {
        object.insert("timelocked".into(), json!(true));
    }
    object.insert("accounts".into(), instruction.accounts.iter().map(account).collect());
    if !instruction.remaining.is_empty() {
        object.insert("remaining_accounts".into(), instruction.remaining.iter().map(repeated).collect());
    }
    object.insert("args".into(), instruction.args.iter().map(field).collect());
    Value::Object(object)
}

fn named(list: &[([u8; 8], Struct)]) -> Value {
    list.iter().map(|(discriminator, item)| json!({ "name": item.name, "discriminator": discriminator })).collect()
}

fn definition(item: &Struct) -> Value {
    let mut object = Map::new();
    object.insert("name".into(), json!(item.name));
    docs(&mut object, item.docs);
    let fields: Vec<Value> = item.fields.iter().map(field).collect();
    object.insert("type".into(), json!({ "kind": "struct", "fields": fields }));
    Value::Object(object)
}

fn main() {
    let mut structs: Vec<&Struct> =
        vec![&AttesterKey::STRUCT, &Authorities::STRUCT, &Policy::STRUCT, &Bucket::STRUCT, &Entry::STRUCT];
    structs.extend(ARG_STRUCTS);
    structs.extend(STATES.iter().map(|(_, item)| item));
    structs.extend(ITEMS);
    let events: Vec<([u8; 8], Struct)> = [EVENTS, LIST_EVENTS].concat();
    structs.extend(events.iter().map(|(_, item)| item));
    structs.sort_by_key(|item| item.name);
    let mut instructions: Vec<&Instruction> = instructions().collect();
    instructions.sort_by_key(|item| item.name);
    let idl = json!({
        "address": base58(&sha256_const(&[LOCALNET_ADDRESS_TAG])),
        "metadata": {
            "name": env!("CARGO_PKG_NAME"),
            "version": env!("CARGO_PKG_VERSION"),
            "spec": "0.1.0",
            "description": env!("CARGO_PKG_DESCRIPTION"),
            "repository": env!("CARGO_PKG_REPOSITORY"),
        },
        "instructions": instructions.into_iter().map(instruction).collect::<Value>(),
        "accounts": named(STATES),
        "events": named(&events),
        "errors": ERRORS.iter().filter(|(code, ..)| *code >= 6000)
            .map(|(code, name, msg)| json!({ "code": code, "name": name, "msg": msg })).collect::<Value>(),
        "types": structs.into_iter().map(definition).collect::<Value>(),
    });
    println!("{idl:#}");
}
