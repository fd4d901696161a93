//! Openings of content on one pathway, read from the log under the pathway's own key, as one standpoint may know them.
//!
//! INVARIANT: neither accesses by a participation that is hidden from the standpoint, nor readings of what such a
//! participation wrote or shared, leave a trace here: not in a line, nor in a category, nor in a count.
//! INVARIANT: what was read under a statutory record whose people are not informed, for somebody who is no party to
//! that record, leaves no trace either: whoever does not know of it cannot speak of it.
//! It tells nothing of refusals: a refusal is not an opening.

use std::collections::BTreeSet;

use chrono::{Datelike, NaiveDate};
use data_encoding::HEXLOWER;

use super::{App, Scene, ServiceError, detail_place};
use crate::access::facts::{ItemFacts, ParticipationFacts, PathwayFacts};
use crate::access::{CharterBook, Existence, may_know};
use crate::audit::LeafBody;
use crate::audit::json::{Value, parse};
use crate::clock::Timestamp;
use crate::domain::cell::{Reason, StatuteFact};
use crate::domain::record::{Action, ResourceKind, RetentionClass, Verdict};
use crate::domain::statute::{KeptFrom, kept_from};
use crate::domain::vocabulary::{Category, Profession, Purpose};
use crate::ids::{AssignmentId, ItemVersionId, OrganisationId, ParticipationId};

/// Somebody opened content once, as far as the standpoint may know.
pub(super) struct Opening {
    pub on: NaiveDate,
    pub organisation: OrganisationId,
    pub profession: Profession,
    pub assignment: AssignmentId,
    pub purpose: Option<Purpose>,
    /// What was opened; never empty.
    pub opened: Vec<Opened>,
    /// The sheet that a family reads and signs was made or read: done for one of its members, who is not looked at.
    pub for_family: bool,
    /// The index of its record, where the whole record tells the standpoint nothing that is hidden from it.
    pub receipt: Option<u64>,
}

/// One thing that was opened.
pub(super) struct Opened {
    pub category: Category,
    /// Whom a statutory exception keeps from knowing of this reading.
    pub kept: KeptFrom,
    /// Written by the standpoint's own service, or shared by it.
    pub of_own_service: bool,
    /// Written or shared by a participation whose existence can be hidden.
    pub of_hidden: bool,
}

/// What the sealed detail of a record says that this view needs.
pub(super) struct Detail {
    assignment: AssignmentId,
    pub versions: Vec<ItemVersionId>,
}

pub(super) fn unreadable() -> ServiceError {
    ServiceError::Internal("the detail of a record does not read back".to_owned())
}

/// Reads a detail; `None` when nobody with an assignment acted.
pub(super) fn read_detail(text: &str) -> Result<Option<Detail>, ServiceError> {
    let Value::Map(members) = parse(text).map_err(|_| unreadable())? else { return Err(unreadable()) };
    let mut assignment = None;
    let mut versions = Vec::new();
    for (key, value) in &members {
        match (key.as_ref(), value) {
            ("assignment", Value::Text(id)) => {
                assignment = Some(AssignmentId::parse(id).map_err(|_| unreadable())?);
            }
            ("returned", Value::List(rows)) => {
                for row in rows {
                    let Value::List(row) = row else { return Err(unreadable()) };
                    let [Value::Text(table), Value::Text(id), _] = row.as_slice() else {
                        return Err(unreadable());
                    };
                    if table == "item_version" {
                        versions.push(ItemVersionId::parse(id).map_err(|_| unreadable())?);
                    }
                }
            }
            _other_member => {}
        }
    }
    Ok(assignment.map(|assignment| Detail { assignment, versions }))
}

/// Who asks who looked, and so what may be known of it.
#[derive(Clone, Copy)]
pub(super) struct Standpoint<'a> {
    pub facts: &'a PathwayFacts,
    pub book: &'a CharterBook,
    /// The référent, or the place of the service whose manager asks.
    pub me: &'a ParticipationFacts,
    pub now: Timestamp,
}

impl<'a> Standpoint<'a> {
    fn knows(&self, p: &ParticipationFacts) -> bool {
        may_know(self.facts, self.book, self.me, p, self.now)
    }

    /// The places that a reader has or had here.
    fn places(&self, reader: &AssignmentId) -> impl Iterator<Item = &'a ParticipationFacts> {
        self.facts.participations.iter().filter(move |p| p.assignment.id == *reader)
    }

    /// Every place that the reader has or had here is known; somebody without a place is not shown.
    fn knows_reader(&self, reader: &AssignmentId) -> bool {
        let mut places = self.places(reader).peekable();
        places.peek().is_some() && places.all(|p| self.knows(p))
    }

    /// Whether this is a place of the standpoint's own service.
    pub fn own_service(&self, p: &ParticipationFacts) -> bool {
        p.assignment.organisation == self.me.assignment.organisation
            && p.assignment.mission == self.me.assignment.mission
    }

    /// Whether an opening is the business of the standpoint's own service: it read, or something of its own was read.
    pub fn concerns_own_service(&self, opening: &Opening, opened: &Opened) -> bool {
        opened.of_own_service || self.places(&opening.assignment).any(|p| self.own_service(p))
    }

    /// LAW: CASF L226-2-2. Whom exceptions in force keep from knowing that the reader read this under the law. `None`
    /// when the standpoint is no party to such a record: then it knows of no such reading.
    fn kept(
        &self,
        version: &ItemVersionId,
        places: &BTreeSet<&ParticipationId>,
        purpose: Option<Purpose>,
    ) -> Option<KeptFrom> {
        // A statutory record opens for protection alone; a purpose that is not recorded could be that one.
        if purpose.is_some_and(|p| p != Purpose::Protection) {
            return Some(KeptFrom::default());
        }
        let mut all = KeptFrom::default();
        for file in &self.facts.statutes {
            let draft = file.record.draft();
            if !draft.items.contains(version)
                || !draft.recipients.iter().any(|r| places.contains(&r.participation))
            {
                continue;
            }
            let kept = kept_from(&file.record, &file.events, &self.facts.person, self.now);
            if kept.anybody() && file.author != self.me.id && !file.names(&self.me.id) {
                return None;
            }
            all.parents |= kept.parents;
            all.young_person |= kept.young_person;
        }
        Some(all)
    }

    /// One version that was opened: its author is known, and it came to the reader by nobody hidden.
    fn version(
        &self,
        version: &ItemVersionId,
        reader: &AssignmentId,
        purpose: Option<Purpose>,
    ) -> Option<Opened> {
        let (item, _): (&ItemFacts, _) = self.facts.version(version)?;
        let author = self.facts.participation(&item.author)?;
        if !self.knows(author) {
            return None;
        }
        let places: BTreeSet<_> = self.places(reader).map(|p| &p.id).collect();
        let sharers: Vec<&ParticipationFacts> = self
            .facts
            .shares
            .iter()
            .filter(|s| {
                s.versions.contains(version) && s.recipients.iter().any(|r| places.contains(&r.participation))
            })
            .filter_map(|s| self.facts.participation(&s.sharer))
            .collect();
        // Without a share it was opened as the reader's own service's.
        if !sharers.is_empty() && !sharers.iter().any(|p| self.knows(p)) {
            return None;
        }
        let kept = self.kept(version, &places, purpose)?;
        let mut through = sharers.into_iter().chain(std::iter::once(author));
        let of_hidden = through.clone().any(|p| p.existence != Existence::Open);
        let of_own_service = through.any(|p| self.own_service(p));
        Some(Opened { category: item.category, kept, of_own_service, of_hidden })
    }

    /// What may be told of an opening; empty when nothing.
    fn opened(&self, body: &LeafBody, detail: &Detail) -> Vec<Opened> {
        let mut seen: Vec<Opened> = detail
            .versions
            .iter()
            .filter_map(|v| self.version(v, &detail.assignment, body.purpose))
            .collect();
        // The identity sheet is no version: it is told unless the category can come from an item that was returned. A
        // list shows names beside what it lists, and opens no identity sheet.
        let from_item = detail
            .versions
            .iter()
            .any(|v| self.facts.version(v).is_none_or(|(item, _)| item.category == Category::Identity));
        if body.categories.contains(&Category::Identity) && !from_item && !body.action.lists() {
            seen.push(Opened {
                category: Category::Identity,
                kept: KeptFrom::default(),
                of_own_service: false,
                of_hidden: false,
            });
        }
        seen
    }

    /// Whether the whole record, as it was hashed, tells the standpoint nothing that is hidden from it.
    ///
    /// THREAT: a record says more than its line: refusals within a list, the share and the accord on which a permit
    /// rests, whether the law was used. Each must be known already, or the record stays with the auditor.
    fn may_take(&self, body: &LeafBody, detail: &Detail) -> bool {
        let known = |id: &ParticipationId| self.facts.participation(id).is_some_and(|p| self.knows(p));
        let basis_known = body.basis.iter().all(|basis| {
            let mut parts = basis.split(':');
            match (parts.next(), parts.next()) {
                (Some("own"), None) => true,
                (Some("share"), Some(id)) => {
                    self.facts.shares.iter().any(|s| s.id.as_str() == id && known(&s.sharer))
                }
                (Some("accord"), Some(id)) => self.facts.accords.iter().any(|a| {
                    let collector = a.facts().collected_by();
                    a.facts().id().as_str() == id && self.knows_reader(collector)
                }),
                _ => false,
            }
        });
        // A list decides on one thing more than it shows, to know whether there is a next page.
        let decided: u64 = body
            .facts
            .iter()
            .filter(|entry| entry.facts.is_some() || entry.reason == Reason::OwnItem)
            .map(|entry| u64::from(entry.objects))
            .sum();
        tells_no_refusal(body)
            && basis_known
            && u64::try_from(detail.versions.len()) == Ok(decided)
            && !detail.versions.is_empty()
            && detail
                .versions
                .iter()
                .all(|v| self.version(v, &detail.assignment, body.purpose).is_some_and(|o| !o.kept.anybody()))
    }

    /// Every opening that may be known, oldest first.
    pub fn openings(&self, app: &App, scene: &mut Scene<'_>) -> Result<Vec<Opening>, ServiceError> {
        let mut pseudonyms = Vec::new();
        for year in self.facts.opened_at.utc().year()..=self.now.utc().year() {
            let year = u16::try_from(year).map_err(ServiceError::internal)?;
            // A destroyed key has unlinked its year: those records are nobody's any more.
            if let Some(key) = app.pseudonym_key_in(scene.snapshot, RetentionClass::Disclosure, year)? {
                pseudonyms.push(key.pathway(&self.facts.id).to_string());
            }
        }
        let mut found = Vec::new();
        for (index, text, ciphertext) in scene.snapshot.log_of_pathway(&pseudonyms, self.facts.opened_at)? {
            let body = LeafBody::parse(&text).map_err(ServiceError::internal)?;
            let opens = body.decision == Verdict::Permit && opens_content(body.action, body.resource);
            let (true, Some(commit), Some(organisation), Some(profession)) = (
                opens && !body.categories.is_empty(),
                body.detail_commit,
                body.organisation.clone(),
                body.profession,
            ) else {
                continue;
            };
            let place = HEXLOWER.encode(&commit);
            let plain = scene.key.open(detail_place(&place), &ciphertext).map_err(|_| unreadable())?;
            let Some(detail) = read_detail(std::str::from_utf8(&plain).map_err(|_| unreadable())?)? else {
                continue;
            };
            if !self.knows_reader(&detail.assignment) {
                continue;
            }
            let opened = self.opened(&body, &detail);
            if !opened.is_empty() {
                let receipt = self.may_take(&body, &detail).then(|| u64::try_from(index).ok()).flatten();
                found.push(Opening {
                    receipt,
                    on: body.at.paris_day(),
                    organisation,
                    profession,
                    assignment: detail.assignment,
                    purpose: body.purpose,
                    opened,
                    for_family: for_family(body.resource),
                });
            }
        }
        Ok(found)
    }
}

/// Whether a record tells of permits only, and of none that rests on the law or on an emergency: who was refused what, for
/// which reason, that the law was used, and what the record of an emergency keeps of authors who were not shown are
/// nobody's but the auditor's (DESIGN §4).
pub(super) fn tells_no_refusal(body: &LeafBody) -> bool {
    body.decision == Verdict::Permit
        && body.facts.iter().all(|entry| {
            entry.permitted
                && entry.reason != Reason::Statute
                && entry.reason != Reason::Emergency
                && entry.facts.is_none_or(|facts| facts.statute == StatuteFact::None)
        })
}

/// Whether a record of this kind can have put content before somebody's eyes. The list of items shows their words; other
/// lists do not.
const fn opens_content(action: Action, resource: ResourceKind) -> bool {
    action.shows_content()
        && (!action.lists() || matches!(resource, ResourceKind::Item | ResourceKind::ActionItem))
}

/// Papers that are made for one member of the family: the sheets that one signs, the people, the family's own sheets.
const fn for_family(resource: ResourceKind) -> bool {
    matches!(
        resource,
        ResourceKind::Accord
            | ResourceKind::Release
            | ResourceKind::Holder
            | ResourceKind::Impossibility
            | ResourceKind::Consultations
            | ResourceKind::Deferral
            | ResourceKind::Share
    )
}
