//! What a row of the table becomes.

use crate::{
    address::address_eq,
    error::{cold_error, require, Error, Result},
    schema::AccountSpec,
};
use pinocchio::{AccountView, Address};

/// What every handler gets beside its accounts and arguments.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    pub program_id: &'a Address,
    /// All accounts of the instruction, for the hash of a proposal.
    pub accounts: &'a [AccountView],
    /// The whole instruction data, discriminator included, for the hash of a proposal.
    pub data: &'a [u8],
}

/// The next account.
///
/// # Errors
/// AccountNotEnoughKeys.
#[inline(always)]
pub fn next<'a>(rest: &mut &'a [AccountView]) -> Result<&'a AccountView> {
    let (first, others) = rest.split_first().ok_or_else(|| cold_error(Error::AccountNotEnoughKeys))?;
    *rest = others;
    Ok(first)
}

/// Signer, writable and fixed address, as the table says.
///
/// # Errors
/// AccountNotSigner, ConstraintMut, InvalidProgramId, ConstraintAddress.
#[inline(always)]
pub fn check(account: &AccountView, spec: &'static AccountSpec) -> Result {
    require(!spec.signer || account.is_signer(), Error::AccountNotSigner)?;
    require(!spec.writable || account.is_writable(), Error::ConstraintMut)?;
    let Some(address) = &spec.address else { return Ok(()) };
    let other = if spec.is_program { Error::InvalidProgramId } else { Error::ConstraintAddress };
    require(address_eq(account.address(), address), other)
}

/// The rows of one caller: `name log (arguments) { accounts; optional accounts; remaining GROUPS }`.
///
/// Each becomes a module with its discriminator, its description for the IDL, its accounts and arguments as structs, and
/// `run`, which parses both and calls the handler.
macro_rules! instructions {
    ($(
        $(#[doc = $doc:literal])*
        $name:ident $log:tt ($($arg:ident : $ty:ty),* $(,)?) {
            $($(#[doc = $adoc:literal])* $acc:ident : $spec:expr),* $(,)?
            $(; optional $($(#[doc = $odoc:literal])* $oacc:ident : $ospec:expr),* $(,)?)?
            $(; remaining $remaining:expr)?
        }
    )*) => {
        $(
            $(#[doc = $doc])*
            pub mod $name {
                use super::*;
                use pinocchio::{AccountView, Address};
                use $crate::{
                    error::{Error, Result},
                    hash::discriminator,
                    schema::{Account, Instruction},
                    table::row::{self, Context},
                };

                /// Anchor's discriminator of the instruction.
                pub const DISCRIMINATOR: [u8; 8] = discriminator("global", stringify!($name));

                /// The same as a number, for dispatch.
                pub const NUMBER: u64 = u64::from_le_bytes(DISCRIMINATOR);

                /// The instruction as the IDL describes it.
                pub const INSTRUCTION: Instruction = Instruction {
                    name: stringify!($name),
                    docs: &[$($doc),*],
                    discriminator: DISCRIMINATOR,
                    accounts: &[
                        $(Account { name: stringify!($acc), docs: &[$($adoc),*], optional: false, spec: $spec },)*
                        $($(Account { name: stringify!($oacc), docs: &[$($odoc),*], optional: true, spec: $ospec },)*)?
                    ],
                    remaining: $crate::table::row::instructions!(@remaining $($remaining)?),
                    args: &[$($crate::schema::Field { name: stringify!($arg), docs: &[], ty: <$ty as $crate::args::Arg>::TY }),*],
                };

                /// The named accounts, checked as the table says.
                pub struct Accounts<'a> {
                    $(pub $acc: &'a AccountView,)*
                    $($(pub $oacc: Option<&'a AccountView>,)*)?
                    pub remaining: &'a [AccountView],
                }

                /// The arguments.
                pub struct Args<'a> {
                    $(pub $arg: <$ty as $crate::args::Arg>::View<'a>,)*
                    pub _lifetime: core::marker::PhantomData<&'a ()>,
                }

                #[inline(always)]
                #[allow(unused_mut, unused_variables)]
                fn parse_accounts<'a>(program_id: &Address, mut rest: &'a [AccountView]) -> Result<Accounts<'a>> {
                    $(
                        let $acc = row::next(&mut rest)?;
                        row::check($acc, const { &$spec })?;
                    )*
                    $($(
                        let $oacc = row::next(&mut rest)?;
                        let $oacc = if $oacc.address() == program_id { None } else {
                            row::check($oacc, const { &$ospec })?;
                            Some($oacc)
                        };
                    )*)?
                    let more_may_follow: bool = !INSTRUCTION.remaining.is_empty();
                    if !more_may_follow && !rest.is_empty() {
                        return Err(Error::TooManyAccounts);
                    }
                    Ok(Accounts { $($acc,)* $($($oacc,)*)? remaining: rest })
                }

                #[inline(always)]
                #[allow(unused_mut)]
                fn parse_args<'a>(mut data: &'a [u8]) -> Option<Args<'a>> {
                    let args = Args {
                        $($arg: <$ty as $crate::args::Arg>::read(&mut data)?,)*
                        _lifetime: core::marker::PhantomData,
                    };
                    if data.is_empty() { Some(args) } else { None }
                }

                /// Whether these bytes are its arguments.
                #[cfg(test)]
                pub fn reads(data: &[u8]) -> bool {
                    parse_args(data).is_some()
                }

                /// Logs its name, parses arguments and accounts, and calls the handler.
                ///
                /// # Errors
                /// InstructionDidNotDeserialize, those of `next` and `check`, TooManyAccounts, and the handler's.
                #[inline(always)]
                pub fn run<'a>(
                    context: &Context<'a>,
                    handler: impl FnOnce(&Context<'a>, &Accounts<'a>, &Args<'a>) -> Result,
                ) -> Result {
                    $crate::table::row::instructions!(@log $log);
                    let Some(args) = context.data.get(8..).and_then(parse_args) else {
                        return Err(Error::InstructionDidNotDeserialize);
                    };
                    let accounts = parse_accounts(context.program_id, context.accounts)?;
                    handler(context, &accounts, &args)
                }
            }
        )*

        /// The instructions of this caller, for the IDL.
        pub const INSTRUCTIONS: &[$crate::schema::Instruction] = &[$($name::INSTRUCTION),*];

        /// How each of them reads its arguments.
        #[cfg(test)]
        pub const READERS: &[fn(&[u8]) -> bool] = &[$($name::reads),*];
    };
    // The hot instructions leave Anchor's line away: it costs about 100 compute units, their event says the same.
    (@log hot) => {};
    (@log ($($part:expr),+)) => { $crate::log::line(concat!("Instruction: " $(, $part)+)) };
    (@log $log:literal) => { $crate::log::line(concat!("Instruction: ", $log)) };
    (@remaining) => { &[] };
    (@remaining $groups:expr) => { $groups };
}
pub(crate) use instructions;
