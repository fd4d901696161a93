//! Lines about what one shares: a stay that nobody has opened, and a text corrected since that is still read as it was.

use super::{Lines, Waiting, said};
use crate::access::Resource;
use crate::access::facts::{ParticipationFacts, ShareFacts};
use crate::clock::Timestamp;
use crate::domain::day::french_date;
use crate::domain::vocabulary::Purpose;
use crate::service::members::place_holders;
use crate::service::shares::over;
use crate::service::shares_corrected::left_behind;
use crate::service::who::{Names, last_day};
use crate::service::{App, Scene, ServiceError};

/// STORIES S1: what nobody opened is a line from this long before the departure; where that day is not recorded (the
/// stay had begun, or it was shared before days of departure were), from as long after the share.
const UNREAD_HOURS: i64 = 48;

/// The moment from which a stay share that is not read is told.
fn unread_from(share: &ShareFacts) -> Timestamp {
    const SECONDS: i64 = UNREAD_HOURS.saturating_mul(3600);
    match share.departure {
        Some(day) => Timestamp::paris_midnight(day).plus_seconds(SECONDS.saturating_neg()),
        None => share.starts.plus_seconds(SECONDS),
    }
}

fn unread_said(share: &ShareFacts, today: chrono::NaiveDate) -> String {
    let not_read = "Ce que vous avez partagé pour le séjour n'est pas encore lu. Relais n'envoie pas de message : appelez.";
    match share.departure {
        Some(day) if day == today => format!("Départ aujourd'hui. {not_read}"),
        Some(day) if day > today => format!("Départ le {}. {not_read}", french_date(day)),
        Some(day) => format!("Le départ était le {}. {not_read}", french_date(day)),
        None => not_read.to_owned(),
    }
}

/// STORIES S1. Somebody named in a stay share of mine has opened nothing of it.
pub(super) fn stays(
    app: &App,
    scene: &mut Scene<'_>,
    me: &ParticipationFacts,
    lines: &mut Lines<'_>,
) -> Result<(), ServiceError> {
    let facts = scene.gate.facts();
    let now = scene.now;
    let waits = |s: &&ShareFacts| {
        s.sharer == me.id && s.purpose == Purpose::Stay && !over(s, now) && unread_from(s) <= now
    };
    for share in facts.shares.iter().filter(waits) {
        if scene.gate.resource(Resource::Share(share.id.clone())).is_err() {
            continue;
        }
        let readings = app.readings_of(scene, share)?;
        let unread = share.recipients.iter().filter(|r| r.ended_at.is_none()).any(|r| {
            !place_holders(facts, &r.participation)
                .iter()
                .any(|p| readings.iter().any(|reading| reading.assignment == p.assignment.id))
        });
        if unread {
            lines.add(
                Waiting::UnreadStay,
                Some(share.id.as_str()),
                share.departure.or_else(|| last_day(share.ends)),
                true,
                unread_said(share, now.paris_day()),
            );
        }
    }
    Ok(())
}

/// A text of mine was corrected after I shared it, and somebody still reads the words from before.
pub(super) fn corrected(
    scene: &mut Scene<'_>,
    me: &ParticipationFacts,
    names: &mut Names,
    lines: &mut Lines<'_>,
) -> Result<(), ServiceError> {
    let now = scene.now;
    for share in scene.gate.facts().shares.iter().filter(|s| s.sharer == me.id && !over(s, now)) {
        let mut readers: Vec<&ParticipationFacts> = Vec::new();
        for (_, reader) in left_behind(scene, share) {
            if !readers.iter().any(|known| known.id == reader.id) {
                readers.push(reader);
            }
        }
        if readers.is_empty() {
            continue;
        }
        if scene.gate.resource(Resource::Share(share.id.clone())).is_err() {
            continue;
        }
        let mut who = Vec::with_capacity(readers.len());
        for reader in &readers {
            who.push(said(&names.who(scene.snapshot, &reader.assignment)?));
        }
        let (read, warn) = match who.len() {
            1 => ("lit", "prévenez"),
            _several => ("lisent", "prévenez : les numéros sont sur la page du partage"),
        };
        let line = lines.add(
            Waiting::CorrectedSince,
            Some(share.id.as_str()),
            None,
            true,
            format!(
                "« {} » : un texte a été corrigé, et {} {read} encore l'ancien. Partagez le nouveau ou mettez fin à ce \
                 partage, et {warn}.",
                share.purpose.french(),
                who.join(", ")
            ),
        );
        // One number, one person: beside several names it would be nobody's.
        if let [one] = readers.as_slice() {
            line.calling(names.telephone(scene.snapshot, &one.assignment)?);
        }
    }
    Ok(())
}
