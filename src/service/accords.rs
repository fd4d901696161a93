//! Accords: composing one with its exact notice, and what each may see of it. What happens on its sheet: `signatures`.
//!
//! INVARIANTS
//! * The notice is composed from words fetched under grants and stays sealed from the store back to the store.
//! * Level and signatories are deduced, never taken from the request.
//! * A refusal stays between the family and who collected it: everyone else reads a coarse state.
//! * Lines of services that the référent may not know are left out; an accord without any line left is absent.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::consent::{
    Directory, RecipientInput, RecipientView, accord_rule, check_recipient, frame, line_need, may_show,
    named_person, need_of, rows_of, standing,
};
use super::flow::Scene;
use super::notices::{NOTICE_VERSION, NoticeText, compose};
use super::{Act, App, Call, Change, Created, ServiceError};
use crate::access::facts::ParticipationFacts;
use crate::access::{Resource, Standing, may_know, reads_every_existence};
use crate::audit::{Disclosed, Sealed};
use crate::clock::Timestamp;
use crate::domain::accord::{
    Accord, AccordDraft, AccordFacts, AccordState, Awaited, Event, EventKind, Interpreter, Language, Line,
    LineKind, NoticeMark, RecipientKey, ShownVersion, Signatory, SignatorySlot, SigningQuestion,
    required_signatories, state,
};
use crate::domain::cell::Need;
use crate::domain::day::Day;
use crate::domain::person::AgeBand;
use crate::domain::vocabulary::{Capacity, Category, Function, Profession, Purpose, Role, Secrecy};
use crate::ids::{AccordId, AccordLineId, AssignmentId, HolderId, ItemVersionId, PathwayId};
use crate::store::fact::{FactKind, NewFact};

/// One line of a new accord.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LineInput {
    pub recipient: RecipientInput,
    /// `recipient` or `contributor`.
    #[schema(value_type = String)]
    pub kind: LineKind,
    /// « cette personne seulement ».
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub only_assignment: Option<AssignmentId>,
    /// Subjects named for this recipient.
    #[serde(default)]
    pub categories: Vec<Category>,
    /// Versions whose exact words this recipient will read.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    pub shows: Vec<ItemVersionId>,
    /// Services whose taking part this recipient will know.
    #[serde(default)]
    pub names_services: Vec<RecipientInput>,
}

/// Who interprets.
#[derive(Clone, Copy, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InterpreterInput {
    pub of_age: bool,
}

/// A new accord.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AccordInput {
    pub purpose: Purpose,
    #[schema(value_type = String, format = Date)]
    pub starts: Day,
    /// First day on which it no longer counts.
    #[schema(value_type = String, format = Date)]
    pub ends: Day,
    /// Language in which the notice is read (`fr`, `ar`, `fr-LSF`).
    pub language: String,
    #[serde(default)]
    pub interpreter: Option<InterpreterInput>,
    pub lines: Vec<LineInput>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub replaces: Option<AccordId>,
}

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

/// One thing that a line waits for.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct SlotView {
    /// `young_person`, `opinion` or `holder`.
    pub kind: &'static str,
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
    /// `draft`, `printed`, `partly_signed`, `upcoming`, `in_force`, `refused`, `withdrawn`, `expired`, `replaced`; to
    /// others than who collected it `upcoming`, `in_force`, `expired` or `not_in_force`.
    pub code: &'static str,
    /// Since when, or from when.
    pub at: Option<String>,
    /// The first moment at which time alone ends it.
    pub until: Option<String>,
    pub awaited: Vec<AwaitedView>,
}

/// One line.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
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

/// Something that happened on the sheet.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct EventView {
    pub kind: &'static str,
    pub at: String,
    /// `young_person`, or a holder's id.
    pub by: Option<String>,
    /// The day on the sheet, or of the conversation.
    pub on: Option<String>,
    pub mode: Option<&'static str>,
    pub original_at: Option<String>,
    #[schema(value_type = Vec<String>)]
    pub lines: Vec<AccordLineId>,
    pub opinion: Option<&'static str>,
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

/// Who must sign one line today, and why.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct SigningView {
    #[schema(value_type = String)]
    pub line: AccordLineId,
    pub recipient: RecipientView,
    pub all_of: Vec<SlotView>,
    pub any_of: Vec<Vec<SlotView>>,
    pub unestablished: Option<String>,
    /// In French, for who collects.
    pub why: String,
}

/// The notice, to print or to read aloud.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct NoticeView {
    pub version: String,
    pub keyed_hash: String,
    /// Lines that begin with `# ` are headings.
    #[schema(value_type = String)]
    pub text: Option<NoticeText>,
    pub signing: Vec<SigningView>,
    /// Holders who did not sign and must be told, so that they can oppose.
    #[schema(value_type = Vec<String>)]
    pub to_be_told: Vec<HolderId>,
}

pub(super) fn notice_str(text: &NoticeText) -> &str {
    // A function of its own: `seal_sealed` takes a plain pointer.
    text.as_str()
}

impl App {
    /// Composes an accord with its exact notice.
    ///
    /// # Errors
    /// Refused; a rule of consent.
    pub fn accord_create(
        &self,
        call: &Call,
        act: Act,
        pathway: &PathwayId,
        input: &AccordInput,
    ) -> Result<Created, ServiceError> {
        let id = AccordId::random(self.chance())?;
        self.change(call, act, pathway, |scene| compose_accord(scene, &id, input))
    }

    /// The accords of a pathway, each as the reader may see it.
    ///
    /// # Errors
    /// Refused to whoever has no place there nor a function in an organisation concerned.
    pub fn accord_list(
        &self,
        call: &Call,
        act: Act,
        pathway: &PathwayId,
    ) -> Result<Disclosed<AccordList>, ServiceError> {
        self.read(call, act, pathway, |scene| {
            let base = if from_office(scene) { Resource::ManagerView } else { Resource::Hear };
            scene.gate.resource(base)?;
            let mut items = Vec::new();
            for accord in &scene.gate.facts().accords {
                items.extend(view_for(scene, accord)?);
            }
            for item in &items {
                scene.returned.push(row_ref(item.id.as_str()));
            }
            Ok(scene.seal_facts(AccordList { items }))
        })
    }

    /// One accord.
    ///
    /// # Errors
    /// Refused, as absent.
    pub fn accord_read(
        &self,
        call: &Call,
        act: Act,
        id: &AccordId,
    ) -> Result<Disclosed<AccordView>, ServiceError> {
        let pathway = self.located(FactKind::Accord, id.as_str())?;
        self.read(call, act, &pathway, |scene| {
            let accord = find(scene, id)?;
            let view = view_for(scene, accord)?.ok_or(ServiceError::AbsentOrRefused)?;
            scene.purpose = Some(view.purpose);
            scene.returned.push(row_ref(id.as_str()));
            Ok(scene.seal_facts(view))
        })
    }

    /// The exact notice, with who must sign at this age and why.
    ///
    /// # Errors
    /// Refused to everyone but who collected it.
    pub fn accord_notice(
        &self,
        call: &Call,
        act: Act,
        id: &AccordId,
    ) -> Result<Disclosed<NoticeView>, ServiceError> {
        let pathway = self.located(FactKind::Accord, id.as_str())?;
        self.read(call, act, &pathway, |scene| {
            let grant = scene.gate.resource(Resource::AccordWhole(id.clone()))?;
            let accord = find(scene, id)?;
            let facts = accord.facts();
            scene.purpose = Some(facts.purpose());
            scene.categories = facts.lines().iter().flat_map(Line::subjects).collect();
            let view = signing(scene, facts.lines(), facts.purpose(), facts.starts(), accord.events())?;
            let view = NoticeView {
                version: facts.notice().version().to_owned(),
                keyed_hash: facts.notice().keyed_hash().to_owned(),
                ..view
            };
            scene.returned.push(row_ref(id.as_str()));
            let text: Sealed<Option<NoticeText>> =
                scene.snapshot.fact_words(grant, FactKind::Accord, id.as_str())?;
            Ok(text.with(view).map_fn(|(view, text)| NoticeView { text, ..view }))
        })
    }
}

fn row_ref(id: &str) -> crate::domain::record::RowRef {
    crate::domain::record::RowRef { table: "fact", id: id.to_owned(), version: 1 }
}

pub(super) fn find<'a>(scene: &Scene<'a>, id: &AccordId) -> Result<&'a Accord, ServiceError> {
    scene.gate.facts().accords.iter().find(|a| a.facts().id() == id).ok_or(ServiceError::AbsentOrRefused)
}

fn compose_accord(scene: &mut Scene<'_>, id: &AccordId, input: &AccordInput) -> Result<Change, ServiceError> {
    scene.gate.resource(Resource::Act)?;
    let facts = scene.gate.facts();
    if let Some(replaced) = &input.replaces {
        scene.gate.resource(Resource::AccordWhole(replaced.clone()))?;
    }
    // Every word first: what the actor may not show is refused before anything is explained.
    let mut shown: Vec<(ItemVersionId, Category)> = Vec::new();
    let mut grants = Vec::new();
    for version in input.lines.iter().flat_map(|l| &l.shows) {
        if shown.iter().any(|(v, _)| v == version) {
            continue;
        }
        let (item, _, grant) = may_show(scene, version)?;
        shown.push((version.clone(), item.category));
        grants.push(grant);
    }
    if facts.closed_at.is_some() {
        return Err(ServiceError::rule("pathway_closed", "Ce parcours est clos : aucun nouvel accord."));
    }
    let standing = standing(scene)?;
    let directory = Directory::read(scene)?;
    let chance = scene.app.chance();
    let mut lines = Vec::with_capacity(input.lines.len());
    for asked in &input.lines {
        let key = asked.recipient.key();
        let rows = check_recipient(scene, &directory, &standing, &key)?;
        check_person(scene, asked, &key)?;
        let line = Line {
            id: AccordLineId::random(chance)?,
            recipient: key,
            only_assignment: asked.only_assignment.clone(),
            kind: asked.kind,
            categories: asked.categories.iter().copied().collect(),
            shown: shown
                .iter()
                .filter(|(v, _)| asked.shows.contains(v))
                .map(|(v, c)| ShownVersion { version: v.clone(), category: *c })
                .collect(),
            services: asked.names_services.iter().map(RecipientInput::key).collect(),
        };
        check_line(&standing, &rows, &line, input.purpose, facts, &shown)?;
        for service in &line.services {
            check_recipient(scene, &directory, &standing, service)?;
        }
        lines.push(line);
    }
    let language = Language::parse(&input.language).map_err(|e| accord_rule(&e))?;
    let interpreter = input.interpreter.map(|i| Interpreter { of_age: i.of_age });
    let actor = scene.gate.actor().assignment();
    let framed = frame(
        scene,
        &directory,
        &standing,
        input.purpose,
        input.starts.date(),
        Some(input.ends.date()),
        &lines,
        &shown,
        interpreter.is_some(),
    )?;
    let person = named_person(scene)?;
    let words = Sealed::all(scene.snapshot.items_words(grants)?);
    let text = person.zip(words).with(framed).map_fn(compose);
    scene.purpose = Some(input.purpose);
    scene.categories = lines.iter().flat_map(Line::subjects).collect();
    let now = scene.now;
    let fact = NewFact::seal_sealed(
        scene.key,
        chance,
        &facts.id,
        FactKind::Accord,
        id.as_str(),
        1,
        now,
        &actor.id,
        text,
        notice_str,
        |digest| {
            let notice = NoticeMark::new(NOTICE_VERSION, &data_encoding::HEXLOWER.encode(digest))
                .map_err(|e| accord_rule(&e))?;
            let draft = AccordDraft {
                id: id.clone(),
                purpose: input.purpose,
                starts: input.starts.date(),
                ends: input.ends.date(),
                language,
                interpreter,
                collected_by: actor.id.clone(),
                collector: actor.recipient_key(),
                notice,
                lines,
                replaces: input.replaces.clone(),
            };
            let carries = |p: Purpose, c: Category| standing.matrix.purpose_carries(p, c);
            AccordFacts::new(draft, &facts.person, &carries, now).map_err(|e| accord_rule(&e))
        },
    )?;
    Ok(Change::new(id.as_str()).fact(fact))
}

fn check_person(scene: &mut Scene<'_>, asked: &LineInput, key: &RecipientKey) -> Result<(), ServiceError> {
    let Some(only) = &asked.only_assignment else { return Ok(()) };
    let row = scene.snapshot.assignment_fetch(only)?;
    if row.is_some_and(|r| r.facts.recipient_key() == *key && r.facts.in_force(scene.now)) {
        return Ok(());
    }
    Err(ServiceError::rule(
        "unknown_person",
        "Cette personne n'exerce pas cette mission : choisissez-la dans l'annuaire.",
    ))
}

/// What a line asks must be of some use: a subject that the charter closes to this profession stays closed whatever
/// the family signs, and a family is not asked to sign for nothing.
fn check_line(
    standing: &Standing,
    rows: &BTreeSet<Secrecy>,
    line: &Line,
    purpose: Purpose,
    facts: &crate::access::facts::PathwayFacts,
    shown: &[(ItemVersionId, Category)],
) -> Result<(), ServiceError> {
    let spoken_of: BTreeSet<Category> = shown
        .iter()
        .filter(|(v, _)| line.shown.iter().any(|s| s.version == *v))
        .filter_map(|(v, _)| facts.version(v))
        .flat_map(|(item, _)| item.subjects.iter().copied())
        .chain(line.subjects())
        .collect();
    for category in spoken_of {
        if need_of(standing, rows, line.recipient.profession, category) == Need::Never {
            return Err(ServiceError::rule(
                "ceiling_never",
                format!(
                    "La charte ne permet pas à cette profession de recevoir « {} », même avec l'accord de la famille.",
                    category.french()
                ),
            ));
        }
        if !standing.matrix.purpose_carries(purpose, category) {
            return Err(accord_rule(&crate::domain::accord::AccordError::PurposeExcludes {
                purpose,
                category,
            }));
        }
    }
    Ok(())
}

/// Who must sign each line today, and who must be told.
pub(super) fn signing(
    scene: &mut Scene<'_>,
    lines: &[Line],
    purpose: Purpose,
    starts: chrono::NaiveDate,
    events: &[Event],
) -> Result<NoticeView, ServiceError> {
    let standing = standing(scene)?;
    let directory = Directory::read(scene)?;
    let facts = scene.gate.facts();
    let people = facts.people();
    let today = scene.now.paris_day();
    let mut signing = Vec::with_capacity(lines.len());
    for line in lines {
        let rows = rows_of(scene, &standing, &line.recipient)?;
        let need = line_need(&standing, &rows, line);
        let question = SigningQuestion {
            need,
            purpose,
            recipient: match line.kind {
                LineKind::Recipient => Some(&line.recipient),
                LineKind::Contributor => None,
            },
            day: today,
            starts,
            objectors: &BTreeSet::new(),
        };
        let (all_of, any_of, unestablished) = match required_signatories(&people, &question) {
            Ok(r) => (
                slots(&facts.holders, &r.all_of),
                r.any_of.iter().map(|g| slots(&facts.holders, g)).collect(),
                None,
            ),
            Err(e) => (Vec::new(), Vec::new(), Some(unestablished_french(e))),
        };
        signing.push(SigningView {
            line: line.id.clone(),
            recipient: directory.view(&line.recipient),
            all_of,
            any_of,
            unestablished,
            why: why(people.person.band_on(today), people.person.decides_alone_on(today), need, purpose),
        });
    }
    let signed: Vec<HolderId> = events
        .iter()
        .filter_map(|e| match e.kind() {
            EventKind::Signed(s) => match &s.by {
                Signatory::Holder(id) => Some(id.clone()),
                Signatory::YoungPerson => None,
            },
            EventKind::Printed
            | EventKind::SheetSigned { .. }
            | EventKind::Opinion { .. }
            | EventKind::Refused { .. }
            | EventKind::Withdrawn { .. }
            | EventKind::Opposed { .. }
            | EventKind::TalkHeld { .. }
            | EventKind::Replaced { .. } => None,
        })
        .collect();
    Ok(NoticeView {
        version: String::new(),
        keyed_hash: String::new(),
        text: None,
        signing,
        to_be_told: people.to_be_told(&signed, today),
    })
}

fn unestablished_french(e: crate::domain::accord::Unestablished) -> String {
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

/// LAW §5, in words.
fn why(band: AgeBand, alone: bool, need: Need, purpose: Purpose) -> String {
    let adults = match (need, purpose) {
        (Need::Opening | Need::Category, _) | (_, Purpose::Stay) => {
            "la signature d'un titulaire suffit (acte usuel, C. civ. 372-2) ; l'autre est prévenu et peut s'opposer"
        }
        (Need::Informed | Need::Never, _) => {
            "les deux titulaires signent (C. civ. 372), sauf impossibilité décidée par un responsable"
        }
    };
    if alone {
        return "La personne est majeure ou émancipée : elle signe seule (C. civ. 414, 413-6).".to_owned();
    }
    match band {
        AgeBand::Under12 => format!("Moins de 12 ans : l'enfant est entendu ; {adults}."),
        AgeBand::From12To14 => {
            format!(
                "De 12 à 14 ans, ou âge inconnu : l'avis de l'enfant est noté, un refus suspend ; {adults}."
            )
        }
        AgeBand::From15To17 | AgeBand::Adult => {
            format!("De 15 à 17 ans : la signature du jeune est nécessaire ; {adults}.")
        }
    }
}

fn slots(holders: &[crate::domain::person::HolderFacts], slots: &[SignatorySlot]) -> Vec<SlotView> {
    slots
        .iter()
        .map(|slot| match slot {
            SignatorySlot::YoungPerson => {
                SlotView { kind: "young_person", holder: None, capacity: Some(Capacity::YoungPerson) }
            }
            SignatorySlot::Opinion => {
                SlotView { kind: "opinion", holder: None, capacity: Some(Capacity::YoungPerson) }
            }
            SignatorySlot::Holder(id) => SlotView {
                kind: "holder",
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
fn from_office(scene: &Scene<'_>) -> bool {
    let has_a_place = scene.gate.participation().is_some_and(|p| p.in_force(scene.now));
    match scene.gate.actor().assignment().function {
        Function::Practitioner => false,
        Function::Manager | Function::Secretary => !has_a_place,
    }
}

/// The accord as this reader may see it; `None` where nothing of it is for this reader.
fn view_for(scene: &mut Scene<'_>, accord: &Accord) -> Result<Option<AccordView>, ServiceError> {
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
        if let Some(view) = line_view(scene, &directory, seen_as, line, &line_status.state) {
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
            lines.iter().map(|l| l.state.clone()).max_by_key(|s| rank(s.code)).unwrap_or_else(not_in_force)
        }
    };
    // A refusal must not be read out of an accord that never comes into force (DESIGN §4).
    if seen_as == SeenAs::Recipient && whole.code == NOT_IN_FORCE {
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
    state: &AccordState,
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
        state: state_view(scene, state, whole),
    })
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
    known.unwrap_or(match key.profession {
        Profession::Aemo | Profession::ChildWelfare | Profession::YouthJustice | Profession::Psychologist => {
            me.assignment.recipient_key() == *key
                || reads_every_existence(facts, scene.gate.book(), me, scene.now)
        }
        Profession::ReferentPre
        | Profession::SpecialisedPrevention
        | Profession::SchoolSocialWorker
        | Profession::DistrictSocialWorker
        | Profession::SchoolHealth
        | Profession::Teacher
        | Profession::SocialEducationalWorker
        | Profession::MissionLocale
        | Profession::StayOrganiser
        | Profession::SocialMediator
        | Profession::ConcernUnit
        | Profession::ElectedOfficial
        | Profession::Police
        | Profession::Landlord
        | Profession::TransportOperator
        | Profession::Facilitator
        | Profession::Administrator
        | Profession::Auditor
        | Profession::DataProtectionOfficer => true,
    })
}

const NOT_IN_FORCE: &str = "not_in_force";

fn not_in_force() -> StateView {
    StateView { code: NOT_IN_FORCE, at: None, until: None, awaited: Vec::new() }
}

fn rank(code: &str) -> u8 {
    match code {
        "in_force" => 3,
        "upcoming" => 2,
        "expired" => 1,
        _ => 0,
    }
}

fn time(at: Timestamp) -> Option<String> {
    (at != Timestamp::MAX).then(|| at.rfc3339())
}

fn state_view(scene: &Scene<'_>, state: &AccordState, whole: bool) -> StateView {
    let waiting = |awaited: &[Awaited]| -> Vec<AwaitedView> {
        if !whole {
            return Vec::new();
        }
        let holders = &scene.gate.facts().holders;
        awaited
            .iter()
            .map(|a| AwaitedView {
                line: a.line.clone(),
                all_of: slots(holders, &a.all_of),
                any_of: a.any_of.iter().map(|g| slots(holders, g)).collect(),
                unestablished: a.unestablished.map(unestablished_french),
            })
            .collect()
    };
    let view = |code, at: Option<Timestamp>, until: Option<Timestamp>, awaited: &[Awaited]| StateView {
        code,
        at: at.and_then(time),
        until: until.and_then(time),
        awaited: waiting(awaited),
    };
    match state {
        AccordState::InForce { until, awaited } => view("in_force", None, Some(*until), awaited),
        AccordState::Upcoming { from, awaited } => view("upcoming", Some(*from), None, awaited),
        AccordState::Expired => view("expired", None, None, &[]),
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
        AccordState::Draft => view("draft", None, None, &[]),
        AccordState::Printed { at } => view("printed", Some(*at), None, &[]),
        AccordState::PartlySigned { awaited } => view("partly_signed", None, None, awaited),
        AccordState::Refused { at } => view("refused", Some(*at), None, &[]),
        AccordState::Withdrawn { at } => view("withdrawn", Some(*at), None, &[]),
        AccordState::Replaced { at, .. } => view("replaced", Some(*at), None, &[]),
    }
}

fn event_view(seen_as: SeenAs, event: &Event) -> Option<EventView> {
    let mut view = EventView {
        kind: "printed",
        at: event.at().rfc3339(),
        by: None,
        on: None,
        mode: None,
        original_at: None,
        lines: Vec::new(),
        opinion: None,
        maintained: None,
    };
    let name = |by: &Signatory| match by {
        Signatory::YoungPerson => "young_person".to_owned(),
        Signatory::Holder(id) => id.as_str().to_owned(),
    };
    let original = |how: &crate::domain::accord::How| match how {
        crate::domain::accord::How::Paper { original_at } => Some(original_at.as_str().to_owned()),
        crate::domain::accord::How::OralPresent | crate::domain::accord::How::Telephone => None,
    };
    let for_office = match event.kind() {
        EventKind::Printed => true,
        EventKind::Signed(s) => {
            view.kind = "signed";
            view.by = Some(name(&s.by));
            view.on = Some(s.on.to_string());
            view.mode = Some(s.how.mode().code());
            view.original_at = original(&s.how);
            view.lines = s.lines.iter().cloned().collect();
            true
        }
        EventKind::SheetSigned { by, on, original_at } => {
            view.kind = "sheet_signed";
            view.by = Some(name(by));
            view.on = Some(on.to_string());
            view.original_at = Some(original_at.as_str().to_owned());
            true
        }
        EventKind::Opinion { opinion, on } => {
            view.kind = "opinion";
            view.on = Some(on.to_string());
            view.opinion = Some(opinion.code());
            false
        }
        EventKind::Refused { by, .. } => {
            view.kind = "refused";
            view.by = Some(name(by));
            false
        }
        EventKind::Withdrawn { by, .. } => {
            view.kind = "withdrawn";
            view.by = Some(name(by));
            false
        }
        EventKind::Opposed { by, .. } => {
            view.kind = "opposed";
            view.by = Some(name(by));
            false
        }
        EventKind::TalkHeld { maintained, .. } => {
            view.kind = "talk_held";
            view.maintained = Some(*maintained);
            false
        }
        EventKind::Replaced { .. } => {
            view.kind = "replaced";
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
