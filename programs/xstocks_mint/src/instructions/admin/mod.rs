//! What the admin does, at once or under the timelock (and the deployer's initialize).

pub mod abort_adopt;
pub mod attach_custodian;
pub mod begin_adopt;
pub mod clear_role;
pub mod detach_custodian;
pub mod finish_adopt;
pub mod initialize;
pub mod loosen_policy;
pub mod propose;
pub mod propose_admin;
pub mod register_asset;
pub mod register_custodian;
pub mod release_authority;
pub mod retire_asset;
pub mod retire_custodian;
pub mod seal;
pub mod set_custodian_keys;
pub mod set_metadata;
pub mod set_role;
pub mod set_timing;
pub mod tighten_policy;
