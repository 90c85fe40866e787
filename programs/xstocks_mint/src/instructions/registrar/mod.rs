pub mod set_participant;
