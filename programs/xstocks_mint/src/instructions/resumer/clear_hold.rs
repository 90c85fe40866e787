use crate::{error::{Error, Result}, table::{clear_hold::{Accounts, Args}, Context}};
pub fn run(_: &Context, _: &Accounts, _: &Args) -> Result { Err(Error::InstructionFallbackNotFound) }
