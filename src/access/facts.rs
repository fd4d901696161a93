//! What decisions are taken on: one snapshot of a pathway. Ids, codes, dates; no words.
//!
//! INVARIANT: every fact here raises the version of the pathway, of the reader's assignment, of the session or of the
//! charter when it changes; the lane compares those versions before a record is committed.

use chrono::NaiveDate;

use super::existence::Existence;
use super::item::REVIEW_GRACE_DAYS;
use crate::clock::{Timestamp, plus_days};
use crate::domain::accord::{Accord, ConsentFile, Event, RecipientKey};
use crate::domain::deferral::Deferral;
use crate::domain::emergency::Emergency;
use crate::domain::person::{HolderFacts, Impossibility, People, PersonFacts};
use crate::domain::release::Release;
use crate::domain::statute::{StatuteEvent, StatutoryRecord};
use crate::domain::vocabulary::{Category, Function, Mandate, Profession, Purpose, Role, Secrecy, Step};
use crate::ids::{
    AssignmentId, EmergencyId, HandoverId, ImpossibilityId, ItemId, ItemVersionId, MissionId, OrganisationId,
    ParticipationId, PathwayId, ProfessionalId, ShareId, StatuteId,
};

/// An affectation as decisions see it.
#[derive(Clone, Debug)]
pub struct AssignmentFacts {
    pub id: AssignmentId,
    pub version: i64,
    pub professional: ProfessionalId,
    pub organisation: OrganisationId,
    pub mission: MissionId,
    pub profession: Profession,
    pub function: Function,
    /// As stated; read it through [`AssignmentFacts::secrecy_at`].
    pub stated_secrecy: Secrecy,
    pub secrecy_until: Option<Timestamp>,
    pub starts_at: Timestamp,
    pub ends_at: Option<Timestamp>,
    /// A second person confirmed profession, secrecy and function.
    pub confirmed: bool,
    /// The holder's account was recognised by a colleague and is not ended.
    pub account_confirmed: bool,
    /// Charter versions that the person signed.
    pub signed: Vec<crate::ids::CharterId>,
}

impl AssignmentFacts {
    /// LAW §3: an expired status is `not_bound`.
    #[must_use]
    pub fn secrecy_at(&self, now: Timestamp) -> Secrecy {
        match self.secrecy_until {
            Some(until) if now >= until => Secrecy::NotBound,
            Some(_) | None => self.stated_secrecy,
        }
    }

    /// In force: confirmed, account confirmed, begun and not ended (R02: an end counts at once).
    #[must_use]
    pub fn in_force(&self, now: Timestamp) -> bool {
        self.confirmed
            && self.account_confirmed
            && self.starts_at <= now
            && self.ends_at.is_none_or(|end| now < end)
    }

    /// The key by which accords name recipients: always matched on all three.
    #[must_use]
    pub fn recipient_key(&self) -> RecipientKey {
        RecipientKey {
            organisation: self.organisation.clone(),
            profession: self.profession,
            mission: self.mission.clone(),
        }
    }

    /// The earliest moment at which time alone changes what this says.
    #[must_use]
    pub fn valid_until(&self, now: Timestamp) -> Timestamp {
        [self.ends_at, self.secrecy_until, Some(self.starts_at)]
            .into_iter()
            .flatten()
            .filter(|t| *t > now)
            .min()
            .unwrap_or(Timestamp::MAX)
    }
}

/// One place in the circle.
#[derive(Clone, Debug)]
pub struct ParticipationFacts {
    pub id: ParticipationId,
    pub version: i64,
    pub assignment: AssignmentFacts,
    pub mandate: Mandate,
    pub role: Role,
    pub existence: Existence,
    pub invited_by: Option<ParticipationId>,
    pub invited_at: Timestamp,
    pub accepted_at: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
    /// The end known from the beginning (a stay, a stand-in).
    pub until_at: Option<Timestamp>,
    /// The participation whose place this one takes (successor or stand-in).
    pub stands_in_for: Option<ParticipationId>,
}

impl ParticipationFacts {
    /// Accepted, not ended, not past its own end.
    #[must_use]
    pub fn in_force(&self, now: Timestamp) -> bool {
        self.accepted_at.is_some_and(|t| t <= now) && !self.ended(now)
    }

    /// LAW: C. civ. 375. A measure of educational assistance ends with minority: every decision reads such a place as
    /// ended from the eighteenth birthday. Youth justice does not rest on that article.
    #[must_use]
    pub fn within_minority(mut self, person: &PersonFacts) -> Self {
        if self.mandate == Mandate::Judicial
            && self.assignment.profession != Profession::YouthJustice
            && let Some(majority) = person.majority_at()
        {
            self.until_at = Some(self.until_at.map_or(majority, |until| until.min(majority)));
        }
        self
    }

    /// This place as it would be once the invitation is accepted: what the invited person may learn beforehand.
    #[must_use]
    pub fn as_accepted(&self, now: Timestamp) -> Self {
        Self { accepted_at: Some(now), ..self.clone() }
    }

    #[must_use]
    pub fn ended(&self, now: Timestamp) -> bool {
        self.ended_at.is_some_and(|t| t <= now) || self.until_at.is_some_and(|t| t <= now)
    }
}

/// One version of an item.
#[derive(Clone, Debug)]
pub struct VersionFacts {
    pub id: ItemVersionId,
    pub number: i64,
    /// The author's status when this was written (DESIGN §4).
    pub author_secrecy: Secrecy,
    pub created_at: Timestamp,
    pub valid_from: Timestamp,
    pub valid_until: Option<Timestamp>,
    pub erased: bool,
}

/// Item or action: one row of information, read as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ItemKind {
    Item,
    Action,
}

impl ItemKind {
    /// As rows and cursors name it.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Item => "item",
            Self::Action => "action",
        }
    }
}

/// An item, without its words.
#[derive(Clone, Debug)]
pub struct ItemFacts {
    pub id: ItemId,
    pub version: i64,
    pub kind: ItemKind,
    pub category: Category,
    /// The subjects of a synthesis; empty for every other category.
    pub subjects: Vec<Category>,
    pub for_stay: bool,
    pub author: ParticipationId,
    pub author_assignment: AssignmentId,
    /// In order of their number.
    pub versions: Vec<VersionFacts>,
}

impl ItemFacts {
    /// The current version; `None` only for a row without versions, which reads as absent.
    #[must_use]
    pub fn current(&self) -> Option<&VersionFacts> {
        self.versions.last()
    }
}

/// One recipient of a share.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ShareRecipient {
    pub participation: ParticipationId,
    /// The statutory record on which this recipient's reading rests, if it rests on one.
    pub statute: Option<StatuteId>,
    pub ended_at: Option<Timestamp>,
}

/// A partage. What it carries is always a list of exact versions, named by its author; a share *by category* also
/// remembers the category, so that saving can ask whether a new version joins (never by itself: R22).
#[derive(Clone, Debug)]
pub struct ShareFacts {
    pub id: ShareId,
    pub version: i64,
    pub sharer: ParticipationId,
    pub purpose: Purpose,
    pub starts: Timestamp,
    pub ends: Timestamp,
    pub ended_at: Option<Timestamp>,
    pub category: Option<Category>,
    pub versions: Vec<ItemVersionId>,
    pub recipients: Vec<ShareRecipient>,
    pub handover: Option<HandoverId>,
    /// A stay: its first day, as far as it was known.
    pub departure: Option<NaiveDate>,
}

/// Where a handover stands.
#[derive(Clone, Debug)]
pub struct HandoverFacts {
    pub id: HandoverId,
    pub version: i64,
    pub outgoing: ParticipationId,
    pub incoming: ParticipationId,
    pub share: ShareId,
    pub accepted_at: Option<Timestamp>,
    pub declined_at: Option<Timestamp>,
    pub outgoing_confirmed_at: Option<Timestamp>,
    pub incoming_confirmed_at: Option<Timestamp>,
}

impl HandoverFacts {
    /// Both ends confirmed: only then may the receiver read the words.
    #[must_use]
    pub const fn complete(&self) -> bool {
        self.outgoing_confirmed_at.is_some() && self.incoming_confirmed_at.is_some()
    }
}

/// A request that a holder be declared impossible to ask: whose manager decides on it.
#[derive(Clone, Debug)]
pub struct RequestFacts {
    pub id: ImpossibilityId,
    pub organisation: OrganisationId,
    pub requested_by: AssignmentId,
}

/// A statutory record with what was decided on it.
#[derive(Clone, Debug)]
pub struct StatuteFile {
    pub record: StatutoryRecord,
    pub events: Vec<StatuteEvent>,
    /// The participation that shares.
    pub author: ParticipationId,
}

impl StatuteFile {
    #[must_use]
    pub const fn id(&self) -> &StatuteId {
        self.record.id()
    }

    /// Whether it names this participation among those who receive.
    #[must_use]
    pub fn names(&self, participation: &ParticipationId) -> bool {
        self.record.draft().recipients.iter().any(|r| r.participation == *participation)
    }
}

/// Everything that is decided on for one pathway, of one moment.
pub struct PathwayFacts {
    pub id: PathwayId,
    pub version: i64,
    pub lead: OrganisationId,
    pub step: Step,
    pub review_on: Option<NaiveDate>,
    pub opened_at: Timestamp,
    pub closed_at: Option<Timestamp>,
    pub person: PersonFacts,
    pub holders: Vec<HolderFacts>,
    pub impossibilities: Vec<Impossibility>,
    pub requests: Vec<RequestFacts>,
    pub participations: Vec<ParticipationFacts>,
    pub accords: Vec<Accord>,
    pub releases: Vec<Release>,
    /// Refusals, withdrawals and oppositions recorded on no particular sheet.
    pub standing: Vec<Event>,
    pub statutes: Vec<StatuteFile>,
    pub shares: Vec<ShareFacts>,
    pub items: Vec<ItemFacts>,
    pub handovers: Vec<HandoverFacts>,
    /// Lines of « Qui a regardé ? » that are kept back for a while.
    pub deferrals: Vec<Deferral>,
    /// Openings in an emergency, oldest first.
    pub emergencies: Vec<Emergency>,
}

impl PathwayFacts {
    /// What the consent engine reads.
    #[must_use]
    pub fn consent(&self) -> ConsentFile<'_> {
        ConsentFile {
            people: self.people(),
            accords: &self.accords,
            releases: &self.releases,
            standing: &self.standing,
        }
    }

    /// The young person and who stands beside.
    #[must_use]
    pub fn people(&self) -> People<'_> {
        People { person: &self.person, holders: &self.holders, impossibilities: &self.impossibilities }
    }

    /// The next moment at which time alone changes anything here.
    #[must_use]
    pub fn next_turn(&self, now: Timestamp) -> Timestamp {
        let people = self.participations.iter().flat_map(|p| {
            [Some(p.assignment.valid_until(now)), p.until_at, p.ended_at].into_iter().flatten()
        });
        let statutes = self.statutes.iter().flat_map(|s| {
            let d = s.record.draft();
            d.recipients.iter().map(move |r| {
                crate::domain::statute::names_participation(
                    &s.record,
                    &s.events,
                    &r.participation,
                    &self.person,
                    now,
                )
                .valid_until
            })
        });
        people
            .chain(statutes)
            .chain(self.deferrals.iter().filter_map(Deferral::turns_at))
            .chain(std::iter::once(crate::domain::accord::next_turn_of(&self.consent(), now)))
            .filter(|t| *t > now)
            .min()
            .unwrap_or(Timestamp::MAX)
    }

    #[must_use]
    pub fn participation(&self, id: &ParticipationId) -> Option<&ParticipationFacts> {
        self.participations.iter().find(|p| p.id == *id)
    }

    /// The participation of an assignment on this pathway: the one in force if there is one, else the latest.
    #[must_use]
    pub fn participation_of(&self, assignment: &AssignmentId, now: Timestamp) -> Option<&ParticipationFacts> {
        self.participations
            .iter()
            .filter(|p| p.assignment.id == *assignment)
            .max_by_key(|p| (p.in_force(now), !p.ended(now), p.invited_at))
    }

    #[must_use]
    pub fn item(&self, id: &ItemId) -> Option<&ItemFacts> {
        self.items.iter().find(|i| i.id == *id)
    }

    #[must_use]
    pub fn emergency(&self, id: &EmergencyId) -> Option<&Emergency> {
        self.emergencies.iter().find(|e| e.id() == id)
    }

    /// The item that has this version, and the version.
    #[must_use]
    pub fn version(&self, id: &ItemVersionId) -> Option<(&ItemFacts, &VersionFacts)> {
        self.items.iter().find_map(|i| i.versions.iter().find(|v| v.id == *id).map(|v| (i, v)))
    }

    /// The place of the référent; whose affectation may have ended since. To name or to call somebody: `acting_referent`.
    #[must_use]
    pub fn referent_place(&self, now: Timestamp) -> Option<&ParticipationFacts> {
        self.participations.iter().find(|p| p.role == Role::Referent && p.in_force(now))
    }

    /// The référent who still exercises: whom people are told to call.
    #[must_use]
    pub fn acting_referent(&self, now: Timestamp) -> Option<&ParticipationFacts> {
        self.participations
            .iter()
            .find(|p| p.role == Role::Referent && p.in_force(now) && p.assignment.in_force(now))
    }

    /// LAW: R34, S3. From this moment on nothing new is shared until the review is held.
    #[must_use]
    pub fn review_from(&self) -> Option<Timestamp> {
        self.review_on.map(Timestamp::paris_midnight)
    }

    /// STORIES S3: from this moment on what is shared is no longer read, but for a stay.
    #[must_use]
    pub fn pause_from(&self) -> Option<Timestamp> {
        let day = self.review_on?;
        Some(
            plus_days(day, REVIEW_GRACE_DAYS)
                .map_or(Timestamp::paris_midnight(day), Timestamp::paris_midnight),
        )
    }

    /// Whether a review that was due has not been held.
    #[must_use]
    pub fn review_due(&self, now: Timestamp) -> bool {
        self.review_from().is_some_and(|from| now >= from)
    }
}
