//! One line of one sheet (accord or release) at one moment: is it signed by all who must, does it stand, did it end.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use serde::Serialize;

use super::event::{Event, EventKind, How, Opinion, Signatory};
use super::fact::ConsentFile;
use super::facts::{ACCORD_MONTHS, Line, LineKind};
use super::objection::{Negative, Objection, Target, objections, objectors};
use super::signatories::{
    Awaited, Required, SignatorySlot, SigningQuestion, required_signatories, signed_ahead,
};
use crate::clock::{self, Timestamp};
use crate::domain::cell::Need;
use crate::domain::vocabulary::Purpose;
use crate::ids::{AccordId, AssignmentId, HolderId, ReleaseId};

/// LAW §5: an oral or telephone accord lapses after 21 days without a signed sheet.
const ORAL_DAYS: u64 = 21;
/// STORIES S5: an accord signed ahead of majority lapses 30 days after the birthday unless confirmed.
const AHEAD_DAYS: u64 = 30;

/// Why a line that stands stops. Of two reasons at one moment the first is told.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EndsBy {
    /// The last day that the sheet names.
    Term,
    /// What was said aloud lapses without a signed sheet.
    OralLapse,
    /// What was signed ahead of majority lapses unless the young person, of age, signs again.
    Confirmation,
    /// What others signed stops when the young person decides alone.
    Majority,
    /// Something else on record that takes effect then.
    Change,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum SheetRef<'a> {
    Accord(&'a AccordId),
    Release(&'a ReleaseId),
}

/// What accords and releases have in common.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sheet<'a> {
    pub id: SheetRef<'a>,
    pub purpose: Purpose,
    pub starts: NaiveDate,
    pub ends: Option<NaiveDate>,
    pub collected_by: &'a AssignmentId,
    pub lines: &'a [Line],
    pub events: &'a [Event],
}

/// The verdict on one line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Judged {
    Incomplete {
        begun: bool,
    },
    Upcoming,
    /// `informed`: signed on paper by all, so that the words shown count as shown.
    InForce {
        informed: bool,
        signed_on: NaiveDate,
    },
    Expired {
        signed_on: NaiveDate,
        by: EndsBy,
    },
    Closed {
        at: Timestamp,
        negative: Negative,
    },
    Replaced {
        at: Timestamp,
    },
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum By {
    Young,
    Opinion,
    Talk { maintained: bool },
    Holder(HolderId),
}

#[derive(Clone, Debug)]
struct Act {
    by: By,
    /// When it counts against objections.
    effective: Timestamp,
    /// The Paris day at which ages and periods are taken.
    day: NaiveDate,
    paper: bool,
    lapses: Option<Timestamp>,
}

impl Sheet<'_> {
    /// The first moment at which the sheet counts no more; never over twelve months, whatever is stored.
    fn ends_at(&self) -> Option<Timestamp> {
        let ends = self.ends?;
        let latest = clock::plus_months(self.starts, ACCORD_MONTHS).unwrap_or(self.starts);
        Some(Timestamp::paris_midnight(ends.min(latest)))
    }
}

pub(crate) fn judge<'a>(
    file: &ConsentFile<'a>,
    sheet: &Sheet<'a>,
    line: &'a Line,
    target: &Target<'_>,
    now: Timestamp,
) -> Judged {
    if let Some(at) = replaced_at(sheet, now) {
        return Judged::Replaced { at };
    }
    let objections = objections(file, Some((sheet.id, line)), target, now);
    let bench = Bench { file, sheet, line, target, now, objections: &objections };
    let acts = acts(sheet, line, now);
    match file.people.person.decides_alone_from() {
        Some(alone_from) if now.paris_day() >= alone_from => bench.judge_adult(&acts, alone_from),
        Some(_) | None => bench.judge_minor(&acts),
    }
}

fn replaced_at(sheet: &Sheet<'_>, now: Timestamp) -> Option<Timestamp> {
    sheet
        .events
        .iter()
        .filter(|e| e.at() <= now && matches!(e.kind(), EventKind::Replaced { .. }))
        .map(Event::at)
        .min()
}

/// The latest of the objections that defeat; at equal moments a withdrawal is named before a refusal.
pub(crate) fn latest<'o, 'a: 'o>(
    objections: impl Iterator<Item = &'o Objection<'a>>,
) -> Option<(Timestamp, Negative)> {
    objections.map(|o| (o.at, o.negative)).max()
}

/// What one line still waits for today; `None` when nothing does.
pub(crate) fn awaited<'a>(
    file: &ConsentFile<'a>,
    sheet: &Sheet<'a>,
    line: &'a Line,
    target: &Target<'_>,
    now: Timestamp,
) -> Option<Awaited> {
    let objections = objections(file, Some((sheet.id, line)), target, now);
    let bench = Bench { file, sheet, line, target, now, objections: &objections };
    let hard = latest(objections.iter().filter(|o| !o.suspends));
    let acts: Vec<Act> = bench
        .opinions_of_today(later_than(&acts(sheet, line, now), hard))
        .into_iter()
        .filter(|a| bench.alive(a))
        .collect();
    let today = now.paris_day();
    let missing = |slots: &[SignatorySlot]| -> Vec<SignatorySlot> {
        slots.iter().filter(|s| !bench.meets(s, &acts, today)).cloned().collect()
    };
    match bench.required(today) {
        Err(reason) => Some(Awaited {
            line: line.id.clone(),
            all_of: Vec::new(),
            any_of: Vec::new(),
            unestablished: Some(reason),
        }),
        Ok(required) => {
            let all_of = missing(&required.all_of);
            let groups: Vec<_> = required.any_of.iter().map(|g| missing(g)).collect();
            let any_of = if groups.iter().any(Vec::is_empty) { Vec::new() } else { groups };
            (!all_of.is_empty() || !any_of.is_empty()).then(|| Awaited {
                line: line.id.clone(),
                all_of,
                any_of,
                unestablished: None,
            })
        }
    }
}

/// Every moment at which time alone could change what this sheet gives. More moments than needed cost a decision
/// again, fewer would let one outlive its facts.
pub(crate) fn turning_points(file: &ConsentFile<'_>, sheet: &Sheet<'_>, into: &mut BTreeSet<Timestamp>) {
    into.insert(Timestamp::paris_midnight(sheet.starts));
    into.extend(sheet.ends_at());
    for event in sheet.events {
        into.insert(event.at());
        if let EventKind::Signed(signed) = event.kind()
            && !matches!(signed.how, How::Paper { .. })
        {
            into.extend(oral_lapse(signed.on));
        }
    }
    let person = file.people.person;
    if person.majority_day() == Some(sheet.starts) {
        into.extend(clock::plus_days(sheet.starts, AHEAD_DAYS).map(Timestamp::paris_midnight));
    }
}

fn oral_lapse(on: NaiveDate) -> Option<Timestamp> {
    clock::plus_days(on, ORAL_DAYS).map(Timestamp::paris_midnight)
}

/// The signatures, opinions and talks of one line recorded up to `now`.
fn acts(sheet: &Sheet<'_>, line: &Line, now: Timestamp) -> Vec<Act> {
    let visible: Vec<&Event> = sheet.events.iter().filter(|e| e.at() <= now).collect();
    let mut found = Vec::new();
    for event in &visible {
        match event.kind() {
            EventKind::Signed(signed) if signed.lines.contains(&line.id) => {
                let paper = matches!(signed.how, How::Paper { .. });
                let lapses = if paper || sheet_follows(&visible, &signed.by, signed.on) {
                    None
                } else {
                    Some(oral_lapse(signed.on).unwrap_or(event.at()))
                };
                found.push(Act {
                    by: by(&signed.by),
                    effective: event.effective(signed.on),
                    day: signed.on,
                    paper,
                    lapses,
                });
            }
            EventKind::SheetSigned { by: who, on, .. } if confirms(&visible, event, who, *on, line) => {
                found.push(Act {
                    by: by(who),
                    effective: event.effective(*on),
                    day: *on,
                    paper: true,
                    lapses: None,
                });
            }
            EventKind::Opinion { opinion: Opinion::Favourable | Opinion::NoOpinion, on } => {
                found.push(Act {
                    by: By::Opinion,
                    effective: event.effective(*on),
                    day: *on,
                    paper: true,
                    lapses: None,
                });
            }
            // LAW §5: the talk is held by who collected the accord.
            EventKind::TalkHeld { by, maintained } if by == sheet.collected_by => found.push(Act {
                by: By::Talk { maintained: *maintained },
                effective: event.at(),
                day: event.at().paris_day(),
                paper: true,
                lapses: None,
            }),
            EventKind::Signed(_)
            | EventKind::SheetSigned { .. }
            | EventKind::Opinion { .. }
            | EventKind::TalkHeld { .. }
            | EventKind::Printed
            | EventKind::Refused { .. }
            | EventKind::Withdrawn { .. }
            | EventKind::Opposed { .. }
            | EventKind::Replaced { .. } => {}
        }
    }
    // Events of equal moments in any order give the same answer.
    found.sort_by_key(|a| (a.day, a.effective));
    found
}

fn by(signatory: &Signatory) -> By {
    match signatory {
        Signatory::YoungPerson => By::Young,
        Signatory::Holder(id) => By::Holder(id.clone()),
    }
}

/// Whether this person signed a sheet within the 21 days that follow an oral signature.
fn sheet_follows(visible: &[&Event], who: &Signatory, oral_on: NaiveDate) -> bool {
    let before = clock::plus_days(oral_on, ORAL_DAYS);
    visible.iter().any(|e| match e.kind() {
        EventKind::SheetSigned { by, on, .. } => {
            by == who && *on >= oral_on && before.is_some_and(|b| *on < b)
        }
        EventKind::Printed
        | EventKind::Signed(_)
        | EventKind::Opinion { .. }
        | EventKind::Refused { .. }
        | EventKind::Withdrawn { .. }
        | EventKind::Opposed { .. }
        | EventKind::TalkHeld { .. }
        | EventKind::Replaced { .. } => false,
    })
}

/// A sheet confirms what its signatory said aloud before, line by line.
fn confirms(visible: &[&Event], sheet: &Event, who: &Signatory, on: NaiveDate, line: &Line) -> bool {
    visible.iter().any(|e| match e.kind() {
        EventKind::Signed(s) => {
            s.by == *who
                && !matches!(s.how, How::Paper { .. })
                && s.lines.contains(&line.id)
                && s.on <= on
                && e.at() <= sheet.at()
        }
        EventKind::Printed
        | EventKind::SheetSigned { .. }
        | EventKind::Opinion { .. }
        | EventKind::Refused { .. }
        | EventKind::Withdrawn { .. }
        | EventKind::Opposed { .. }
        | EventKind::TalkHeld { .. }
        | EventKind::Replaced { .. } => false,
    })
}

fn later_than(acts: &[Act], objection: Option<(Timestamp, Negative)>) -> Vec<Act> {
    // INVARIANT: at equal moments the objection is the later one.
    acts.iter().filter(|a| objection.is_none_or(|(at, _)| a.effective > at)).cloned().collect()
}

struct Bench<'b, 'a> {
    file: &'b ConsentFile<'a>,
    sheet: &'b Sheet<'a>,
    line: &'b Line,
    target: &'b Target<'b>,
    now: Timestamp,
    objections: &'b [Objection<'a>],
}

impl Bench<'_, '_> {
    fn judge_minor(&self, all: &[Act]) -> Judged {
        let hard = latest(self.objections.iter().filter(|o| !o.suspends));
        let acts = later_than(all, hard);
        if let Some(at) = self.suspended(&acts) {
            return Judged::Closed { at, negative: Negative::Refused };
        }
        let acts = self.opinions_of_today(acts);
        let live: Vec<Act> = acts.iter().filter(|a| self.alive(a)).cloned().collect();
        self.verdict(&live, &acts, hard, all, None)
    }

    fn judge_adult(&self, all: &[Act], alone_from: NaiveDate) -> Judged {
        // LAW: C. civ. 414, LAW §5. Midnight of the birthday ends all that others signed.
        let hard = latest(self.objections.iter().filter(|o| !o.suspends));
        if self.sheet.starts < alone_from {
            let as_minor: Vec<Act> =
                later_than(all, hard).into_iter().filter(|a| a.day < alone_from).collect();
            if self.suspended(&as_minor).is_none()
                && let Some(signed_on) = self.completion(&self.opinions_of_today(as_minor))
            {
                return Judged::Expired { signed_on, by: self.unless_over(EndsBy::Majority) };
            }
            // LAW §5: a new accord is required; one that began before is not finished afterwards.
            return self.verdict(&[], &[], hard, all, None);
        }
        let mine = |a: &&Act| {
            a.by == By::Young
                && (a.day >= alone_from || signed_ahead(&self.file.people, a.day, self.sheet.starts))
        };
        let own_no =
            latest(self.objections.iter().filter(|o| !o.suspends && matches!(o.by, Signatory::YoungPerson)));
        let acts: Vec<Act> = later_than(all, own_no).iter().filter(mine).cloned().collect();
        let confirmed = acts.iter().any(|a| a.day >= alone_from);
        // STORIES S5: signed ahead, it lapses 30 days after the birthday unless confirmed by a signature given as an
        // adult.
        let lapse = if confirmed {
            None
        } else {
            Some(
                clock::plus_days(self.sheet.starts, AHEAD_DAYS)
                    .map_or(Timestamp::paris_midnight(self.sheet.starts), Timestamp::paris_midnight),
            )
        };
        let live: Vec<Act> = acts.iter().filter(|a| self.alive(a)).cloned().collect();
        self.verdict(&live, &acts, own_no.or(hard), all, lapse)
    }

    fn verdict(
        &self,
        live: &[Act],
        acts: &[Act],
        hard: Option<(Timestamp, Negative)>,
        all: &[Act],
        lapse: Option<Timestamp>,
    ) -> Judged {
        if let Some(signed_on) = self.completion(live) {
            if self.over() || lapse.is_some_and(|at| self.now >= at) {
                return Judged::Expired { signed_on, by: self.unless_over(EndsBy::Confirmation) };
            }
            if self.now < Timestamp::paris_midnight(self.sheet.starts) {
                return Judged::Upcoming;
            }
            let paper: Vec<Act> = live.iter().filter(|a| a.paper).cloned().collect();
            let informed = self.completion(&paper).is_some();
            return Judged::InForce { informed, signed_on };
        }
        // Complete but for an oral signature that lapsed.
        if let Some(signed_on) = self.completion(acts) {
            return Judged::Expired { signed_on, by: self.unless_over(EndsBy::OralLapse) };
        }
        match hard {
            Some((at, negative)) if all.iter().any(|a| a.effective <= at) || self.said_here(at) => {
                Judged::Closed { at, negative }
            }
            Some(_) | None => Judged::Incomplete { begun: !acts.is_empty() },
        }
    }

    /// Whether the sheet's own last day is behind.
    fn over(&self) -> bool {
        self.sheet.ends_at().is_some_and(|at| self.now >= at)
    }

    /// The term where it has come, whatever else has.
    fn unless_over(&self, by: EndsBy) -> EndsBy {
        if self.over() { EndsBy::Term } else { by }
    }

    /// Whether the objection of this moment stands on this very sheet.
    fn said_here(&self, at: Timestamp) -> bool {
        self.objections.iter().any(|o| o.at == at && o.inside == Some(self.sheet.id))
    }

    fn alive(&self, act: &Act) -> bool {
        act.lapses.is_none_or(|at| self.now < at)
    }

    /// LAW §5: at 12-14 a refusal suspends until who collected the accord has talked with the child; maintained, it
    /// leaves A and C to the parents and keeps CI closed. The child's own later signature lifts it.
    fn suspended(&self, acts: &[Act]) -> Option<Timestamp> {
        let earlier_accord =
            |at: Timestamp| acts.iter().any(|a| matches!(a.by, By::Holder(_)) && a.effective <= at);
        let refusal = self
            .objections
            .iter()
            .filter(|o| o.suspends)
            .filter(|o| o.inside == Some(self.sheet.id) || earlier_accord(o.at))
            .map(|o| o.at)
            .max();
        let answers = |since: Timestamp| {
            acts.iter()
                .filter(move |a| a.effective > since && matches!(a.by, By::Young | By::Talk { .. }))
                // At equal moments the answer that keeps more closed is the later one.
                .max_by_key(|a| (a.effective, matches!(a.by, By::Talk { maintained: true })))
        };
        let since = refusal.unwrap_or(Timestamp::from_micros(i64::MIN));
        match (refusal, answers(since)) {
            (Some(at), None) => Some(at),
            (None, None) => None,
            (_, Some(answer)) => match answer.by {
                By::Talk { maintained: true } => match self.target.need {
                    Need::Opening | Need::Category => None,
                    Need::Informed | Need::Never => Some(refusal.unwrap_or(answer.effective)),
                },
                By::Talk { maintained: false } | By::Young | By::Opinion | By::Holder(_) => None,
            },
        }
    }

    /// An opinion given before the child's latest "no" is no longer the child's opinion.
    fn opinions_of_today(&self, acts: Vec<Act>) -> Vec<Act> {
        let no = self.objections.iter().filter(|o| o.suspends).map(|o| o.at).max();
        acts.into_iter()
            .filter(|a| match a.by {
                By::Opinion | By::Young => no.is_none_or(|at| a.effective > at),
                By::Talk { .. } | By::Holder(_) => true,
            })
            .collect()
    }

    fn required(&self, day: NaiveDate) -> Result<Required, super::Unestablished> {
        let objectors = objectors(self.file, self.objections, self.target, self.now);
        required_signatories(
            &self.file.people,
            &SigningQuestion {
                need: self.target.need,
                purpose: self.sheet.purpose,
                recipient: match self.line.kind {
                    LineKind::Recipient => Some(&self.line.recipient),
                    LineKind::Contributor => None,
                },
                day,
                starts: self.sheet.starts,
                objectors: &objectors,
            },
        )
    }

    /// The first day on which everybody required on that day had signed. Ages and periods are taken there, so that
    /// turning 15 or the end of an impossibility ends nothing.
    fn completion(&self, acts: &[Act]) -> Option<NaiveDate> {
        let first = acts.iter().map(|a| a.day).min()?;
        let today = self.now.paris_day();
        let mut days: BTreeSet<NaiveDate> = acts.iter().map(|a| a.day).collect();
        days.extend(
            self.file
                .people
                .impossibilities
                .iter()
                .map(crate::domain::person::Impossibility::from)
                .filter(|from| *from >= first && *from <= today),
        );
        days.into_iter().find(|day| match self.required(*day) {
            Ok(required) => {
                let met = |slots: &[SignatorySlot]| slots.iter().all(|s| self.meets(s, acts, *day));
                met(&required.all_of)
                    && (required.any_of.is_empty() || required.any_of.iter().any(|group| met(group)))
            }
            Err(_) => false,
        })
    }

    fn meets(&self, slot: &SignatorySlot, acts: &[Act], by_day: NaiveDate) -> bool {
        acts.iter().filter(|a| a.day <= by_day).any(|act| match (slot, &act.by) {
            (SignatorySlot::YoungPerson, By::Young) => true,
            (SignatorySlot::Opinion, By::Young | By::Opinion | By::Talk { .. }) => true,
            (SignatorySlot::Holder(wanted), By::Holder(id)) => {
                wanted == id
                    && self.file.people.holder(id).is_some_and(|h| h.can_sign() && h.in_period(act.day))
            }
            (SignatorySlot::YoungPerson, By::Opinion | By::Talk { .. } | By::Holder(_))
            | (SignatorySlot::Opinion, By::Holder(_))
            | (SignatorySlot::Holder(_), By::Young | By::Opinion | By::Talk { .. }) => false,
        })
    }
}
