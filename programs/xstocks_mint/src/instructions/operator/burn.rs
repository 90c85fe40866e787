use crate::{error::{Error, Result}, table::{burn::{Accounts, Args}, Context}};
pub fn run(_: &Context, _: &Accounts, _: &Args) -> Result { Err(Error::InstructionFallbackNotFound) }
