use crate::{error::{Error, Result}, table::{revoke_custodian_key::{Accounts, Args}, Context}};
pub fn run(_: &Context, _: &Accounts, _: &Args) -> Result { Err(Error::InstructionFallbackNotFound) }
