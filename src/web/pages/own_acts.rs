//! « Mes actes »: what one did oneself, as the log has it, with a receipt of each.

use askama::Template;

use super::Page;
use super::icon::Icon;
use super::shell::{Room, Shell};
use super::words;
use crate::domain::record::{Action, ResourceKind};
use crate::service::{App, OwnAct, OwnActs};
use crate::web::route::{Answer, Fault, Incoming, Method, Route};

/// One's own acts, latest first.
#[derive(Template)]
#[template(path = "own_acts.html")]
struct OwnActsPage {
    shell: Shell,
    acts: OwnActs,
    groups: Vec<Group>,
    /// Whether it is a further page.
    further: bool,
}

/// Like acts of one day.
struct Group {
    sentence: String,
    /// Latest first.
    acts: Vec<OwnAct>,
}

/// Like acts of one day stand where the latest of them does.
fn grouped(acts: &[OwnAct]) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for act in acts {
        let day = words::day_of(&act.at);
        let like = groups.iter_mut().find(|g| {
            g.acts.first().is_some_and(|first| first.done == act.done && words::day_of(&first.at) == day)
        });
        match like {
            Some(group) => group.acts.push(act.clone()),
            None => groups.push(Group { sentence: act.sentence.clone(), acts: vec![act.clone()] }),
        }
    }
    for group in &mut groups {
        if let [first, _, ..] = group.acts.as_slice() {
            group.sentence =
                format!("{}, {} fois le {}.", first.done, group.acts.len(), words::day_of(&first.at));
        }
    }
    groups
}

/// The rows.
#[must_use]
pub fn routes() -> Vec<Route> {
    vec![
        super::row(Method::Get, "/compte/traces", (Action::List, ResourceKind::AuditLog), acts)
            .asking(&["suite", "fait"]),
        super::row(
            Method::Get,
            "/compte/traces/{index}/recu",
            (Action::Export, ResourceKind::AuditLog),
            receipt,
        ),
    ]
}

fn acts(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let cursor = incoming.query.get("suite").map(String::as_str);
    let acts = app.own_acts(incoming.call()?, incoming.act, cursor)?.into_inner();
    let shell = Shell::signed_in(app, incoming, Room::Account, "Ce que j'ai fait")?;
    let groups = grouped(&acts.items);
    Answer::page(&OwnActsPage { shell, acts, groups, further: cursor.is_some() })
}

fn receipt(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let index = super::record_index(incoming)?;
    let proof = app.own_receipt(incoming.call()?, incoming.act, index)?.into_inner();
    Ok(super::receipt_file(index, proof))
}

#[cfg(test)]
fn sample_act(index: u64, day: u8, done: &str) -> OwnAct {
    OwnAct {
        index,
        at: format!("2027-03-{day}T09:05:00Z"),
        action: Action::Read,
        resource: ResourceKind::Item,
        sentence: format!("{done}, le {day} mars 2027 à 10 h 05."),
        done: done.to_owned(),
    }
}

impl Page for OwnActsPage {
    #[cfg(test)]
    const NAME: &'static str = "own_acts";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        let one = sample_act;
        let page = |items: Vec<OwnAct>, next, further| Self {
            shell: super::shell::sample::signed_in(Room::Account, "Ce que j'ai fait"),
            groups: grouped(&items),
            acts: OwnActs { items, next },
            further,
        };
        let next = || Some("c3VpdGU".to_owned());
        let two = vec![
            one(41, 14, "Vous avez consulté un élément d'information"),
            one(30, 14, "Vous vous êtes connecté"),
            one(29, 14, "Vous avez consulté un élément d'information"),
            one(12, 13, "Vous vous êtes connecté"),
        ];
        vec![
            ("empty", page(Vec::new(), None, false)),
            ("first", page(two.clone(), next(), false)),
            ("nothing_yet", page(Vec::new(), next(), true)),
            ("last", page(two, None, true)),
        ]
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn pages_of_own_acts() {
        crate::web::pages::snapshots::check::<super::OwnActsPage>();
    }

    #[test]
    fn like_acts_of_one_day_are_one_line_and_every_receipt_is_still_there() {
        use super::{grouped, sample_act};
        let acts = [
            sample_act(9, 14, "Vous avez lu"),
            sample_act(8, 14, "Vous avez écrit"),
            sample_act(7, 14, "Vous avez lu"),
            sample_act(6, 13, "Vous avez lu"),
        ];
        let groups = grouped(&acts);
        let told: Vec<_> = groups
            .iter()
            .map(|g| (g.sentence.as_str(), g.acts.iter().map(|a| a.index).collect::<Vec<_>>()))
            .collect();
        assert_eq!(
            told,
            [
                ("Vous avez lu, 2 fois le 14 mars 2027.", vec![9, 7]),
                ("Vous avez écrit, le 14 mars 2027 à 10 h 05.", vec![8]),
                ("Vous avez lu, le 13 mars 2027 à 10 h 05.", vec![6]),
            ]
        );
    }
}
