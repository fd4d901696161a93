//! Writing items: one category each, in the writer's own row, and corrections beside what they correct.
//!
//! INVARIANTS
//! * An item has one of thirteen categories, or is not kept (R01).
//! * A person writes only in categories that are not `N` in the own row; `judicial` only under a judicial mandate.
//! * A version is never changed: a correction is the next one. A correction says the same kind of thing: category and
//!   subjects stay, since readers were promised them.
//! * The lexicon warns, it never refuses (LAW §7); a number like a NIR is refused.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::app::App;
use super::error::ServiceError;
use super::flow::{Act, Call, Change, Created, Scene};
use super::who::{end_of, still_open};
use crate::access::Resource;
use crate::access::facts::{ItemKind, ParticipationFacts};
use crate::audit::Disclosed;
use crate::charter::{Charter, Pack};
use crate::clock::Timestamp;
use crate::domain::cell::{Need, Reason};
use crate::domain::day::Day;
use crate::domain::item::{ItemDraft, Submitted};
use crate::domain::record::{Action, ResourceKind};
use crate::domain::text::lexicon::WarningSubject;
use crate::domain::text::{EntryError, FieldErrors};
use crate::domain::vocabulary::{Category, Mandate};
use crate::ids::{ItemId, ItemVersionId, PathwayId};
use crate::store::item::{NewItem, NewVersion, Words};

/// What is written.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ItemInput {
    #[schema(min_length = 1, max_length = 140)]
    pub label: String,
    pub content: Submitted,
    /// The last day on which it holds.
    pub valid_until: Option<Day>,
    /// Written for a stay: shown as told by the family, erased after it.
    #[serde(default)]
    pub for_stay: bool,
}

/// A correction.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RevisionInput {
    #[schema(min_length = 1, max_length = 140)]
    pub label: String,
    pub content: Submitted,
    pub valid_until: Option<Day>,
}

/// Which version a correction corrects: an entity tag, or its number (pages).
#[derive(Clone, Copy)]
pub enum Corrects<'a> {
    Tag(&'a str),
    Number(i64),
}

/// A word that calls for a second look.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct WarningView {
    pub term: String,
    pub subject: WarningSubject,
    pub sentence: String,
}

/// What would be kept, before it is.
#[derive(Serialize, ToSchema)]
pub struct CheckView {
    pub category: Category,
    pub subjects: Vec<Category>,
    pub warnings: Vec<WarningView>,
}

/// The stamp of which the entity tag of an item is made.
#[must_use]
pub fn item_stamp(id: &ItemId, version: i64) -> Vec<u8> {
    format!("item:{id}:{version}").into_bytes()
}

pub(super) fn charter<'a>(scene: &Scene<'a>) -> Result<&'a Charter, ServiceError> {
    let edition = scene.gate.book().in_force(scene.now).ok_or(ServiceError::AbsentOrRefused)?;
    Ok(&edition.charter)
}

fn read(scene: &Scene<'_>, label: &str, content: &Submitted) -> Result<ItemDraft, ServiceError> {
    let charter = charter(scene)?;
    Ok(ItemDraft::parse(label, content.clone(), charter.sheet(), scene.now.paris_day())?)
}

/// The subjects kept beside a synthesis: those it speaks of besides its own.
fn subjects(draft: &ItemDraft) -> Vec<Category> {
    let own = draft.content().category();
    draft.content().subjects().into_iter().filter(|c| *c != own).collect()
}

/// Whether the writer may write in this category here.
pub(super) fn may_write(
    scene: &Scene<'_>,
    me: &ParticipationFacts,
    categories: impl IntoIterator<Item = Category>,
) -> Result<(), ServiceError> {
    let a = scene.gate.actor().assignment();
    let standing = scene.gate.book().standing(a, scene.now).map_err(|_| ServiceError::AbsentOrRefused)?;
    for category in categories {
        if standing.matrix.cell(a.profession, a.secrecy_at(scene.now), category).need() == Need::Never {
            return Err(ServiceError::denied(
                Reason::CeilingNever,
                "category_not_yours",
                format!(
                    "La charte ne prévoit pas que votre profession écrive sur « {} » : choisissez un autre sujet.",
                    category.french()
                ),
            ));
        }
        // LAW: R06. Only who acts on a judge's mandate writes about the measure.
        if category == Category::Judicial && me.mandate != Mandate::Judicial {
            return Err(ServiceError::forbidden(
                "judicial_mandate_needed",
                "Seul un service mandaté par le juge écrit sur la mesure : retirez cet élément.",
            ));
        }
    }
    Ok(())
}

fn valid(until: Option<Day>, now: Timestamp) -> Result<Option<Timestamp>, ServiceError> {
    match until {
        None => Ok(None),
        Some(day) if day.date() < now.paris_day() => Err(ServiceError::rule(
            "already_over",
            "Cette date de fin est passée : choisissez aujourd'hui ou plus tard.",
        )),
        Some(day) => end_of(day.date()).map(Some),
    }
}

impl App {
    /// Writes an item.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn item_write(
        &self,
        call: &Call,
        pathway: &PathwayId,
        input: &ItemInput,
    ) -> Result<Created, ServiceError> {
        let act = Act { action: Action::Create, resource: ResourceKind::Item };
        self.change(call, act, pathway, |scene| {
            scene.gate.resource(Resource::Contribute)?;
            let facts = scene.gate.facts();
            let me = scene.gate.participation().ok_or(ServiceError::AbsentOrRefused)?;
            still_open(facts)?;
            let draft = read(scene, &input.label, &input.content)?;
            let category = draft.content().category();
            may_write(scene, me, draft.content().subjects())?;
            // STORIES: S1. A category outside the pack is refused with the reason.
            if input.for_stay && !charter(scene)?.pack(Pack::Stay).contains(&category) {
                return Err(ServiceError::forbidden(
                    "not_in_stay_pack",
                    format!("La charte ne prévoit pas « {} » dans une fiche de séjour.", category.french()),
                ));
            }
            let valid_until = valid(input.valid_until, scene.now)?;
            let a = scene.gate.actor().assignment();
            let chance = scene.app.chance();
            let id = ItemId::random(chance)?;
            let item = NewItem {
                id: id.clone(),
                pathway: facts.id.clone(),
                kind: ItemKind::Item,
                category,
                subjects: subjects(&draft),
                for_stay: input.for_stay,
                author: me.id.clone(),
                author_assignment: a.id.clone(),
                created_at: scene.now,
            };
            scene.categories.insert(category);
            let version = NewVersion::seal(
                scene.key,
                chance,
                &ItemVersionId::random(chance)?,
                &id,
                &facts.id,
                1,
                a.secrecy_at(scene.now),
                scene.now,
                valid_until,
                &Words::Item(draft),
            )?;
            Ok(Change::new(id.as_str()).item(item).version(version))
        })
    }

    /// Reads what would be kept, and which words call for a second look; keeps nothing.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn item_check(
        &self,
        call: &Call,
        pathway: &PathwayId,
        input: &ItemInput,
    ) -> Result<Disclosed<CheckView>, ServiceError> {
        let act = Act { action: Action::Preview, resource: ResourceKind::Item };
        self.read(call, act, pathway, |scene| {
            scene.gate.resource(Resource::Contribute)?;
            let me = scene.gate.participation().ok_or(ServiceError::AbsentOrRefused)?;
            let draft = read(scene, &input.label, &input.content)?;
            may_write(scene, me, draft.content().subjects())?;
            valid(input.valid_until, scene.now)?;
            let warnings = draft
                .warnings(&charter(scene)?.sheet().warning_words)
                .into_iter()
                .map(|w| WarningView { sentence: w.french(), subject: w.subject, term: w.term })
                .collect();
            let view =
                CheckView { category: draft.content().category(), subjects: subjects(&draft), warnings };
            Ok(scene.seal_facts(view))
        })
    }

    /// Adds a correction beside the version that it corrects. Its author's alone.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn item_revise(
        &self,
        call: &Call,
        id: &ItemId,
        corrects: Corrects<'_>,
        input: &RevisionInput,
    ) -> Result<Created, ServiceError> {
        let pathway = self.pathway_of_item(id)?;
        let act = Act { action: Action::Update, resource: ResourceKind::Item };
        self.change(call, act, &pathway, |scene| {
            scene.gate.resource(Resource::Contribute)?;
            let facts = scene.gate.facts();
            let me = scene.gate.participation().ok_or(ServiceError::AbsentOrRefused)?;
            let item = facts
                .item(id)
                .filter(|i| i.kind == ItemKind::Item && i.author_assignment == me.assignment.id)
                .ok_or(ServiceError::AbsentOrRefused)?;
            let current = item.current().ok_or(ServiceError::AbsentOrRefused)?;
            match corrects {
                Corrects::Tag(tag) => {
                    self.check_if_match(call, Some(tag), &item_stamp(id, current.number))?;
                }
                Corrects::Number(number) if number == current.number => {}
                Corrects::Number(_) => return Err(ServiceError::PreconditionFailed),
            }
            still_open(facts)?;
            let draft = read(scene, &input.label, &input.content)?;
            if draft.content().category() != item.category || subjects(&draft) != item.subjects {
                return Err(ServiceError::Invalid(FieldErrors::one(
                    "content.category",
                    EntryError::NotInList { list: "category of this item" },
                )));
            }
            may_write(scene, me, draft.content().subjects())?;
            let valid_until = valid(input.valid_until, scene.now)?;
            scene.categories.insert(item.category);
            let a = scene.gate.actor().assignment();
            let chance = scene.app.chance();
            let version_id = ItemVersionId::random(chance)?;
            let version = NewVersion::seal(
                scene.key,
                chance,
                &version_id,
                id,
                &facts.id,
                current.number.saturating_add(1),
                a.secrecy_at(scene.now),
                scene.now,
                valid_until,
                &Words::Item(draft),
            )?;
            Ok(Change::new(version_id.as_str()).version(version))
        })
    }
}
