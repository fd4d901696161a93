//! Accords: composing one with its exact notice, and who must sign it. What each may see of it: `accord_views`; what
//! happens on its sheet: `signatures`.
//!
//! INVARIANTS
//! * The notice is composed from words fetched under grants and stays sealed from the store back to the store.
//! * Level and signatories are deduced, never taken from the request.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::accord_views::{
    AccordList, AccordView, SlotView, from_office, slots, unestablished_french, view_for,
};
use super::addressees::level_of;
use super::consent::{
    Directory, RecipientInput, RecipientView, accord_rule, check_recipient, frame, line_need, may_show,
    named_person, need_of, rows_of, standing,
};
use super::flow::Scene;
use super::notices::{NOTICE_VERSION, NoticeText, compose, ranks};
use super::who::still_open;
use super::{Act, App, Call, Change, Created, ServiceError};
use crate::access::{Resource, Standing};
use crate::audit::{Disclosed, Sealed};
use crate::domain::accord::{
    Accord, AccordDraft, AccordFacts, Event, EventKind, Interpreter, Language, Line, LineKind, NoticeMark,
    RecipientKey, ShownVersion, Signatory, SigningQuestion, required_signatories, signed_ahead,
};
use crate::domain::cell::{Need, Reason};
use crate::domain::day::Day;
use crate::domain::lists::{MOST_NAMED, at_most};
use crate::domain::person::AgeBand;
use crate::domain::record::{Action, ResourceKind, RowRef};
use crate::domain::vocabulary::{Category, Level, Purpose, Secrecy};
use crate::ids::{AccordId, AccordLineId, AssignmentId, HolderId, ItemVersionId, PathwayId};
use crate::store::fact::{FactKind, RowAt};

/// One line of a new accord.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LineInput {
    pub recipient: RecipientInput,
    /// `recipient` or `contributor`.
    pub kind: LineKind,
    /// « cette personne seulement ».
    #[serde(default)]
    pub only_assignment: Option<AssignmentId>,
    /// Subjects named for this recipient.
    #[serde(default, deserialize_with = "at_most::<13, _, _>")]
    #[schema(max_items = 13)]
    pub categories: Vec<Category>,
    /// Versions whose exact words this recipient will read.
    #[serde(default, deserialize_with = "at_most::<MOST_NAMED, _, _>")]
    #[schema(max_items = 100)]
    pub shows: Vec<ItemVersionId>,
    /// Services whose taking part this recipient will know.
    #[serde(default, deserialize_with = "at_most::<MOST_NAMED, _, _>")]
    #[schema(max_items = 100)]
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
    pub starts: Day,
    /// First day on which it no longer counts.
    pub ends: Day,
    /// Language in which the notice is read (`fr`, `ar`, `fr-LSF`).
    #[schema(max_length = 20, pattern = "^[A-Za-z]{2,8}(-[A-Za-z]{2,8})*$")]
    pub language: String,
    #[serde(default)]
    pub interpreter: Option<InterpreterInput>,
    #[serde(deserialize_with = "at_most::<MOST_NAMED, _, _>")]
    #[schema(max_items = 100)]
    pub lines: Vec<LineInput>,
    #[serde(default)]
    pub replaces: Option<AccordId>,
}

/// Who must sign one line today, and why.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct SigningView {
    #[schema(value_type = String)]
    pub line: AccordLineId,
    pub recipient: RecipientView,
    /// Deduced; absent for a service that brings only.
    pub level: Option<Level>,
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
    // A function of its own: `Pen::sealed` takes a plain pointer.
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

    /// The notice as it would be, and who would sign at this age and why: nothing is kept but the record.
    ///
    /// # Errors
    /// As creating it.
    pub fn accord_preview(
        &self,
        call: &Call,
        pathway: &PathwayId,
        input: &AccordInput,
    ) -> Result<Disclosed<NoticeView>, ServiceError> {
        // It puts words before somebody's eyes: recorded as a reading of them.
        let act = Act { action: Action::Read, resource: ResourceKind::Accord };
        self.read(call, act, pathway, |scene| {
            let Composed { lines, language, interpreter, standing, shown, text } = composed(scene, input)?;
            let id = AccordId::random(scene.app.chance())?;
            // No sheet yet, so no mark of it: the other rules are the same.
            let parts = (lines.clone(), language, interpreter);
            facts_of(scene, &id, input, parts, &standing, &[0; 32])?;
            let view = signing(scene, &lines, input.purpose, input.starts.date(), &[])?;
            let facts = scene.gate.facts();
            for (item, version) in shown.iter().filter_map(|(v, _)| facts.version(v)) {
                scene.categories.insert(item.category);
                scene.returned.push(RowRef {
                    table: "item_version",
                    id: version.id.as_str().to_owned(),
                    version: version.number,
                });
            }
            let view = NoticeView { version: NOTICE_VERSION.to_owned(), ..view };
            Ok(text.with(view).map_fn(|(view, text)| NoticeView { text: Some(text), ..view }))
        })
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

fn row_ref(id: &str) -> RowRef {
    RowRef { table: "fact", id: id.to_owned(), version: 1 }
}

pub(super) fn find<'a>(scene: &Scene<'a>, id: &AccordId) -> Result<&'a Accord, ServiceError> {
    scene.gate.facts().accords.iter().find(|a| a.facts().id() == id).ok_or(ServiceError::AbsentOrRefused)
}

/// A sheet that is ready, not yet kept.
struct Composed {
    lines: Vec<Line>,
    language: Language,
    interpreter: Option<Interpreter>,
    standing: Standing,
    shown: Vec<(ItemVersionId, Category)>,
    text: Sealed<NoticeText>,
}

fn composed(scene: &mut Scene<'_>, input: &AccordInput) -> Result<Composed, ServiceError> {
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
    still_open(facts)?;
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
    let mut framed = frame(
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
    // The lines of the accord stand in the order of the sheet: the family's boxes and ours are the same ones.
    let mut ranked: Vec<_> = ranks(&framed.lines)
        .into_iter()
        .zip(lines.into_iter().zip(std::mem::take(&mut framed.lines)))
        .collect();
    ranked.sort_by_key(|(rank, _)| *rank);
    let (lines, frames): (Vec<Line>, Vec<_>) = ranked.into_iter().map(|(_, both)| both).unzip();
    framed.lines = frames;
    let person = named_person(scene)?;
    let words = Sealed::all(scene.snapshot.items_words(grants)?);
    let text = person.zip(words).with(framed).map_fn(compose);
    scene.purpose = Some(input.purpose);
    scene.categories = lines.iter().flat_map(Line::subjects).collect();
    Ok(Composed { lines, language, interpreter, standing, shown, text })
}

/// The rules of an accord as a whole.
fn facts_of(
    scene: &Scene<'_>,
    id: &AccordId,
    input: &AccordInput,
    (lines, language, interpreter): (Vec<Line>, Language, Option<Interpreter>),
    standing: &Standing,
    digest: &[u8],
) -> Result<AccordFacts, ServiceError> {
    let actor = scene.gate.actor().assignment();
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
    AccordFacts::new(draft, &scene.gate.facts().person, &carries, scene.now).map_err(|e| accord_rule(&e))
}

fn compose_accord(scene: &mut Scene<'_>, id: &AccordId, input: &AccordInput) -> Result<Change, ServiceError> {
    let Composed { lines, language, interpreter, standing, text, .. } = composed(scene, input)?;
    let fact =
        scene.pen().sealed(RowAt::first(FactKind::Accord, id.as_str()), text, notice_str, |digest| {
            facts_of(scene, id, input, (lines, language, interpreter), &standing, digest)
        })?;
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
            return Err(ServiceError::denied(
                Reason::CeilingNever,
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
    let ahead = signed_ahead(&people, today, starts);
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
            level: match line.kind {
                LineKind::Recipient => level_of(need),
                LineKind::Contributor => None,
            },
            all_of,
            any_of,
            unestablished,
            why: if ahead {
                AHEAD.to_owned()
            } else {
                why(people.person.band_on(today), people.person.decides_alone_on(today), need, purpose)
            },
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
        // LAW: C. civ. 414. What an adult will share is no longer the parents' to oppose, nor theirs to be told.
        to_be_told: if ahead { Vec::new() } else { people.to_be_told(&signed, today) },
    })
}

/// STORIES S5, in words.
const AHEAD: &str = "Cet accord commence le jour de ses 18 ans : dès 17 ans et 9 mois, le jeune le signe seul, à \
                     l'avance. Il s'arrête 30 jours plus tard si le jeune, devenu majeur, ne le confirme pas.";

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
