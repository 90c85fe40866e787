//! Every refusal by number and name.

macro_rules! refusals {
    ($($number:literal $name:ident $message:literal)*) => {
        /// Why a deposit is refused. The runtime sees `Custom(number)`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Refusal {
            $(#[doc = $message] $name,)*
            /// An account could not be read: the number is that of the account plus the reader's own.
            Unreadable(Unread, xstocks_reserve::Error),
        }

        impl Refusal {
            /// The number that the runtime sees.
            #[must_use]
            pub const fn number(self) -> u32 {
                match self {
                    $(Self::$name => $number,)*
                    Self::Unreadable(unread, error) => unread as u32 + error as u32,
                }
            }

            /// One sentence for people.
            #[must_use]
            pub const fn message(self) -> &'static str {
                match self {
                    $(Self::$name => $message,)*
                    Self::Unreadable(_, error) => error.message(),
                }
            }
        }
    };
}

refusals! {
    6000 InstructionInvalid "The instruction data must be a zero byte and the amount (u64)"
    6001 AccountMissing "Not enough accounts were given"
    6002 TooManyCustodians "An asset has at most four custodians"
    6003 NotSigned "The depositor must sign"
    6004 NotTokenProgram "The token program must be Token-2022"
    6005 NotThePool "The pool must be a token account of this program's own address"
    6006 AmountZero "The amount must not be zero"
    6010 NotSealed "The issuer's program is not sealed: nothing binds it yet"
    6011 Released "The program gave the mint away: nothing is enforced any more"
    6012 OnHold "The asset is on hold: somebody has to look at its statements"
    6013 NoFreshStatement "No custodian's statement counts now"
    6014 StatementTooOld "A statement is older than this market takes"
    6015 ReserveShort "There are more tokens than the statements back"
}

/// The account that could not be read, or with `Backing` what did not fit together; the base of its numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Unread {
    Config = 6_100,
    Asset = 6_200,
    Mint = 6_300,
    Custodian = 6_400,
    Backing = 6_500,
}
