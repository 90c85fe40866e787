//! What the one table and the IDL are made of: descriptions of types, accounts and arguments as constants.

use pinocchio::Address;

/// A Borsh type as the IDL names it.
#[derive(Clone, Copy, Debug)]
pub enum Ty {
    U8,
    U16,
    U32,
    U64,
    I64,
    Pubkey,
    Bytes,
    String,
    Array(&'static Ty, usize),
    Vec(&'static Ty),
    Defined(&'static str),
}

/// A type with a name in the IDL.
pub trait Schema {
    const TY: Ty;
}

macro_rules! primitive {
    ($($t:ty => $ty:ident),*) => { $(impl Schema for $t { const TY: Ty = Ty::$ty; })* };
}
primitive!(u8 => U8, u16 => U16, u32 => U32, u64 => U64, i64 => I64, Address => Pubkey);

impl<T: Schema, const N: usize> Schema for [T; N] {
    const TY: Ty = Ty::Array(&T::TY, N);
}

/// A named field.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    pub name: &'static str,
    pub docs: &'static [&'static str],
    pub ty: Ty,
}

/// A named struct.
#[derive(Clone, Copy, Debug)]
pub struct Struct {
    pub name: &'static str,
    pub docs: &'static [&'static str],
    pub fields: &'static [Field],
}

/// A struct whose bytes in memory are its Borsh bytes.
///
/// # Safety
/// Only `layout!` implements it: it proves at compile time that there is no padding, and every field type
/// accepts every bit pattern.
pub unsafe trait Layout: Schema + Copy + 'static {
    const STRUCT: Struct;
}

/// The bytes of a value, which are its Borsh bytes.
#[inline(always)]
pub fn bytes_of<T: Layout>(value: &T) -> &[u8] {
    // SAFETY: a Layout has no padding, so each of its bytes is initialized.
    unsafe { core::slice::from_raw_parts((&raw const *value).cast(), core::mem::size_of::<T>()) }
}

/// Declares a struct that is its own Borsh encoding (`C`: naturally aligned, padding named; `packed`: alignment 1).
macro_rules! layout {
    (@repr C $($item:tt)*) => { #[repr(C)] #[derive(Clone, Copy)] $($item)* };
    (@repr packed $($item:tt)*) => { #[repr(C, packed)] #[derive(Clone, Copy)] $($item)* };
    ($( $repr:ident $(#[doc = $doc:literal])* struct $name:ident {
        $($(#[doc = $fdoc:literal])* $field:ident : $ty:ty),* $(,)?
    })*) => { $(
        $crate::schema::layout! { @repr $repr
            $(#[doc = $doc])*
            pub struct $name { $($(#[doc = $fdoc])* pub $field: $ty),* }
        }
        const _: () = assert!(core::mem::size_of::<$name>() == 0 $(+ core::mem::size_of::<$ty>())*, "implicit padding");
        impl $crate::schema::Schema for $name {
            const TY: $crate::schema::Ty = $crate::schema::Ty::Defined(stringify!($name));
        }
        // SAFETY: repr(C) without padding, asserted just above; all field types take any bit pattern.
        unsafe impl $crate::schema::Layout for $name {
            const STRUCT: $crate::schema::Struct = $crate::schema::Struct {
                name: stringify!($name),
                docs: &[$($doc),*],
                fields: &[$($crate::schema::Field {
                    name: stringify!($field),
                    docs: &[$($fdoc),*],
                    ty: <$ty as $crate::schema::Schema>::TY,
                }),*],
            };
        }
    )* };
}
pub(crate) use layout;

/// One seed of a program derived address, as the IDL can say it.
#[derive(Clone, Copy, Debug)]
pub enum Seed {
    Const(&'static [u8]),
    Account(&'static str),
    Arg(&'static str),
}

/// A role: a key that Config names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Admin,
    PendingAdmin,
    Operator,
    Registrar,
    Guardian,
    Resumer,
    Compliance,
    CorporateActions,
}

impl Role {
    /// The field of Config that holds its key, as the IDL names it.
    pub const fn field(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::PendingAdmin => "pending_admin",
            Self::Operator => "operator",
            Self::Registrar => "registrar",
            Self::Guardian => "guardian",
            Self::Resumer => "resumer",
            Self::Compliance => "compliance",
            Self::CorporateActions => "corporate_actions",
        }
    }
}

/// What an account of an instruction must be. The parser checks signer, writable and address from it.
#[derive(Clone, Copy, Debug)]
pub struct AccountSpec {
    pub signer: bool,
    pub writable: bool,
    pub address: Option<Address>,
    /// A program (wrong address: InvalidProgramId) and not a sysvar (ConstraintAddress).
    pub is_program: bool,
    pub seeds: &'static [Seed],
    /// The key of any one of these roles signs (which one, the handler checks); empty: whoever it is.
    pub roles: &'static [Role],
    /// The proposal of a timelocked instruction.
    pub is_timelock: bool,
}

impl AccountSpec {
    pub const fn signer(mut self) -> Self {
        self.signer = true;
        self
    }
    pub const fn signed_by(mut self, roles: &'static [Role]) -> Self {
        self.signer = true;
        self.roles = roles;
        self
    }
    pub const fn timelock(mut self) -> Self {
        self.is_timelock = true;
        self
    }
    pub const fn writable(mut self) -> Self {
        self.writable = true;
        self
    }
    pub const fn pda(mut self, seeds: &'static [Seed]) -> Self {
        self.seeds = seeds;
        self
    }
    pub const fn program(mut self, address: Address) -> Self {
        self.address = Some(address);
        self.is_program = true;
        self
    }
    pub const fn address(mut self, address: Address) -> Self {
        self.address = Some(address);
        self
    }
}

/// The account nothing is asked of; the start of every specification.
pub const ANY: AccountSpec = AccountSpec {
    signer: false,
    writable: false,
    address: None,
    is_program: false,
    seeds: &[],
    roles: &[],
    is_timelock: false,
};

/// An account of an instruction.
#[derive(Clone, Copy, Debug)]
pub struct Account {
    pub name: &'static str,
    pub docs: &'static [&'static str],
    pub optional: bool,
    pub spec: AccountSpec,
}

/// How often accounts come.
#[derive(Clone, Copy, Debug)]
pub enum Repeat {
    /// From so often to so often.
    Between(u8, u8),
    /// Once per item of this argument.
    PerItemOf(&'static str),
}

/// Accounts behind the named ones that come again and again, in this order.
#[derive(Clone, Copy, Debug)]
pub struct Repeated {
    pub accounts: &'static [Account],
    pub repeat: Repeat,
    /// What strictly ascends from one to the next, where something does.
    pub ascending_by: Option<&'static str>,
}

/// An instruction of the table.
#[derive(Clone, Copy, Debug)]
pub struct Instruction {
    pub name: &'static str,
    pub docs: &'static [&'static str],
    pub discriminator: [u8; 8],
    pub accounts: &'static [Account],
    /// What follows the named accounts, in this order; empty where nothing may.
    pub remaining: &'static [Repeated],
    pub args: &'static [Field],
}

impl Instruction {
    /// Whether it waits for the timelock once the program is sealed.
    pub fn is_timelocked(&self) -> bool {
        self.accounts.iter().any(|account| account.spec.is_timelock)
    }
}
