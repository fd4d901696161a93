//! The chronology: each line as its object, decided and filtered like it; no words beyond the labels of items that the
//! reader may read.

use serde::Serialize;
use utoipa::ToSchema;

use super::app::App;
use super::error::ServiceError;
use super::flow::{Act, Call, Scene};
use super::reading::readable;
use super::who::{Names, Who};
use crate::access::facts::{ParticipationFacts, PathwayFacts};
use crate::access::{ItemGrant, Resource, may_know, purposes_open_to, sees_in_circle};
use crate::audit::{Disclosed, Sealed};
use crate::clock::Timestamp;
use crate::domain::accord::{Accord, AccordState, RecipientKey, state};
use crate::domain::cell::Need;
use crate::domain::record::{Action, ResourceKind, RowRef};
use crate::domain::text::{EntryError, FieldErrors};
use crate::domain::vocabulary::{Category, Purpose, Step, code_enum};
use crate::ids::PathwayId;
use crate::store::fact::FactKind;
use crate::store::item::Words;
use crate::store::pathway::CourseBody;

/// Lines of one page.
const PAGE: usize = 50;

code_enum! {
    /// What happened.
    Happened, "kind of line" {
        Opened = "opened", "Ouverture du parcours";
        Step = "step", "Étape";
        Closed = "closed", "Clôture du parcours";
        Joined = "joined", "Entrée dans le cercle";
        Left = "left", "Sortie du cercle";
        Written = "written", "Élément";
        AccordInForce = "accord_in_force", "Accord en cours";
        AccordWaiting = "accord_waiting", "Accord à recueillir";
        AccordOver = "accord_over", "Accord terminé";
        Shared = "shared", "Partage";
        ShareEnded = "share_ended", "Fin d'un partage";
        HandoverAsked = "handover_asked", "Passage de relais proposé";
        HandoverDone = "handover_done", "Passage de relais fait";
    }
}

/// One line.
#[derive(Serialize, ToSchema)]
#[schema(as = ChronologyLine)]
pub struct LineView {
    #[schema(format = DateTime)]
    pub at: String,
    pub what: Happened,
    pub who: Option<Who>,
    pub step: Option<Step>,
    pub purpose: Option<Purpose>,
    pub category: Option<Category>,
    /// The object, where it has a page of its own.
    pub id: Option<String>,
    /// The label of an item that the reader may read.
    pub label: Option<String>,
}

/// A page, latest first.
#[derive(Serialize, ToSchema)]
pub struct ChronologyView {
    pub items: Vec<LineView>,
    pub next: Option<String>,
}

/// Where a line stands among all that the pathway has: its moment, and of one moment its object. A page goes on from a
/// place, whether or not the line that stood there is still shown.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    at: Timestamp,
    what: Happened,
    of: String,
}

impl Place {
    fn sealed(&self) -> String {
        format!("{} {} {}", self.at.micros(), self.what.code(), self.of)
    }

    fn opened(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, ' ');
        let at = Timestamp::from_micros(parts.next()?.parse().ok()?);
        Some(Self { at, what: Happened::parse(parts.next()?).ok()?, of: parts.next()?.to_owned() })
    }
}

/// A line before its words are fetched.
struct Draft {
    place: Place,
    view: LineView,
    grant: Option<ItemGrant>,
}

/// `of` names the object, or one of its ends, and only that one among lines of this kind.
fn line(at: Timestamp, what: Happened, of: &str) -> Draft {
    let view = LineView {
        at: at.rfc3339(),
        what,
        who: None,
        step: None,
        purpose: None,
        category: None,
        id: None,
        label: None,
    };
    Draft { place: Place { at, what, of: of.to_owned() }, view, grant: None }
}

fn labelled((mut view, words): (LineView, Words)) -> LineView {
    view.label = Some(match words {
        Words::Item(draft) => draft.label().as_str().to_owned(),
        Words::Action(action) => action.what.as_str().to_owned(),
    });
    view
}

fn page((next, items): (Option<String>, Vec<LineView>)) -> ChronologyView {
    ChronologyView { items, next }
}

fn course(scene: &mut Scene<'_>, into: &mut Vec<Draft>) -> Result<(), ServiceError> {
    let facts = scene.gate.facts();
    into.push(line(facts.opened_at, Happened::Opened, ""));
    let mut before = None;
    for (n, fact) in scene
        .snapshot
        .facts_history::<CourseBody>(scene.key, &facts.id, FactKind::Course)?
        .into_iter()
        .enumerate()
    {
        if before.is_some() && before != Some(fact.facts.step) {
            let mut one = line(fact.at, Happened::Step, &format!("{n:08}"));
            one.view.step = Some(fact.facts.step);
            into.push(one);
        }
        before = Some(fact.facts.step);
    }
    if let Some(at) = facts.closed_at {
        into.push(line(at, Happened::Closed, ""));
    }
    Ok(())
}

fn places(
    scene: &mut Scene<'_>,
    me: &ParticipationFacts,
    names: &mut Names,
    into: &mut Vec<Draft>,
) -> Result<(), ServiceError> {
    let facts = scene.gate.facts();
    for p in &facts.participations {
        let Some(joined) = p.accepted_at else { continue };
        if !sees_in_circle(facts, scene.gate.book(), me, p, scene.now) {
            continue;
        }
        let who = names.who(scene.snapshot, &p.assignment)?;
        let mut one = line(joined, Happened::Joined, p.id.as_str());
        one.view.who = Some(who.clone());
        into.push(one);
        let left = [p.ended_at, p.until_at].into_iter().flatten().filter(|t| *t <= scene.now).min();
        if let Some(at) = left {
            let mut one = line(at, Happened::Left, p.id.as_str());
            one.view.who = Some(who);
            into.push(one);
        }
        scene.returned.push(RowRef {
            table: "participation",
            id: p.id.as_str().to_owned(),
            version: p.version,
        });
    }
    Ok(())
}

fn items(scene: &mut Scene<'_>, me: &ParticipationFacts, into: &mut Vec<Draft>) {
    let facts = scene.gate.facts();
    for item in &facts.items {
        let mut doors: Vec<Option<Purpose>> = vec![None];
        doors.extend(item.versions.iter().flat_map(|v| purposes_open_to(facts, me, v)).map(Some));
        doors.dedup();
        for door in doors {
            if let Some((grant, version)) = readable(scene, me, item, door) {
                let mut one = line(version.created_at, Happened::Written, item.id.as_str());
                one.view.category = Some(item.category);
                one.view.id = Some(item.id.as_str().to_owned());
                one.grant = Some(grant);
                into.push(one);
                scene.returned.push(RowRef {
                    table: "item_version",
                    id: version.id.as_str().to_owned(),
                    version: version.number,
                });
                break;
            }
        }
    }
}

/// Whether this accord speaks only of what the reader may know: its collector, and one recipient at least.
fn knowable(scene: &Scene<'_>, me: &ParticipationFacts, accord: &Accord) -> bool {
    let facts = scene.gate.facts();
    if accord.facts().collected_by() == &me.assignment.id {
        return true;
    }
    let hidden: Vec<RecipientKey> = facts
        .participations
        .iter()
        .filter(|p| !may_know(facts, scene.gate.book(), me, p, scene.now))
        .map(|p| p.assignment.recipient_key())
        .collect();
    !hidden.contains(&accord.facts().draft().collector)
        && accord.facts().lines().iter().any(|l| !hidden.contains(&l.recipient))
}

fn accords(scene: &mut Scene<'_>, me: &ParticipationFacts, into: &mut Vec<Draft>) {
    let facts = scene.gate.facts();
    let now = scene.now;
    let book = scene.gate.book();
    // Who must sign depends on the cell; the bound row is the one that an accord is collected for.
    let needs = |key: &RecipientKey, category: Category| {
        use crate::domain::vocabulary::Secrecy;
        book.in_force(now).map_or(Need::Never, |e| {
            let secrecy = if e.matrix.row_exists(key.profession, Secrecy::NotBound) {
                Secrecy::NotBound
            } else {
                Secrecy::Bound
            };
            e.matrix.cell(key.profession, secrecy, category).need()
        })
    };
    for accord in &facts.accords {
        let id = accord.facts().id();
        if !knowable(scene, me, accord) || scene.gate.resource(Resource::AccordOutline(id.clone())).is_err() {
            continue;
        }
        let at = accord
            .events()
            .last()
            .map_or_else(|| Timestamp::paris_midnight(accord.facts().starts()), |e| e.at())
            .min(now);
        let what = match state(accord, &facts.consent(), &needs, now).state {
            AccordState::InForce { .. } => Happened::AccordInForce,
            AccordState::Draft
            | AccordState::Printed { .. }
            | AccordState::PartlySigned { .. }
            | AccordState::Upcoming { .. } => Happened::AccordWaiting,
            // LAW §5: a refusal stays between the family and who collected it.
            AccordState::Refused { .. }
            | AccordState::Withdrawn { .. }
            | AccordState::Expired
            | AccordState::Replaced { .. } => Happened::AccordOver,
        };
        let mut one = line(at, what, id.as_str());
        one.view.purpose = Some(accord.facts().purpose());
        one.view.id = Some(id.as_str().to_owned());
        into.push(one);
    }
}

fn shares(facts: &PathwayFacts, me: &ParticipationFacts, now: Timestamp, into: &mut Vec<Draft>) {
    for share in &facts.shares {
        let mine = share.sharer == me.id;
        let to_me = share.recipients.iter().find(|r| r.participation == me.id);
        if (!mine && to_me.is_none()) || share.starts > now {
            continue;
        }
        let mut one = line(share.starts, Happened::Shared, share.id.as_str());
        one.view.purpose = Some(share.purpose);
        // Only the sharer has a page of the share; a recipient has the items.
        one.view.id = mine.then(|| share.id.as_str().to_owned());
        into.push(one);
        let own_end = to_me.filter(|_| !mine).and_then(|r| r.ended_at);
        let end = [Some(share.ends), share.ended_at, own_end].into_iter().flatten().min();
        if let Some(at) = end.filter(|t| *t <= now) {
            let mut one = line(at, Happened::ShareEnded, share.id.as_str());
            one.view.purpose = Some(share.purpose);
            into.push(one);
        }
    }
}

fn handovers(scene: &Scene<'_>, me: &ParticipationFacts, into: &mut Vec<Draft>) {
    let facts = scene.gate.facts();
    let known = |id| {
        facts.participation(id).is_some_and(|p| sees_in_circle(facts, scene.gate.book(), me, p, scene.now))
    };
    for h in facts.handovers.iter().filter(|h| known(&h.outgoing) && known(&h.incoming)) {
        let done = h.outgoing_confirmed_at.max(h.incoming_confirmed_at).filter(|_| h.complete());
        let share = facts.shares.iter().find(|s| s.id == h.share).map(|s| s.starts);
        let mut one = match (done, h.accepted_at.or(share)) {
            (Some(at), _) => line(at, Happened::HandoverDone, h.id.as_str()),
            (None, Some(at)) => line(at, Happened::HandoverAsked, h.id.as_str()),
            (None, None) => continue,
        };
        one.view.id = (h.outgoing == me.id || h.incoming == me.id).then(|| h.id.as_str().to_owned());
        into.push(one);
    }
}

/// A cursor of a version that counted lines.
fn no_place() -> ServiceError {
    let expected = "la valeur `next` de la page précédente, telle quelle";
    FieldErrors::one("cursor", EntryError::WrongType { expected }).into()
}

impl App {
    /// What happened on a pathway, as far as the reader may know it, latest first.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn chronology(
        &self,
        call: &Call,
        pathway: &PathwayId,
        cursor: Option<&str>,
    ) -> Result<Disclosed<ChronologyView>, ServiceError> {
        let query = format!("chronology {pathway}");
        let act = Act { action: Action::List, resource: ResourceKind::Chronology };
        self.read(call, act, pathway, |scene| {
            scene.gate.resource(Resource::Chronology)?;
            let me = scene.gate.participation().ok_or(ServiceError::AbsentOrRefused)?;
            let before = match cursor {
                None => None,
                Some(cursor) => {
                    let place = self.open_cursor(call, query.as_bytes(), cursor)?;
                    Some(Place::opened(&String::from_utf8_lossy(&place)).ok_or_else(no_place)?)
                }
            };
            let mut names = Names::default();
            let mut drafts = Vec::new();
            course(scene, &mut drafts)?;
            places(scene, me, &mut names, &mut drafts)?;
            items(scene, me, &mut drafts);
            accords(scene, me, &mut drafts);
            shares(scene.gate.facts(), me, scene.now, &mut drafts);
            handovers(scene, me, &mut drafts);
            drafts.retain(|d| before.as_ref().is_none_or(|before| d.place < *before));
            drafts.sort_by(|a, b| b.place.cmp(&a.place));
            let more = drafts.len() > PAGE;
            drafts.truncate(PAGE);
            let next = match drafts.last().filter(|_| more) {
                None => None,
                Some(last) => {
                    Some(self.seal_cursor(call, query.as_bytes(), last.place.sealed().as_bytes())?)
                }
            };
            let mut lines: Vec<Sealed<LineView>> = Vec::with_capacity(drafts.len());
            for draft in drafts {
                lines.push(match draft.grant {
                    Some(grant) => scene.snapshot.item_words(grant)?.with(draft.view).map_fn(labelled),
                    None => scene.seal_facts(draft.view),
                });
            }
            Ok(Sealed::all(lines).with(next).map_fn(page))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_reads_back_and_orders_moments_before_objects() {
        let place = |at, what, of: &str| Place { at: Timestamp::from_micros(at), what, of: of.to_owned() };
        let in_order = [
            place(-5, Happened::Shared, "b"),
            place(0, Happened::Opened, ""),
            place(0, Happened::Written, "a"),
            place(0, Happened::Written, "b"),
            place(7, Happened::Opened, ""),
        ];
        for pair in in_order.windows(2) {
            assert!(pair[0] < pair[1], "{} {}", pair[0].sealed(), pair[1].sealed());
        }
        for place in in_order {
            assert_eq!(Place::opened(&place.sealed()).map(|p| p.sealed()), Some(place.sealed()));
        }
        // A cursor that counted lines is none.
        assert!(["17", "", "7 somewhere a", "x opened "].iter().all(|text| Place::opened(text).is_none()));
    }
}
