//! What the registrar does.

pub mod set_participant;
