//! The one configuration account.

use crate::{
    error::{Error, Result},
    hash::discriminator,
    schema::layout,
    state::definition::{ensure, Rule, State, VERSION},
    sysvar::Now,
};
use pinocchio::Address;

/// Pause scopes, as bits of `paused` in Config and Asset.
pub mod scope {
    pub const MINT: u8 = 1;
    pub const BURN: u8 = 2;
    pub const DISTRIBUTE: u8 = 4;
    pub const REDEEM: u8 = 8;
    /// Token-2022's own pause of the mint; it stops mint and burn too.
    pub const TRANSFERS: u8 = 16;
    pub const ALL: u8 = 31;
}

/// Roles by number, as set_role and clear_role take them.
pub mod role {
    pub const OPERATOR: u8 = 0;
    pub const REGISTRAR: u8 = 1;
    pub const GUARDIAN: u8 = 2;
    pub const RESUMER: u8 = 3;
    pub const COMPLIANCE: u8 = 4;
    pub const CORPORATE_ACTIONS: u8 = 5;
}

/// Upper bound of `max_skew_secs`: an hour is far beyond any honest clock difference.
pub const MAX_SKEW_SECS: u32 = 3_600;
/// Upper bound of the timelock and of every delay and offer: a longer one would be a lock-out by mistake.
pub const YEAR_SECS: u64 = 365 * 24 * 60 * 60;

layout! {
    C
    /// The one configuration: one key per role, cluster, timelock, global pauses. PDA ["config"].
    struct Config {
        /// Version of the layout: 1.
        version: u8,
        /// Bump of the PDA.
        bump: u8,
        /// 1 once the timelock is enforced; until then readers must say "not enforced".
        sealed: u8,
        /// Global pause scopes: mint 1, burn 2, distribute 4, redeem 8, transfers 16.
        paused: u8,
        /// How far an observation may be ahead of the chain's clock.
        max_skew_secs: u32,
        /// Time between propose and execution of a timelocked instruction.
        timelock_secs: u64,
        /// Rises with each change of admin; proposals of an older one are dead.
        admin_epoch: u64,
        /// When the offer to `pending_admin` ends.
        pending_admin_expires_ts: i64,
        /// Configures everything, at once or under the timelock.
        admin: Address,
        /// Offered admin, zeros where there is none.
        pending_admin: Address,
        /// Mints, burns and distributes. Zeros: nobody (all roles).
        operator: Address,
        /// Keeps the list of participants.
        registrar: Address,
        /// Pauses and cancels.
        guardian: Address,
        /// Resumes and clears holds.
        resumer: Address,
        /// Freezes and recovers.
        compliance: Address,
        /// Schedules multipliers.
        corporate_actions: Address,
        /// Genesis hash of the cluster; every statement and intent is bound to it.
        genesis_hash: [u8; 32],
        /// The offer to `pending_admin` may be accepted from this time on.
        pending_admin_ready_ts: i64,
        /// The least timelock that seal and set_timing take; fixed by initialize.
        min_timelock_secs: u64,
        reserved: [u8; 48],
    }
}

impl Config {
    /// The key of a role, for changing it; None for an unknown number.
    pub fn role_mut(&mut self, number: u8) -> Option<&mut Address> {
        match number {
            role::OPERATOR => Some(&mut self.operator),
            role::REGISTRAR => Some(&mut self.registrar),
            role::GUARDIAN => Some(&mut self.guardian),
            role::RESUMER => Some(&mut self.resumer),
            role::COMPLIANCE => Some(&mut self.compliance),
            role::CORPORATE_ACTIONS => Some(&mut self.corporate_actions),
            _ => None,
        }
    }

    /// The keys that are pairwise different once sealed (zeros: nobody). The registrar only lists whom others pay.
    const fn separate_keys(&self) -> [&Address; 6] {
        [&self.admin, &self.guardian, &self.resumer, &self.operator, &self.compliance, &self.corporate_actions]
    }

    /// What must hold of the roles once sealed: who stops, who lets go on, and no key in two of them.
    ///
    /// # Errors
    /// RoleMissing, RolesNotDifferent.
    fn check_sealed_roles(&self) -> Result {
        let nobody = Address::default();
        if self.guardian == nobody || self.resumer == nobody {
            return Err(Error::RoleMissing);
        }
        let mut keys = &self.separate_keys()[..];
        while let Some((key, others)) = keys.split_first() {
            if **key != nobody && others.contains(key) {
                return Err(Error::RolesNotDifferent);
            }
            keys = others;
        }
        Ok(())
    }

    /// When something that is begun `now` may be executed: after the timelock, at once before the seal.
    ///
    /// # Errors
    /// Overflow.
    pub fn ready_ts(&self, now: Now) -> Result<i64> {
        later(now.ts, self.timelock_secs)
    }

    /// Takes back the offer to a pending admin; whether there was one.
    pub fn withdraw_offer(&mut self) -> bool {
        let was_open = self.pending_admin != Address::default();
        self.pending_admin = Address::default();
        self.pending_admin_ready_ts = 0;
        self.pending_admin_expires_ts = 0;
        was_open
    }
}

/// `secs` after `ts`.
///
/// # Errors
/// Overflow.
pub fn later(ts: i64, secs: u64) -> Result<i64> {
    i64::try_from(secs).ok().and_then(|secs| ts.checked_add(secs)).ok_or(Error::Overflow)
}

/// The bounds of `max_skew_secs`.
///
/// # Errors
/// SkewOutOfRange.
pub const fn check_skew(max_skew_secs: u32) -> Result {
    if max_skew_secs == 0 || max_skew_secs > MAX_SKEW_SECS {
        return Err(Error::SkewOutOfRange);
    }
    Ok(())
}

/// The bounds of a sealed program's timelock, or of its minimum.
///
/// # Errors
/// TimelockZero, TimelockTooShort, TimelockTooLong.
pub const fn check_timelock(timelock_secs: u64, min_timelock_secs: u64) -> Result {
    if timelock_secs == 0 {
        return Err(Error::TimelockZero);
    }
    if timelock_secs < min_timelock_secs {
        return Err(Error::TimelockTooShort);
    }
    if timelock_secs > YEAR_SECS {
        return Err(Error::TimelockTooLong);
    }
    Ok(())
}

impl State for Config {
    const DISCRIMINATOR: [u8; 8] = discriminator("account", "Config");

    fn invariant(&self) -> Result {
        ensure(self.admin != Address::default(), Rule::ConfigAdmin)?;
        ensure(
            (self.sealed == 1 && self.timelock_secs > 0) || (self.sealed == 0 && self.timelock_secs == 0),
            Rule::ConfigSealed,
        )?;
        // Who pauses does not resume (M8); nobody may be both.
        if self.guardian == self.resumer && self.guardian != Address::default() {
            return Err(Error::GuardianIsResumer);
        }
        if self.sealed == 1 {
            check_timelock(self.timelock_secs, self.min_timelock_secs)?;
            self.check_sealed_roles()?;
        }
        ensure(self.paused & !scope::ALL == 0, Rule::ConfigScopes)?;
        // The skew is positive and bounded.
        check_skew(self.max_skew_secs)?;
        let (ready_ts, expires_ts) = (self.pending_admin_ready_ts, self.pending_admin_expires_ts);
        let is_offer_whole = if self.pending_admin == Address::default() {
            ready_ts == 0 && expires_ts == 0
        } else {
            ready_ts < expires_ts
        };
        ensure(is_offer_whole, Rule::ConfigOffer)?;
        ensure(self.version == VERSION, Rule::ConfigVersion)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed() -> Config {
        // SAFETY: a Layout type takes every bit pattern, zeros included.
        let mut config: Config = unsafe { core::mem::zeroed() };
        config.version = VERSION;
        config.admin = Address::new_from_array([1; 32]);
        config.sealed = 1;
        config.timelock_secs = 60;
        config.min_timelock_secs = 60;
        config.guardian = Address::new_from_array([4; 32]);
        config.resumer = Address::new_from_array([5; 32]);
        config.max_skew_secs = 2;
        config
    }

    #[test]
    fn the_invariant_names_what_may_not_be() {
        assert_eq!(sealed().invariant(), Ok(()));
        let offer = |ready_ts, expires_ts| {
            let mut config = sealed();
            config.pending_admin = Address::new_from_array([2; 32]);
            config.pending_admin_ready_ts = ready_ts;
            config.pending_admin_expires_ts = expires_ts;
            config
        };
        assert_eq!(offer(100, 101).invariant(), Ok(()));
        assert_eq!(offer(100, 100).invariant(), Err(Error::InvariantViolated));
        let mut withdrawn = offer(100, 101);
        assert!(withdrawn.withdraw_offer());
        assert_eq!(withdrawn.invariant(), Ok(()));
        assert!(!withdrawn.withdraw_offer());
        type Change = (fn(&mut Config), Error);
        let broken: [Change; 14] = [
            (|c| c.admin = Address::default(), Error::InvariantViolated),
            (|c| c.timelock_secs = 0, Error::InvariantViolated),
            (|c| c.sealed = 0, Error::InvariantViolated),
            (|c| c.timelock_secs = 59, Error::TimelockTooShort),
            (|c| c.guardian = Address::default(), Error::RoleMissing),
            (|c| c.resumer = Address::default(), Error::RoleMissing),
            (|c| c.operator = c.admin, Error::RolesNotDifferent),
            (|c| c.compliance = c.guardian, Error::RolesNotDifferent),
            (
                |c| {
                    c.operator = Address::new_from_array([6; 32]);
                    c.corporate_actions = c.operator;
                },
                Error::RolesNotDifferent,
            ),
            (|c| c.paused = 32, Error::InvariantViolated),
            (|c| c.max_skew_secs = 0, Error::SkewOutOfRange),
            (|c| c.pending_admin_ready_ts = 1, Error::InvariantViolated),
            (|c| c.pending_admin_expires_ts = 1, Error::InvariantViolated),
            (
                |c| {
                    c.guardian = Address::new_from_array([3; 32]);
                    c.resumer = c.guardian;
                },
                Error::GuardianIsResumer,
            ),
        ];
        let mut together = sealed();
        together.registrar = together.admin;
        assert_eq!(together.invariant(), Ok(()));
        (together.sealed, together.timelock_secs, together.operator) = (0, 0, together.admin);
        assert_eq!(together.invariant(), Ok(()));
        for (i, (change, error)) in broken.into_iter().enumerate() {
            let mut config = sealed();
            change(&mut config);
            assert_eq!(config.invariant(), Err(error), "case {i}");
        }
    }

    #[test]
    fn times_do_not_overflow() {
        assert_eq!(later(100, YEAR_SECS), Ok(100 + 31_536_000));
        assert_eq!(later(i64::MAX, 1), Err(Error::Overflow));
        assert_eq!(later(0, u64::MAX), Err(Error::Overflow));
        assert_eq!(later(i64::MAX - 1, 1), Ok(i64::MAX));
    }
}
