//! Refusals, withdrawals and oppositions: what they cover and whether who said no may say it.

use std::collections::BTreeSet;

use super::event::{Event, EventKind, Opinion, Scope, Signatory};
use super::fact::ConsentFile;
use super::facts::{Line, RecipientKey};
use super::judge::{Sheet, SheetRef};
use crate::clock::Timestamp;
use crate::domain::cell::Need;
use crate::domain::person::{AgeBand, Motive};
use crate::domain::vocabulary::{Category, Purpose};
use crate::ids::{AssignmentId, HolderId, ItemVersionId};

/// Which person of the recipient is meant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Whom<'a> {
    One(&'a AssignmentId),
    /// Not known who: whatever was refused to one person is refused here.
    Unknown,
    /// The line as such, whoever serves it.
    Line,
}

/// What an accord is looked up for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target<'a> {
    pub recipient: &'a RecipientKey,
    pub whom: Whom<'a>,
    /// `None`: being named at all, whatever the subject.
    pub category: Option<Category>,
    pub purpose: Purpose,
    pub version: Option<&'a ItemVersionId>,
    pub need: Need,
}

impl<'a> Target<'a> {
    pub(crate) const fn assignment(&self) -> Option<&'a AssignmentId> {
        match self.whom {
            Whom::One(id) => Some(id),
            Whom::Unknown | Whom::Line => None,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Negative {
    Refused,
    Withdrawn,
}

/// A "no" that covers the target and counts.
#[derive(Clone, Debug)]
pub(crate) struct Objection<'a> {
    pub at: Timestamp,
    pub negative: Negative,
    pub by: &'a Signatory,
    /// The sheet on which it stands, if any.
    pub inside: Option<SheetRef<'a>>,
    /// A child of 12 to 14: suspends until the talk. Everyone else's defeats.
    pub suspends: bool,
}

/// Every objection that covers `target` (or this very line), recorded up to `now`, by somebody whose "no" counts.
pub(crate) fn objections<'a>(
    file: &ConsentFile<'a>,
    own: Option<(SheetRef<'a>, &'a Line)>,
    target: &Target<'_>,
    now: Timestamp,
) -> Vec<Objection<'a>> {
    let mut found = Vec::new();
    for event in file.standing {
        collect(file, None, event, own, target, now, &mut found);
    }
    for sheet in file.sheets() {
        for event in sheet.events {
            collect(file, Some(&sheet), event, own, target, now, &mut found);
        }
    }
    found
}

static CHILD: Signatory = Signatory::YoungPerson;

fn collect<'a>(
    file: &ConsentFile<'a>,
    sheet: Option<&Sheet<'a>>,
    event: &'a Event,
    own: Option<(SheetRef<'a>, &'a Line)>,
    target: &Target<'_>,
    now: Timestamp,
    found: &mut Vec<Objection<'a>>,
) {
    if event.at() > now {
        return;
    }
    let (by, negative, scope) = match event.kind() {
        EventKind::Refused { by, scope } => (by, Negative::Refused, scope),
        // LAW §5: an opposition acts as a withdrawal.
        EventKind::Withdrawn { by, scope } | EventKind::Opposed { by, scope } => {
            (by, Negative::Withdrawn, scope)
        }
        EventKind::Opinion { opinion: Opinion::Unfavourable, .. } => {
            (&CHILD, Negative::Refused, &Scope::Sheet)
        }
        // LAW §5: from fifteen a refusal blocks every level, so one that is maintained then is a refusal of that day.
        EventKind::TalkHeld { maintained: true, .. } if child_no(file, event) == Some(false) => {
            (&CHILD, Negative::Refused, &Scope::Sheet)
        }
        EventKind::Printed
        | EventKind::Signed(_)
        | EventKind::SheetSigned { .. }
        | EventKind::Opinion { .. }
        | EventKind::TalkHeld { .. }
        | EventKind::Replaced { .. } => return,
    };
    if !covers(scope, sheet, own, target) {
        return;
    }
    let suspends = match by {
        Signatory::YoungPerson => match child_no(file, event) {
            Some(suspends) => suspends,
            None => return,
        },
        Signatory::Holder(id) => {
            if !holder_counts(file, id, event.at()) {
                return;
            }
            false
        }
    };
    found.push(Objection { at: event.at(), negative, by, inside: sheet.map(|s| s.id), suspends });
}

/// The weight of the young person's "no" on the day of the event: `None` under twelve (heard, LAW C. civ. 371-1),
/// `Some(true)` suspends (12-14), `Some(false)` defeats (15 and over, emancipated, adult).
fn child_no(file: &ConsentFile<'_>, event: &Event) -> Option<bool> {
    let day = event.at().paris_day();
    if file.people.person.decides_alone_on(day) {
        return Some(false);
    }
    match file.people.person.band_on(day) {
        AgeBand::Under12 => None,
        AgeBand::From12To14 => Some(true),
        AgeBand::From15To17 | AgeBand::Adult => Some(false),
    }
}

/// LAW §5: by anyone who signs or holds authority. Somebody unknown counts: what is unclear denies.
fn holder_counts(file: &ConsentFile<'_>, id: &HolderId, at: Timestamp) -> bool {
    let day = at.paris_day();
    // LAW: C. civ. 371-1, 414. From that day no one else has a say.
    if file.people.person.decides_alone_on(day) {
        return false;
    }
    let Some(holder) = file.people.holder(id) else { return true };
    if !holder.can_sign() {
        return false;
    }
    let withdrawn = file.people.impossible_on(id, day).any(|i| *i.motive() == Motive::AuthorityWithdrawn);
    (holder.in_period(day) && !withdrawn) || has_signed(file, id)
}

fn has_signed(file: &ConsentFile<'_>, id: &HolderId) -> bool {
    file.sheets().any(|sheet| {
        sheet.events.iter().any(
            |e| matches!(e.kind(), EventKind::Signed(s) if matches!(&s.by, Signatory::Holder(h) if h == id)),
        )
    })
}

fn covers(
    scope: &Scope,
    sheet: Option<&Sheet<'_>>,
    own: Option<(SheetRef<'_>, &Line)>,
    target: &Target<'_>,
) -> bool {
    match scope {
        Scope::Everything => true,
        Scope::Recipient(key) => key == target.recipient,
        Scope::Assignment(id) => match target.whom {
            Whom::One(one) => one == id,
            Whom::Unknown => true,
            Whom::Line => own.is_some_and(|(_, line)| line.only_assignment.as_ref() == Some(id)),
        },
        Scope::Category(category) => target.category == Some(*category),
        Scope::Sheet => covers_sheet(sheet, target),
        Scope::Line(id) => {
            // The line itself is closed for every subject, whichever it names.
            if let (Some(sheet), Some((own_sheet, line))) = (sheet, own)
                && sheet.id == own_sheet
                && line.id == *id
            {
                return true;
            }
            let line = sheet.and_then(|s| s.lines.iter().find(|l| l.id == *id));
            match line {
                // A line nobody knows: the whole sheet.
                None => covers_sheet(sheet, target),
                Some(line) => covers_sheet(sheet, target) && line_covers(line, target),
            }
        }
    }
}

/// A "no" that stands on no sheet yet speaks of "this sheet" covers everything.
fn covers_sheet(sheet: Option<&Sheet<'_>>, target: &Target<'_>) -> bool {
    let Some(sheet) = sheet else { return true };
    let named =
        sheet.purpose == target.purpose && sheet.lines.iter().any(|l| l.recipient == *target.recipient);
    match sheet.id {
        SheetRef::Accord(_) => named,
        // The refusal of exact words is a refusal of these words.
        SheetRef::Release(_) => {
            named
                && target.version.is_some_and(|v| {
                    sheet.lines.iter().flat_map(|l| l.shown.iter()).any(|shown| shown.version == *v)
                })
        }
    }
}

fn line_covers(line: &Line, target: &Target<'_>) -> bool {
    line.recipient == *target.recipient
        && (line.subjects().next().is_none() || target.category.is_some_and(|c| line.speaks_of(c)))
}

/// Holders who said no and did not sign for the same thing since (LAW: C. civ. 372-2, good faith).
pub(crate) fn objectors(
    file: &ConsentFile<'_>,
    objections: &[Objection<'_>],
    target: &Target<'_>,
    now: Timestamp,
) -> BTreeSet<HolderId> {
    let mut standing = BTreeSet::new();
    for objection in objections.iter().filter(|o| !o.suspends) {
        if let Signatory::Holder(id) = objection.by
            && !took_back(file, id, objection.at, target, now)
        {
            standing.insert(id.clone());
        }
    }
    standing
}

fn took_back(
    file: &ConsentFile<'_>,
    id: &HolderId,
    since: Timestamp,
    target: &Target<'_>,
    now: Timestamp,
) -> bool {
    file.accords.iter().filter(|a| a.facts().purpose() == target.purpose).any(|accord| {
        accord.events().iter().filter(|e| e.at() <= now).any(|event| match event.kind() {
            EventKind::Signed(signed) => {
                matches!(&signed.by, Signatory::Holder(h) if h == id)
                    && event.effective(signed.on) > since
                    && accord.facts().lines().iter().any(|line| {
                        signed.lines.contains(&line.id)
                            && line.matches(target.recipient, target.assignment())
                            && (target.need == Need::Opening
                                || target.category.is_some_and(|c| line.speaks_of(c)))
                    })
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
    })
}
