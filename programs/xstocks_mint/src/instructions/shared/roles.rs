//! Who signed: the key of a role. (That an account signed at all, the table has checked.)

use crate::{
    address::address_eq,
    error::{require, Error, Result},
    state::Config,
};
use pinocchio::AccountView;

/// The signer must be the admin.
///
/// # Errors
/// NotAdmin.
#[inline(always)]
pub fn require_admin(config: &Config, signer: &AccountView) -> Result {
    if address_eq(&config.admin, signer.address()) {
        Ok(())
    } else {
        Err(Error::NotAdmin)
    }
}

/// The signer must be the operator.
///
/// # Errors
/// NotOperator.
#[inline(always)]
pub fn require_operator(config: &Config, signer: &AccountView) -> Result {
    require(address_eq(&config.operator, signer.address()), Error::NotOperator)
}

/// The signer must be the registrar.
///
/// # Errors
/// NotRegistrar.
#[inline(always)]
pub fn require_registrar(config: &Config, signer: &AccountView) -> Result {
    if address_eq(&config.registrar, signer.address()) {
        Ok(())
    } else {
        Err(Error::NotRegistrar)
    }
}

/// The signer must be the guardian.
///
/// # Errors
/// NotGuardian.
#[inline(always)]
pub fn require_guardian(config: &Config, signer: &AccountView) -> Result {
    if address_eq(&config.guardian, signer.address()) {
        Ok(())
    } else {
        Err(Error::NotGuardian)
    }
}

/// The signer must be the admin or the guardian.
///
/// # Errors
/// NotAdminOrGuardian.
#[inline(always)]
pub fn require_admin_or_guardian(config: &Config, signer: &AccountView) -> Result {
    if address_eq(&config.admin, signer.address()) || address_eq(&config.guardian, signer.address()) {
        Ok(())
    } else {
        Err(Error::NotAdminOrGuardian)
    }
}

/// The signer must be the resumer.
///
/// # Errors
/// NotResumer.
#[inline(always)]
pub fn require_resumer(config: &Config, signer: &AccountView) -> Result {
    if address_eq(&config.resumer, signer.address()) {
        Ok(())
    } else {
        Err(Error::NotResumer)
    }
}

/// The signer must be the compliance key.
///
/// # Errors
/// NotCompliance.
#[inline(always)]
pub fn require_compliance(config: &Config, signer: &AccountView) -> Result {
    if address_eq(&config.compliance, signer.address()) {
        Ok(())
    } else {
        Err(Error::NotCompliance)
    }
}

/// The signer must be the compliance key, or the admin with the resumer beside it.
///
/// # Errors
/// NotCompliance; NotResumer where the admin signed without the resumer.
#[inline(always)]
pub fn require_compliance_or_both(config: &Config, signer: &AccountView, resumer: Option<&AccountView>) -> Result {
    if address_eq(&config.compliance, signer.address()) {
        return Ok(());
    }
    if !address_eq(&config.admin, signer.address()) {
        return Err(Error::NotCompliance);
    }
    require_resumer(config, resumer.ok_or(Error::NotResumer)?)
}

/// The signer must be the corporate actions key.
///
/// # Errors
/// NotCorporateActions.
#[inline(always)]
pub fn require_corporate_actions(config: &Config, signer: &AccountView) -> Result {
    if address_eq(&config.corporate_actions, signer.address()) {
        Ok(())
    } else {
        Err(Error::NotCorporateActions)
    }
}

/// The signer must be the corporate actions key or the guardian.
///
/// # Errors
/// NotCorporateActionsOrGuardian.
#[inline(always)]
pub fn require_corporate_actions_or_guardian(config: &Config, signer: &AccountView) -> Result {
    if address_eq(&config.corporate_actions, signer.address()) || address_eq(&config.guardian, signer.address()) {
        Ok(())
    } else {
        Err(Error::NotCorporateActionsOrGuardian)
    }
}
