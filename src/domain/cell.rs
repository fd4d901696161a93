//! What the charter says of one (profession, secrecy, category): the level of accord it needs, and whether the
//! statutory route of CASF L226-2-2 is open. Also the eight facts of the decision table and the stable reasons.

use serde::{Deserialize, Serialize};
use std::fmt;

use super::vocabulary::{Category, Level, Profession, Purpose, Secrecy};

/// The accord that a cell asks for. Ordered by strictness: `A < C < CI < N`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Need {
    /// `A`: any accord for the purpose is enough.
    Opening,
    /// `C`: an accord that names the category.
    Category,
    /// `CI`: the exact content and recipient were shown beforehand.
    Informed,
    /// `N`: never; no accord turns it into a permit.
    Never,
}

impl Need {
    /// Whether an accord of `level` is at least as strong as this need.
    #[must_use]
    pub fn satisfied_by(self, level: Level) -> bool {
        match self {
            Self::Opening => true,
            Self::Category => level >= Level::Category,
            Self::Informed => level >= Level::Informed,
            Self::Never => false,
        }
    }
}

/// One cell of the sharing matrix.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Cell {
    need: Need,
    star: bool,
}

impl Cell {
    pub const NEVER: Self = Self { need: Need::Never, star: false };

    /// A cell; `N*` does not exist, so a star on `Never` is dropped by returning `None`.
    #[must_use]
    pub const fn new(need: Need, star: bool) -> Option<Self> {
        match (need, star) {
            (Need::Never, true) => None,
            _ => Some(Self { need, star }),
        }
    }

    #[must_use]
    pub const fn need(self) -> Need {
        self.need
    }

    /// The `*` itself, as written.
    #[must_use]
    pub const fn star(self) -> bool {
        self.star
    }

    /// LAW: CASF L226-2-2. The statutory route is open on cells with `*` and on `A`.
    #[must_use]
    pub const fn statute_open(self) -> bool {
        self.star || matches!(self.need, Need::Opening)
    }

    /// Reads `A`, `C`, `CI`, `N`, each but `N` with an optional `*`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (letters, star) = match text.strip_suffix('*') {
            Some(rest) => (rest, true),
            None => (text, false),
        };
        let need = match letters {
            "A" => Need::Opening,
            "C" => Need::Category,
            "CI" => Need::Informed,
            "N" => Need::Never,
            _ => return None,
        };
        Self::new(need, star)
    }

    /// Whether this cell is at least as strict as `ceiling`: as much accord or more, and the statute open at most
    /// where the ceiling opens it.
    #[must_use]
    pub fn within(self, ceiling: Self) -> bool {
        self.need >= ceiling.need && (!self.statute_open() || ceiling.statute_open())
    }

    /// The stricter of two, part by part (DESIGN §3, transition of S14).
    #[must_use]
    pub fn stricter(self, other: Self) -> Self {
        let need = self.need.max(other.need);
        let open = self.statute_open() && other.statute_open();
        match need {
            Need::Never => Self::NEVER,
            // `A` opens the statute by itself, so `A` is only the result when both are `A`.
            _ => Self { need, star: open && !matches!(need, Need::Opening) },
        }
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letters = match self.need {
            Need::Opening => "A",
            Need::Category => "C",
            Need::Informed => "CI",
            Need::Never => "N",
        };
        f.write_str(letters)?;
        if self.star { f.write_str("*") } else { Ok(()) }
    }
}

macro_rules! fact_enum {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $code:tt),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, utoipa::ToSchema)]
        pub enum $name { $(#[serde(rename = $code)] $variant,)* }
        impl $name {
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }
            /// Reads a code; `None` for anything else.
            #[must_use]
            pub fn parse(code: &str) -> Option<Self> {
                match code { $($code => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

fact_enum! {
    /// The state of the family's accord for (category, recipient, purpose, version).
    AccordFact { None = "none", Opening = "opening", Category = "category", Informed = "informed",
        Refused = "refused", Withdrawn = "withdrawn", Expired = "expired" }
}

fact_enum! {
    /// The state of a statutory record (CASF L226-2-2) for an item.
    StatuteFact { None = "none", Complete = "complete", CompleteValidated = "complete_validated" }
}

fact_enum! {
    /// Every reason that a decision can give, in one list: stable codes of the API and of the log.
    Reason {
        // Permits.
        Accord = "accord", Statute = "statute", OwnItem = "own_item", Member = "member", Emergency = "emergency",
        // Gate 1.
        AssignmentNotInForce = "assignment_not_in_force", CharterNotSignedPerson = "charter_not_signed_person",
        CharterNotSignedOrganisation = "charter_not_signed_organisation",
        // Gate 2.
        NotAParticipant = "not_a_participant", InvitationPending = "invitation_pending", ContributorOnly = "contributor_only",
        // Gate 4.
        NotShared = "not_shared", ShareEnded = "share_ended", SharingPaused = "sharing_paused",
        // Gate 5.
        CeilingNever = "ceiling_never", PurposeExcludesCategory = "purpose_excludes_category",
        // Gate 6.
        AccordMissing = "accord_missing", AccordRefused = "accord_refused", AccordWithdrawn = "accord_withdrawn",
        AccordExpired = "accord_expired", AccordTooNarrow = "accord_too_narrow", InformationMissing = "information_missing",
        StatuteNotOpen = "statute_not_open", StatuteNeedsBothBound = "statute_needs_both_bound",
        RefusalNeedsManagerValidation = "refusal_needs_manager_validation",
        // Gate 7.
        NotFamilyReleased = "not_family_released", AuthorHidden = "author_hidden",
        // Gate 8.
        ItemExpired = "item_expired",
        // S13: an emergency that is over.
        EmergencyEnded = "emergency_ended",
        // Coarser forms, shown instead of recorded ones (DESIGN §4).
        AccordNotInForce = "accord_not_in_force", ManagerValidationNeeded = "manager_validation_needed",
    }
}

impl AccordFact {
    /// The level of an accord in force; `None` when there is none.
    #[must_use]
    pub const fn level(self) -> Option<Level> {
        match self {
            Self::Opening => Some(Level::Opening),
            Self::Category => Some(Level::Category),
            Self::Informed => Some(Level::Informed),
            Self::None | Self::Refused | Self::Withdrawn | Self::Expired => None,
        }
    }
}

impl Reason {
    /// What is shown to everyone but the assignment that collected the accord (DESIGN §4).
    #[must_use]
    pub const fn coarse(self) -> Self {
        match self {
            Self::AccordMissing | Self::AccordRefused | Self::AccordWithdrawn => Self::AccordNotInForce,
            Self::RefusalNeedsManagerValidation => Self::ManagerValidationNeeded,
            other => other,
        }
    }
}

/// The eight facts of `policies/decision-table.csv`: all that gates 5 to 7 look at for a known author.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct TableFacts {
    pub recipient_profession: Profession,
    pub recipient_secrecy: Secrecy,
    pub author_secrecy: Secrecy,
    pub category: Category,
    pub purpose: Purpose,
    pub accord: AccordFact,
    pub family_released: bool,
    pub statute: StatuteFact,
}

impl TableFacts {
    /// The eight columns of `policies/decision-table.csv`, with its words, so that a line can be replayed as it is.
    #[must_use]
    pub const fn columns(&self) -> [(&'static str, &'static str); 8] {
        [
            ("recipient_profession", self.recipient_profession.code()),
            ("recipient_secrecy", self.recipient_secrecy.code()),
            ("author_secrecy", self.author_secrecy.code()),
            ("category", self.category.code()),
            ("purpose", self.purpose.code()),
            ("accord", self.accord.code()),
            ("family_released", if self.family_released { "yes" } else { "no" }),
            ("statute", self.statute.code()),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_read_back_and_order_by_strictness() {
        for text in ["A", "C", "CI", "N", "A*", "C*", "CI*"] {
            assert_eq!(Cell::parse(text).unwrap().to_string(), text);
        }
        for bad in ["", "N*", "a", "A**", " A", "CI *", "B"] {
            assert_eq!(Cell::parse(bad), None, "{bad:?}");
        }
        assert!(
            Need::Opening < Need::Category && Need::Category < Need::Informed && Need::Informed < Need::Never
        );
    }

    #[test]
    fn a_charter_may_only_tighten() {
        let c = |t| Cell::parse(t).unwrap();
        assert!(c("C*").within(c("A")) && c("C").within(c("C*")) && c("N").within(c("CI*")));
        assert!(!c("A").within(c("C*")) && !c("C*").within(c("C")) && !c("CI*").within(c("C")));
        assert_eq!(c("A").stricter(c("C*")), c("C*"));
        assert_eq!(c("A").stricter(c("C")), c("C"));
        assert_eq!(c("C*").stricter(c("CI")), c("CI"));
    }
}
