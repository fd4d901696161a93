//! « Noter que je l'ai dit » (S19): date, recipient, category and purpose of something said aloud, under the same
//! decision as a share. No content is kept, and what was refused is not kept either.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::flow::{Act, Call, Change, Created};
use super::members::{me, named_by_me};
use super::preview::{ItemRef, judge, nothing_done, own_subjects, told, unwritten};
use super::shares::may_begin;
use super::{App, ServiceError};
use crate::access::{Resource, may_know};
use crate::audit::Disclosed;
use crate::clock::plus_days;
use crate::domain::cell::{Need, Reason};
use crate::domain::day::{Day, french_date};
use crate::domain::record::{Action, ResourceKind, RowRef};
use crate::domain::vocabulary::{Category, Purpose};
use crate::ids::{ItemVersionId, OralNoteId, ParticipationId, PathwayId};
use crate::store::fact::{FactKind, RowAt};

/// How late something said may still be noted.
const NOTED_WITHIN_DAYS: u64 = 7;

/// Something said.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSpoken {
    pub recipient: ParticipationId,
    pub category: Category,
    pub purpose: Purpose,
    /// The text whose words were said; without it, what needs the exact words is refused.
    #[serde(default)]
    pub item: Option<ItemRef>,
    pub on: Day,
}

/// What is kept of it (fact `oral_note`): no words.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpokenBody {
    pub author: ParticipationId,
    pub recipient: ParticipationId,
    pub category: Category,
    pub purpose: Purpose,
    pub version: Option<ItemVersionId>,
    pub on: Day,
    /// On what the decision rested.
    pub basis: Vec<String>,
}

/// One line, for its author and the author's organisation.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SpokenView {
    #[schema(value_type = String)]
    pub id: OralNoteId,
    pub said_by: String,
    pub said_to: String,
    pub category: Category,
    pub purpose: Purpose,
    #[schema(value_type = Option<String>)]
    pub version: Option<ItemVersionId>,
    pub on: Day,
    pub mine: bool,
}

/// What was said.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SpokenList {
    pub items: Vec<SpokenView>,
}

impl App {
    /// Notes that something was said. A refusal is explained, and nothing is kept.
    ///
    /// # Errors
    /// [`ServiceError`]; refused and absent are one.
    pub fn spoken_note(
        &self,
        call: &Call,
        pathway: &PathwayId,
        new: &NewSpoken,
    ) -> Result<Created, ServiceError> {
        let act = Act { action: Action::Create, resource: ResourceKind::OralNote };
        self.change(call, act, pathway, |scene| {
            scene.gate.resource(Resource::Contribute)?;
            scene.purpose = Some(new.purpose);
            scene.categories.insert(new.category);
            let subjects = match &new.item {
                Some(item) => own_subjects(scene, std::slice::from_ref(item))?,
                None => vec![unwritten(scene, new.category, new.purpose)?],
            };
            let reader = named_by_me(scene, &new.recipient)?;
            let subject = subjects.first().ok_or(ServiceError::AbsentOrRefused)?;
            may_begin(scene.gate.facts(), scene.now)?;
            if subject.item.category != new.category {
                return Err(ServiceError::rule("category", "Ce texte parle d'un autre sujet."));
            }
            let today = scene.now.paris_day();
            let late = plus_days(new.on.date(), NOTED_WITHIN_DAYS).is_none_or(|last| last < today);
            if new.on.date() > today || late {
                return Err(ServiceError::rule(
                    "on",
                    "Notez ce qui a été dit le jour même, ou dans la semaine.",
                ));
            }
            let decision = judge(scene, reader, subject, new.purpose, None);
            if !decision.permitted {
                let member = self.member_view(scene.snapshot, scene.gate.book(), reader, scene.now)?;
                let pair = told(scene, reader, &member, subject, new.purpose, None, &decision);
                let a = &reader.assignment;
                let informed = scene.gate.book().standing(a, scene.now).is_ok_and(|s| {
                    s.matrix.cell(a.profession, a.secrecy_at(scene.now), new.category).need() == Need::Informed
                });
                let words_missing = !subject.written
                    && (informed
                        || pair
                        .reasons
                        .iter()
                        .any(|r| matches!(r.code, Reason::InformationMissing | Reason::NotFamilyReleased)));
                let opening = if words_missing {
                    "Rien n'a été noté. Sans texte que la famille a vu, ceci ne peut pas être dit : nommez le texte."
                } else {
                    "Rien n'a été noté."
                };
                let why = vec![decision.reason];
                return Err(nothing_done("not_to_be_said", opening, &[(member, vec![pair])], why));
            }
            // An accord does not cover what was said before its signature.
            if let Some(signed) = decision.signed_on.filter(|signed| *signed > new.on.date()) {
                return Err(ServiceError::denied(
                    Reason::AccordMissing,
                    "before_accord",
                    format!("L'accord a été signé le {} : il ne couvre pas ce qui a été dit avant.", french_date(signed)),
                ));
            }
            let id = OralNoteId::random(self.chance())?;
            let body = SpokenBody {
                author: me(scene)?.id.clone(),
                recipient: reader.id.clone(),
                category: new.category,
                purpose: new.purpose,
                version: subject.written.then(|| subject.version.id.clone()),
                on: new.on,
                basis: decision.basis,
            };
            let fact = scene.pen().facts(RowAt::first(FactKind::OralNote, id.as_str()), &body)?;
            Ok(Change::new(id.as_str()).fact(fact))
        })
    }

    /// What was said, for its author and the author's organisation among participants (DESIGN §4).
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn spoken_list(
        &self,
        call: &Call,
        pathway: &PathwayId,
    ) -> Result<Disclosed<SpokenList>, ServiceError> {
        let act = Act { action: Action::List, resource: ResourceKind::OralNote };
        self.read(call, act, pathway, |scene| {
            scene.gate.resource(Resource::Contribute)?;
            let myself = me(scene)?;
            let (facts, book, now) = (scene.gate.facts(), scene.gate.book(), scene.now);
            let rows = scene.snapshot.facts_of::<SpokenBody>(scene.key, pathway, FactKind::OralNote)?;
            let mut items = Vec::new();
            for row in rows {
                let (Some(author), Some(recipient)) =
                    (facts.participation(&row.facts.author), facts.participation(&row.facts.recipient))
                else {
                    continue;
                };
                let mine = author.id == myself.id;
                let colleague = author.assignment.organisation == myself.assignment.organisation
                    && may_know(facts, book, myself, author, now)
                    && may_know(facts, book, myself, recipient, now);
                if !mine && !colleague {
                    continue;
                }
                let said_by = self.member_view(scene.snapshot, book, author, now)?.named();
                let said_to = self.member_view(scene.snapshot, book, recipient, now)?.named();
                scene.returned.push(RowRef { table: "fact", id: row.id.clone(), version: row.version });
                items.push(SpokenView {
                    id: OralNoteId::parse(&row.id).map_err(|e| ServiceError::Internal(e.to_string()))?,
                    said_by,
                    said_to,
                    category: row.facts.category,
                    purpose: row.facts.purpose,
                    version: row.facts.version,
                    on: row.facts.on,
                    mine,
                });
            }
            Ok(scene.seal_facts(SpokenList { items }))
        })
    }
}
