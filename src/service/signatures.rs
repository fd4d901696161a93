//! What happens on the sheet of an accord or of a release: printed, signed, refused, withdrawn, opposed, talked about.
//!
//! INVARIANTS
//! * Events are only appended; a sheet never changes.
//! * Whoever records is who collected it, or the secretary of the same organisation; the talk with a child and the
//!   printing are the collector's.
//! * A signature takes effect on the next request: the pathway's version rises with it.

use chrono::NaiveDate;
use serde::de::Error as _;
use serde::{Deserialize, Serialize};

use super::accord_views::status;
use super::accords::find;
use super::consent::{Said, accord_rule, release_rule};
use super::flow::Scene;
use super::who::still_open;
use super::{Act, App, Call, Change, Created, ServiceError};
use crate::access::Resource;
use crate::access::facts::PathwayFacts;
use crate::domain::accord::{
    Accord, AccordState, Event, EventKind, How, Opinion, Scope, Signatory, Signed, Verification,
};
use crate::domain::day::Day;
use crate::domain::lists::{MOST_NAMED, at_most};
use crate::domain::person::Reference;
use crate::domain::release::Release;
use crate::domain::text::Text;
use crate::domain::vocabulary::Mode;
use crate::ids::{AccordId, AccordLineId, ConsentEventId, ReleaseId};
use crate::store::fact::{FactKind, NewFact, RowAt};
use crate::store::pathway::{EventBody, Sheet};

/// On which sheet.
#[derive(Clone, Debug)]
pub enum SheetId {
    Accord(AccordId),
    Release(ReleaseId),
}

/// How a signature is said to have been given.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(tag = "mode", rename_all = "snake_case", try_from = "HowFields")]
pub enum HowInput {
    Paper {
        /// Where the original is kept.
        original_at: Text<140>,
    },
    OralPresent {
        /// The whole sheet was read out to the person who agrees: recorded as a fact, refused without.
        read_aloud: bool,
    },
    Telephone {
        /// As for `oral_present`.
        read_aloud: bool,
    },
}

/// Read flat: a refusal names the field, which it cannot inside a tagged value.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HowFields {
    mode: Mode,
    original_at: Option<Text<140>>,
    read_aloud: Option<bool>,
}

impl TryFrom<HowFields> for HowInput {
    type Error = serde::de::value::Error;
    fn try_from(fields: HowFields) -> Result<Self, Self::Error> {
        let HowFields { mode, original_at, read_aloud } = fields;
        match (mode, original_at, read_aloud) {
            (Mode::Paper, _, Some(_)) => {
                Err(Self::Error::unknown_field("read_aloud", &["mode", "original_at"]))
            }
            (Mode::Paper, Some(original_at), None) => Ok(Self::Paper { original_at }),
            (Mode::Paper, None, None) => Err(Self::Error::missing_field("original_at")),
            (Mode::OralPresent | Mode::Telephone, Some(_), _) => {
                Err(Self::Error::unknown_field("original_at", &["mode", "read_aloud"]))
            }
            (Mode::OralPresent | Mode::Telephone, None, None) => {
                Err(Self::Error::missing_field("read_aloud"))
            }
            (Mode::OralPresent, None, Some(read_aloud)) => Ok(Self::OralPresent { read_aloud }),
            (Mode::Telephone, None, Some(read_aloud)) => Ok(Self::Telephone { read_aloud }),
        }
    }
}

impl HowInput {
    /// LAW §5: an accord given aloud is one to a notice that was read out. Nothing else is recorded as given aloud.
    fn domain(&self) -> Result<How, ServiceError> {
        match self {
            Self::Paper { original_at } => Ok(How::Paper { original_at: Reference::from(original_at) }),
            Self::OralPresent { read_aloud: true } => Ok(How::OralPresent { read_aloud: true }),
            Self::Telephone { read_aloud: true } => Ok(How::Telephone { read_aloud: true }),
            Self::OralPresent { read_aloud: false } | Self::Telephone { read_aloud: false } => {
                Err(ServiceError::rule(
                    "notice_not_read_aloud",
                    "Lisez d'abord la feuille à voix haute, en entier : un accord donné de vive voix ou par téléphone \
                     répond à ce qui a été lu.",
                ))
            }
        }
    }
}

/// A signature.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignatureInput {
    /// `young_person`, or a holder's id.
    pub by: Said,
    pub how: HowInput,
    pub verified: Verification,
    /// The boxes that the person ticked; may be left out where the sheet has one box.
    #[serde(default, deserialize_with = "at_most::<MOST_NAMED, _, _>")]
    #[schema(max_items = 100)]
    pub lines: Vec<AccordLineId>,
    /// The day on the sheet, or of the conversation.
    pub on: Day,
}

/// The sheet that confirms what was said aloud.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SheetInput {
    pub by: Said,
    pub on: Day,
    /// Where the original is kept.
    pub original_at: Text<140>,
}

/// The young person's opinion.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OpinionInput {
    pub opinion: Opinion,
    pub on: Day,
}

/// A refusal, withdrawal or opposition of this sheet; no reason is asked.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NoInput {
    pub by: Said,
    /// One line; the whole sheet when left out.
    #[serde(default)]
    pub line: Option<AccordLineId>,
}

/// The talk with a child of 12 to 14 who refused.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TalkInput {
    /// The child still says no.
    pub maintained: bool,
}

/// What is recorded.
#[derive(Clone, Debug)]
pub enum Happening {
    Printed,
    Signed(SignatureInput),
    SheetSigned(SheetInput),
    Opinion(OpinionInput),
    Refused(NoInput),
    Withdrawn(NoInput),
    Opposed(NoInput),
    Talk(TalkInput),
}

impl Happening {
    /// Whether it can only narrow what is read. A "no" is heard on a closed pathway too.
    const fn only_narrows(&self) -> bool {
        match self {
            Self::Refused(_) | Self::Withdrawn(_) | Self::Opposed(_) => true,
            Self::Talk(talk) => talk.maintained,
            Self::Printed | Self::Signed(_) | Self::SheetSigned(_) | Self::Opinion(_) => false,
        }
    }

    /// Only who collected it shows the words and talks with the child; a secretary records what the family did.
    const fn needs_the_collector(&self) -> bool {
        match self {
            Self::Printed | Self::Talk(_) => true,
            Self::Signed(_)
            | Self::SheetSigned(_)
            | Self::Opinion(_)
            | Self::Refused(_)
            | Self::Withdrawn(_)
            | Self::Opposed(_) => false,
        }
    }
}

/// A sheet, found.
enum Found<'a> {
    Accord(&'a Accord),
    Release(&'a Release),
}

impl Found<'_> {
    fn lines(&self) -> Vec<AccordLineId> {
        match self {
            Self::Accord(a) => a.facts().lines().iter().map(|l| l.id.clone()).collect(),
            Self::Release(r) => vec![r.facts().line().id.clone()],
        }
    }

    fn next_seq(&self) -> u32 {
        match self {
            Self::Accord(a) => a.next_seq(),
            Self::Release(r) => r.next_seq(),
        }
    }

    fn sheet(&self) -> Sheet {
        match self {
            Self::Accord(a) => Sheet::Accord(a.facts().id().clone()),
            Self::Release(r) => Sheet::Release(r.facts().id().clone()),
        }
    }

    fn check(&self, event: &Event, facts: &PathwayFacts) -> Result<(), ServiceError> {
        match self {
            Self::Accord(a) => a.check(event, &facts.people()).map_err(|e| accord_rule(&e)),
            Self::Release(r) => r.check(event, &facts.people()).map_err(|e| release_rule(&e)),
        }
    }
}

impl App {
    /// Records what happened on a sheet.
    ///
    /// # Errors
    /// Refused; a rule of consent.
    pub fn sheet_record(
        &self,
        call: &Call,
        act: Act,
        sheet: &SheetId,
        happening: &Happening,
    ) -> Result<Created, ServiceError> {
        let pathway = match sheet {
            SheetId::Accord(id) => self.located(FactKind::Accord, id.as_str())?,
            SheetId::Release(id) => self.located(FactKind::Release, id.as_str())?,
        };
        let id = ConsentEventId::random(self.chance())?;
        self.change(call, act, &pathway, |scene| {
            let resource = match (sheet, happening.needs_the_collector()) {
                (SheetId::Accord(id), true) => Resource::AccordWhole(id.clone()),
                (SheetId::Accord(id), false) => Resource::AccordRecord(id.clone()),
                (SheetId::Release(id), true) => Resource::ReleaseWhole(id.clone()),
                (SheetId::Release(id), false) => Resource::ReleaseRecord(id.clone()),
            };
            scene.gate.resource(resource)?;
            let found = match sheet {
                SheetId::Accord(id) => Found::Accord(find(scene, id)?),
                SheetId::Release(id) => Found::Release(
                    scene
                        .gate
                        .facts()
                        .releases
                        .iter()
                        .find(|r| r.facts().id() == id)
                        .ok_or(ServiceError::AbsentOrRefused)?,
                ),
            };
            scene.purpose = Some(match &found {
                Found::Accord(a) => a.facts().purpose(),
                Found::Release(r) => r.facts().purpose(),
            });
            if !happening.only_narrows() {
                still_open(scene.gate.facts())?;
            }
            let kind = event_kind(scene, &found, happening)?;
            let event = Event::new(scene.now, found.next_seq(), kind).map_err(|e| accord_rule(&e))?;
            found.check(&event, scene.gate.facts())?;
            let mut change = Change::new(id.as_str());
            if let Some(replaced) = replaced_by(scene, &found, &event)? {
                change = change.fact(replaced);
            }
            Ok(change.fact(event_fact(scene, id.as_str(), found.sheet(), event)?))
        })
    }
}

/// Seals one event as a fact.
pub(super) fn event_fact(
    scene: &Scene<'_>,
    id: &str,
    sheet: Sheet,
    event: Event,
) -> Result<NewFact, ServiceError> {
    Ok(scene.pen().facts(RowAt::first(FactKind::AccordEvent, id), &EventBody { sheet, event })?)
}

fn event_kind(
    scene: &Scene<'_>,
    found: &Found<'_>,
    happening: &Happening,
) -> Result<EventKind, ServiceError> {
    let scope = |line: &Option<AccordLineId>| line.clone().map_or(Scope::Sheet, Scope::Line);
    Ok(match happening {
        Happening::Printed => EventKind::Printed,
        Happening::Signed(s) => {
            let boxes = found.lines();
            // LAW §5: nothing is ticked in advance. A sheet of one box is signed by signing it.
            let lines = match (s.lines.as_slice(), boxes.as_slice()) {
                ([], [only]) => vec![only.clone()],
                (ticked, _) => ticked.to_vec(),
            };
            may_be_asked(scene, &s.by.signatory()?)?;
            EventKind::Signed(Signed {
                by: s.by.signatory()?,
                how: s.how.domain()?,
                verified: s.verified,
                lines: lines.into_iter().collect(),
                on: s.on.date(),
            })
        }
        Happening::SheetSigned(s) => EventKind::SheetSigned {
            by: s.by.signatory()?,
            on: s.on.date(),
            original_at: Reference::from(&s.original_at),
        },
        Happening::Opinion(o) => EventKind::Opinion { opinion: o.opinion, on: o.on.date() },
        Happening::Refused(n) => EventKind::Refused { by: n.by.signatory()?, scope: scope(&n.line) },
        Happening::Withdrawn(n) => EventKind::Withdrawn { by: n.by.signatory()?, scope: scope(&n.line) },
        Happening::Opposed(n) => EventKind::Opposed { by: n.by.signatory()?, scope: scope(&n.line) },
        Happening::Talk(t) => {
            EventKind::TalkHeld { by: scene.gate.actor().assignment().id.clone(), maintained: t.maintained }
        }
    })
}

/// LAW §5: where contact would endanger the child or the other parent, that holder is asked nothing.
fn may_be_asked(scene: &Scene<'_>, by: &Signatory) -> Result<(), ServiceError> {
    let today: NaiveDate = scene.now.paris_day();
    match by {
        Signatory::YoungPerson => Ok(()),
        Signatory::Holder(id) if scene.gate.facts().people().may_be_contacted(id, today) => Ok(()),
        Signatory::Holder(_) => Err(ServiceError::forbidden(
            "contact_would_endanger",
            "Il a été décidé de ne pas contacter cette personne : sa signature n'est pas recueillie.",
        )),
    }
}

/// An accord that takes up another one replaces it on the day it stands with every line, and not before: the family
/// is not left without an accord because a sheet was printed.
fn replaced_by(
    scene: &mut Scene<'_>,
    found: &Found<'_>,
    event: &Event,
) -> Result<Option<NewFact>, ServiceError> {
    let Found::Accord(accord) = found else { return Ok(None) };
    let Some(old) = &accord.facts().draft().replaces else { return Ok(None) };
    let old = find(scene, old)?;
    let over = old.events().iter().any(|e| matches!(e.kind(), EventKind::Replaced { .. }));
    if over || !matches!(event.kind(), EventKind::Signed(_) | EventKind::SheetSigned { .. }) {
        return Ok(None);
    }
    let mut events = accord.events().to_vec();
    events.push(event.clone());
    let next = Accord::new(accord.facts().clone(), events);
    let stands =
        matches!(status(scene, &next)?.state, AccordState::InForce { awaited, .. } if awaited.is_empty());
    if !stands {
        return Ok(None);
    }
    let kind = EventKind::Replaced { by: accord.facts().id().clone() };
    let replaced = Event::new(scene.now, old.next_seq(), kind).map_err(|e| accord_rule(&e))?;
    let id = ConsentEventId::random(scene.app.chance())?;
    event_fact(scene, id.as_str(), Sheet::Accord(old.facts().id().clone()), replaced).map(Some)
}

/// How something reached the professional who records it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    InPerson,
    Telephone,
    Letter,
    Email,
    ThroughSomebody,
}
