//! « La feuille de la famille » (S12): what is shared today, with whom, why, until when, how to say no, who looked. One
//! for each person who may sign.
//!
//! INVARIANTS
//! * It is made of what its printer may see: the référent's outline, or one's own shares. A service that the référent may
//!   not know prints its own.
//! * Nobody's opinion, address or number stands on it; no sheet is made for somebody whom one must not contact.

use std::collections::BTreeMap;

use askama::Template;

use super::Page;
use super::accords::{Choice, Family, act, holder_name, service_name};
use super::frame::{Frame, Part, pathway_of};
use super::icon::Icon;
use super::shell::Shell;
use crate::domain::contact::Phone;
use crate::domain::day::{Day, french_date};
use crate::domain::record::{Action, ResourceKind};
use crate::domain::vocabulary::Role;
use crate::service::share_views::Standpoint;
use crate::service::{Act, App, ServiceError};
use crate::web::route::{Answer, Fault, Incoming, Method, Route};

/// Something that is shared today.
struct Shared {
    what: Vec<&'static str>,
    whom: Vec<String>,
    why: &'static str,
    until: Option<String>,
}

/// Something that may be shared: an accord in force.
struct Agreed {
    whom: String,
    why: &'static str,
    until: String,
}

/// A reading.
struct Looked {
    on: String,
    who: String,
    what: String,
}

/// The sheet, or the choice of whom it is for.
#[derive(Template)]
#[template(path = "family_sheet.html")]
struct FamilySheetPage {
    shell: Shell,
    frame: Frame,
    people: Vec<Choice>,
    /// For whom; nothing while it is to be chosen.
    for_whom: Option<String>,
    shared: Vec<Shared>,
    agreed: Vec<Agreed>,
    /// Nothing when its printer may not know.
    looked: Option<Vec<Looked>>,
    today: String,
}

impl FamilySheetPage {
    /// Whom to tell, as people read a number aloud.
    fn call(&self) -> Option<String> {
        let referent = self.frame.view.referent.as_ref()?;
        let number = Phone::parse(&referent.telephone)
            .map_or_else(|_| referent.telephone.clone(), |phone| phone.spoken());
        Some(format!("{}, {number}", referent.who.name))
    }
}

/// The rows.
#[must_use]
pub fn routes() -> Vec<Route> {
    const PATH: &str = "/parcours/{pathway}/feuille-de-la-famille";
    vec![super::row(Method::Get, PATH, (Action::Print, ResourceKind::Share), page).asking(&["fait", "pour"])]
}

/// Who may be given one: by name for the référent, « un parent » for others.
fn people(family: &Family, names: bool) -> Vec<Choice> {
    let young = Choice::new("young_person", "Le jeune");
    if !names {
        return vec![young, Choice::new("parent", "Un parent")];
    }
    let holders = family.holders().iter().filter(|h| !h.do_not_contact);
    std::iter::once(young).chain(holders.map(|h| Choice::new(h.id.clone(), holder_name(h)))).collect()
}

fn page(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let call = incoming.call()?;
    let pathway = pathway_of(incoming)?;
    let (shell, frame) = Frame::read(app, incoming, Part::Accords, "La feuille de la famille")?;
    let referent = match frame.view.me.role {
        Role::Referent => true,
        Role::Participant | Role::ContributorOnly => false,
        Role::StayOrganiser => return Err(Fault::Syntax(ServiceError::AbsentOrRefused)),
    };
    let family = Family::read(app, incoming, referent)?;
    let people = people(&family, referent);
    let chosen = incoming.query.get("pour").and_then(|p| people.iter().find(|c| c.code() == p));
    let for_whom = chosen.map(|c| c.french().to_owned());
    let mut out = FamilySheetPage {
        today: french_date(frame.today),
        shell,
        frame,
        people,
        for_whom,
        shared: Vec::new(),
        agreed: Vec::new(),
        looked: None,
    };
    if out.for_whom.is_some() {
        let reporting = reporting(&out.frame);
        let shares = app.shares_list(call, &pathway)?.into_inner().items;
        out.shared = shares
            .into_iter()
            .filter(|s| s.in_force && s.seen_as != Standpoint::Recipient)
            .map(|s| Shared {
                what: s.categories.iter().map(|c| c.french()).collect(),
                whom: s.recipients.into_iter().map(|r| with_report(r, &reporting)).collect(),
                why: s.purpose.french(),
                until: s.last_day.map(Day::french),
            })
            .collect();
        if referent {
            out.agreed = agreed(app, incoming)?;
            let act = Act { action: Action::List, resource: ResourceKind::Consultations };
            let read = app.consultations(call, act, &pathway)?.into_inner().items;
            out.looked = Some(
                read.into_iter()
                    .map(|l| Looked {
                        on: french_date(l.on),
                        who: format!("{}, {}", l.profession.french(), l.organisation.name),
                        what: l.categories.iter().map(|c| c.french()).collect::<Vec<_>>().join(", "),
                    })
                    .collect(),
            );
        }
    }
    Answer::page(&out)
}

/// Members of the circle who report upward, as lists of shares name them.
fn reporting(frame: &Frame) -> BTreeMap<String, &'static str> {
    frame
        .view
        .circle
        .iter()
        .filter_map(|p| {
            let to = p.who.profession.accountable_to()?;
            Some((format!("{} ({})", p.who.name, p.who.profession.french()), to))
        })
        .collect()
}

fn with_report(whom: String, reporting: &BTreeMap<String, &'static str>) -> String {
    match reporting.get(&whom) {
        Some(to) => format!("{whom}, qui rend compte {to}"),
        None => whom,
    }
}

fn agreed(app: &App, incoming: &Incoming) -> Result<Vec<Agreed>, Fault> {
    let all =
        app.accord_list(incoming.call()?, act(Action::List), &pathway_of(incoming)?)?.into_inner().items;
    Ok(all
        .into_iter()
        .filter(|a| a.state.code == "in_force")
        .flat_map(|a| {
            let until = Day::parse(&a.ends).ok().and_then(|d| d.date().pred_opt()).map(french_date);
            let until = until.unwrap_or_default();
            a.lines.into_iter().filter(|l| l.state.code == "in_force").map(move |l| {
                let report = l.recipient.profession.accountable_to();
                let report = report.map(|to| format!(", qui rend compte {to}")).unwrap_or_default();
                Agreed {
                    whom: format!(
                        "{} ({}){report}",
                        service_name(&l.recipient),
                        l.recipient.profession.french()
                    ),
                    why: a.purpose.french(),
                    until: until.clone(),
                }
            })
        })
        .collect())
}

impl Page for FamilySheetPage {
    #[cfg(test)]
    const NAME: &'static str = "family_sheet";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        use super::frame::sample::frame_as;
        let page = |role, chosen: bool, full: bool| {
            let (shell, frame) = frame_as(role, Part::Accords, "La feuille de la famille");
            Self {
                shell,
                frame,
                people: people(&Family::sample(), role == Role::Referent),
                for_whom: chosen.then(|| "Sonia Martin (mère)".to_owned()),
                shared: if full {
                    vec![Shared {
                        what: vec!["Scolarité", "Besoins pratiques"],
                        whom: vec![
                            "Claire Morel (Éducateur AEMO / AED), qui rend compte au juge des enfants"
                                .to_owned(),
                        ],
                        why: "Coordonner le parcours",
                        until: Some("14 juillet 2027".to_owned()),
                    }]
                } else {
                    vec![]
                },
                agreed: if full && role == Role::Referent {
                    vec![Agreed {
                        whom: "Action éducative, Sauvegarde".to_owned(),
                        why: "Coordonner le parcours",
                        until: "14 juillet 2027".to_owned(),
                    }]
                } else {
                    vec![]
                },
                looked: match (role, full) {
                    (Role::Referent, true) => Some(vec![Looked {
                        on: "12 mars 2027".to_owned(),
                        who: "Éducateur AEMO / AED, Sauvegarde".to_owned(),
                        what: "Scolarité".to_owned(),
                    }]),
                    (Role::Referent, false) => Some(vec![]),
                    _other => None,
                },
                today: "14 mars 2027".to_owned(),
            }
        };
        vec![
            ("choose", page(Role::Referent, false, false)),
            ("full", page(Role::Referent, true, true)),
            ("nothing_shared", page(Role::Referent, true, false)),
            ("own_shares", page(Role::Participant, true, true)),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_the_familys_sheet() {
        crate::web::pages::snapshots::check::<FamilySheetPage>();
    }

    #[test]
    fn law_no_sheet_is_made_for_whom_one_must_not_contact() {
        let named = people(&Family::sample(), true);
        assert!(named.iter().all(|c| !c.french().contains("Jean Martin")));
        assert!(named.iter().any(|c| c.french().contains("Sonia Martin")));
        assert!(people(&Family::sample(), false).iter().all(|c| !c.french().contains("Martin")));
    }
}
