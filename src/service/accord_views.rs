//! What each may see of an accord: whole to who collected it, an outline to the référent, its own line to a recipient,
//! state and signatures to the collecting organisation's office.
//!
//! INVARIANTS
//! * A refusal stays between the family and who collected it: everyone else reads a coarse state.
//! * Lines of services that the référent may not know are left out; an accord without any line left is absent.
//!
//! No words here: facts only.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::ServiceError;
use super::accord_standing::AccordStanding;
use super::consent::{Directory, RecipientView, need_of, rows_of, standing};
use super::flow::Scene;
use crate::access::facts::ParticipationFacts;
use crate::access::{Existence, Resource, may_know, reads_every_existence};
use crate::clock::Timestamp;
use crate::domain::accord::{
    Accord, AccordState, Awaited, End, EndsBy, Event, EventKind, How, Line, LineKind, LineStatus, Opinion,
    RecipientKey, Signatory, SignatorySlot, state,
};
use crate::domain::cell::Need;
use crate::domain::vocabulary::{Capacity, Category, Function, Mandate, Mode, Purpose, Role};
use crate::ids::{AccordId, AccordLineId, HolderId, PathwayId};

/// As whom the reader sees an accord.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SeenAs {
    Collector,
    Referent,
    Recipient,
    /// Secretary or manager of the organisation that collected it.
    Office,
}

/// What is awaited of somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SlotKind {
    /// The young person's signature.
    YoungPerson,
    /// The young person's opinion, which is no signature.
    Opinion,
    /// A holder's signature.
    Holder,
}

/// One thing that a line waits for.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct SlotView {
    pub kind: SlotKind,
    #[schema(value_type = Option<String>)]
    pub holder: Option<HolderId>,
    pub capacity: Option<Capacity>,
}

/// What one line still waits for.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct AwaitedView {
    #[schema(value_type = String)]
    pub line: AccordLineId,
    pub all_of: Vec<SlotView>,
    /// One of these groups.
    pub any_of: Vec<Vec<SlotView>>,
    /// Why it cannot be said who signs.
    pub unestablished: Option<String>,
}

/// Where an accord or a line stands.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct StateView {
    pub code: AccordStanding,
    /// Since when, or from when.
    pub at: Option<String>,
    /// The first moment at which time alone ends it.
    pub until: Option<String>,
    /// Why it ends then; to who collected it, and to the office of that organisation.
    pub ends_by: Option<EndsBy>,
    pub awaited: Vec<AwaitedView>,
}

/// One line.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[schema(as = AccordLine)]
pub struct LineView {
    #[schema(value_type = String)]
    pub id: AccordLineId,
    pub recipient: RecipientView,
    /// `recipient` or `contributor`.
    #[schema(value_type = String)]
    pub kind: LineKind,
    pub only_one_person: bool,
    pub categories: Vec<Category>,
    /// Subjects whose exact words were shown.
    pub exact_words: Vec<Category>,
    pub services: Vec<RecipientView>,
    pub state: StateView,
}

/// What happened on a sheet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SheetEvent {
    Printed,
    Signed,
    /// The paper of what was said aloud before.
    SheetSigned,
    Opinion,
    Refused,
    Withdrawn,
    Opposed,
    TalkHeld,
    Replaced,
}

/// Something that happened on the sheet.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct EventView {
    pub kind: SheetEvent,
    pub at: String,
    /// `young_person`, or a holder's id.
    pub by: Option<String>,
    /// The day on the sheet, or of the conversation.
    pub on: Option<String>,
    pub mode: Option<Mode>,
    pub original_at: Option<String>,
    /// Of what was said aloud: whether it is on record that the sheet was read out.
    pub read_aloud: Option<bool>,
    #[schema(value_type = Vec<String>)]
    pub lines: Vec<AccordLineId>,
    pub opinion: Option<Opinion>,
    pub maintained: Option<bool>,
}

/// An accord as one reader may see it.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct AccordView {
    #[schema(value_type = String)]
    pub id: AccordId,
    #[schema(value_type = String)]
    pub pathway: PathwayId,
    pub seen_as: SeenAs,
    pub purpose: Purpose,
    pub starts: String,
    /// First day on which it no longer counts.
    pub ends: String,
    pub state: StateView,
    pub lines: Vec<LineView>,
    /// Who collected it only.
    pub language: Option<String>,
    pub notice_version: Option<String>,
    pub notice_hash: Option<String>,
    #[schema(value_type = Option<String>)]
    pub replaces: Option<AccordId>,
    /// Who collected it: everything; its secretary and manager: printings and signatures.
    pub events: Vec<EventView>,
}

/// Every accord that the reader may see, oldest first.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct AccordList {
    pub items: Vec<AccordView>,
}

pub(super) fn unestablished_french(e: crate::domain::accord::Unestablished) -> String {
    use crate::domain::accord::Unestablished as U;
    match e {
        U::NicknameOnly => "L'identité n'est pas encore donnée : aucun accord n'est possible.",
        U::NoHolder => "Aucun titulaire n'est enregistré : enregistrez qui exerce l'autorité parentale.",
        U::SecondParentUnrecorded => {
            "Il faut les deux parents : enregistrez l'autre, ou pourquoi il est impossible de le joindre."
        }
        U::GuardianAwaited => "Cette ligne attend un tuteur ou une décision du juge (375-7).",
        U::ServiceIsRecipient => {
            "Le service qui signerait seul recevrait aussi : choisissez un autre destinataire."
        }
    }
    .to_owned()
}

pub(super) fn slots(
    holders: &[crate::domain::person::HolderFacts],
    slots: &[SignatorySlot],
) -> Vec<SlotView> {
    slots
        .iter()
        .map(|slot| match slot {
            SignatorySlot::YoungPerson => {
                SlotView { kind: SlotKind::YoungPerson, holder: None, capacity: Some(Capacity::YoungPerson) }
            }
            SignatorySlot::Opinion => {
                SlotView { kind: SlotKind::Opinion, holder: None, capacity: Some(Capacity::YoungPerson) }
            }
            SignatorySlot::Holder(id) => SlotView {
                kind: SlotKind::Holder,
                holder: Some(id.clone()),
                capacity: holders.iter().find(|h| h.id() == id).map(|h| h.capacity()),
            },
        })
        .collect()
}

/// The state of an accord and of each of its lines at `now`; `needs` of every (recipient, subject) it names.
pub(super) fn status(
    scene: &mut Scene<'_>,
    accord: &Accord,
) -> Result<crate::domain::accord::AccordStatus, ServiceError> {
    let standing = standing(scene)?;
    let mut needs: BTreeMap<(RecipientKey, Category), Need> = BTreeMap::new();
    for line in accord.facts().lines() {
        let rows = rows_of(scene, &standing, &line.recipient)?;
        for category in line.subjects() {
            let need = need_of(&standing, &rows, line.recipient.profession, category);
            needs.insert((line.recipient.clone(), category), need);
        }
    }
    // A subject that nobody asked about needs the most.
    let need = |key: &RecipientKey, category: Category| {
        needs.get(&(key.clone(), category)).copied().unwrap_or(Need::Never)
    };
    Ok(state(accord, &scene.gate.facts().consent(), &need, scene.now))
}

/// Whether the actor looks from the office of an organisation, without a place in the circle.
pub(super) fn from_office(scene: &Scene<'_>) -> bool {
    let has_a_place = scene.gate.participation().is_some_and(|p| p.in_force(scene.now));
    match scene.gate.actor().assignment().function {
        Function::Practitioner => false,
        Function::Manager | Function::Secretary => !has_a_place,
    }
}

/// The accord as this reader may see it; `None` where nothing of it is for this reader.
pub(super) fn view_for(scene: &mut Scene<'_>, accord: &Accord) -> Result<Option<AccordView>, ServiceError> {
    let id = accord.facts().id();
    let office = from_office(scene);
    let seen_as = if office {
        scene.gate.resource(Resource::AccordState(id.clone())).is_ok().then_some(SeenAs::Office)
    } else if scene.gate.participation().is_none() {
        None
    } else if accord.facts().collected_by() == &scene.gate.actor().assignment().id {
        scene.gate.resource(Resource::AccordWhole(id.clone())).is_ok().then_some(SeenAs::Collector)
    } else if scene.gate.participation().is_some_and(|p| p.role == Role::Referent) {
        scene.gate.resource(Resource::AccordOutline(id.clone())).is_ok().then_some(SeenAs::Referent)
    } else {
        scene.gate.resource(Resource::AccordLine(id.clone())).is_ok().then_some(SeenAs::Recipient)
    };
    let Some(seen_as) = seen_as else { return Ok(None) };
    let status = status(scene, accord)?;
    let directory = Directory::read(scene)?;
    let facts = accord.facts();
    let mut lines = Vec::new();
    for (line, line_status) in facts.lines().iter().zip(&status.lines) {
        if let Some(view) = line_view(scene, &directory, seen_as, line, line_status) {
            lines.push(view);
        }
    }
    if lines.is_empty() {
        return Ok(None);
    }
    let whole = match seen_as {
        SeenAs::Collector | SeenAs::Office => state_view(scene, &status.state, true),
        // The state of the lines that this reader sees, and of no other.
        SeenAs::Referent | SeenAs::Recipient => {
            lines.iter().map(|l| l.state.clone()).max_by_key(|s| s.code.rank()).unwrap_or_else(not_in_force)
        }
    };
    // A refusal must not be read out of an accord that never comes into force (DESIGN §4).
    if seen_as == SeenAs::Recipient && whole.code == AccordStanding::NotInForce {
        return Ok(None);
    }
    let draft = facts.draft();
    let collector = seen_as == SeenAs::Collector;
    Ok(Some(AccordView {
        id: id.clone(),
        pathway: scene.gate.facts().id.clone(),
        seen_as,
        purpose: facts.purpose(),
        starts: facts.starts().to_string(),
        ends: facts.ends().to_string(),
        state: whole,
        lines,
        language: collector.then(|| draft.language.as_str().to_owned()),
        notice_version: collector.then(|| facts.notice().version().to_owned()),
        notice_hash: collector.then(|| facts.notice().keyed_hash().to_owned()),
        replaces: if collector { draft.replaces.clone() } else { None },
        events: accord.events().iter().filter_map(|e| event_view(seen_as, e)).collect(),
    }))
}

fn line_view(
    scene: &Scene<'_>,
    directory: &Directory,
    seen_as: SeenAs,
    line: &Line,
    status: &LineStatus,
) -> Option<LineView> {
    let actor = scene.gate.actor().assignment();
    let me = scene.gate.participation();
    let visible = match seen_as {
        SeenAs::Collector | SeenAs::Office => true,
        SeenAs::Referent => me.is_some_and(|me| knows_service(scene, me, &line.recipient)),
        SeenAs::Recipient => {
            line.recipient == actor.recipient_key()
                && line.only_assignment.as_ref().is_none_or(|only| *only == actor.id)
        }
    };
    if !visible {
        return None;
    }
    let whole = matches!(seen_as, SeenAs::Collector | SeenAs::Office);
    // Naming `judicial` tells that a measure exists.
    let subject = |c: &Category| match seen_as {
        SeenAs::Referent => {
            *c != Category::Judicial
                || me.is_some_and(|me| {
                    reads_every_existence(scene.gate.facts(), scene.gate.book(), me, scene.now)
                })
        }
        SeenAs::Collector | SeenAs::Office | SeenAs::Recipient => true,
    };
    let shown: BTreeSet<Category> = line.shown.iter().map(|s| s.category).filter(|c| subject(c)).collect();
    Some(LineView {
        id: line.id.clone(),
        recipient: directory.view(&line.recipient),
        kind: line.kind,
        only_one_person: line.only_assignment.is_some(),
        categories: line.categories.iter().copied().filter(|c| subject(c)).collect(),
        exact_words: shown.into_iter().collect(),
        services: line
            .services
            .iter()
            .filter(|s| whole || me.is_some_and(|me| knows_service(scene, me, s)))
            .map(|s| directory.view(s))
            .collect(),
        state: line_state_view(scene, status, whole),
    })
}

/// The state of one line; of a line that nobody signed yet, who is awaited too.
fn line_state_view(scene: &Scene<'_>, status: &LineStatus, whole: bool) -> StateView {
    let mut view = state_view(scene, &status.state, whole);
    if whole && let Some(unsigned) = &status.unsigned {
        view.awaited = vec![awaited_view(scene, unsigned)];
    }
    view
}

fn awaited_view(scene: &Scene<'_>, awaited: &Awaited) -> AwaitedView {
    let holders = &scene.gate.facts().holders;
    AwaitedView {
        line: awaited.line.clone(),
        all_of: slots(holders, &awaited.all_of),
        any_of: awaited.any_of.iter().map(|g| slots(holders, g)).collect(),
        unestablished: awaited.unestablished.map(unestablished_french),
    }
}

/// Whether a reader may know that this service takes part, or could. A service of a profession whose place is never
/// open is known only through a participation of it that the reader may know.
fn knows_service(scene: &Scene<'_>, me: &ParticipationFacts, key: &RecipientKey) -> bool {
    let facts = scene.gate.facts();
    let mut known = None;
    for other in facts.participations.iter().filter(|p| p.assignment.recipient_key() == *key) {
        let this = may_know(facts, scene.gate.book(), me, other, scene.now);
        known = Some(known.unwrap_or(false) || this);
    }
    known.unwrap_or_else(|| {
        Existence::of(key.profession, Mandate::Contractual) == Existence::Open
            || me.assignment.recipient_key() == *key
            || reads_every_existence(facts, scene.gate.book(), me, scene.now)
    })
}

fn not_in_force() -> StateView {
    StateView { code: AccordStanding::NotInForce, at: None, until: None, ends_by: None, awaited: Vec::new() }
}

pub(super) fn state_view(scene: &Scene<'_>, state: &AccordState, whole: bool) -> StateView {
    use AccordStanding as S;
    let waiting = |awaited: &[Awaited]| -> Vec<AwaitedView> {
        if whole { awaited.iter().map(|a| awaited_view(scene, a)).collect() } else { Vec::new() }
    };
    let view = |code, at: Option<Timestamp>, end: Option<End>, awaited: &[Awaited]| StateView {
        code,
        at: at.map(|at| at.rfc3339()),
        until: end.map(|end| end.at.rfc3339()),
        // How it was given, and the age of the young person, can be read out of it.
        ends_by: end.filter(|_| whole).map(|end| end.by),
        awaited: waiting(awaited),
    };
    match state {
        AccordState::InForce { end, awaited } => view(S::InForce, None, *end, awaited),
        AccordState::Upcoming { from, awaited } => view(S::Upcoming, Some(*from), None, awaited),
        AccordState::Expired => view(S::Expired, None, None, &[]),
        AccordState::Draft
        | AccordState::Printed { .. }
        | AccordState::PartlySigned { .. }
        | AccordState::Refused { .. }
        | AccordState::Withdrawn { .. }
        | AccordState::Replaced { .. }
            if !whole =>
        {
            not_in_force()
        }
        AccordState::Draft => view(S::Draft, None, None, &[]),
        AccordState::Printed { at } => view(S::Printed, Some(*at), None, &[]),
        AccordState::PartlySigned { awaited } => view(S::PartlySigned, None, None, awaited),
        AccordState::Refused { at } => view(S::Refused, Some(*at), None, &[]),
        AccordState::Withdrawn { at } => view(S::Withdrawn, Some(*at), None, &[]),
        AccordState::Replaced { at, .. } => view(S::Replaced, Some(*at), None, &[]),
    }
}

fn event_view(seen_as: SeenAs, event: &Event) -> Option<EventView> {
    let mut view = EventView {
        kind: SheetEvent::Printed,
        at: event.at().rfc3339(),
        by: None,
        on: None,
        mode: None,
        original_at: None,
        read_aloud: None,
        lines: Vec::new(),
        opinion: None,
        maintained: None,
    };
    let name = |by: &Signatory| match by {
        Signatory::YoungPerson => "young_person".to_owned(),
        Signatory::Holder(id) => id.as_str().to_owned(),
    };
    let for_office = match event.kind() {
        EventKind::Printed => true,
        EventKind::Signed(s) => {
            view.kind = SheetEvent::Signed;
            view.by = Some(name(&s.by));
            view.on = Some(s.on.to_string());
            view.mode = Some(s.how.mode());
            match &s.how {
                How::Paper { original_at } => view.original_at = Some(original_at.as_str().to_owned()),
                How::OralPresent { read_aloud } | How::Telephone { read_aloud } => {
                    view.read_aloud = Some(*read_aloud);
                }
            }
            view.lines = s.lines.iter().cloned().collect();
            true
        }
        EventKind::SheetSigned { by, on, original_at } => {
            view.kind = SheetEvent::SheetSigned;
            view.by = Some(name(by));
            view.on = Some(on.to_string());
            view.original_at = Some(original_at.as_str().to_owned());
            true
        }
        EventKind::Opinion { opinion, on } => {
            view.kind = SheetEvent::Opinion;
            view.on = Some(on.to_string());
            view.opinion = Some(*opinion);
            false
        }
        EventKind::Refused { by, .. } => {
            view.kind = SheetEvent::Refused;
            view.by = Some(name(by));
            false
        }
        EventKind::Withdrawn { by, .. } => {
            view.kind = SheetEvent::Withdrawn;
            view.by = Some(name(by));
            false
        }
        EventKind::Opposed { by, .. } => {
            view.kind = SheetEvent::Opposed;
            view.by = Some(name(by));
            false
        }
        EventKind::TalkHeld { maintained, .. } => {
            view.kind = SheetEvent::TalkHeld;
            view.maintained = Some(*maintained);
            false
        }
        EventKind::Replaced { .. } => {
            view.kind = SheetEvent::Replaced;
            true
        }
    };
    let shown = match seen_as {
        SeenAs::Collector => true,
        SeenAs::Office => for_office,
        SeenAs::Referent | SeenAs::Recipient => false,
    };
    shown.then_some(view)
}
