//! Where an accord, or a line of it, stands: one word out of a closed list, and what each word means to those who ask.
//!
//! INVARIANT: a state that is not in this list does not compile, and every question here answers for every state.

use crate::domain::vocabulary::code_enum;

code_enum! {
    /// Where an accord, a line or a sheet of words stands. Others than who collected it, and the office of that
    /// organisation, read `upcoming`, `in_force`, `expired` or `not_in_force`.
    AccordStanding, "accord standing" {
        Draft = "draft", "à imprimer et à faire signer";
        Printed = "printed", "imprimé, à faire signer";
        PartlySigned = "partly_signed", "signé en partie";
        Upcoming = "upcoming", "signé, pas encore commencé";
        InForce = "in_force", "signé, en cours";
        Refused = "refused", "la famille a dit non";
        Withdrawn = "withdrawn", "retiré par la famille";
        Expired = "expired", "terminé";
        Replaced = "replaced", "remplacé par un autre";
        /// Whatever counts for nothing, to who may not know why.
        NotInForce = "not_in_force", "pas en cours";
    }
}

impl AccordStanding {
    /// Nobody signed yet.
    #[must_use]
    pub const fn unsigned(self) -> bool {
        match self {
            Self::Draft | Self::Printed => true,
            Self::PartlySigned
            | Self::Upcoming
            | Self::InForce
            | Self::Refused
            | Self::Withdrawn
            | Self::Expired
            | Self::Replaced
            | Self::NotInForce => false,
        }
    }

    /// Somebody has still to sign before it counts.
    #[must_use]
    pub const fn to_sign(self) -> bool {
        match self {
            Self::Draft | Self::Printed | Self::PartlySigned => true,
            Self::Upcoming
            | Self::InForce
            | Self::Refused
            | Self::Withdrawn
            | Self::Expired
            | Self::Replaced
            | Self::NotInForce => false,
        }
    }

    /// Everybody signed: it counts, today or from its first day.
    #[must_use]
    pub const fn signed(self) -> bool {
        match self {
            Self::Upcoming | Self::InForce => true,
            Self::Draft
            | Self::Printed
            | Self::PartlySigned
            | Self::Refused
            | Self::Withdrawn
            | Self::Expired
            | Self::Replaced
            | Self::NotInForce => false,
        }
    }

    /// It counts, or it did until its end.
    #[must_use]
    pub const fn counted(self) -> bool {
        match self {
            Self::InForce | Self::Expired => true,
            Self::Draft
            | Self::Printed
            | Self::PartlySigned
            | Self::Upcoming
            | Self::Refused
            | Self::Withdrawn
            | Self::Replaced
            | Self::NotInForce => false,
        }
    }

    /// It is over, and known to be.
    #[must_use]
    pub const fn past(self) -> bool {
        match self {
            Self::Refused | Self::Withdrawn | Self::Expired | Self::Replaced => true,
            Self::Draft
            | Self::Printed
            | Self::PartlySigned
            | Self::Upcoming
            | Self::InForce
            | Self::NotInForce => false,
        }
    }

    /// Which of several lines speaks for all that a reader sees; what counts for nothing says nothing.
    #[must_use]
    pub(super) const fn rank(self) -> u8 {
        match self {
            Self::InForce => 3,
            Self::Upcoming => 2,
            Self::Expired => 1,
            Self::Draft
            | Self::Printed
            | Self::PartlySigned
            | Self::Refused
            | Self::Withdrawn
            | Self::Replaced
            | Self::NotInForce => 0,
        }
    }
}
