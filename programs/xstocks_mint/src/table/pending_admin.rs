//! What a key calls that is offered a role.

use crate::table::{
    row::instructions,
    specs::{CONFIG_WRITABLE, PENDING_ADMIN, SIGNER, WRITABLE},
};

instructions! {
    /// The offered key becomes admin. Proposals made before are dead.
    accept_admin "AcceptAdmin" () {
        pending_admin: PENDING_ADMIN,
        config: CONFIG_WRITABLE,
    }

    /// The key that a pending proposal of set_role names accepts the role, so that it is there and can sign.
    accept_role "AcceptRole" () {
        /// The key that the proposal names.
        new_key: SIGNER,
        proposal: WRITABLE,
    }
}
