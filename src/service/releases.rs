//! Releases: the family validates the exact words of one version, for one recipient and one purpose.
//!
//! INVARIANTS
//! * Only somebody who may read the words shows them; they are composed into the sheet while sealed.
//! * It is recorded by somebody other than the recipient. What happens on the sheet: `signatures`.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::accords::{NoticeView, notice_str, signing};
use super::consent::{
    Directory, RecipientInput, check_recipient, frame, may_show, named_person, need_of, release_rule,
    standing,
};
use super::notices::{NOTICE_VERSION, NoticeText, compose};
use super::who::still_open;
use super::{Act, App, Call, Change, Created, ServiceError};
use crate::access::Resource;
use crate::audit::{Disclosed, Sealed};
use crate::domain::accord::{Line, LineKind, ShownVersion};
use crate::domain::cell::{Need, Reason};
use crate::domain::record::RowRef;
use crate::domain::release::{ReleaseDraft, ReleaseFacts};
use crate::domain::vocabulary::Purpose;
use crate::ids::{AccordLineId, AssignmentId, ItemVersionId, PathwayId, ReleaseId};
use crate::store::fact::{FactKind, RowAt};

/// A release to be signed.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReleaseInput {
    pub item_version: ItemVersionId,
    pub recipient: RecipientInput,
    pub purpose: Purpose,
    /// « cette personne seulement ».
    #[serde(default)]
    pub only_assignment: Option<AssignmentId>,
}

impl App {
    /// Prepares the sheet on which the family validates these words.
    ///
    /// # Errors
    /// Refused to whoever may not read them; a rule.
    pub fn release_create(
        &self,
        call: &Call,
        act: Act,
        pathway: &PathwayId,
        input: &ReleaseInput,
    ) -> Result<Created, ServiceError> {
        let id = ReleaseId::random(self.chance())?;
        self.change(call, act, pathway, |scene| {
            scene.gate.resource(Resource::Act)?;
            let (item, _, grant) = may_show(scene, &input.item_version)?;
            let facts = scene.gate.facts();
            still_open(facts)?;
            let actor = scene.gate.actor().assignment();
            let standing = standing(scene)?;
            let directory = Directory::read(scene)?;
            let key = input.recipient.key();
            let rows = check_recipient(scene, &directory, &standing, &key)?;
            let subjects: BTreeSet<_> =
                item.subjects.iter().copied().chain(std::iter::once(item.category)).collect();
            for category in &subjects {
                if need_of(&standing, &rows, key.profession, *category) == Need::Never {
                    return Err(ServiceError::denied(
                        Reason::CeilingNever,
                        "ceiling_never",
                        "La charte ne permet pas à cette profession de recevoir ce sujet, même avec l'accord de la \
                         famille.",
                    ));
                }
                if !standing.matrix.purpose_carries(input.purpose, *category) {
                    return Err(ServiceError::denied(
                        Reason::PurposeExcludesCategory,
                        "purpose_excludes_category",
                        format!("Ce sujet ne sert pas à « {} ».", input.purpose.french()),
                    ));
                }
            }
            let line = Line {
                id: AccordLineId::random(scene.app.chance())?,
                recipient: key.clone(),
                only_assignment: input.only_assignment.clone(),
                kind: LineKind::Recipient,
                categories: BTreeSet::new(),
                shown: std::iter::once(ShownVersion {
                    version: input.item_version.clone(),
                    category: item.category,
                })
                .collect(),
                services: BTreeSet::new(),
            };
            let today = scene.now.paris_day();
            let shown = [(input.item_version.clone(), item.category)];
            let mut framed = frame(
                scene,
                &directory,
                &standing,
                input.purpose,
                today,
                None,
                std::slice::from_ref(&line),
                &shown,
                false,
            )?;
            // A release validates these words and opens no subject.
            framed.lines.iter_mut().for_each(|l| l.opening.clear());
            let release = ReleaseFacts::new(
                ReleaseDraft {
                    id: id.clone(),
                    line: line.id.clone(),
                    item_version: input.item_version.clone(),
                    category: item.category,
                    purpose: input.purpose,
                    recipient: key,
                    only_assignment: input.only_assignment.clone(),
                    made_on: today,
                    recorded_by: actor.id.clone(),
                    recorder: actor.recipient_key(),
                },
                &facts.person,
            )
            .map_err(|e| release_rule(&e))?;
            let person = named_person(scene)?;
            let words = Sealed::all(vec![scene.snapshot.item_words(grant)?]);
            let text = person.zip(words).with(framed).map_fn(compose);
            scene.purpose = Some(input.purpose);
            scene.categories = subjects;
            let row = RowAt::first(FactKind::Release, id.as_str());
            let fact =
                scene.pen().sealed::<_, _, ServiceError>(row, text, notice_str, |_| Ok(release))?;
            Ok(Change::new(id.as_str()).fact(fact))
        })
    }

    /// The sheet, with who must sign at this age and why.
    ///
    /// # Errors
    /// Refused to everyone but who recorded it.
    pub fn release_notice(
        &self,
        call: &Call,
        act: Act,
        id: &ReleaseId,
    ) -> Result<Disclosed<NoticeView>, ServiceError> {
        let pathway = self.located(FactKind::Release, id.as_str())?;
        self.read(call, act, &pathway, |scene| {
            let grant = scene.gate.resource(Resource::ReleaseWhole(id.clone()))?;
            let release = scene
                .gate
                .facts()
                .releases
                .iter()
                .find(|r| r.facts().id() == id)
                .ok_or(ServiceError::AbsentOrRefused)?;
            let facts = release.facts();
            scene.purpose = Some(facts.purpose());
            scene.categories = facts.line().subjects().collect();
            let lines = std::slice::from_ref(facts.line());
            let view = signing(scene, lines, facts.purpose(), facts.made_on(), release.events())?;
            let view = NoticeView { version: NOTICE_VERSION.to_owned(), ..view };
            scene.returned.push(RowRef { table: "fact", id: id.as_str().to_owned(), version: 1 });
            let text: Sealed<Option<NoticeText>> =
                scene.snapshot.fact_words(grant, FactKind::Release, id.as_str())?;
            Ok(text.with(view).map_fn(|(view, text)| NoticeView { text, ..view }))
        })
    }
}
