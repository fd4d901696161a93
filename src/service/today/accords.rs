//! Lines about accords: to be signed, about to end, and what majority asks.
//!
//! INVARIANT: made of the views that this reader has of each accord. A line that is hidden from the reader neither tells
//! of an end nor keeps one from being told.

use chrono::NaiveDate;

use super::{ACCORD_NOTICE_DAYS, Lines, URGENT_DAYS, Waiting, near};
use crate::access::Resource;
use crate::access::facts::ParticipationFacts;
use crate::clock::Timestamp;
use crate::domain::accord::EndsBy;
use crate::domain::day::{Day, french_date};
use crate::domain::vocabulary::Role;
use crate::service::accord_views::view_for;
use crate::service::who::{iso, last_day};
use crate::service::{AccordStanding, AccordView, LineView, Scene, SeenAs, ServiceError, StateView};

/// The accords of this pathway, as this reader may see them.
pub(super) fn views(scene: &mut Scene<'_>) -> Result<Vec<AccordView>, ServiceError> {
    let mut views = Vec::new();
    for accord in &scene.gate.facts().accords {
        views.extend(view_for(scene, accord)?);
    }
    Ok(views)
}

/// What waits on each of them.
pub(super) fn lines(scene: &Scene<'_>, views: &[AccordView], lines: &mut Lines<'_>) {
    let today = scene.now.paris_day();
    for view in views {
        to_sign(view, lines);
        ends(view, views, today, lines);
    }
}

fn to_sign(view: &AccordView, lines: &mut Lines<'_>) {
    if view.seen_as != SeenAs::Collector {
        return;
    }
    let purpose = view.purpose.french();
    let (kind, sentence) = match view.state.code {
        AccordStanding::PartlySigned => {
            (Waiting::SignaturesAwaited, format!("« {purpose} » : des signatures manquent encore."))
        }
        AccordStanding::Draft | AccordStanding::Printed => (
            Waiting::AccordToSign,
            format!("« {purpose} » : l'accord est préparé, personne ne l'a encore signé."),
        ),
        AccordStanding::InForce | AccordStanding::Upcoming if !view.state.awaited.is_empty() => (
            Waiting::SignaturesAwaited,
            format!("« {purpose} » : l'accord compte, mais une ligne attend encore une signature."),
        ),
        AccordStanding::InForce
        | AccordStanding::Upcoming
        | AccordStanding::Refused
        | AccordStanding::Withdrawn
        | AccordStanding::Expired
        | AccordStanding::Replaced
        | AccordStanding::NotInForce => return,
    };
    lines.add(kind, Some(view.id.as_str()), None, false, sentence);
}

/// The last day on which time alone lets this state count.
fn end_of(state: &StateView) -> Option<NaiveDate> {
    state.until.as_deref().and_then(Timestamp::parse_rfc3339).and_then(last_day)
}

/// The last day of an accord by its own terms.
fn term(view: &AccordView) -> Option<NaiveDate> {
    Day::parse(&view.ends).ok().and_then(|day| day.date().pred_opt())
}

fn ends(view: &AccordView, all: &[AccordView], today: NaiveDate, lines: &mut Lines<'_>) {
    let tells = matches!(view.seen_as, SeenAs::Collector | SeenAs::Referent);
    let (AccordStanding::InForce, true, Some(end)) = (view.state.code, tells, end_of(&view.state)) else {
        return;
    };
    if !near(end, today, ACCORD_NOTICE_DAYS) {
        return;
    }
    let (purpose, day) = (view.purpose.french(), french_date(end));
    let (kind, sentence) = match view.state.ends_by {
        Some(EndsBy::OralLapse) => (
            Waiting::SheetAwaited,
            format!(
                "« {purpose} » : accord donné de vive voix ou par téléphone. Sans feuille signée, il s'arrête après le {day}."
            ),
        ),
        Some(EndsBy::Confirmation) => (
            Waiting::ConfirmationAwaited,
            format!(
                "« {purpose} » : signé à l'avance. Sans une nouvelle signature du jeune, devenu majeur, il s'arrête après le {day}."
            ),
        ),
        Some(EndsBy::Term | EndsBy::Majority | EndsBy::Change) | None => {
            if followed(view, all, end) {
                return;
            }
            (
                Waiting::AccordEnds,
                format!("« {purpose} » : l'accord compte jusqu'au {day}. Après, plus rien ne se lit."),
            )
        }
    };
    lines.add(kind, Some(view.id.as_str()), Some(end), near(end, today, URGENT_DAYS), sentence);
}

/// Whether everything that counts on this accord goes on under another one, signed, without a day between.
fn followed(view: &AccordView, all: &[AccordView], end: NaiveDate) -> bool {
    let others: Vec<&AccordView> =
        all.iter().filter(|other| other.id != view.id && other.purpose == view.purpose).collect();
    let counts = |line: &&LineView| line.state.code == AccordStanding::InForce;
    view.lines
        .iter()
        .filter(counts)
        .all(|line| others.iter().any(|other| other.lines.iter().any(|l| goes_on(line, l, other, end))))
}

/// Whether `next`, of a later accord, gives what `line` gives, from the day after `end` at the latest.
fn goes_on(line: &LineView, next: &LineView, later: &AccordView, end: NaiveDate) -> bool {
    let covers = next.recipient == line.recipient
        && next.kind == line.kind
        && (!next.only_one_person || line.only_one_person)
        && line.categories.iter().all(|c| next.categories.contains(c))
        && line.exact_words.iter().all(|c| next.exact_words.contains(c));
    let in_time = match next.state.code {
        AccordStanding::InForce => end_of(&next.state).is_none_or(|until| until > end),
        AccordStanding::Upcoming => {
            let starts = Day::parse(&later.starts).ok().map(Day::date);
            starts.zip(end.succ_opt()).is_some_and(|(starts, after)| starts <= after)
                && term(later).is_some_and(|last| last > end)
        }
        AccordStanding::Draft
        | AccordStanding::Printed
        | AccordStanding::PartlySigned
        | AccordStanding::Refused
        | AccordStanding::Withdrawn
        | AccordStanding::Expired
        | AccordStanding::Replaced
        | AccordStanding::NotInForce => false,
    };
    covers && in_time
}

/// STORIES S5. From seventeen years and nine months, to the référent who reads the birth date, as long as something that
/// counts today would stop on the birthday.
pub(super) fn majority(
    scene: &mut Scene<'_>,
    me: &ParticipationFacts,
    views: &[AccordView],
    lines: &mut Lines<'_>,
) {
    if me.role != Role::Referent || scene.gate.resource(Resource::Identity).is_err() {
        return;
    }
    let person = &scene.gate.facts().person;
    let today = scene.now.paris_day();
    let (Some(from), Some(day)) = (person.sign_ahead_from(), person.majority_day()) else { return };
    let Some(eve) = day.pred_opt() else { return };
    if today < from || today >= day || person.decides_alone_on(today) {
        return;
    }
    let first = iso(day);
    let ahead =
        views.iter().filter(|v| v.state.code == AccordStanding::Upcoming && v.starts == first).count();
    // Who has nothing in force has nothing that stops; the young person may all the same sign for what follows.
    let open =
        views.iter().filter(|v| v.state.code == AccordStanding::InForce).any(|v| !followed(v, views, eve));
    if ahead > 0 && !open {
        return;
    }
    let signed = match ahead {
        0 => "Le jeune peut déjà signer seul pour la suite.".to_owned(),
        1 => "1 accord est déjà signé pour la suite ; le reste s'arrêtera.".to_owned(),
        n => format!("{n} accords sont déjà signés pour la suite ; le reste s'arrêtera."),
    };
    lines.add(
        Waiting::Majority,
        None,
        Some(day),
        near(day, today, URGENT_DAYS),
        format!(
            "Préparer la majorité : le {}, les accords des parents prennent fin. {signed}",
            french_date(day)
        ),
    );
}
