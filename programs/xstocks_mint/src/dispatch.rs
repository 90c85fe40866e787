//! From an instruction's discriminator to its handler.

use crate::{
    error::{Error, Result},
    instructions,
    table::{self, Context, GROUPS},
};

macro_rules! handlers {
    ($($folder:ident: $($name:ident)+;)+) => {
        $($(
            /// In a frame of its own: the stack of a BPF function is 4 KiB.
            #[inline(never)]
            fn $name(context: &Context) -> Result {
                table::$name::run(context, instructions::$folder::$name::run)
            }
        )+)+

        /// By binary search, which the compiler makes of it: 49 discriminators cost no more than six comparisons.
        #[inline(never)]
        fn dispatch_others(context: &Context, discriminator: u64) -> Result {
            match discriminator {
                $($(table::$name::NUMBER => $name(context),)+)+
                _ => Err(Error::InstructionFallbackNotFound),
            }
        }

        /// Each name is an instruction of the table, none comes twice (the match would be ambiguous), and so many are all.
        const _: () = assert!([$($(table::$name::NUMBER),+),+].len() == in_table(), "an instruction has no handler");
    };
}

handlers! {
    operator: mint burn distribute settle_redemption reject_redemption;
    attestation: submit_attestation withdraw_entry accept_redemption;
    participant: request_redemption cancel_redemption;
    admin: initialize seal propose set_role clear_role propose_admin set_timing register_custodian set_custodian_keys attach_custodian detach_custodian retire_custodian register_asset begin_adopt finish_adopt abort_adopt tighten_policy loosen_policy retire_asset release_authority set_metadata;
    pending_admin: accept_admin accept_role;
    registrar: set_participant;
    guardian: cancel_proposal cancel_admin revoke_custodian_key pause cancel_recovery;
    resumer: resume clear_hold;
    compliance: freeze thaw announce_recovery execute_recovery hold_redemption clear_redemption_hold announce_redemption_recovery execute_redemption_recovery;
    corporate_actions: schedule_multiplier cancel_multiplier;
}

#[allow(clippy::indexing_slicing)] // while compiling only
const fn in_table() -> usize {
    let (mut count, mut group) = (0, 0);
    while group < GROUPS.len() {
        count += GROUPS[group].len();
        group += 1;
    }
    count
}

/// Finds the instruction by its discriminator and runs it.
///
/// # Errors
/// InstructionMissing, InstructionFallbackNotFound, and those of the instruction.
#[inline(always)]
pub fn dispatch(context: &Context) -> Result {
    let Some(discriminator) = context.data.first_chunk::<8>() else {
        return Err(Error::InstructionMissing);
    };
    let discriminator = u64::from_le_bytes(*discriminator);
    // Before the search, and in the entrypoint's own frame: it costs less.
    if discriminator == table::mint::NUMBER {
        return table::mint::run(context, instructions::operator::mint::run);
    }
    #[cfg(feature = "next_layout")]
    if discriminator == table::migrate::NUMBER {
        return table::migrate::run(context, crate::next_layout::run);
    }
    dispatch_others(context, discriminator)
}
