use crate::{error::{Error, Result}, table::{register_custodian::{Accounts, Args}, Context}};
pub fn run(_: &Context, _: &Accounts, _: &Args) -> Result { Err(Error::InstructionFallbackNotFound) }
