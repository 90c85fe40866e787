use crate::{error::{Error, Result}, table::{set_custodian_keys::{Accounts, Args}, Context}};
pub fn run(_: &Context, _: &Accounts, _: &Args) -> Result { Err(Error::InstructionFallbackNotFound) }
