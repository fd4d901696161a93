//! The state of an accord at a moment, computed from its events and never stored as truth.

use super::event::{Event, EventKind};
use super::fact::{ConsentFile, file_turns};
use super::facts::{Accord, Line, RecipientKey};
use super::judge::{EndsBy, Judged, Sheet, awaited, judge, turning_points};
use super::objection::{Negative, Target, Whom};
use super::signatories::Awaited;
use crate::clock::Timestamp;
use crate::domain::cell::Need;
use crate::domain::vocabulary::Category;
use crate::ids::{AccordId, AccordLineId};

/// The first moment at which time alone ends what stands, and why it does.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct End {
    pub at: Timestamp,
    pub by: EndsBy,
}

/// Where an accord, or one line of it, stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AccordState {
    Draft,
    Printed {
        at: Timestamp,
    },
    /// Somebody signed, somebody is awaited.
    PartlySigned {
        awaited: Vec<Awaited>,
    },
    /// Fully signed; its first day is still to come.
    Upcoming {
        from: Timestamp,
        awaited: Vec<Awaited>,
    },
    /// `end` is none where time alone ends nothing. `awaited` holds lines that lack a signature.
    InForce {
        end: Option<End>,
        awaited: Vec<Awaited>,
    },
    Refused {
        at: Timestamp,
    },
    Withdrawn {
        at: Timestamp,
    },
    Expired,
    Replaced {
        at: Timestamp,
        by: AccordId,
    },
}

/// One line and where it stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LineStatus {
    pub line: AccordLineId,
    pub state: AccordState,
    /// What a line that nobody signed yet waits for; of one that somebody signed, its state says it.
    pub unsigned: Option<Awaited>,
}

/// The accord as a whole, and line by line (a line that lacks a signature counts as missing, the others stand).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AccordStatus {
    pub state: AccordState,
    pub lines: Vec<LineStatus>,
}

/// `needs` says what the charter asks for a recipient and a subject; it decides who must sign each line.
#[must_use]
pub fn state(
    accord: &Accord,
    file: &ConsentFile<'_>,
    needs: &dyn Fn(&RecipientKey, Category) -> Need,
    now: Timestamp,
) -> AccordStatus {
    let resting = resting(accord.events(), now);
    let lines: Vec<LineStatus> = accord
        .facts()
        .lines()
        .iter()
        .map(|line| line_status(accord, line, file, needs, now, &resting))
        .collect();
    let state = whole(&lines, resting);
    AccordStatus { state, lines }
}

fn line_status(
    accord: &Accord,
    line: &Line,
    file: &ConsentFile<'_>,
    needs: &dyn Fn(&RecipientKey, Category) -> Need,
    now: Timestamp,
    resting: &AccordState,
) -> LineStatus {
    let need = line.subjects().map(|c| needs(&line.recipient, c)).max().unwrap_or(Need::Opening);
    let mut subjects = line.subjects();
    let category = subjects.next().filter(|first| subjects.all(|c| c == *first));
    let target = Target {
        recipient: &line.recipient,
        whom: line.only_assignment.as_ref().map_or(Whom::Line, Whom::One),
        category,
        purpose: accord.facts().purpose(),
        version: None,
        need,
    };
    let sheet = accord.sheet();
    let state = sheet_state(file, &sheet, line, &target, now, resting);
    let unsigned = match state {
        AccordState::Draft | AccordState::Printed { .. } => awaited(file, &sheet, line, &target, now),
        AccordState::PartlySigned { .. }
        | AccordState::Upcoming { .. }
        | AccordState::InForce { .. }
        | AccordState::Refused { .. }
        | AccordState::Withdrawn { .. }
        | AccordState::Expired
        | AccordState::Replaced { .. } => None,
    };
    LineStatus { line: line.id.clone(), state, unsigned }
}

/// What a sheet is before anybody signs it.
fn resting(events: &[Event], now: Timestamp) -> AccordState {
    let printed = |e: &&Event| e.at() <= now && matches!(e.kind(), EventKind::Printed);
    let first = events.iter().filter(printed).map(Event::at).min();
    first.map_or(AccordState::Draft, |at| AccordState::Printed { at })
}

/// The state of a sheet of one line, as a release is.
pub(crate) fn only_line_state(
    file: &ConsentFile<'_>,
    sheet: &Sheet<'_>,
    line: &Line,
    target: &Target<'_>,
    now: Timestamp,
) -> AccordState {
    sheet_state(file, sheet, line, target, now, &resting(sheet.events, now))
}

fn sheet_state(
    file: &ConsentFile<'_>,
    sheet: &Sheet<'_>,
    line: &Line,
    target: &Target<'_>,
    now: Timestamp,
    resting: &AccordState,
) -> AccordState {
    match judge(file, sheet, line, target, now) {
        Judged::Incomplete { begun: false } => resting.clone(),
        Judged::Incomplete { begun: true } => AccordState::PartlySigned {
            awaited: awaited(file, sheet, line, target, now).into_iter().collect(),
        },
        Judged::Upcoming => {
            AccordState::Upcoming { from: Timestamp::paris_midnight(sheet.starts), awaited: Vec::new() }
        }
        Judged::InForce { .. } => {
            let mut turns = file_turns(file);
            turning_points(file, sheet, &mut turns);
            let ended = |at: Timestamp| match judge(file, sheet, line, target, at) {
                Judged::InForce { .. } => None,
                Judged::Expired { by, .. } => Some(End { at, by }),
                Judged::Incomplete { .. }
                | Judged::Upcoming
                | Judged::Closed { .. }
                | Judged::Replaced { .. } => Some(End { at, by: EndsBy::Change }),
            };
            let end = turns.into_iter().filter(|t| *t > now).find_map(ended);
            AccordState::InForce { end, awaited: Vec::new() }
        }
        Judged::Closed { at, negative: Negative::Refused } => AccordState::Refused { at },
        Judged::Closed { at, negative: Negative::Withdrawn } => AccordState::Withdrawn { at },
        Judged::Expired { .. } => AccordState::Expired,
        Judged::Replaced { at } => match replaced_by(sheet.events) {
            Some(by) => AccordState::Replaced { at, by },
            None => AccordState::Expired,
        },
    }
}

fn replaced_by(events: &[Event]) -> Option<AccordId> {
    events.iter().find_map(|e| match e.kind() {
        EventKind::Replaced { by } => Some(by.clone()),
        EventKind::Printed
        | EventKind::Signed(_)
        | EventKind::SheetSigned { .. }
        | EventKind::Opinion { .. }
        | EventKind::Refused { .. }
        | EventKind::Withdrawn { .. }
        | EventKind::Opposed { .. }
        | EventKind::TalkHeld { .. } => None,
    })
}

/// The accord stands while one line does; else the most telling line speaks for it.
fn whole(lines: &[LineStatus], resting: AccordState) -> AccordState {
    const fn rank(state: &AccordState) -> u8 {
        match state {
            AccordState::InForce { .. } => 8,
            AccordState::Upcoming { .. } => 7,
            AccordState::PartlySigned { .. } => 6,
            AccordState::Withdrawn { .. } => 5,
            AccordState::Refused { .. } => 4,
            AccordState::Expired => 3,
            AccordState::Replaced { .. } => 2,
            AccordState::Printed { .. } => 1,
            AccordState::Draft => 0,
        }
    }
    let waiting: Vec<Awaited> = lines
        .iter()
        .flat_map(|l| match &l.state {
            AccordState::PartlySigned { awaited } => awaited.clone(),
            AccordState::Draft
            | AccordState::Printed { .. }
            | AccordState::Upcoming { .. }
            | AccordState::InForce { .. }
            | AccordState::Refused { .. }
            | AccordState::Withdrawn { .. }
            | AccordState::Expired
            | AccordState::Replaced { .. } => Vec::new(),
        })
        .collect();
    match lines.iter().map(|l| &l.state).max_by_key(|s| rank(s)) {
        None => resting,
        Some(AccordState::InForce { .. }) => AccordState::InForce {
            // The whole stands until its first line ends.
            end: lines
                .iter()
                .filter_map(|l| match &l.state {
                    AccordState::InForce { end, .. } => *end,
                    AccordState::Draft
                    | AccordState::Printed { .. }
                    | AccordState::PartlySigned { .. }
                    | AccordState::Upcoming { .. }
                    | AccordState::Refused { .. }
                    | AccordState::Withdrawn { .. }
                    | AccordState::Expired
                    | AccordState::Replaced { .. } => None,
                })
                .min(),
            awaited: waiting,
        },
        Some(AccordState::Upcoming { from, .. }) => AccordState::Upcoming { from: *from, awaited: waiting },
        Some(AccordState::PartlySigned { .. }) => AccordState::PartlySigned { awaited: waiting },
        Some(other) => other.clone(),
    }
}
