//! Before sharing (« Partager », « Puis-je le lui dire ? »): for each reader whom the asker may know, *lira* or
//! *ne lira pas*, each missing link, and the act that would repair it. The same decision as reading, the share supposed.
//!
//! INVARIANTS
//! * Only what gate 3 opens to the asker can be asked about: there is no onward sharing (R11).
//! * Hidden members appear in no line and no count.
//! * A reader who is not in the circle is answered from the charter alone: what accords name would tell who takes part.
//!
//! Nothing is kept but the record.

mod refusal;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub(super) use refusal::{all_will_read, nothing_done};

use super::flow::{Act, Call, Scene};
use super::members::{MemberView, may_name, me, named_by_me};
use super::{App, ServiceError};
use crate::access::facts::{ItemFacts, ItemKind, ParticipationFacts, PathwayFacts, VersionFacts};
use crate::access::{Decision, Mode, Question, Resource, decide_item, purposes_open_to};
use crate::audit::Disclosed;
use crate::clock::Timestamp;
use crate::domain::accord::{Event, EventKind, LineKind, Opinion};
use crate::domain::cell::{Need, Reason};
use crate::domain::day::Day;
use crate::domain::explain::{Context, repair_line, sentence};
use crate::domain::lists::{MOST_NAMED, at_most, at_most_if_any};
use crate::domain::record::{Action, ResourceKind};
use crate::domain::vocabulary::{Category, Level, Profession, Purpose, Regime, Secrecy};
use crate::ids::{
    AssignmentId, ItemId, ItemVersionId, MissionId, OrganisationId, ParticipationId, PathwayId, StatuteId,
};

/// An item, at the version that was looked at; its current one when left out.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ItemRef {
    pub item: ItemId,
    /// When given and no longer the current one, the answer is 409: nobody shares what they have not seen.
    #[serde(default)]
    pub version: Option<ItemVersionId>,
}

/// Somebody who is not in the circle, or not yet.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Hypothetical {
    /// Changes nothing in the answer, which comes from the charter alone.
    #[serde(default)]
    pub organisation: Option<OrganisationId>,
    pub profession: Profession,
    #[serde(default)]
    pub mission: Option<MissionId>,
    /// Left out: not bound, the most cautious.
    #[serde(default)]
    pub secrecy: Option<Secrecy>,
}

/// What is asked before sharing.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PreviewRequest {
    pub purpose: Purpose,
    /// What would be shared; or leave it out and give a category.
    #[serde(default, deserialize_with = "at_most::<MOST_NAMED, _, _>")]
    #[schema(max_items = 100)]
    pub items: Vec<ItemRef>,
    /// A subject with nothing written (« Puis-je le lui dire ? »).
    #[serde(default)]
    pub category: Option<Category>,
    /// Left out: everybody whom the asker sees in the circle.
    #[serde(default, deserialize_with = "at_most_if_any::<MOST_NAMED, _, _>")]
    #[schema(max_items = 100)]
    pub recipients: Option<Vec<ParticipationId>>,
    #[serde(default)]
    pub hypothetical: Option<Hypothetical>,
    /// The last day of the share, when it is already chosen.
    #[serde(default)]
    pub last_day: Option<Day>,
    /// The asker's own statutory record.
    #[serde(default)]
    pub statute: Option<StatuteId>,
}

/// One missing link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ReasonView {
    pub code: Reason,
    pub sentence: String,
    pub repair: Option<String>,
}

/// One thing for one reader.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct PairView {
    #[schema(value_type = Option<String>)]
    pub item: Option<ItemId>,
    #[schema(value_type = Option<String>)]
    pub version: Option<ItemVersionId>,
    pub category: Category,
    pub will_read: bool,
    /// « Lira jusqu'au 14 mars 2027, avec l'accord signé le 2 mars. », or the first missing link.
    pub sentence: String,
    /// The last day on which it is read, as far as is known today.
    pub until: Option<Day>,
    pub regime: Option<Regime>,
    /// Every missing link; empty when it will be read.
    pub reasons: Vec<ReasonView>,
}

/// One reader.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ReaderView {
    pub member: MemberView,
    /// Whether everything asked about will be read.
    pub will_read_all: bool,
    pub things: Vec<PairView>,
}

/// What the charter alone says of somebody who is not in the circle.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CharterAnswer {
    pub category: Category,
    /// Whether the charter lets this profession receive it at all, for this purpose.
    pub possible: bool,
    pub reasons: Vec<ReasonView>,
    /// The accord that would be needed.
    pub needs: Option<Level>,
    /// Whether the family would have to validate the exact words.
    pub needs_release: bool,
}

/// The answer before sharing.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PreviewView {
    pub purpose: Purpose,
    pub readers: Vec<ReaderView>,
    pub hypothetical: Vec<CharterAnswer>,
}

/// What would be shared: a version, or a subject with nothing written yet.
#[derive(Clone)]
pub(super) struct Subject {
    pub item: ItemFacts,
    pub version: VersionFacts,
    pub written: bool,
}

/// The last whole day before a moment; `None` when no end is known.
pub(super) fn last_day(until: Timestamp) -> Option<Day> {
    if until == Timestamp::MAX { None } else { Day::new(until.plus_micros(-1).paris_day()).ok() }
}

/// The versions that the asker wants to share: its own, or what gate 3 opens.
///
/// # Errors
/// Refused as absent; « onward_sharing » where the asker reads it through somebody else's share.
pub(super) fn own_subjects(scene: &mut Scene<'_>, items: &[ItemRef]) -> Result<Vec<Subject>, ServiceError> {
    let facts = scene.gate.facts();
    let mut subjects: Vec<Subject> = Vec::with_capacity(items.len());
    for wanted in items {
        let item = facts.item(&wanted.item).ok_or(ServiceError::AbsentOrRefused)?;
        let version = item.current().ok_or(ServiceError::AbsentOrRefused)?;
        // Only gate 3 opens without a purpose.
        if let Err(refusal) = scene.gate.item(item, version, None) {
            return Err(not_mine(scene, item, version, refusal.into()));
        }
        if wanted.version.as_ref().is_some_and(|v| *v != version.id) {
            return Err(ServiceError::Conflict);
        }
        scene.categories.insert(item.category);
        if !subjects.iter().any(|s| s.item.id == item.id) {
            subjects.push(Subject { item: item.clone(), version: version.clone(), written: true });
        }
    }
    Ok(subjects)
}

/// LAW: R11. No onward sharing; whoever reads the thing already may be told why, anybody else learns nothing.
fn not_mine(
    scene: &Scene<'_>,
    item: &ItemFacts,
    version: &VersionFacts,
    refused: ServiceError,
) -> ServiceError {
    let (facts, book) = (scene.gate.facts(), scene.gate.book());
    let Some(me) = scene.gate.participation() else { return refused };
    let reads = purposes_open_to(facts, me, version).into_iter().any(|purpose| {
        decide_item(&Question {
            facts,
            book,
            assignment: scene.gate.actor().assignment(),
            participation: Some(me),
            asker: None,
            item,
            version,
            purpose: Some(purpose),
            mode: Mode::Read,
            now: scene.now,
        })
        .permitted
    });
    if reads {
        ServiceError::forbidden(
            "onward_sharing",
            "Vous lisez ceci parce qu'on l'a partagé avec vous : seul le service qui l'a écrit peut le partager. \
             Demandez-le-lui.",
        )
    } else {
        refused
    }
}

/// A subject of which nothing is written: as if the asker had just written it.
pub(super) fn unwritten(
    scene: &Scene<'_>,
    category: Category,
    purpose: Purpose,
) -> Result<Subject, ServiceError> {
    // LAW §4: a synthesis is read under the strictest of its subjects; without its text nobody knows them.
    if category == Category::Evaluation {
        return Err(ServiceError::rule(
            "synthesis_needs_text",
            "Une synthèse parle de plusieurs sujets : écrivez-la, puis demandez pour ce texte.",
        ));
    }
    let author = me(scene)?;
    let assignment = scene.gate.actor().assignment();
    let chance = scene.app.chance();
    let version = VersionFacts {
        id: ItemVersionId::random(chance)?,
        number: 1,
        author_secrecy: assignment.secrecy_at(scene.now),
        created_at: scene.now,
        valid_from: scene.now,
        valid_until: None,
        erased: false,
    };
    Ok(Subject {
        item: ItemFacts {
            id: ItemId::random(chance)?,
            version: 1,
            kind: ItemKind::Item,
            category,
            subjects: Vec::new(),
            for_stay: purpose == Purpose::Stay,
            author: author.id.clone(),
            author_assignment: assignment.id.clone(),
            versions: vec![version.clone()],
        },
        version,
        written: false,
    })
}

/// The statutory record that the asker may claim.
///
/// # Errors
/// Refused as absent when it is not the asker's own (DESIGN §4: it counts in a preview only for its author).
pub(super) fn own_statute(
    scene: &mut Scene<'_>,
    statute: Option<&StatuteId>,
) -> Result<Option<StatuteId>, ServiceError> {
    let Some(id) = statute else { return Ok(None) };
    scene.gate.resource(Resource::Statute(id.clone()))?;
    let me = me(scene)?;
    let mine = scene.gate.facts().statutes.iter().any(|s| s.id() == id && s.author == me.id);
    if mine { Ok(Some(id.clone())) } else { Err(ServiceError::AbsentOrRefused) }
}

/// One reader, one thing: the decision, the share supposed.
pub(super) fn judge(
    scene: &mut Scene<'_>,
    reader: &ParticipationFacts,
    subject: &Subject,
    purpose: Purpose,
    statute: Option<&StatuteId>,
) -> Decision {
    let mode = Mode::Preview { statute: statute.cloned() };
    asked_of(scene, reader, (&subject.item, &subject.version), purpose, mode)
}

/// One reader, one version, in this mode, asked by who acts here.
pub(super) fn asked_of(
    scene: &mut Scene<'_>,
    reader: &ParticipationFacts,
    (item, version): (&ItemFacts, &VersionFacts),
    purpose: Purpose,
    mode: Mode,
) -> Decision {
    let (facts, book, now) = (scene.gate.facts(), scene.gate.book(), scene.now);
    scene.gate.preview(&Question {
        facts,
        book,
        assignment: &reader.assignment,
        participation: Some(reader),
        asker: scene.gate.participation(),
        item,
        version,
        purpose: Some(purpose),
        mode,
        now,
    })
}

fn is_no(event: &Event) -> bool {
    match event.kind() {
        EventKind::Refused { .. } | EventKind::Withdrawn { .. } | EventKind::Opposed { .. } => true,
        EventKind::Opinion { opinion, .. } => *opinion == Opinion::Unfavourable,
        EventKind::Printed
        | EventKind::Signed(_)
        | EventKind::SheetSigned { .. }
        | EventKind::TalkHeld { .. }
        | EventKind::Replaced { .. } => false,
    }
}

/// Whether the asker may read exact reasons about accords for this reader: it collected every accord that could have
/// made them, and no refusal was recorded anywhere else.
// LAW §5: a refusal stays between the family and who collected it.
fn knows_exactly(
    facts: &PathwayFacts,
    asker: &AssignmentId,
    reader: &ParticipationFacts,
    purpose: Purpose,
) -> bool {
    let key = reader.assignment.recipient_key();
    let mut concerned = facts
        .accords
        .iter()
        .filter(|a| a.facts().purpose() == purpose)
        .filter(|a| a.facts().lines().iter().any(|l| l.kind == LineKind::Recipient && l.recipient == key))
        .peekable();
    concerned.peek().is_some()
        && concerned.all(|a| a.facts().collected_by() == asker)
        && !facts.standing.iter().any(is_no)
        && !facts
            .accords
            .iter()
            .filter(|a| a.facts().collected_by() != asker)
            .any(|a| a.events().iter().any(is_no))
        && !facts
            .releases
            .iter()
            .filter(|r| r.facts().recorded_by() != asker)
            .any(|r| r.events().iter().any(is_no))
}

/// What the asker reads of a decision about somebody else.
pub(super) fn told(
    scene: &Scene<'_>,
    reader: &ParticipationFacts,
    member: &MemberView,
    subject: &Subject,
    purpose: Purpose,
    end: Option<Timestamp>,
    decision: &Decision,
) -> PairView {
    let exact = knows_exactly(scene.gate.facts(), &scene.gate.actor().assignment().id, reader, purpose);
    let until = last_day(end.map_or(decision.reads_until, |e| e.min(decision.reads_until)));
    let context = Context {
        purpose: Some(purpose),
        until: until.map(Day::date).filter(|_| decision.permitted),
        signed_on: decision.signed_on.filter(|_| decision.permitted),
        ended_on: None,
        telephone: member.phone(),
    };
    let mut reasons: Vec<ReasonView> = Vec::new();
    for failing in &decision.failing {
        let code = if exact { failing.reason } else { failing.reason.coarse() };
        if !reasons.iter().any(|r| r.code == code) {
            reasons.push(ReasonView {
                code,
                sentence: sentence(code, &context),
                repair: repair_line(code, &context),
            });
        }
    }
    PairView {
        item: subject.written.then(|| subject.item.id.clone()),
        version: subject.written.then(|| subject.version.id.clone()),
        category: subject.item.category,
        will_read: decision.permitted,
        sentence: match reasons.first() {
            Some(first) if !decision.permitted => first.sentence.clone(),
            Some(_) | None => sentence(decision.reason, &context),
        },
        until: until.filter(|_| decision.permitted),
        regime: decision.regime,
        reasons,
    }
}

/// Items, or one category: never both, never neither.
pub(super) fn either(items: &[ItemRef], category: Option<Category>) -> Result<(), ServiceError> {
    if items.len() > MOST_NAMED {
        return Err(ServiceError::rule(
            "too_many",
            "Pas plus de 100 informations à la fois : choisissez les plus utiles.",
        ));
    }
    if items.is_empty() == category.is_none() {
        return Err(ServiceError::rule(
            "items_or_category",
            "Choisissez des informations écrites, ou bien un sujet : l'un des deux.",
        ));
    }
    Ok(())
}

/// What the charter alone says: never what an accord, a release or a participation would (S11).
fn from_the_charter(
    scene: &Scene<'_>,
    somebody: &Hypothetical,
    subject: &Subject,
    purpose: Purpose,
) -> CharterAnswer {
    let category = subject.item.category;
    let secrecy = somebody.secrecy.map_or(Secrecy::NotBound, Secrecy::receiving);
    let speaks_of = || std::iter::once(category).chain(subject.item.subjects.iter().copied());
    let matrix = scene.gate.book().in_force(scene.now).map(|e| &e.matrix);
    let need = matrix.map_or(Need::Never, |m| m.strictest(somebody.profession, secrecy, speaks_of()).need());
    let carries = matrix.is_some_and(|m| speaks_of().all(|c| m.purpose_carries(purpose, c)));
    let mut codes = Vec::new();
    if need == Need::Never {
        codes.push(Reason::CeilingNever);
    }
    if !carries {
        codes.push(Reason::PurposeExcludesCategory);
    }
    let possible = codes.is_empty();
    codes.push(Reason::NotAParticipant);
    let context = Context { purpose: Some(purpose), ..Context::default() };
    CharterAnswer {
        category,
        possible,
        reasons: codes
            .into_iter()
            .map(|code| ReasonView {
                code,
                sentence: sentence(code, &context),
                repair: repair_line(code, &context),
            })
            .collect(),
        needs: match need {
            Need::Opening => Some(Level::Opening),
            Need::Category => Some(Level::Category),
            Need::Informed => Some(Level::Informed),
            Need::Never => None,
        }
        .filter(|_| possible),
        needs_release: possible
            && category != Category::Identity
            && subject.version.author_secrecy.holds_a_secret()
            && secrecy != Secrecy::Bound,
    }
}

impl App {
    /// Who would read, who would not, and why (S3, S19).
    ///
    /// # Errors
    /// [`ServiceError`]; refused and absent are one.
    pub fn preview(
        &self,
        call: &Call,
        pathway: &PathwayId,
        request: &PreviewRequest,
    ) -> Result<Disclosed<PreviewView>, ServiceError> {
        let act = Act { action: Action::Preview, resource: ResourceKind::Share };
        self.read(call, act, pathway, |scene| {
            scene.gate.resource(Resource::Contribute)?;
            scene.purpose = Some(request.purpose);
            either(&request.items, request.category)?;
            let subjects = match request.category {
                Some(category) => vec![unwritten(scene, category, request.purpose)?],
                None => own_subjects(scene, &request.items)?,
            };
            scene.categories.extend(subjects.iter().map(|s| s.item.category));
            let statute = own_statute(scene, request.statute.as_ref())?;
            let end = match request.last_day {
                Some(day) => Some(end_of(day)?),
                None => None,
            };
            let hypothetical = request
                .hypothetical
                .iter()
                .flat_map(|h| subjects.iter().map(move |s| (h, s)))
                .map(|(h, s)| from_the_charter(scene, h, s, request.purpose))
                .collect();
            let readers = self.asked_about(scene, request)?;
            let mut views = Vec::with_capacity(readers.len());
            for reader in readers {
                let member = self.member_view(scene.snapshot, scene.gate.book(), reader, scene.now)?;
                let mut things = Vec::with_capacity(subjects.len());
                for subject in &subjects {
                    let decision = judge(scene, reader, subject, request.purpose, statute.as_ref());
                    things.push(told(scene, reader, &member, subject, request.purpose, end, &decision));
                }
                let will_read_all = things.iter().all(|t| t.will_read);
                views.push(ReaderView { member, will_read_all, things });
            }
            views.sort_by(|a, b| {
                (&a.member.name, &a.member.participation).cmp(&(&b.member.name, &b.member.participation))
            });
            Ok(scene.seal_facts(PreviewView { purpose: request.purpose, readers: views, hypothetical }))
        })
    }

    fn asked_about<'a>(
        &self,
        scene: &Scene<'a>,
        request: &PreviewRequest,
    ) -> Result<Vec<&'a ParticipationFacts>, ServiceError> {
        match &request.recipients {
            Some(named) => {
                let unique: BTreeSet<&ParticipationId> = named.iter().collect();
                unique.into_iter().map(|id| named_by_me(scene, id)).collect()
            }
            None if request.hypothetical.is_some() => Ok(Vec::new()),
            None => {
                let (facts, book, me) = (scene.gate.facts(), scene.gate.book(), me(scene)?);
                Ok(facts.participations.iter().filter(|p| may_name(facts, book, me, p, scene.now)).collect())
            }
        }
    }
}

/// 24:00 of a last day, in Paris.
pub(super) fn end_of(day: Day) -> Result<Timestamp, ServiceError> {
    crate::clock::plus_days(day.date(), 1)
        .map(Timestamp::paris_midnight)
        .ok_or_else(|| ServiceError::rule("last_day", "Ce dernier jour n'est pas dans le calendrier."))
}
