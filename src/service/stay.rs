//! The stay sheet (S1): what a stay organiser reads and prints, and nothing else.
//!
//! INVARIANTS
//! * Only what the gates open to the organiser for the purpose of a stay; no author, no circle, no count of anything
//!   else, whoever wrote it (R13, S11).
//! * Printing is an act of its own in the log, and obliges to give back or destroy the paper (LAW §7).
//!
//! It renders nothing: the page does.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::Serialize;
use utoipa::ToSchema;

use super::flow::Act;
use super::members::place_holders;
use super::reading::{ItemView, known, readable, views};
use super::shares::over;
use super::who::{Names, iso, last_day};
use super::{App, Call, ServiceError};
use crate::access::Resource;
use crate::access::facts::{ShareFacts, ShareRecipient};
use crate::audit::{Disclosed, Sealed};
use crate::charter::Charter;
use crate::domain::record::Action;
use crate::domain::vocabulary::{Category, Purpose, Role};
use crate::ids::PathwayId;

/// LAW §7, R18: the paper goes back to the parents or is destroyed at the end of the stay.
const OBLIGATION: &str = "print_return_or_destroy";

/// One thing to know during the stay, word for word.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct StayLine {
    pub category: Category,
    pub label: String,
    /// Field by field: its French name, what was written.
    pub words: Vec<StayWords>,
    /// The last day on which it holds, when one was given.
    #[schema(format = Date)]
    pub valid_until: Option<String>,
    /// Corrected since on this day: ask for the new words.
    #[schema(format = Date)]
    pub corrected_on: Option<String>,
}

/// One field of it.
#[derive(Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct StayWords {
    pub field: String,
    pub said: String,
}

impl std::fmt::Debug for StayWords {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("StayWords(…)")
    }
}

/// The sheet.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct StaySheet {
    /// The day of departure, where one was given with what is read here.
    #[schema(format = Date)]
    pub departure: Option<String>,
    /// The last day of the stay: the screen closes at its end.
    #[schema(format = Date)]
    pub until: Option<String>,
    pub lines: Vec<StayLine>,
}

fn line(view: ItemView, charter: &Charter) -> Option<StayLine> {
    let content = view.content?;
    let words = content.words(charter.sheet());
    Some(StayLine {
        category: view.category,
        label: view.label,
        words: words.into_iter().map(|(field, said)| StayWords { field, said }).collect(),
        valid_until: view.valid_until,
        corrected_on: view.corrected_on,
    })
}

/// Departure and last day.
type Period = (Option<String>, Option<String>);
type Read = ((Period, Arc<Charter>), Vec<ItemView>);

fn sheet((((departure, until), charter), items): Read) -> StaySheet {
    let mut lines: Vec<StayLine> = items.into_iter().filter_map(|view| line(view, &charter)).collect();
    lines.sort_by(|a, b| (a.category, &a.label).cmp(&(b.category, &b.label)));
    StaySheet { departure, until, lines }
}

impl App {
    /// The sheet of a stay, for whoever organises it. `act` tells whether it is read or printed.
    ///
    /// # Errors
    /// Refused, as absent, to everybody else.
    pub fn stay_sheet(
        &self,
        call: &Call,
        act: Act,
        pathway: &PathwayId,
    ) -> Result<Disclosed<StaySheet>, ServiceError> {
        self.read(call, act, pathway, |scene| {
            scene.gate.resource(Resource::Place)?;
            let facts = scene.gate.facts();
            let me = scene
                .gate
                .participation()
                .filter(|me| me.role == Role::StayOrganiser)
                .ok_or(ServiceError::AbsentOrRefused)?;
            let purpose = Some(Purpose::Stay);
            scene.purpose = purpose;
            if act.action == Action::Print {
                scene.obligations.push(OBLIGATION);
            }
            let edition = scene.gate.book().in_force(scene.now).ok_or(ServiceError::AbsentOrRefused)?;
            let charter = Arc::clone(&edition.charter);
            let mut names = Names::default();
            let (mut found, mut read) = (Vec::new(), BTreeSet::new());
            for item in &facts.items {
                let Some((grant, version)) = readable(scene, me, item, purpose) else { continue };
                let known = known(scene, me, item, version, &grant, purpose, &mut names)?;
                read.insert(version.id.clone());
                found.push((grant, known));
            }
            // One day, whoever shared: several would tell that several did (S11).
            let for_me = |r: &&ShareRecipient| {
                r.ended_at.is_none() && place_holders(facts, &r.participation).iter().any(|p| p.id == me.id)
            };
            let carries = |s: &&ShareFacts| {
                s.purpose == Purpose::Stay
                    && !over(s, scene.now)
                    && s.recipients.iter().any(|r| for_me(&r))
                    && s.versions.iter().any(|v| read.contains(v))
            };
            let departure = facts.shares.iter().filter(carries).filter_map(|s| s.departure).min();
            let until = me.until_at.and_then(last_day).map(iso);
            Ok(Sealed::all(views(scene, found)?).with(((departure.map(iso), until), charter)).map_fn(sheet))
        })
    }
}
