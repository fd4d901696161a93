//! Records as a table for spreadsheets, in French.

use chrono::Timelike;

use super::Leaving;
use crate::domain::spreadsheet::{self, MARK};

const COLUMNS: [&str; 19] = [
    "Trace",
    "Jour (Paris)",
    "Heure (Paris)",
    "Hors horaires",
    "Structure",
    "Profession",
    "Fonction",
    "Secret",
    "Personne (pseudonyme)",
    "Ce qui a été fait",
    "Sur quoi",
    "Parcours (pseudonyme)",
    "Sujets",
    "But",
    "Décision",
    "Raisons (codes)",
    "Objets",
    "Fois",
    "Demande",
];

/// The mark of UTF-8 and the names of the columns.
pub(super) fn head() -> String {
    format!("{MARK}{}", spreadsheet::row(&COLUMNS))
}

/// One record.
pub(super) fn row(record: &Leaving<'_>) -> String {
    let (line, body) = (&record.line, record.body);
    let local = body.at.utc().with_timezone(&chrono_tz::Europe::Paris);
    let categories: Vec<&str> = line.categories.iter().map(|c| c.french()).collect();
    let reasons: Vec<&str> = line.reasons.iter().map(|r| r.code()).collect();
    let cells: [String; 19] = [
        line.index.to_string(),
        body.at.paris_day().to_string(),
        format!("{:02}:{:02}", local.hour(), local.minute()),
        if line.out_of_hours { "oui" } else { "non" }.to_owned(),
        line.organisation.as_ref().map(|o| o.name.clone()).unwrap_or_default(),
        line.profession.map_or("", |p| p.french()).to_owned(),
        line.function.map_or("", |f| f.french()).to_owned(),
        line.secrecy.map_or("", |s| s.french()).to_owned(),
        line.actor.clone().unwrap_or_default(),
        line.action.french().to_owned(),
        line.resource.french().to_owned(),
        line.pathway.clone().unwrap_or_default(),
        categories.join(", "),
        line.purpose.map_or("", |p| p.french()).to_owned(),
        line.decision.french().to_owned(),
        reasons.join(", "),
        line.objects.to_string(),
        line.count.map(|n| n.to_string()).unwrap_or_default(),
        line.request.clone(),
    ];
    let cells: Vec<&str> = cells.iter().map(String::as_str).collect();
    spreadsheet::row(&cells)
}
