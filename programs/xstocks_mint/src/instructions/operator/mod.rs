pub mod burn;
pub mod distribute;
pub mod mint;
