//! One registry of id newtypes. An id is 128 random bits in 26 lower-case base32 characters: it tells neither
//! order nor time of creation, and one kind cannot be passed for another.

use std::fmt;

use data_encoding::{Encoding, Specification};
use std::sync::LazyLock;

use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaType, Type};

use crate::clock::{Chance, NoChance};

static BASE32: LazyLock<Option<Encoding>> = LazyLock::new(|| {
    let mut spec = Specification::new();
    spec.symbols.push_str("abcdefghijkmnpqrstuvwxyz23456789");
    spec.encoding().ok()
});

/// Text that is not an id of this kind.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("not an identifier of Relais (26 characters a-z, 2-9)")]
pub struct InvalidId;

fn encode(bytes: &[u8; 16]) -> String {
    BASE32.as_ref().map(|b| b.encode(bytes)).unwrap_or_default()
}

fn check(text: &str) -> Result<(), InvalidId> {
    let encoding = BASE32.as_ref().ok_or(InvalidId)?;
    match encoding.decode(text.as_bytes()) {
        Ok(bytes) if bytes.len() == 16 => Ok(()),
        _ => Err(InvalidId),
    }
}

fn schema() -> RefOr<Schema> {
    let object = ObjectBuilder::new()
        .schema_type(SchemaType::Type(Type::String))
        .min_length(Some(26))
        .max_length(Some(26))
        .pattern(Some("^[a-kmnp-z2-9]{26}$"))
        .build();
    RefOr::T(Schema::Object(object))
}

macro_rules! id_newtypes {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// A new id from 128 random bits.
            ///
            /// # Errors
            /// When the system has no randomness to give.
            pub fn random(chance: &dyn Chance) -> Result<Self, NoChance> {
                let mut bytes = [0_u8; 16];
                chance.fill(&mut bytes)?;
                Ok(Self(encode(&bytes)))
            }

            /// Reads an id from text.
            ///
            /// # Errors
            /// When the text is not 26 characters of the alphabet.
            pub fn parse(text: &str) -> Result<Self, InvalidId> {
                check(text).map(|()| Self(text.to_owned()))
            }

            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.serialize_str(&self.0)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(d)?;
                Self::parse(&text).map_err(serde::de::Error::custom)
            }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                schema()
            }
        }

        impl utoipa::ToSchema for $name {}
    )*};
}

id_newtypes! {
    /// An accord (consent to share).
    AccordId,
    /// What an auditor found on looking at one record.
    AccessReviewId,
    /// One line of an accord: recipient × category.
    AccordLineId,
    /// An affectation: professional × organisation × profession × mission.
    AssignmentId,
    /// A signature, refusal, withdrawal or opposition.
    ConsentEventId,
    /// A request to record that a holder cannot be asked, and its decision.
    ImpossibilityId,
    /// A published charter version.
    CharterId,
    /// A line of « Qui a regardé ? » that is kept back for a while.
    DeferralId,
    /// An opening in an emergency (S13).
    EmergencyId,
    /// A row of facts that nothing else names.
    FactId,
    /// A passage de relais.
    HandoverId,
    /// A titulaire de l'autorité parentale, or another capacity.
    HolderId,
    /// An invitation to open an account.
    InvitationId,
    /// An élément d'information.
    ItemId,
    /// One version of an item.
    ItemVersionId,
    /// A data key (one per pathway, one for the instance).
    KeyId,
    /// A text that was not sent, kept for its author.
    KeptFormId,
    /// A mission of an organisation.
    MissionId,
    /// A personal note.
    NoteId,
    /// An auditor's request to know whom a pseudonym stands for.
    ReidentificationId,
    /// A note that something was said aloud.
    OralNoteId,
    /// A structure.
    OrganisationId,
    /// A participation in a circle.
    ParticipationId,
    /// A parcours.
    PathwayId,
    /// A professional with credentials.
    ProfessionalId,
    /// A request to prune the log.
    PruningId,
    /// A validation of exact words by the family.
    ReleaseId,
    /// One HTTP request or one act of the command line.
    RequestId,
    /// A session, as it is named in lists and in the log (never the token).
    SessionId,
    /// A partage.
    ShareId,
    /// A statutory record (CASF L226-2-2).
    StatuteId,
    /// A successor or stand-in named for a participation.
    SuccessionId,
    /// A mention that a transmission was made.
    TransmissionId,
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed(u8);
    impl Chance for Fixed {
        fn fill(&self, into: &mut [u8]) -> Result<(), NoChance> {
            into.fill(self.0);
            Ok(())
        }
    }

    #[test]
    fn an_id_reads_back_and_nothing_else_does() {
        let id = PathwayId::random(&Fixed(7)).unwrap();
        assert_eq!(id.as_str().len(), 26);
        assert_eq!(PathwayId::parse(id.as_str()), Ok(id));
        for bad in ["", "x", "../../etc/passwd", "AAAAAAAAAAAAAAAAAAAAAAAAAA", "l1111111111111111111111111"] {
            assert_eq!(PathwayId::parse(bad), Err(InvalidId), "{bad}");
        }
    }
}
