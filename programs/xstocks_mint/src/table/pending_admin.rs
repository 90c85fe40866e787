//! What the key calls that is offered to become admin.

use crate::table::{
    row::instructions,
    specs::{CONFIG_WRITABLE, PENDING_ADMIN},
};

instructions! {
    /// The offered key becomes admin. Proposals made before are dead.
    accept_admin "AcceptAdmin" () {
        pending_admin: PENDING_ADMIN,
        config: CONFIG_WRITABLE,
    }
}
